//! Controllers and brokers without logs in a world, and the laws that hold there whatever happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::{Digest, NodeId, ObjectId, PayloadId, Tag, Time};
use crate::model::raft::{Offset, Payload, Stored};
use crate::record::Command;
use crate::world::{Breach, Contents, Ctx, Discard, Disconnect, Hosts, Itself, Nodes, Peer, Protocol, Role, Roster, RosterNode};

use super::super::super::config::Config;
use super::super::super::ids::Part;
use super::super::super::protocol::{KINDS, Msg, about};
use super::super::super::view::{PartView, View};
use super::super::{Change, Controller, ControllerTimer, ControllerWrite, Fact, Metadata, PartChange, active, format};
use super::fake::{Fake, FakeDisk, FakeTimer};

/// Controllers and brokers.
#[derive(Clone, Debug)]
pub(super) struct Cluster;

/// The configuration, and what the run has come to.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) config: Config,
    /// From now on no broker stops by itself.
    pub(super) calm: AtomicBool,
    /// From now on all should be well.
    pub(super) settled: AtomicBool,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Controller(Box<Controller>),
    Broker(Box<Fake>),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Timer {
    Controller(ControllerTimer),
    Broker(FakeTimer),
}

#[derive(Clone, Debug)]
pub(super) struct Disk {
    controller: Stored<Change>,
    broker: FakeDisk,
}

#[derive(Clone, Debug)]
pub(super) enum Write {
    Controller(ControllerWrite),
    Broker(Option<u64>),
}

impl Contents for Disk {
    type Write = Write;
    fn apply(&mut self, write: Write) {
        match write {
            Write::Controller(write) => self.controller.apply(write),
            Write::Broker(write) => self.broker.apply(write),
        }
    }
    fn torn(write: &Write, word: u64) -> Option<Write> {
        match write {
            Write::Controller(write) => Stored::torn(write, word).map(Write::Controller),
            Write::Broker(_) => None,
        }
    }
    fn flip(&mut self, _: u64) -> bool {
        false
    }
    fn bytes(write: &Write) -> u64 {
        match write {
            Write::Controller(write) => Stored::bytes(write),
            Write::Broker(_) => 0,
        }
    }
    fn frees(write: &Write) -> u64 {
        match write {
            Write::Controller(write) => Stored::frees(write),
            Write::Broker(_) => 0,
        }
    }
}

macro_rules! each {
    ($node:expr, $role:ident => $act:expr) => {
        match $node {
            Node::Controller($role) => $act,
            Node::Broker($role) => $act,
        }
    };
}

impl Protocol for Cluster {
    type Config = Terms;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;
    type Write = Write;
    type Node = Node;

    fn kinds() -> &'static [&'static str] {
        KINDS
    }
    fn about(tag: Tag) -> Option<PayloadId> {
        about(tag)
    }
    fn roster(terms: &Terms) -> Roster {
        let places = &terms.config.places;
        let node = |name: String, group| RosterNode { name, groups: vec![group], takes_load: false };
        let brokers = (1..=places.brokers.len()).map(|number| node(format!("broker-{number}"), "brokers"));
        let controllers = (1..=places.controllers.len()).map(|number| node(format!("controller-{number}"), "controllers"));
        Roster { nodes: brokers.chain(controllers).collect(), objects: Vec::new() }
    }
    fn format(_: NodeId, terms: &Terms) -> Disk {
        Disk { controller: format(&terms.config), broker: FakeDisk::default() }
    }
    fn boot(ctx: &mut Ctx<'_, Self, Itself>) -> Node {
        if ctx.config().config.places.controllers.contains(&ctx.me()) {
            Node::Controller(Box::new(Controller::boot(&mut ctx.narrow())))
        } else {
            Node::Broker(Box::new(Fake::boot(&mut ctx.narrow())))
        }
    }
    fn on_command(node: &mut Node, command: Command, ctx: &mut Ctx<'_, Self, Itself>) {
        each!(node, role => role.on_command(command, &mut ctx.narrow(), &mut Discard));
    }
    fn on_message(node: &mut Node, from: Peer, msg: Msg, ctx: &mut Ctx<'_, Self, Itself>) {
        each!(node, role => role.on_message(from, msg, &mut ctx.narrow(), &mut Discard));
    }
    fn on_timer(node: &mut Node, timer: Timer, ctx: &mut Ctx<'_, Self, Itself>) {
        match (node, timer) {
            (Node::Controller(role), Timer::Controller(timer)) => role.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Broker(role), Timer::Broker(timer)) => role.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Controller(_) | Node::Broker(_), timer) => unreachable!("{timer:?} fired at another role"),
        }
    }
    fn on_disconnect(node: &mut Node, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, Self, Itself>) {
        each!(node, role => role.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard));
    }
    fn cost(_: &Terms, _: &Msg) -> u32 {
        1
    }
    fn resolve(_: &Terms, nodes: &Nodes<'_, Self>, role: &str, _: &str) -> Option<Vec<NodeId>> {
        (role == "controller").then(|| active(controllers(nodes)).into_iter().collect())
    }
    fn invariant(terms: &Terms, nodes: &Nodes<'_, Self>) -> Result<(), Breach> {
        laws(&terms.config, nodes).map_err(Breach)?;
        if terms.settled.load(Ordering::Relaxed) { well(&terms.config, nodes).map_err(Breach) } else { Ok(()) }
    }
    fn fingerprint(node: &Node, now: Time, digest: &mut Digest) {
        match node {
            Node::Controller(controller) => controller.fingerprint(now, digest),
            Node::Broker(broker) => broker.link.fingerprint(now, digest),
        }
    }
    fn gauges(_: &Node, _: &mut dyn FnMut(ObjectId, u64)) {}
    fn held(_: &Terms, _: &Nodes<'_, Self>, _: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {}
}

const fn config_of(terms: &Terms) -> &Config {
    &terms.config
}

macro_rules! hosts {
    ($($role:ident, $timer:ty, $variant:ident, $write:ty, $disk:ty, $part:ident, $config:ty, $terms:expr;)*) => {$(
        impl Hosts<$role> for Cluster {
            fn msg(msg: Msg) -> Msg {
                msg
            }
            fn timer(timer: $timer) -> Timer {
                Timer::$variant(timer)
            }
            fn write(write: $write) -> Write {
                Write::$variant(write)
            }
            fn disk(disk: &Disk) -> &$disk {
                &disk.$part
            }
            fn config(terms: &Terms) -> &$config {
                $terms(terms)
            }
        }
    )*};
}

hosts! {
    Controller, ControllerTimer, Controller, ControllerWrite, Stored<Change>, controller, Config, config_of;
    Fake, FakeTimer, Broker, Option<u64>, FakeDisk, broker, Terms, std::convert::identity;
}

fn controllers<'a>(nodes: &Nodes<'a, Cluster>) -> Vec<(NodeId, &'a Controller)> {
    let of = |(node, process): (NodeId, &'a Node)| match process {
        Node::Controller(controller) => Some((node, &**controller)),
        Node::Broker(_) => None,
    };
    nodes.iter().filter_map(of).collect()
}

fn brokers<'a>(nodes: &Nodes<'a, Cluster>) -> Vec<(NodeId, &'a Fake)> {
    let of = |(node, process): (NodeId, &'a Node)| match process {
        Node::Controller(_) => None,
        Node::Broker(broker) => Some((node, &**broker)),
    };
    nodes.iter().filter_map(of).collect()
}

/// What holds at every moment.
fn laws(config: &Config, nodes: &Nodes<'_, Cluster>) -> Result<(), String> {
    let controllers = controllers(nodes);
    // Whatever is committed is in the most recent log of any majority.
    if 2 * controllers.len() <= config.places.controllers.len() {
        return Ok(());
    }
    let logs = controllers.iter().map(|(_, controller)| controller.quorum().log());
    let Some(log) = logs.max_by_key(|log| (log.last_term(), log.end())) else { return Ok(()) };
    let mut known: Vec<(NodeId, &Arc<View>)> = brokers(nodes).iter().map(|(node, broker)| (*node, &broker.view)).collect();
    known.extend(controllers.iter().map(|(node, controller)| (*node, controller.view())));
    let mut fold = Metadata::default();
    for (at, entry) in log.iter_from(Offset::ZERO) {
        if let Payload::User(change) = &entry.payload {
            lawful(config, &fold, change).map_err(|why| format!("at {at}: {why} ({change:?})"))?;
        }
        fold.take(at, std::slice::from_ref(entry));
        for (node, view) in known.iter().filter(|(_, view)| view.version == fold.end()) {
            if *view != fold.view() {
                return Err(format!("{node} at {} believes {view:?}, the log says {:?}", view.version, fold.view()));
            }
        }
    }
    match known.iter().find(|(_, view)| view.version > fold.end()) {
        Some((node, view)) => Err(format!("{node} knows up to {}, the log ends at {}", view.version, fold.end())),
        None => Ok(()),
    }
}

/// Whether a change may follow a state.
fn lawful(config: &Config, before: &Metadata, change: &Change) -> Result<(), String> {
    let mut after = before.clone();
    after.apply(before.end(), change, &mut Vec::new());
    for fact in change.facts.iter() {
        let Fact::Changed(of) = fact else { continue };
        let (Some(old), Some(new)) = (before.view().part(of.part), after.view().part(of.part)) else {
            return Err("a partition came out of nothing".to_owned());
        };
        lawful_part(config, before, (old, new), of)?;
        let alive = new.leader.is_none_or(|leader| old.leader == Some(leader) || after.view().is_alive(leader));
        if !alive {
            return Err("the new leader is fenced".to_owned());
        }
    }
    Ok(())
}

fn lawful_part(config: &Config, before: &Metadata, (old, new): (&PartView, &PartView), change: &PartChange) -> Result<(), String> {
    let elr = config.mechanisms.eligible_leader_replicas;
    let topic = config.topic_of(change.part);
    let law = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    law(new.version == old.version + 1, "a version is left out")?;
    law(new.epoch == old.epoch + u32::from(change.leader.is_some()), "an epoch is left out")?;
    law(new.leader == old.leader || new.epoch > old.epoch, "two leaders for one epoch")?;
    law(!new.isr.is_empty() || (elr && new.leader.is_none()), "nobody is in sync")?;
    law(new.leader.is_none_or(|leader| new.isr.contains(&leader)), "the leader is not in sync")?;
    law(new.isr.iter().chain(&*new.elr).all(|node| new.replicas.contains(node)), "strangers are in sync")?;
    law(!new.elr.iter().any(|node| new.isr.contains(node)), "somebody is in sync and eligible")?;
    let Some(leader) = new.leader.filter(|leader| old.leader != Some(*leader)) else { return Ok(()) };
    let clean = old.isr.contains(&leader) || (old.elr.contains(&leader) && !old.isr.iter().any(|member| new.isr.contains(member)));
    let joined = new.isr.contains(&leader) && old.leader.is_some_and(|old| new.removes(old));
    let last = elr && old.isr.is_empty() && before.last_leader(change.part) == Some(leader);
    law(clean || joined || new.unclean, "a leader from nowhere")?;
    law(clean || joined || last || topic.unclean_leader_election, "an unclean leader")
}

impl PartView {
    /// Whether a broker that held a copy does not any more.
    fn removes(&self, node: NodeId) -> bool {
        !self.replicas.contains(&node)
    }
}

/// What holds some time after everything was healed.
fn well(config: &Config, nodes: &Nodes<'_, Cluster>) -> Result<(), String> {
    let controllers = controllers(nodes);
    let leading = active(controllers.iter().copied()).ok_or("no controller is active")?;
    let (_, leading) = controllers.iter().find(|(node, _)| *node == leading).expect("it was found there");
    for part in (0..config.partitions.len()).map(Part::at) {
        let view = leading.view().part(part).ok_or(format!("{part:?} was never created"))?;
        if view.leader.is_none() {
            return Err(format!(
                "nobody leads {part:?}: {view:?}, last {:?}, {:?}",
                leading.metadata().last_leader(part),
                leading.view().brokers
            ));
        }
    }
    for (node, broker) in brokers(nodes) {
        let known = leading.view().broker(node).ok_or(format!("{node} is not registered"))?;
        let behind = leading.view().version.saturating_sub(broker.view.version);
        if known.stopping || known.fenced || behind > 12 {
            return Err(format!("{node} is {known:?} and {behind} behind"));
        }
    }
    Ok(())
}

//! mailbox: one broker process with queues and topics, producers and consumers; the smallest honest broker, and the tutorial
//! for models of one's own (`docs/new-model.md` walks through these files).
//!
//! | file | what it holds |
//! |---|---|
//! | [`scope`] | what is modelled, simplified, absent |
//! | [`keys`], [`check`], [`config`], [`mod@print`] | the table `[model.mailbox]`: its keys, reading it, what it means, writing it back |
//! | [`promises`] | what a configuration promises, and what it does not |
//! | [`protocol`] | what goes over the wire, and how messages are named |
//! | [`store`], [`dedupe`], [`disk`], [`ids`] | pure state: a queue, the memory of idempotence keys, what disks hold |
//! | [`broker`], [`producer`], [`consumer`] | the roles |
//! | [`marks`], [`mutants`] | rare paths, and ways to be broken on purpose |

pub mod broker;
pub mod check;
pub mod config;
pub mod consumer;
pub mod contradictions;
pub mod dedupe;
pub mod disk;
pub mod ids;
pub mod keys;
pub mod marks;
pub mod mutants;
pub mod nothing;
pub mod print;
pub mod producer;
pub mod promises;
pub mod protocol;
pub mod scope;
pub mod store;
#[cfg(test)]
mod tests;

use crate::base::value::{KeySpec, Reader};
use crate::base::{Digest, NodeId, ObjectId, PayloadId, Problem, Tag, Time};
use crate::check::Promises;
use crate::record::{Command, Mark};
use crate::world::Contents;
use crate::world::{Breach, Ctx, Discard, Disconnect, Hosts, Itself, Nodes, Peer, Protocol, Role, Roster, RosterNode};

use super::{Adapter, Described, ScopeRow};
use broker::{Broker, BrokerTimer};
pub use config::Config;
use consumer::{Consumer, ConsumerDisk, ConsumerTimer, Processed};
use disk::{BrokerDisk, Record};
use nothing::Nothing;
use producer::{Producer, ProducerTimer};
use protocol::{KINDS, Msg};

/// The model, for the registry.
pub static MODEL: Adapter<Mailbox> = Adapter::NEW;

/// A mailbox system: what a world runs.
#[derive(Clone, Copy, Debug)]
pub struct Mailbox;

/// A timer of one of the roles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// The broker's.
    Broker(BrokerTimer),
    /// A producer's.
    Producer(ProducerTimer),
    /// A consumer's.
    Consumer(ConsumerTimer),
}

/// A process.
#[derive(Clone, Debug)]
pub enum Node {
    /// The broker.
    Broker(Box<Broker>),
    /// A producer.
    Producer(Producer),
    /// A consumer.
    Consumer(Box<Consumer>),
}

/// A node's disk: the part of the role that it plays is used, the other stays empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Disk {
    /// The broker's.
    pub broker: BrokerDisk,
    /// A consumer's.
    pub consumer: ConsumerDisk,
    /// A producer's.
    pub producer: Nothing,
}

/// A write to a node's disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Write {
    /// The broker's.
    Broker(Record),
    /// A consumer's.
    Consumer(Processed),
}

impl Contents for Disk {
    type Write = Write;

    fn apply(&mut self, write: Write) {
        match write {
            Write::Broker(record) => self.broker.apply(record),
            Write::Consumer(processed) => self.consumer.apply(processed),
        }
    }
    fn torn(write: &Write, word: u64) -> Option<Write> {
        match write {
            Write::Broker(record) => BrokerDisk::torn(record, word).map(Write::Broker),
            Write::Consumer(processed) => ConsumerDisk::torn(processed, word).map(Write::Consumer),
        }
    }
    fn flip(&mut self, word: u64) -> bool {
        self.broker.flip(word)
    }
    fn bytes(write: &Write) -> u64 {
        match write {
            Write::Broker(record) => BrokerDisk::bytes(record),
            Write::Consumer(processed) => ConsumerDisk::bytes(processed),
        }
    }
    fn frees(write: &Write) -> u64 {
        match write {
            Write::Broker(record) => BrokerDisk::frees(record),
            Write::Consumer(processed) => ConsumerDisk::frees(processed),
        }
    }
}

impl Protocol for Mailbox {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;
    type Write = Write;
    type Node = Node;

    fn kinds() -> &'static [&'static str] {
        KINDS
    }

    fn about(tag: Tag) -> Option<PayloadId> {
        protocol::about(tag)
    }

    fn roster(config: &Config) -> Roster {
        let node = |name: String, groups: &[&'static str], takes_load| RosterNode { name, groups: groups.to_vec(), takes_load };
        let mut nodes = vec![node("broker".into(), &["brokers"], false)];
        for number in 1..=config.producer.count {
            nodes.push(node(format!("producer-{number}"), &["producers", "clients"], true));
        }
        for kind in &config.consumers {
            for number in 1..=kind.count {
                nodes.push(node(format!("{}-{number}", kind.name), &["consumers", "clients"], false));
            }
        }
        Roster { nodes, objects: config.objects() }
    }

    fn format(_: NodeId, config: &Config) -> Disk {
        Disk { broker: BrokerDisk::new(config.queues.len()), ..Disk::default() }
    }

    fn boot(ctx: &mut Ctx<'_, Self, Itself>) -> Node {
        let (me, places) = (ctx.me(), &ctx.config().places);
        if me == places.broker {
            Node::Broker(Box::new(Broker::boot(&mut ctx.narrow())))
        } else if places.producers.contains(&me) {
            Node::Producer(Producer::boot(&mut ctx.narrow()))
        } else {
            Node::Consumer(Box::new(Consumer::boot(&mut ctx.narrow())))
        }
    }

    fn on_command(node: &mut Node, command: Command, ctx: &mut Ctx<'_, Self, Itself>) {
        match node {
            Node::Broker(broker) => broker.on_command(command, &mut ctx.narrow(), &mut Discard),
            Node::Producer(producer) => producer.on_command(command, &mut ctx.narrow(), &mut Discard),
            Node::Consumer(consumer) => consumer.on_command(command, &mut ctx.narrow(), &mut Discard),
        }
    }

    fn on_message(node: &mut Node, from: Peer, msg: Msg, ctx: &mut Ctx<'_, Self, Itself>) {
        match node {
            Node::Broker(broker) => broker.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            Node::Producer(producer) => producer.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            Node::Consumer(consumer) => consumer.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
        }
    }

    fn on_timer(node: &mut Node, timer: Timer, ctx: &mut Ctx<'_, Self, Itself>) {
        match (node, timer) {
            (Node::Broker(broker), Timer::Broker(timer)) => broker.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Producer(producer), Timer::Producer(timer)) => producer.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Consumer(consumer), Timer::Consumer(timer)) => consumer.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Broker(_) | Node::Producer(_) | Node::Consumer(_), timer) => unreachable!("{timer:?} fired at another role"),
        }
    }

    fn on_disconnect(node: &mut Node, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, Self, Itself>) {
        match node {
            Node::Broker(broker) => broker.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
            Node::Producer(producer) => producer.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
            Node::Consumer(consumer) => consumer.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
        }
    }

    fn cost(_: &Config, _: &Msg) -> u32 {
        1
    }

    /// There is one broker, and it leads nothing: mailbox knows no roles besides nodes and groups.
    fn resolve(_: &Config, _: &Nodes<'_, Self>, _: &str, _: &str) -> Option<Vec<NodeId>> {
        None
    }

    fn invariant(config: &Config, nodes: &Nodes<'_, Self>) -> Result<(), Breach> {
        match nodes.get(config.places.broker) {
            Some(Node::Broker(broker)) => broker.check(config).map_err(Breach),
            Some(Node::Producer(_) | Node::Consumer(_)) | None => Ok(()),
        }
    }

    fn fingerprint(node: &Node, now: Time, digest: &mut Digest) {
        match node {
            Node::Broker(broker) => broker.fingerprint(now, digest),
            Node::Producer(producer) => producer.fingerprint(digest),
            Node::Consumer(consumer) => consumer.fingerprint(digest),
        }
    }

    fn gauges(node: &Node, report: &mut dyn FnMut(ObjectId, u64)) {
        if let Node::Broker(broker) = node {
            broker.depths(report);
        }
    }

    fn held(config: &Config, nodes: &Nodes<'_, Self>, report: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {
        let place = config.places.broker;
        if let Some(Node::Broker(broker)) = nodes.get(place) {
            broker.held(&mut |queue, payload| report(place, queue, payload));
        }
    }
}

impl Hosts<Broker> for Mailbox {
    fn msg(msg: Msg) -> Msg {
        msg
    }
    fn timer(timer: BrokerTimer) -> Timer {
        Timer::Broker(timer)
    }
    fn write(record: Record) -> Write {
        Write::Broker(record)
    }
    fn disk(disk: &Disk) -> &BrokerDisk {
        &disk.broker
    }
    fn config(config: &Config) -> &Config {
        config
    }
}

impl Hosts<Producer> for Mailbox {
    fn msg(msg: Msg) -> Msg {
        msg
    }
    fn timer(timer: ProducerTimer) -> Timer {
        Timer::Producer(timer)
    }
    fn write(write: std::convert::Infallible) -> Write {
        match write {}
    }
    fn disk(disk: &Disk) -> &Nothing {
        &disk.producer
    }
    fn config(config: &Config) -> &Config {
        config
    }
}

impl Hosts<Consumer> for Mailbox {
    fn msg(msg: Msg) -> Msg {
        msg
    }
    fn timer(timer: ConsumerTimer) -> Timer {
        Timer::Consumer(timer)
    }
    fn write(processed: Processed) -> Write {
        Write::Consumer(processed)
    }
    fn disk(disk: &Disk) -> &ConsumerDisk {
        &disk.consumer
    }
    fn config(config: &Config) -> &Config {
        config
    }
}

impl Described for Mailbox {
    const NAME: &'static str = "mailbox";
    const ABOUT: &'static str = "one broker process with queues and topics: the smallest honest broker";
    const KEYS: &'static [KeySpec] = keys::KEYS;
    const SCOPE: &'static [ScopeRow] = scope::SCOPE;
    const MARKS: &'static [(Mark, &'static str)] = marks::ALL;
    const ROLES: &'static [&'static str] = &[];

    fn configure(table: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<Config> {
        check::read(table, problems)
    }
    fn print(config: &Config, _: &Reader<'_>) -> String {
        print::toml(config)
    }
    fn promises(config: &Config) -> Promises {
        promises::of(config)
    }
}

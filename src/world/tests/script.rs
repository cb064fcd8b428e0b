//! A protocol whose nodes follow a script: at these moments, do that. It remembers what it saw, as volatile state.

use std::sync::Arc;

use crate::base::{ConnId, Digest, Law, NodeId, ObjectId, PayloadId, Span, Tag, Time};
use crate::parts::config::{LinkLaw, NetworkConfig};
use crate::parts::disk::Contents;
use crate::parts::fault::{Fault, Ill, Selector, When};
use crate::record::Command;
use crate::world::{
    Breach, Ctx, Disconnect, Itself, Message, Nodes, Peer, Protocol, Roster, RosterNode, Sim, Surroundings, TimerId, World,
};

/// What a node does at some moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Sends a datagram with a number.
    Send(u32, u64),
    /// Opens a stream to a node (each node keeps one).
    Connect(u32),
    /// Sends a number over the node's stream.
    Stream(u64),
    /// Closes the node's stream.
    Close,
    /// Writes a number to disk.
    Write(u64),
    /// Makes it durable.
    Sync,
    /// Sets a timer with a number.
    Timer(u32, Span),
    /// Cancels the timer set last.
    Cancel,
    /// Sends so many numbers over the stream, from the first.
    Burst(u64, u64),
}

/// Who does what when: times are true times for nodes with right clocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) nodes: u32,
    pub(super) acts: Vec<(Span, u32, Act)>,
    /// Units of service of each message.
    pub(super) cost: u32,
}

/// A number on its way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Number {
    pub(super) value: u64,
    pub(super) damaged: bool,
}

impl Message for Number {
    fn tag(&self) -> Tag {
        Tag { kind: u16::from(self.value >= 1000), subject: self.value, attempt: 1 }
    }
    fn bytes(&self) -> u32 {
        100
    }
    fn corrupt(&mut self, _: u64) {
        self.damaged = true;
    }
}

/// The timers of a node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Bell {
    Act(usize),
    Number(u32),
    Synced,
    SyncFailed,
}

/// Numbers on disk.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Numbers(pub(super) Vec<u64>);

impl Contents for Numbers {
    type Write = u64;
    fn apply(&mut self, write: u64) {
        self.0.push(write);
    }
    fn torn(write: &u64, _: u64) -> Option<u64> {
        Some(write + 1_000_000)
    }
    fn flip(&mut self, word: u64) -> bool {
        let count = self.0.len() as u64;
        if count > 0 {
            self.0[usize::try_from(word % count).expect("an index")] += 500_000;
        }
        count > 0
    }
    fn bytes(_: &u64) -> u64 {
        8
    }
    fn frees(_: &u64) -> u64 {
        0
    }
}

/// What a process has seen since it booted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Seen {
    pub(super) found: Vec<u64>,
    pub(super) numbers: Vec<(Time, u64)>,
    pub(super) damaged: u64,
    pub(super) bells: Vec<(Time, Bell)>,
    pub(super) ends: Vec<(Time, Disconnect)>,
    pub(super) full: u64,
    conn: Option<ConnId>,
    timer: Option<TimerId>,
}

/// The protocol.
#[derive(Clone)]
pub(super) struct Scripted;

impl Protocol for Scripted {
    type Config = Script;
    type Msg = Number;
    type Timer = Bell;
    type Disk = Numbers;
    type Write = u64;
    type Node = Seen;

    fn kinds() -> &'static [&'static str] {
        &["small", "large"]
    }
    fn about(_: Tag) -> Option<PayloadId> {
        None
    }
    fn roster(config: &Script) -> Roster {
        let node = |i| RosterNode { name: format!("n{i}"), groups: vec![if i == 0 { "first" } else { "rest" }, "nodes"], takes_load: true };
        Roster { nodes: (0..config.nodes).map(node).collect(), objects: Vec::new() }
    }
    fn format(_: NodeId, _: &Script) -> Numbers {
        Numbers::default()
    }
    fn boot(ctx: &mut Ctx<'_, Self, Itself>) -> Seen {
        for (i, (at, node, _)) in ctx.config().acts.iter().enumerate() {
            let at = Time::ZERO + *at;
            if *node == ctx.me().0 && at >= ctx.now() {
                ctx.timer(at.since(ctx.now()), Bell::Act(i));
            }
        }
        Seen { found: ctx.recover().0, ..Seen::default() }
    }
    fn on_command(_: &mut Seen, _: Command, _: &mut Ctx<'_, Self, Itself>) {}
    fn on_message(node: &mut Seen, _: Peer, msg: Number, ctx: &mut Ctx<'_, Self, Itself>) {
        node.numbers.push((ctx.now(), msg.value));
        node.damaged += u64::from(msg.damaged);
    }
    fn on_timer(node: &mut Seen, bell: Bell, ctx: &mut Ctx<'_, Self, Itself>) {
        let Bell::Act(act) = bell else {
            node.bells.push((ctx.now(), bell));
            return;
        };
        let number = |value| Number { value, damaged: false };
        match ctx.config().acts[act].2 {
            Act::Send(to, value) => ctx.send(NodeId(to), number(value)),
            Act::Connect(to) => node.conn = Some(ctx.connect(NodeId(to))),
            Act::Stream(value) => ctx.send_on(node.conn.expect("connected"), number(value)),
            Act::Burst(first, count) => (first..first + count).for_each(|value| ctx.send_on(node.conn.expect("connected"), number(value))),
            Act::Close => ctx.close(node.conn.expect("connected")),
            Act::Write(value) => node.full += u64::from(ctx.write(value).is_err()),
            Act::Sync => ctx.sync(Bell::Synced, Bell::SyncFailed),
            Act::Timer(name, after) => node.timer = Some(ctx.timer(after, Bell::Number(name))),
            Act::Cancel => ctx.cancel(node.timer.expect("set")),
        }
    }
    fn on_disconnect(node: &mut Seen, _: Peer, why: Disconnect, ctx: &mut Ctx<'_, Self, Itself>) {
        node.ends.push((ctx.now(), why));
    }
    fn cost(config: &Script, _: &Number) -> u32 {
        config.cost
    }
    fn resolve(_: &Script, nodes: &Nodes<'_, Self>, role: &str, _: &str) -> Option<Vec<NodeId>> {
        (role == "fullest").then(|| nodes.iter().max_by_key(|(_, seen)| seen.numbers.len()).into_iter().map(|(id, _)| id).collect())
    }
    fn invariant(_: &Script, nodes: &Nodes<'_, Self>) -> Result<(), Breach> {
        match nodes.iter().find(|(_, seen)| seen.numbers.iter().any(|(_, value)| *value == 666)) {
            Some((id, _)) => Err(Breach(format!("{id} saw 666"))),
            None => Ok(()),
        }
    }
    fn fingerprint(node: &Seen, _: Time, digest: &mut Digest) {
        digest.word(node.numbers.len() as u64);
    }
    fn gauges(_: &Seen, _: &mut dyn FnMut(ObjectId, u64)) {}
    fn held(_: &Script, _: &Nodes<'_, Self>, _: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {}
}

/// A link that always takes ten milliseconds.
pub(super) fn ten() -> Surroundings {
    let mut network = NetworkConfig::flat(LinkLaw::healthy(Law::Constant(Span::millis(10))));
    network.stream.give_up = Span::secs(20);
    network.stream.connect_timeout = Span::secs(5);
    Surroundings { invariant_stride: 1, trace_limit: 100_000, ..Surroundings::calm(network) }
}

/// A fault at one moment, for a while.
pub(super) fn fault(ill: Ill, at: Span, lasts: Span) -> Fault {
    let name = format!("fault at {at}");
    Fault { name, ill, when: When::At(vec![Time::ZERO + at]), lasts: Some(Law::Constant(lasts)) }
}

/// A node by number.
pub(super) fn n(number: u32) -> Selector {
    Selector::Named(format!("n{number}"))
}

pub(super) fn ms(n: u64) -> Span {
    Span::millis(n)
}

pub(super) fn at(n: u64) -> Time {
    Time::ZERO + Span::millis(n)
}

/// A world that follows a script under these faults.
pub(super) fn world(script: Script, mut surroundings: Surroundings, faults: Vec<Fault>, seed: u64) -> World<Scripted> {
    surroundings.faults = faults.into();
    World::new(Arc::new(script), &surroundings, seed).expect("the script fits")
}

/// Runs to the end of a minute and gives what a node's process has seen since its last boot.
pub(super) fn seen(world: &mut World<Scripted>, node: u32) -> Seen {
    run(world, Time::ZERO + Span::secs(60));
    world.nodes().get(NodeId(node)).expect("up").clone()
}

/// Runs until a moment.
pub(super) fn run(world: &mut World<Scripted>, until: Time) {
    let mut out = Vec::new();
    while world.advance(until, &mut out) {}
}

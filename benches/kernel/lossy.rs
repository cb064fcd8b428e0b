//! A lossy request/reply network: closed-loop clients, servers, uniform 1–10 ms, 1 % loss, 50 ms time-out and retry.

use std::sync::Arc;

use deadletter::base::{Chance, Digest, Law, NodeId, ObjectId, PayloadId, Span, Tag, Time};
use deadletter::parts::config::{LinkLaw, NetworkConfig};
use deadletter::record::Command;
use deadletter::world::{
    Breach, Ctx, Disconnect, Itself, Message, Nodes, Peer, Protocol, Roster, RosterNode, Sim, Surroundings, TimerId, World,
};

/// How many of each.
pub(crate) struct Config {
    servers: u32,
    clients: u32,
}

/// A request or its reply.
#[derive(Clone, Copy, Hash)]
pub(crate) enum Msg {
    Request { number: u32, attempt: u32 },
    Reply { number: u32, attempt: u32 },
}

impl Message for Msg {
    fn tag(&self) -> Tag {
        match *self {
            Msg::Request { number, attempt } => Tag { kind: 0, subject: u64::from(number), attempt },
            Msg::Reply { number, attempt } => Tag { kind: 1, subject: u64::from(number), attempt },
        }
    }
    fn bytes(&self) -> u32 {
        100
    }
    fn corrupt(&mut self, _: u64) {}
}

/// A server needs no state; a client knows what it waits for.
#[derive(Clone, Copy)]
pub(crate) enum Node {
    Server,
    Client { number: u32, attempt: u32, timeout: TimerId },
}

/// The protocol of the benchmark.
#[derive(Clone)]
pub(crate) struct Lossy;

impl Protocol for Lossy {
    type Config = Config;
    type Msg = Msg;
    type Timer = u32;
    type Disk = ();
    type Write = std::convert::Infallible;
    type Node = Node;

    fn kinds() -> &'static [&'static str] {
        &["request", "reply"]
    }
    fn about(_: Tag) -> Option<PayloadId> {
        None
    }
    fn roster(config: &Config) -> Roster {
        let node = |i| RosterNode { name: format!("node-{i}"), groups: vec!["nodes"], takes_load: false };
        Roster { nodes: (0..config.servers + config.clients).map(node).collect(), objects: Vec::new() }
    }
    fn format(_: NodeId, _: &Config) {}
    fn boot(ctx: &mut Ctx<'_, Self, Itself>) -> Node {
        if ctx.me().0 < ctx.config().servers {
            return Node::Server;
        }
        let timeout = ask(ctx, 0, 1);
        Node::Client { number: 0, attempt: 1, timeout }
    }
    fn on_command(_: &mut Node, _: Command, _: &mut Ctx<'_, Self, Itself>) {}
    fn on_message(node: &mut Node, from: Peer, msg: Msg, ctx: &mut Ctx<'_, Self, Itself>) {
        match (node, msg) {
            (Node::Server, Msg::Request { number, attempt }) => ctx.reply(from, Msg::Reply { number, attempt }),
            (Node::Client { number, attempt, timeout }, Msg::Reply { number: answered, .. }) => {
                if *number == answered {
                    ctx.cancel(*timeout);
                    *number += 1;
                    *attempt = 1;
                    *timeout = ask(ctx, *number, 1);
                }
            }
            (Node::Server, Msg::Reply { .. }) | (Node::Client { .. }, Msg::Request { .. }) => unreachable!("nobody sends this"),
        }
    }
    fn on_timer(node: &mut Node, timer: u32, ctx: &mut Ctx<'_, Self, Itself>) {
        let Node::Client { number, attempt, timeout } = node else { return };
        if *number == timer {
            *attempt += 1;
            *timeout = ask(ctx, *number, *attempt);
        }
    }
    fn on_disconnect(_: &mut Node, _: Peer, _: Disconnect, _: &mut Ctx<'_, Self, Itself>) {}
    fn cost(_: &Config, _: &Msg) -> u32 {
        0
    }
    fn resolve(_: &Config, _: &Nodes<'_, Self>, _: &str, _: &str) -> Option<Vec<NodeId>> {
        None
    }
    fn invariant(_: &Config, _: &Nodes<'_, Self>) -> Result<(), Breach> {
        Ok(())
    }
    fn fingerprint(_: &Node, _: Time, _: &mut Digest) {}
    fn gauges(_: &Node, _: &mut dyn FnMut(ObjectId, u64)) {}
    fn held(_: &Config, _: &Nodes<'_, Self>, _: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {}
}

/// Sends a request to the server that its number chooses, and sets the time-out.
fn ask(ctx: &mut Ctx<'_, Lossy, Itself>, number: u32, attempt: u32) -> TimerId {
    let servers = u64::from(ctx.config().servers);
    let server = u32::try_from(ctx.choose(u64::from(number), servers)).expect("few servers");
    ctx.send(NodeId(server), Msg::Request { number, attempt });
    ctx.timer(Span::millis(50), number)
}

fn world(servers: u32, clients: u32) -> World<Lossy> {
    let mut link = LinkLaw::healthy(Law::Uniform { low: Span::millis(1), high: Span::millis(10) });
    link.loss = "1%".parse::<Chance>().expect("a chance");
    World::new(Arc::new(Config { servers, clients }), &Surroundings::calm(NetworkConfig::flat(link)), 1).expect("fits")
}

/// The world of the benchmark: 5 servers, 50 clients.
pub(crate) fn prepare() -> World<Lossy> {
    world(5, 50)
}

/// Runs for so many seconds of virtual time; gives the messages delivered.
pub(crate) fn run(world: &mut World<Lossy>, seconds: u64) -> u64 {
    let mut out = Vec::new();
    world.advance(Time::ZERO + Span::secs(seconds), &mut out);
    world.messages()
}

/// A world of 261 nodes with 512 events pending.
pub(crate) fn crowd() -> World<Lossy> {
    let mut world = world(5, 256);
    let mut out = Vec::new();
    world.advance(Time::ZERO + Span::secs(1), &mut out);
    world
}

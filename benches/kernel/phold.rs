//! PHOLD, the classic of parallel simulation: each event picks a random process and schedules one event there.

use std::sync::Arc;

use deadletter::base::{Digest, Law, NodeId, ObjectId, PayloadId, Span, Tag, Time};
use deadletter::parts::config::{LinkLaw, NetworkConfig};
use deadletter::record::Command;
use deadletter::world::{Breach, Ctx, Disconnect, Itself, Message, Nodes, Peer, Protocol, Roster, RosterNode, Sim, Surroundings, World};

const PROCESSES: u32 = 1024;

/// How many tokens each process starts with, in total.
pub(crate) struct Config {
    tokens: u32,
}

/// A token: which, and how often it was passed on.
#[derive(Clone, Copy, Hash)]
pub(crate) struct Token {
    id: u32,
    hop: u32,
}

impl Message for Token {
    fn tag(&self) -> Tag {
        Tag { kind: 0, subject: u64::from(self.id), attempt: self.hop }
    }
    fn bytes(&self) -> u32 {
        8
    }
    fn corrupt(&mut self, _: u64) {}
}

/// The protocol of the benchmark.
#[derive(Clone)]
pub(crate) struct Phold;

impl Protocol for Phold {
    type Config = Config;
    type Msg = Token;
    type Timer = ();
    type Disk = ();
    type Write = std::convert::Infallible;
    type Node = ();

    fn kinds() -> &'static [&'static str] {
        &["token"]
    }
    fn about(_: Tag) -> Option<PayloadId> {
        None
    }
    fn roster(_: &Config) -> Roster {
        let node = |i| RosterNode { name: format!("process-{i}"), groups: vec!["processes"], takes_load: false };
        Roster { nodes: (0..PROCESSES).map(node).collect(), objects: Vec::new() }
    }
    fn format(_: NodeId, _: &Config) {}
    fn boot(ctx: &mut Ctx<'_, Self, Itself>) {
        let me = ctx.me().0;
        let tokens = ctx.config().tokens;
        let mut id = me;
        while id < tokens {
            pass(ctx, Token { id, hop: 0 });
            id += PROCESSES;
        }
    }
    fn on_command((): &mut (), _: Command, _: &mut Ctx<'_, Self, Itself>) {}
    fn on_message((): &mut (), _: Peer, token: Token, ctx: &mut Ctx<'_, Self, Itself>) {
        pass(ctx, token);
    }
    fn on_timer((): &mut (), (): (), _: &mut Ctx<'_, Self, Itself>) {}
    fn on_disconnect((): &mut (), _: Peer, _: Disconnect, _: &mut Ctx<'_, Self, Itself>) {}
    fn cost(_: &Config, _: &Token) -> u32 {
        0
    }
    fn resolve(_: &Config, _: &Nodes<'_, Self>, _: &str, _: &str) -> Option<Vec<NodeId>> {
        None
    }
    fn invariant(_: &Config, _: &Nodes<'_, Self>) -> Result<(), Breach> {
        Ok(())
    }
    fn fingerprint((): &(), _: Time, _: &mut Digest) {}
    fn gauges((): &(), _: &mut dyn FnMut(ObjectId, u64)) {}
    fn held(_: &Config, _: &Nodes<'_, Self>, _: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {}
}

/// Passes a token to a random process; the network's delay law is PHOLD's.
fn pass(ctx: &mut Ctx<'_, Phold, Itself>, token: Token) {
    let next = Token { hop: token.hop + 1, ..token };
    let me = ctx.me().0;
    let to = deadletter::base::Words::below(ctx.random(), u64::from(PROCESSES - 1));
    let to = u32::try_from(to).expect("below 1024");
    ctx.send(NodeId(if to >= me { to + 1 } else { to }), next);
}

/// A world with so many events pending.
pub(crate) fn prepare(pending: u32) -> World<Phold> {
    let law = Law::Exponential { floor: Span::millis(100), mean: Span::millis(1100) };
    let surroundings = Surroundings::calm(NetworkConfig::flat(LinkLaw::healthy(law)));
    World::new(Arc::new(Config { tokens: pending }), &surroundings, 1).expect("fits")
}

/// Runs a world until at least so many events were handled; gives how many were.
pub(crate) fn run(world: &mut World<Phold>, pending: u32, events: u64) -> u64 {
    let mut out = Vec::new();
    let mut until = world.now();
    while world.events() < events {
        until += Span::millis(10_000 * 1000 / u64::from(pending.max(1000)));
        world.advance(until, &mut out);
    }
    world.events()
}

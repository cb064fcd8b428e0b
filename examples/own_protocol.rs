//! A protocol of one's own: calls that are repeated until they are answered, and a server that may remember what it has done.
//!
//! `cargo run --example own_protocol -- run examples/own_protocol.toml` judges it; `audit` instead of `run` audits it.

use std::collections::{BTreeMap, BTreeSet};

use deadletter::base::value::{KeyKind, KeySpec, Reader};
use deadletter::base::{ClientOp, NodeId, ObjectId, PayloadId, Problem, Span, Tag};
use deadletter::check::{Promises, Property};
use deadletter::model::{Model, Plain, PlainCtx, ScopeRow, Standing, plain};
use deadletter::record::{Command, End, Mark, Note, Object, ObjectKind, Reason};
use deadletter::world::{Message, Peer, Roster, RosterNode};

pub(crate) const MODELS: &[&dyn Model] = &[plain::<Calls>()];
const SERVER: NodeId = NodeId(0);
const SERVICE: ObjectId = ObjectId(0);

struct Config {
    clients: u64,
    wait: Span,
    tries: u64,
    remember: bool,
}

#[derive(Clone, Copy, Hash)]
struct Attempt(PayloadId, u32); // also the timer that ends the wait for its answer

#[derive(Clone, Copy, Hash)]
enum Msg {
    Request(Attempt),
    Reply(PayloadId, u32), // by number, for the network may repeat a request, and each copy is answered
    Damaged(Tag),
}

impl Message for Msg {
    fn tag(&self) -> Tag {
        match *self {
            Msg::Request(Attempt(payload, attempt)) => Tag { kind: 0, subject: u64::from(payload.0), attempt },
            Msg::Reply(payload, number) => Tag { kind: 1, subject: u64::from(payload.0), attempt: number },
            Msg::Damaged(tag) => tag,
        }
    }
    fn bytes(&self) -> u32 {
        100
    }
    fn corrupt(&mut self, _: u64) {
        *self = Msg::Damaged(self.tag()); // a checksum tells
    }
}

#[derive(Clone, Hash)]
enum Node {
    Server { done: BTreeSet<PayloadId>, replies: u32 },
    Client { open: BTreeMap<PayloadId, ClientOp> },
}

#[derive(Clone)]
struct Calls;

impl Plain for Calls {
    const NAME: &'static str = "calls";
    const ABOUT: &'static str = "remote calls that are repeated until they are answered";
    const KINDS: &'static [&'static str] = &["request", "reply"];
    const MARKS: &'static [(Mark, &'static str)] = &[("calls.remembered", "the server knew a request that came again")];
    const SCOPE: &'static [ScopeRow] = &[ScopeRow { rule: "calls", standing: Standing::Simplified, note: "they carry nothing" }];
    const KEYS: &'static [KeySpec] = &[
        KeySpec::new("clients", KeyKind::Count { min: 1, max: 1000 }, "how many clients there are").or("2"),
        KeySpec::new("wait", KeyKind::Span, "how long a client waits before it asks again").or("100ms"),
        KeySpec::new("tries", KeyKind::Count { min: 1, max: 1000 }, "how often it asks").or("5"),
        KeySpec::new("remember", KeyKind::Flag, "whether the server looks into its store before it does something").or("true"),
    ];
    type Config = Config;
    type Msg = Msg;
    type Timer = Attempt;
    type Disk = BTreeSet<PayloadId>;
    type Node = Node;

    fn configure(keys: &Reader<'_>, _: &mut Vec<Problem>) -> Option<Config> {
        let (clients, tries) = (keys.count("clients")?, keys.count("tries")?);
        Some(Config { clients, wait: keys.span("wait")?, tries, remember: keys.flag("remember")? })
    }
    fn promises(config: &Config) -> Promises {
        let mut promises = Promises::default();
        promises.promise(Property::AckedSurvives, "the server answers when the effect is on its disk");
        promises.promise(Property::NothingUnexpected, "the server does only what it is asked to");
        promises.withhold(Property::OrderPerProducer, "a request that is sent again has been overtaken");
        match config.remember {
            true => promises.promise(Property::NoDuplicateEffect, "remember = true: the effect and its id are one write"),
            false => promises.withhold(Property::NoDuplicateEffect, "remember = false: every request is done"),
        }
        promises
    }
    fn about(tag: Tag) -> Option<PayloadId> {
        u32::try_from(tag.subject).ok().map(PayloadId)
    }
    fn roster(config: &Config) -> Roster {
        let node = |name, group, takes_load| RosterNode { name, groups: vec![group], takes_load };
        let clients = (1..=config.clients).map(|number| node(format!("client-{number}"), "clients", true));
        let nodes = [node("server".into(), "servers", false)].into_iter().chain(clients).collect();
        Roster { nodes, objects: vec![Object { name: "service".into(), kind: ObjectKind::Service }] }
    }
    fn boot(ctx: &mut PlainCtx<'_, Self>) -> Node {
        match ctx.me() {
            SERVER => Node::Server { done: ctx.recover(), replies: ctx.life() << 20 },
            _ => Node::Client { open: BTreeMap::new() },
        }
    }
    fn on_command(node: &mut Node, command: Command, ctx: &mut PlainCtx<'_, Self>) {
        let Node::Client { open } = node else { unreachable!("the load asks clients") };
        open.insert(command.what.payload(), command.op);
        Self::on_timer(node, Attempt(command.what.payload(), 0), ctx);
    }
    fn on_message(node: &mut Node, from: Peer, msg: Msg, ctx: &mut PlainCtx<'_, Self>) {
        match (node, msg) {
            (Node::Server { done, replies }, Msg::Request(Attempt(payload, _))) => {
                if ctx.config().remember && done.contains(&payload) {
                    ctx.mark("calls.remembered");
                } else if ctx.commit(payload).is_ok() {
                    done.insert(payload);
                    ctx.note(Note::Effect { group: SERVICE, payload });
                } else {
                    return; // the disk is full; the client will ask again
                }
                *replies += 1;
                ctx.reply(from, Msg::Reply(payload, *replies));
            }
            (Node::Client { open }, Msg::Reply(payload, _)) => {
                let Some(op) = open.remove(&payload) else { return };
                ctx.end(op, End::Ok);
            }
            (Node::Server { .. } | Node::Client { .. }, Msg::Request(_) | Msg::Reply(..) | Msg::Damaged(_)) => {}
        }
    }
    fn on_timer(node: &mut Node, Attempt(payload, last): Attempt, ctx: &mut PlainCtx<'_, Self>) {
        let Node::Client { open } = node else { unreachable!("the server waits for nothing") };
        if u64::from(last) < ctx.config().tries && open.contains_key(&payload) {
            let next = Attempt(payload, last + 1);
            ctx.send(SERVER, Msg::Request(next));
            ctx.timer(ctx.config().wait, next);
        } else if let Some(op) = open.remove(&payload) {
            ctx.end(op, End::Unknown(Reason("no answer in time")));
        }
    }
}

fn main() -> std::process::ExitCode {
    deadletter::cli::main(MODELS)
}

//! A world of consumers, a database, and one broker whose logs are written in a script. Its group coordinator is the real one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Digest, NodeId, ObjectId, PayloadId, Span, Tag, Time};
use crate::model::kafka::batch::{Batch, Stored};
use crate::model::kafka::broker::{Caller, Env};
use crate::model::kafka::config::Config;
use crate::model::kafka::consumer::{Consumer, ConsumerTimer};
use crate::model::kafka::group::{GroupOut, GroupTimer, Groups};
use crate::model::kafka::ids::{Epoch, Offset, Part, ProducerId};
use crate::model::kafka::protocol::{self, Body, Chunk, Fetch, FetchReply, Fetched, KINDS, MetadataReply, Msg, Namer, Seek};
use crate::model::kafka::refusal::Refusal;
use crate::model::kafka::store::{Store, StoreDisk, StoreTimer, StoreWrite};
use crate::model::kafka::view::{BrokerView, View};
use crate::record::Command;
use crate::world::{Breach, Ctx, Discard, Disconnect, Hosts, Itself, Nodes, Peer, Protocol, Role, Roster};

/// What happens to a fetch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Quirk {
    /// Every partition is refused.
    Refuse(Refusal),
    /// The log has diverged: it ends there.
    Diverge(Epoch, Offset),
}

/// Who there is, and what the broker has.
pub(super) struct Script {
    pub(super) config: Config,
    /// What each partition holds, each batch from some moment on.
    pub(super) logs: BTreeMap<Part, Vec<(Span, Stored)>>,
    /// Transactions that were aborted.
    pub(super) aborted: Vec<(ProducerId, Offset)>,
    /// What happens to the so-manieth fetch.
    pub(super) quirks: BTreeMap<u32, Quirk>,
}

impl Script {
    pub(super) fn new(text: &str) -> Script {
        let config = crate::model::kafka::group::tests::config(text);
        Script { config, logs: BTreeMap::new(), aborted: Vec::new(), quirks: BTreeMap::new() }
    }

    pub(super) fn with(mut self, part: u32, log: Vec<(Span, Stored)>) -> Script {
        self.logs.insert(Part(part), log);
        self
    }

    pub(super) fn log(&self, part: u32) -> ObjectId {
        self.config.partitions[part as usize].object.expect("a topic of messages")
    }

    fn end(&self, part: Part, now: Time) -> Offset {
        let mut there = self.logs.get(&part).into_iter().flatten().filter(|(from, _)| Time::ZERO + *from <= now);
        there.next_back().map_or(0, |(_, stored)| stored.end())
    }
}

/// The broker.
#[derive(Clone)]
pub(super) struct Fake {
    groups: Groups,
    positions: Vec<Stored>,
    view: Arc<View>,
    namer: Namer,
    held: BTreeMap<u64, (Peer, u32, Fetch)>,
    fetches: u32,
    serial: u64,
}

#[derive(Clone)]
pub(super) enum Node {
    Broker(Box<Fake>),
    Consumer(Box<Consumer>),
    Store(Box<Store>),
    Idle,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Bell {
    Consumer(ConsumerTimer),
    Store(StoreTimer),
    Group(GroupTimer),
    Appended(u64, Offset),
    Fetch(u64),
}

#[derive(Clone)]
pub(super) struct Lab;

impl Fake {
    fn boot(ctx: &mut Ctx<'_, Lab, Itself>) -> Fake {
        let config = &ctx.config().config;
        let mut view = crate::model::kafka::group::tests::one_broker(config, ctx.me());
        view.brokers.push(BrokerView { node: ctx.me(), epoch: 1, fenced: false, stopping: false });
        let mut fake = Fake {
            groups: Groups::new(),
            positions: Vec::new(),
            view: Arc::new(view),
            namer: Namer::new(0, 0),
            held: BTreeMap::new(),
            fetches: 0,
            serial: 0,
        };
        let home = config.groups[0].home;
        fake.act(ctx, |groups, env, out| groups.load(home, 1, &mut std::iter::empty(), env, out));
        fake
    }

    fn act(&mut self, ctx: &mut Ctx<'_, Lab, Itself>, act: impl FnOnce(&mut Groups, &mut Env<'_>, &mut Vec<GroupOut>)) {
        let (now, me, config, mut out) = (ctx.now(), ctx.me(), &ctx.config().config, Vec::new());
        act(&mut self.groups, &mut Env { now, me, config, view: &self.view, words: ctx.random() }, &mut out);
        for one in out {
            match one {
                GroupOut::Answer(caller, reply) => self.answer(caller.peer, caller.number, Body::GroupReply(Box::new(reply)), ctx),
                GroupOut::Append { batch, ticket, .. } => self.append(batch, ticket, ctx),
                GroupOut::Timer(after, timer) => drop(ctx.timer(after, Bell::Group(timer))),
                GroupOut::Note(note) => ctx.note(note),
                GroupOut::Mark(mark) => ctx.mark(mark),
                GroupOut::Say(about, text) => ctx.say(about, || text),
            }
        }
    }

    fn append(&mut self, batch: Batch, ticket: u64, ctx: &mut Ctx<'_, Lab, Itself>) {
        let base = self.positions.last().map_or(0, Stored::end);
        self.positions.push(Stored { base, epoch: 1, at: ctx.now(), batch: Arc::new(batch) });
        ctx.timer(Span::millis(1), Bell::Appended(ticket, base));
    }

    fn answer(&mut self, peer: Peer, number: u32, body: Body, ctx: &mut Ctx<'_, Lab, Itself>) {
        let msg = self.namer.counted(number, body);
        ctx.reply(peer, msg);
    }

    fn on_message(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, Lab, Itself>) {
        let script = ctx.config();
        let body = if msg.body == Body::Metadata {
            Body::MetadataReply(MetadataReply { view: Arc::clone(&self.view) })
        } else if let Body::FindCoordinator(_) = msg.body {
            Body::FindCoordinatorReply(Ok(ctx.me()))
        } else if let Body::ListOffsets(list) = msg.body {
            Body::ListOffsetsReply(Ok(match list.seek {
                Seek::Earliest => 0,
                Seek::Latest => script.end(list.part, ctx.now()),
            }))
        } else if let Body::Group(request) = msg.body {
            let caller = Caller { peer: from, number: msg.number };
            return self.act(ctx, |groups, env, out| groups.on_request(caller, from.node, *request, env, out));
        } else if let Body::Fetch(fetch) = msg.body {
            self.fetches += 1;
            return self.fetch((from, msg.number, *fetch), true, ctx);
        } else {
            panic!("nobody sends the broker {:?}", msg.body)
        };
        self.answer(from, msg.number, body, ctx);
    }

    /// Answers a fetch, or holds it until there is something.
    fn fetch(&mut self, (peer, number, fetch): (Peer, u32, Fetch), first: bool, ctx: &mut Ctx<'_, Lab, Itself>) {
        let (script, now) = (ctx.config(), ctx.now());
        let quirk = script.quirks.get(&self.fetches).filter(|_| first);
        let mut parts = Vec::new();
        for asked in &fetch.parts {
            let result = match quirk {
                Some(Quirk::Refuse(why)) => Err(*why),
                Some(Quirk::Diverge(epoch, end)) => Ok(chunk(script, Vec::new(), Some((*epoch, *end)))),
                None => {
                    let log = script.logs.get(&asked.part).into_iter().flatten();
                    let new = log.filter(|(from, stored)| Time::ZERO + *from <= now && stored.end() > asked.offset);
                    let entries: Vec<Stored> = new.map(|(_, stored)| stored.clone()).take(20).collect();
                    if entries.is_empty() {
                        continue;
                    }
                    Ok(chunk(script, entries, None))
                }
            };
            parts.push(Fetched { part: asked.part, result });
        }
        if parts.is_empty() && first {
            let next = fetch
                .parts
                .iter()
                .filter_map(|asked| script.logs.get(&asked.part)?.iter().map(|(from, _)| Time::ZERO + *from).find(|from| *from > now));
            let wait = next.min().map_or(fetch.max_wait, |next| next.since(now)).min(fetch.max_wait);
            self.serial += 1;
            self.held.insert(self.serial, (peer, number, fetch));
            ctx.timer(wait, Bell::Fetch(self.serial));
            return;
        }
        self.answer(peer, number, Body::FetchReply(Box::new(FetchReply { parts })), ctx);
    }

    fn on_timer(&mut self, bell: Bell, ctx: &mut Ctx<'_, Lab, Itself>) {
        match bell {
            Bell::Group(timer) => self.act(ctx, |groups, env, out| groups.on_timer(timer, env, out)),
            Bell::Appended(ticket, base) => self.act(ctx, |groups, env, out| groups.on_appended(ticket, Ok(base), env, out)),
            Bell::Fetch(number) => {
                let held = self.held.remove(&number).expect("held until then");
                self.fetch(held, false, ctx);
            }
            Bell::Consumer(_) | Bell::Store(_) => panic!("{bell:?} is not the broker's"),
        }
    }
}

fn chunk(script: &Script, entries: Vec<Stored>, diverging: Option<(Epoch, Offset)>) -> Chunk {
    Chunk { high_watermark: 0, last_stable: 0, log_start: 0, diverging, preferred: None, aborted: script.aborted.clone(), entries }
}

impl Protocol for Lab {
    type Config = Script;
    type Msg = Msg;
    type Timer = Bell;
    type Disk = StoreDisk;
    type Write = StoreWrite;
    type Node = Node;

    fn kinds() -> &'static [&'static str] {
        KINDS
    }
    fn about(tag: Tag) -> Option<PayloadId> {
        protocol::about(tag)
    }
    fn roster(script: &Script) -> Roster {
        script.config.roster()
    }
    fn format(_: NodeId, _: &Script) -> StoreDisk {
        StoreDisk::default()
    }
    fn boot(ctx: &mut Ctx<'_, Self, Itself>) -> Node {
        let (me, places) = (ctx.me(), &ctx.config().config.places);
        if places.brokers.contains(&me) {
            Node::Broker(Box::new(Fake::boot(ctx)))
        } else if places.consumers.iter().any(|(node, _, _)| *node == me) {
            Node::Consumer(Box::new(Consumer::boot(&mut ctx.narrow())))
        } else if places.store == Some(me) {
            Node::Store(Box::new(Store::boot(&mut ctx.narrow())))
        } else {
            Node::Idle
        }
    }
    fn on_command(_: &mut Node, _: Command, _: &mut Ctx<'_, Self, Itself>) {}
    fn on_message(node: &mut Node, from: Peer, msg: Msg, ctx: &mut Ctx<'_, Self, Itself>) {
        match node {
            Node::Broker(fake) => fake.on_message(from, msg, ctx),
            Node::Consumer(consumer) => consumer.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            Node::Store(store) => store.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            Node::Idle => {}
        }
    }
    fn on_timer(node: &mut Node, bell: Bell, ctx: &mut Ctx<'_, Self, Itself>) {
        match (node, bell) {
            (Node::Broker(fake), bell) => fake.on_timer(bell, ctx),
            (Node::Consumer(consumer), Bell::Consumer(timer)) => consumer.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Store(store), Bell::Store(timer)) => store.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (_, bell) => panic!("{bell:?} fired elsewhere"),
        }
    }
    fn on_disconnect(node: &mut Node, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, Self, Itself>) {
        if let Node::Consumer(consumer) = node {
            consumer.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard);
        }
    }
    fn cost(_: &Script, _: &Msg) -> u32 {
        1
    }
    fn resolve(_: &Script, _: &Nodes<'_, Self>, _: &str, _: &str) -> Option<Vec<NodeId>> {
        None
    }
    fn invariant(_: &Script, _: &Nodes<'_, Self>) -> Result<(), Breach> {
        Ok(())
    }
    fn fingerprint(node: &Node, now: Time, digest: &mut Digest) {
        if let Node::Consumer(consumer) = node {
            consumer.fingerprint(now, digest);
        }
    }
    fn gauges(_: &Node, _: &mut dyn FnMut(ObjectId, u64)) {}
    fn held(_: &Script, _: &Nodes<'_, Self>, _: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {}
}

impl Hosts<Consumer> for Lab {
    fn msg(msg: Msg) -> Msg {
        msg
    }
    fn timer(timer: ConsumerTimer) -> Bell {
        Bell::Consumer(timer)
    }
    fn write(write: std::convert::Infallible) -> StoreWrite {
        match write {}
    }
    fn disk(_: &StoreDisk) -> &() {
        &()
    }
    fn config(script: &Script) -> &Config {
        &script.config
    }
}

impl Hosts<Store> for Lab {
    fn msg(msg: Msg) -> Msg {
        msg
    }
    fn timer(timer: StoreTimer) -> Bell {
        Bell::Store(timer)
    }
    fn write(write: StoreWrite) -> StoreWrite {
        write
    }
    fn disk(disk: &StoreDisk) -> &StoreDisk {
        disk
    }
    fn config(script: &Script) -> &Config {
        &script.config
    }
}

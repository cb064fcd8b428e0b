//! A property test of one's own message handler: a shop with an outbox, a queue, and billing with an inbox.
//!
//! ```text
//! shop     writes the order and an outbox row; a relay hands rows on until the queue has taken them   at least once
//! queue    stores what it takes, and hands it on until billing has taken it                           at least once
//! billing  writes the invoice and the order's id (the inbox), so that it knows what comes again       one effect
//! ```
//!
//! `cargo run --example outbox --features proptest` tests the handlers: those with a gap between two writes, and the right one.
//! With arguments it is deadletter with this model in it: `… -- replay FILE`, `… -- run examples/outbox.toml`.

use std::collections::BTreeSet;
use std::process::ExitCode;

use deadletter::base::value::{KeyKind, KeySpec, Reader};
use deadletter::base::{NodeId, ObjectId, PayloadId, Problem, Span, Tag};
use deadletter::check::{Promises, Property};
use deadletter::model::{Model, Plain, PlainCtx, ScopeRow, Standing, plain};
use deadletter::record::{Command, End, Mark, Note, Object, ObjectKind, Reason, Settlement};
use deadletter::testing::{Bench, FaultSpace, NetworkSpace};
use deadletter::world::{Message, Peer, Roster, RosterNode};

// ------------------------------------------------------------------------------------------------ the property

pub(crate) const MODELS: &[&dyn Model] = &[plain::<Outbox>()];
pub(crate) const SCENARIO: &str = include_str!("outbox.toml");
/// The handlers: settings of the model that make them wrong, and those that are right.
pub(crate) const HANDLERS: [(&str, &str); 3] =
    [("model.outbox.inbox", "after"), ("model.outbox.outbox", "after"), ("model.outbox.inbox", "with")];

/// What may happen to a handler: up to ten orders, up to three faults of any kind at anybody, and a network that loses and repeats.
pub(crate) fn bench((key, value): (&str, &str)) -> Bench {
    Bench::new(SCENARIO, MODELS)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .settings(key, &[value])
        .settings("model.outbox.retry", &["200ms", "50ms"])
        .messages(10)
        .faults(FaultSpace::up_to(3))
        .networks(NetworkSpace::calm(Span::millis(20)).loss(20).duplicates(10).reordering(10))
        .command("cargo run --example outbox --features proptest --")
        .named(&format!("{key}-{value}"))
}

/// In a test file this is `proptest! { #[test] fn promises_are_kept(trial in bench(…).trials()) { trial.assert_kept()?; } }`.
fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        return deadletter::cli::main(MODELS);
    }
    let results = HANDLERS.map(|handler| bench(handler).check(256, |trial| trial.assert_kept()));
    for ((key, value), result) in HANDLERS.iter().zip(&results) {
        match result {
            Ok(()) => println!("{key} = {value}: every promise is kept"),
            Err(found) => println!("{key} = {value}: {found}"),
        }
    }
    let as_expected = results.map(|result| result.is_ok()) == [false, false, true];
    if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

// ------------------------------------------------------------------------------------------------ the handlers under test

const SHOP: NodeId = NodeId(0);
const QUEUE: NodeId = NodeId(1);
const BILLING: NodeId = NodeId(2);
const ORDERS: ObjectId = ObjectId(0);

/// One row of a node's tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Row {
    /// Shop: the order alone; it should never stand alone.
    Order(PayloadId),
    /// Shop: the order with its outbox row. Queue: the message.
    Out(PayloadId),
    /// Shop, queue: the next one has taken it.
    Sent(PayloadId),
    /// Billing: the invoice alone; it should never stand alone.
    Invoice(PayloadId),
    /// Billing: the id in the inbox. In the right handler the invoice is in the same write.
    Inbox(PayloadId),
}

impl Outbox {
    /// The shop takes an order: planted bug one.
    fn order(node: &mut Node, command: Command, ctx: &mut PlainCtx<'_, Self>) {
        let payload = command.what.payload();
        let row = if ctx.config().outbox_later { Row::Order(payload) } else { Row::Out(payload) };
        match ctx.commit(row) {
            Err(_) => return ctx.end(command.op, End::Failed(Reason("the disk is full"))),
            Ok(()) => ctx.end(command.op, End::Ok),
        }
        if ctx.config().outbox_later {
            ctx.timer(WORK, Timer::Store(payload)); // whoever dies now has sold something that nobody hears of
        } else {
            Self::hand_on(node, payload, ctx);
        }
    }

    /// Billing has worked on a message: planted bug two.
    fn invoice(node: &mut Node, payload: PayloadId, ctx: &mut PlainCtx<'_, Self>) {
        let row = if ctx.config().inbox_later { Row::Invoice(payload) } else { Row::Inbox(payload) };
        if ctx.commit(row).is_err() {
            node.busy.remove(&payload);
            return; // the disk is full; the queue will hand it over again
        }
        ctx.note(Note::Effect { group: ORDERS, payload });
        if ctx.config().inbox_later {
            ctx.timer(WORK, Timer::Store(payload)); // whoever dies now will do it again
        } else {
            node.seen.insert(payload);
            Self::taken(node, payload, ctx);
        }
    }

    /// The second write of a handler that has two.
    fn store(node: &mut Node, payload: PayloadId, ctx: &mut PlainCtx<'_, Self>) {
        if ctx.me() == SHOP && ctx.commit(Row::Out(payload)).is_ok() {
            Self::hand_on(node, payload, ctx);
        } else if ctx.me() == BILLING {
            node.busy.remove(&payload);
            if ctx.commit(Row::Inbox(payload)).is_ok() {
                node.seen.insert(payload);
                Self::taken(node, payload, ctx);
            }
        }
    }

    /// The relay: hands a row on, again and again until it was taken.
    fn hand_on(node: &mut Node, payload: PayloadId, ctx: &mut PlainCtx<'_, Self>) {
        node.open.insert(payload);
        node.sent += 1;
        ctx.send(if ctx.me() == SHOP { QUEUE } else { BILLING }, Msg::Hand(payload, node.sent));
        ctx.timer(ctx.config().retry, Timer::Again(payload));
    }

    /// Tells the one before that a message is safe here.
    fn taken(node: &mut Node, payload: PayloadId, ctx: &mut PlainCtx<'_, Self>) {
        node.busy.remove(&payload);
        node.sent += 1;
        ctx.send(if ctx.me() == QUEUE { SHOP } else { QUEUE }, Msg::Taken(payload, node.sent));
    }
}

// ------------------------------------------------------------------------------------------------ what deadletter must know of them

/// How long a handler works, and how long it is from one write to the next.
const WORK: Span = Span::millis(5);

pub(crate) struct Config {
    retry: Span,
    outbox_later: bool,
    inbox_later: bool,
}

/// A node's memory: gone when it dies.
#[derive(Clone, Hash, Default)]
pub(crate) struct Node {
    /// What is handed on until it was taken.
    open: BTreeSet<PayloadId>,
    /// What is being worked on.
    busy: BTreeSet<PayloadId>,
    /// The inbox, as the disk has it.
    seen: BTreeSet<PayloadId>,
    /// Numbers transmissions, so that each has a name of its own.
    sent: u32,
}

#[derive(Clone, Copy, Hash)]
pub(crate) enum Timer {
    Again(PayloadId),
    Worked(PayloadId),
    Store(PayloadId),
}

#[derive(Clone, Copy, Hash)]
pub(crate) enum Msg {
    Hand(PayloadId, u32),
    Taken(PayloadId, u32),
    Damaged(Tag),
}

impl Message for Msg {
    fn tag(&self) -> Tag {
        match *self {
            Msg::Hand(payload, attempt) => Tag { kind: 0, subject: u64::from(payload.0), attempt },
            Msg::Taken(payload, attempt) => Tag { kind: 1, subject: u64::from(payload.0), attempt },
            Msg::Damaged(tag) => tag,
        }
    }
    fn bytes(&self) -> u32 {
        100
    }
    fn corrupt(&mut self, _: u64) {
        *self = Msg::Damaged(self.tag());
    }
}

#[derive(Clone)]
pub(crate) struct Outbox;

impl Plain for Outbox {
    const NAME: &'static str = "outbox";
    const ABOUT: &'static str = "orders that go from a shop's outbox over a queue to an inbox";
    const KINDS: &'static [&'static str] = &["hand", "taken"];
    const MARKS: &'static [(Mark, &'static str)] = &[("outbox.came_again", "billing knew a message from its inbox")];
    const SCOPE: &'static [ScopeRow] = &[ScopeRow { rule: "tables", standing: Standing::Simplified, note: "rows hold an id" }];
    const KEYS: &'static [KeySpec] = &[
        KeySpec::new("retry", KeyKind::Span, "how long until a message is handed on again").or("200ms"),
        KeySpec::new("outbox", HOW, "when the shop writes the outbox row, beside the order").or("with"),
        KeySpec::new("inbox", HOW, "when billing writes the id into its inbox, beside the effect").or("with"),
    ];
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = BTreeSet<Row>;
    type Node = Node;

    fn configure(keys: &Reader<'_>, _: &mut Vec<Problem>) -> Option<Config> {
        let later = |key| Some(keys.choice(key)? == "after");
        Some(Config { retry: keys.span("retry")?, outbox_later: later("outbox")?, inbox_later: later("inbox")? })
    }
    fn promises(_: &Config) -> Promises {
        let mut promises = Promises::default();
        promises.promise(Property::AckedDelivered, "the outbox hands on what the shop has accepted");
        promises.promise(Property::NoDuplicateEffect, "the inbox knows what was done");
        promises.promise(Property::NoMissingEffect, "the queue hands over until the effect is there");
        promises.promise(Property::NothingUnexpected, "only orders are handed on");
        promises.withhold(Property::NoDuplicateDelivery, "the queue delivers at least once");
        promises
    }
    fn about(tag: Tag) -> Option<PayloadId> {
        u32::try_from(tag.subject).ok().map(PayloadId)
    }
    fn roster(_: &Config) -> Roster {
        let node = |name: &str, takes_load| RosterNode { name: name.into(), groups: Vec::new(), takes_load };
        let nodes = vec![node("shop", true), node("queue", false), node("billing", false)];
        Roster { nodes, objects: vec![Object { name: "orders".into(), kind: ObjectKind::Queue }] }
    }
    fn boot(ctx: &mut PlainCtx<'_, Self>) -> Node {
        let disk: BTreeSet<Row> = ctx.recover();
        let mut node = Node { sent: ctx.life() << 20, ..Node::default() };
        for row in &disk {
            match *row {
                Row::Out(payload) if !disk.contains(&Row::Sent(payload)) => Self::hand_on(&mut node, payload, ctx),
                Row::Inbox(payload) => _ = node.seen.insert(payload),
                Row::Out(_) | Row::Order(_) | Row::Sent(_) | Row::Invoice(_) => {}
            }
        }
        node
    }
    fn on_command(node: &mut Node, command: Command, ctx: &mut PlainCtx<'_, Self>) {
        Self::order(node, command, ctx);
    }
    fn on_message(node: &mut Node, _: Peer, msg: Msg, ctx: &mut PlainCtx<'_, Self>) {
        match msg {
            Msg::Hand(payload, _) if ctx.me() == QUEUE => {
                if ctx.commit(Row::Out(payload)).is_ok() {
                    Self::hand_on(node, payload, ctx);
                    Self::taken(node, payload, ctx);
                }
            }
            Msg::Hand(payload, _) if node.seen.contains(&payload) => {
                ctx.mark("outbox.came_again");
                Self::taken(node, payload, ctx);
            }
            Msg::Hand(payload, _) => {
                if node.busy.insert(payload) {
                    ctx.note(Note::Deliver { group: ORDERS, payload, intact: true, redelivered: false, place: None });
                    ctx.timer(WORK, Timer::Worked(payload));
                }
            }
            Msg::Taken(payload, _) => {
                if node.open.contains(&payload) && ctx.commit(Row::Sent(payload)).is_ok() {
                    node.open.remove(&payload);
                    if ctx.me() == QUEUE {
                        ctx.note(Note::Settle { group: ORDERS, payload, how: Settlement::Acknowledged });
                    }
                }
            }
            Msg::Damaged(_) => {}
        }
    }
    fn on_timer(node: &mut Node, timer: Timer, ctx: &mut PlainCtx<'_, Self>) {
        match timer {
            Timer::Again(payload) if node.open.contains(&payload) => Self::hand_on(node, payload, ctx),
            Timer::Again(_) => {}
            Timer::Worked(payload) => Self::invoice(node, payload, ctx),
            Timer::Store(payload) => Self::store(node, payload, ctx),
        }
    }
}

/// Whether a second row is in the same write as the first.
const HOW: KeyKind = KeyKind::Choice(&[("with", "in the same write"), ("after", "in a write of its own, a little later")]);

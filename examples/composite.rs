//! Roles of an existing model and roles of one's own on the same nodes: a shop and its warehouse.
//!
//! ```text
//! broker         mailbox's broker
//! shop-1, …      mailbox's producer (orders go out by mail)     + our [`Asker`] (asks the warehouse by datagram)
//! warehouse-1, … mailbox's consumer (orders come in by mail)    + our [`Stock`] (counts them, answers)
//! ```
//!
//! `cargo run --example composite -- run examples/composite.toml` judges it; `audit` instead of `run` audits it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use deadletter::base::value::{KeyKind, KeySpec, Reader};
use deadletter::base::{ClientOp, Digest, KeyId, NodeId, ObjectId, PayloadId, Problem, Span, Tag, Time};
use deadletter::check::{Promises, Property};
use deadletter::model::mailbox::{self, Mailbox, broker::Broker, consumer::Consumer, consumer::Handed, producer::Producer, protocol};
use deadletter::model::{Described, Model, ScopeRow, Standing, model};
use deadletter::record::{Command, End, Mark, Note, Object, ObjectKind, Op, Reason};
use deadletter::world::{
    Breach, Ctx, Discard, Disconnect, Either, Hosts, Itself, Message, Nodes, Peer, Protocol, Role, Roster, RosterNode, Sink,
};

pub(crate) const MODELS: &[&dyn Model] = &[model::<Shop>()];

fn main() -> std::process::ExitCode {
    deadletter::cli::main(MODELS)
}

struct Config {
    /// The table `mail`: all that mailbox knows of.
    mail: mailbox::Config,
    /// How long a shop waits for an answer.
    patience: Span,
    /// The object that questions are put to.
    service: ObjectId,
}

// ------------------------------------------------------------------------------------------------ a role: the stock

/// What has been ordered, as the warehouse knows it. An order counts once, however often the mail brings it.
#[derive(Clone)]
struct Stock {
    ordered: BTreeSet<(KeyId, PayloadId)>,
    answers: u32,
}

/// What shops and warehouses say to each other.
#[derive(Clone, Copy, Hash, Debug)]
enum Talk {
    /// How many of an article are ordered?
    Ask { payload: PayloadId, article: KeyId },
    /// So many. Answers are numbered, for the network may repeat a question.
    Answer { payload: PayloadId, ordered: usize, number: u32 },
    /// Its checksum is wrong.
    Damaged(Tag),
}

impl Message for Talk {
    fn tag(&self) -> Tag {
        match *self {
            Talk::Ask { payload, .. } => Tag { kind: 0, subject: u64::from(payload.0), attempt: 1 },
            Talk::Answer { payload, number, .. } => Tag { kind: 1, subject: u64::from(payload.0), attempt: number },
            Talk::Damaged(tag) => tag,
        }
    }
    fn bytes(&self) -> u32 {
        80
    }
    fn corrupt(&mut self, _: u64) {
        *self = Talk::Damaged(self.tag());
    }
}

impl Stock {
    /// The mail consumer beside us has handled an order.
    fn take<W: Hosts<Stock>>(&mut self, handed: Handed, ctx: &mut Ctx<'_, W, Stock>) {
        let Handed::Applied { parcel, .. } = handed else { return };
        let order = (parcel.key, parcel.payload);
        if self.ordered.contains(&order) {
            ctx.mark("shop.came_again");
        } else if ctx.commit(order).is_ok() {
            self.ordered.insert(order);
            ctx.say(Some(parcel.payload), || format!("order {} counts for article {}", parcel.payload, parcel.key));
        }
    }
}

impl Role for Stock {
    type Config = Config;
    type Msg = Talk;
    type Timer = Infallible;
    type Disk = BTreeSet<(KeyId, PayloadId)>;
    type Write = (KeyId, PayloadId);
    type Up = Infallible;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        Stock { ordered: ctx.recover(), answers: ctx.life() << 20 }
    }
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        unreachable!("{} was given to a warehouse; the roster takes no load for it", command.op);
    }
    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Talk, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        match msg {
            Talk::Ask { payload, article } => {
                let ordered = self.ordered.range((article, PayloadId(0))..=(article, PayloadId(u32::MAX))).count();
                // A question changes nothing: its effect is the answer.
                ctx.note(Note::Effect { group: ctx.config().service, payload });
                self.answers += 1;
                ctx.reply(from, Talk::Answer { payload, ordered, number: self.answers });
            }
            Talk::Damaged(_) => {}
            Talk::Answer { .. } => unreachable!("nobody answers a warehouse"),
        }
    }
    fn on_timer<W: Hosts<Self>>(&mut self, timer: Infallible, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        match timer {}
    }
    fn on_disconnect<W: Hosts<Self>>(&mut self, _: Peer, _: Disconnect, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        unreachable!("a stock opens no streams");
    }
}

// ------------------------------------------------------------------------------------------------ a role: the asker

/// Asks a warehouse, once, and waits for the answer as long as it has patience.
#[derive(Clone, Default)]
struct Asker {
    open: BTreeMap<PayloadId, ClientOp>,
}

impl Role for Asker {
    type Config = Config;
    type Msg = Talk;
    type Timer = PayloadId;
    type Disk = ();
    type Write = Infallible;
    type Up = Infallible;

    fn boot<W: Hosts<Self>>(_: &mut Ctx<'_, W, Self>) -> Self {
        Asker::default()
    }
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        let (payload, article) = (command.what.payload(), command.what.key());
        let warehouses = &ctx.config().mail.places.consumers;
        let chosen = ctx.choose(u64::from(payload.0), warehouses.len() as u64);
        let (warehouse, _) = warehouses[usize::try_from(chosen).expect("few warehouses")];
        self.open.insert(payload, command.op);
        ctx.send(warehouse, Talk::Ask { payload, article });
        ctx.timer(ctx.config().patience, payload);
    }
    fn on_message<W: Hosts<Self>>(&mut self, _: Peer, msg: Talk, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        match msg {
            Talk::Answer { payload, ordered, .. } => {
                if let Some(op) = self.open.remove(&payload) {
                    ctx.say(Some(payload), || format!("learns that {ordered} are ordered"));
                    ctx.end(op, End::Ok);
                }
            }
            Talk::Damaged(_) => {}
            Talk::Ask { .. } => unreachable!("nobody asks a shop"),
        }
    }
    fn on_timer<W: Hosts<Self>>(&mut self, payload: PayloadId, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        if let Some(op) = self.open.remove(&payload) {
            ctx.end(op, End::Unknown(Reason("no answer in time")));
        }
    }
    fn on_disconnect<W: Hosts<Self>>(&mut self, _: Peer, _: Disconnect, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        unreachable!("an asker opens no streams");
    }
}

// ------------------------------------------------------------------------------------------------ the nodes and what they say

#[derive(Clone)]
enum Node {
    Broker(Box<Broker>),
    Shop(Producer, Asker),
    Warehouse(Box<Consumer>, Stock),
}

#[derive(Clone, Hash)]
enum Msg {
    Mail(protocol::Msg),
    Talk(Talk),
}

/// How many kinds of messages mailbox has: ours come behind them.
const MAIL_KINDS: usize = protocol::KINDS.len();

const KINDS: [&str; MAIL_KINDS + 2] = {
    let mut kinds = ["ask"; MAIL_KINDS + 2];
    let mut at = 0;
    while at < MAIL_KINDS {
        kinds[at] = protocol::KINDS[at];
        at += 1;
    }
    kinds[MAIL_KINDS + 1] = "answer";
    kinds
};

impl Message for Msg {
    fn tag(&self) -> Tag {
        match self {
            Msg::Mail(msg) => msg.tag(),
            Msg::Talk(msg) => Tag { kind: msg.tag().kind + u16::try_from(MAIL_KINDS).expect("few kinds"), ..msg.tag() },
        }
    }
    fn bytes(&self) -> u32 {
        match self {
            Msg::Mail(msg) => msg.bytes(),
            Msg::Talk(msg) => msg.bytes(),
        }
    }
    fn corrupt(&mut self, word: u64) {
        match self {
            Msg::Mail(msg) => msg.corrupt(word),
            Msg::Talk(msg) => msg.corrupt(word),
        }
    }
}

#[derive(Clone, Copy, Hash, Debug)]
enum Timer {
    Mail(mailbox::Timer),
    Asker(PayloadId),
}

/// A disk has room for every role; which is used depends on the node.
type Disk = (mailbox::Disk, BTreeSet<(KeyId, PayloadId)>);
type Write = Either<mailbox::Write, (KeyId, PayloadId)>;

#[derive(Clone)]
struct Shop;

impl Hosts<Broker> for Shop {
    fn msg(msg: protocol::Msg) -> Msg {
        Msg::Mail(msg)
    }
    fn timer(timer: mailbox::broker::BrokerTimer) -> Timer {
        Timer::Mail(mailbox::Timer::Broker(timer))
    }
    fn write(write: mailbox::disk::Record) -> Write {
        Either::First(mailbox::Write::Broker(write))
    }
    fn disk((mail, _): &Disk) -> &mailbox::disk::BrokerDisk {
        &mail.broker
    }
    fn config(config: &Config) -> &mailbox::Config {
        &config.mail
    }
}

impl Hosts<Producer> for Shop {
    fn msg(msg: protocol::Msg) -> Msg {
        Msg::Mail(msg)
    }
    fn timer(timer: mailbox::producer::ProducerTimer) -> Timer {
        Timer::Mail(mailbox::Timer::Producer(timer))
    }
    fn write(write: Infallible) -> Write {
        match write {}
    }
    fn disk((mail, _): &Disk) -> &mailbox::nothing::Nothing {
        &mail.producer
    }
    fn config(config: &Config) -> &mailbox::Config {
        &config.mail
    }
}

impl Hosts<Consumer> for Shop {
    fn msg(msg: protocol::Msg) -> Msg {
        Msg::Mail(msg)
    }
    fn timer(timer: mailbox::consumer::ConsumerTimer) -> Timer {
        Timer::Mail(mailbox::Timer::Consumer(timer))
    }
    fn write(write: mailbox::consumer::Processed) -> Write {
        Either::First(mailbox::Write::Consumer(write))
    }
    fn disk((mail, _): &Disk) -> &mailbox::consumer::ConsumerDisk {
        &mail.consumer
    }
    fn config(config: &Config) -> &mailbox::Config {
        &config.mail
    }
}

impl Hosts<Stock> for Shop {
    fn msg(msg: Talk) -> Msg {
        Msg::Talk(msg)
    }
    fn timer(timer: Infallible) -> Timer {
        match timer {}
    }
    fn write(write: (KeyId, PayloadId)) -> Write {
        Either::Second(write)
    }
    fn disk((_, stock): &Disk) -> &BTreeSet<(KeyId, PayloadId)> {
        stock
    }
    fn config(config: &Config) -> &Config {
        config
    }
}

impl Hosts<Asker> for Shop {
    fn msg(msg: Talk) -> Msg {
        Msg::Talk(msg)
    }
    fn timer(timer: PayloadId) -> Timer {
        Timer::Asker(timer)
    }
    fn write(write: Infallible) -> Write {
        match write {}
    }
    fn disk(_: &Disk) -> &() {
        &()
    }
    fn config(config: &Config) -> &Config {
        config
    }
}

// ------------------------------------------------------------------------------------------------ the whole

impl Protocol for Shop {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Disk;
    type Write = Write;
    type Node = Node;

    fn kinds() -> &'static [&'static str] {
        &KINDS
    }
    fn about(tag: Tag) -> Option<PayloadId> {
        if usize::from(tag.kind) < MAIL_KINDS { protocol::about(tag) } else { u32::try_from(tag.subject).ok().map(PayloadId) }
    }
    /// Mailbox's own, with a service more; producers are called shops here.
    fn roster(config: &Config) -> Roster {
        let Roster { nodes, mut objects } = Mailbox::roster(&config.mail);
        objects.push(Object { name: "stock".into(), kind: ObjectKind::Service });
        let renamed = |node: RosterNode| RosterNode { name: node.name.replace("producer-", "shop-"), ..node };
        Roster { nodes: nodes.into_iter().map(renamed).collect(), objects }
    }
    fn format(id: NodeId, config: &Config) -> Disk {
        (Mailbox::format(id, &config.mail), BTreeSet::new())
    }
    fn boot(ctx: &mut Ctx<'_, Self, Itself>) -> Node {
        let (me, places) = (ctx.me(), &ctx.config().mail.places);
        if me == places.broker {
            Node::Broker(Box::new(Broker::boot(&mut ctx.narrow())))
        } else if places.producers.contains(&me) {
            Node::Shop(Producer::boot(&mut ctx.narrow()), Asker::boot(&mut ctx.narrow()))
        } else {
            Node::Warehouse(Box::new(Consumer::boot(&mut ctx.narrow())), Stock::boot(&mut ctx.narrow()))
        }
    }
    fn on_command(node: &mut Node, command: Command, ctx: &mut Ctx<'_, Self, Itself>) {
        let Node::Shop(producer, asker) = node else { unreachable!("only shops take load") };
        match command.what {
            Op::Publish { .. } => producer.on_command(command, &mut ctx.narrow(), &mut Discard),
            Op::Request { .. } => asker.on_command(command, &mut ctx.narrow(), &mut Discard),
        }
    }
    fn on_message(node: &mut Node, from: Peer, msg: Msg, ctx: &mut Ctx<'_, Self, Itself>) {
        match (node, msg) {
            (Node::Broker(broker), Msg::Mail(msg)) => broker.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            (Node::Shop(producer, _), Msg::Mail(msg)) => producer.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            (Node::Shop(_, asker), Msg::Talk(msg)) => asker.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            (Node::Warehouse(consumer, stock), Msg::Mail(msg)) => {
                let mut handed = Vec::new();
                consumer.on_message(from, msg, &mut ctx.narrow(), &mut handed);
                handed.into_iter().for_each(|item| stock.take(item, &mut ctx.narrow()));
            }
            (Node::Warehouse(_, stock), Msg::Talk(msg)) => stock.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            (Node::Broker(_), Msg::Talk(msg)) => unreachable!("{msg:?} came to the broker"),
        }
    }
    fn on_timer(node: &mut Node, timer: Timer, ctx: &mut Ctx<'_, Self, Itself>) {
        match (node, timer) {
            (Node::Broker(broker), Timer::Mail(mailbox::Timer::Broker(timer))) => broker.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Shop(producer, _), Timer::Mail(mailbox::Timer::Producer(timer))) => {
                producer.on_timer(timer, &mut ctx.narrow(), &mut Discard);
            }
            (Node::Shop(_, asker), Timer::Asker(timer)) => asker.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Warehouse(consumer, stock), Timer::Mail(mailbox::Timer::Consumer(timer))) => {
                let mut handed = Vec::new();
                consumer.on_timer(timer, &mut ctx.narrow(), &mut handed);
                handed.into_iter().for_each(|item| stock.take(item, &mut ctx.narrow()));
            }
            (Node::Broker(_) | Node::Shop(..) | Node::Warehouse(..), timer) => unreachable!("{timer:?} fired at another role"),
        }
    }
    /// Only mail comes over streams.
    fn on_disconnect(node: &mut Node, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, Self, Itself>) {
        match node {
            Node::Broker(broker) => broker.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
            Node::Shop(producer, _) => producer.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
            Node::Warehouse(consumer, _) => consumer.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
        }
    }
    fn cost(_: &Config, _: &Msg) -> u32 {
        1
    }
    fn resolve(_: &Config, _: &Nodes<'_, Self>, _: &str, _: &str) -> Option<Vec<NodeId>> {
        None
    }
    /// The broker's own.
    fn invariant(config: &Config, nodes: &Nodes<'_, Self>) -> Result<(), Breach> {
        match nodes.get(config.mail.places.broker) {
            Some(Node::Broker(broker)) => broker.check(&config.mail).map_err(Breach),
            Some(Node::Shop(..) | Node::Warehouse(..)) | None => Ok(()),
        }
    }
    fn fingerprint(node: &Node, now: Time, digest: &mut Digest) {
        match node {
            Node::Broker(broker) => broker.fingerprint(now, digest),
            Node::Shop(producer, asker) => {
                producer.fingerprint(digest);
                asker.open.iter().for_each(|(payload, op)| digest.words(u64::from(payload.0), u64::from(op.0)));
            }
            Node::Warehouse(consumer, stock) => {
                consumer.fingerprint(digest);
                stock.ordered.iter().for_each(|(article, order)| digest.words(u64::from(article.0), u64::from(order.0)));
                digest.word(u64::from(stock.answers));
            }
        }
    }
    fn gauges(node: &Node, report: &mut dyn FnMut(ObjectId, u64)) {
        if let Node::Broker(broker) = node {
            broker.depths(report);
        }
    }
    fn held(_: &Config, nodes: &Nodes<'_, Self>, report: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {
        for (place, node) in nodes.iter() {
            if let Node::Broker(broker) = node {
                broker.held(&mut |queue, payload| report(place, queue, payload));
            }
        }
    }
}

/// What a question over datagrams cannot keep, whatever the mail promises.
const NOT_BY_DATAGRAM: [Property; 6] = [
    Property::NoDuplicateEffect,
    Property::OrderGlobal,
    Property::OrderPerKey,
    Property::OrderPerProducer,
    Property::NoGaps,
    Property::NoDuplicateDelivery,
];

impl Described for Shop {
    const NAME: &'static str = "shop";
    const ABOUT: &'static str = "orders go to a warehouse by mail, questions by datagram";
    const KEYS: &'static [KeySpec] = &[
        KeySpec::new("mail", KeyKind::Table(mailbox::keys::KEYS), "broker, queues, shops (its producers) and warehouses (its consumers)")
            .required(),
        KeySpec::new("patience", KeyKind::Span, "how long a shop waits for an answer").or("200ms"),
    ];
    const SCOPE: &'static [ScopeRow] =
        &[ScopeRow { rule: "stock", standing: Standing::Simplified, note: "orders are counted, not shipped" }];
    const MARKS: &'static [(Mark, &'static str)] = &[("shop.came_again", "the mail brought an order that counted already")];
    const ROLES: &'static [&'static str] = &[];

    fn configure(table: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<Config> {
        let mail = mailbox::check::read(&table.table("mail")?, problems)?;
        if mail.places.consumers.is_empty() {
            let problem = Problem::error(table.place_of("mail"), "there is no warehouse to ask");
            problems.push(problem.hint("declare one: `consumer.warehouse = { from = \"…\" }`"));
        }
        let service = ObjectId::at(mail.objects().len());
        Some(Config { mail, patience: table.span("patience")?, service })
    }
    fn print(_: &Config, table: &Reader<'_>) -> String {
        table.resolved()
    }
    fn promises(config: &Config) -> Promises {
        let mut promises = mailbox::promises::of(&config.mail);
        for promise in promises.0.iter_mut().filter(|promise| promise.promised && NOT_BY_DATAGRAM.contains(&promise.property)) {
            (promise.promised, promise.because) = (false, "questions are datagrams, which are repeated and reordered".into());
        }
        promises
    }
}

//! The role in a world: one broker in one piece, and one producer.

use std::convert::Infallible;
use std::sync::Arc;

use crate::base::{ClientOp, Digest, KeyId, Law, NodeId, ObjectId, PayloadId, Span, Tag, Time};
use crate::model::kafka::config::{Config, ProducerConfig};
use crate::model::kafka::ids::Part;
use crate::model::kafka::protocol::{KINDS, Msg, Namer, about};
use crate::parts::config::{LinkLaw, NetworkConfig};
use crate::parts::fault::{Fault, Ill, Selector, When};
use crate::record::{Command, End, Entry, LogNote, Note, Object, ObjectKind, Op, What};
use crate::world::{
    Breach, Ctx, Discard, Disconnect, Hosts, Itself, Nodes, Peer, Protocol, Role, Roster, RosterNode, Sim, Surroundings, World,
};

use super::super::{Producer, ProducerTimer};
use super::cluster::Cluster;
use super::setting::{self, BROKERS, TRANSACTIONS};

const SHOP: NodeId = NodeId(1);

/// A broker or a producer.
#[derive(Clone)]
enum Tiny {
    Broker(Box<Cluster>, Namer),
    Shop(Box<Producer>),
}

#[derive(Clone)]
struct Market;

impl Protocol for Market {
    type Config = Config;
    type Msg = Msg;
    type Timer = ProducerTimer;
    type Disk = ();
    type Write = Infallible;
    type Node = Tiny;

    fn kinds() -> &'static [&'static str] {
        KINDS
    }
    fn about(tag: Tag) -> Option<PayloadId> {
        about(tag)
    }
    fn roster(config: &Config) -> Roster {
        let node = |name: &str| RosterNode { name: name.to_owned(), groups: Vec::new(), takes_load: name == "shop" };
        let topic = |name: &str| Object { name: name.to_owned(), kind: ObjectKind::Topic };
        let log = |at: usize| {
            let topic = config.topic_of(Part::at(at)).object;
            Object { name: config.part_name(Part::at(at)), kind: ObjectKind::Log { topic, compacted: false } }
        };
        let objects = [topic("orders"), topic("bills")].into_iter().chain((0..6).map(log)).collect();
        Roster { nodes: vec![node("broker"), node("shop")], objects }
    }
    fn format(_: NodeId, _: &Config) {}
    fn boot(ctx: &mut Ctx<'_, Self, Itself>) -> Tiny {
        if ctx.me() == SHOP {
            return Tiny::Shop(Box::new(Producer::boot(&mut ctx.narrow())));
        }
        let mut cluster = Cluster::new(ctx.config());
        cluster.coordinator = BROKERS[0];
        (0..8).for_each(|part| cluster.change(Part(part), Some(BROKERS[0])));
        Tiny::Broker(Box::new(cluster), Namer::new(0, 0))
    }
    fn on_command(node: &mut Tiny, command: Command, ctx: &mut Ctx<'_, Self, Itself>) {
        let Tiny::Shop(shop) = node else { panic!("brokers take no load") };
        shop.on_command(command, &mut ctx.narrow(), &mut Discard);
    }
    fn on_message(node: &mut Tiny, from: Peer, msg: Msg, ctx: &mut Ctx<'_, Self, Itself>) {
        match node {
            Tiny::Shop(shop) => shop.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            Tiny::Broker(cluster, namer) => {
                let answer = namer.counted(msg.number, cluster.answer(msg.body));
                ctx.reply(from, answer);
            }
        }
    }
    fn on_timer(node: &mut Tiny, timer: ProducerTimer, ctx: &mut Ctx<'_, Self, Itself>) {
        let Tiny::Shop(shop) = node else { panic!("brokers set no timers") };
        shop.on_timer(timer, &mut ctx.narrow(), &mut Discard);
    }
    fn on_disconnect(node: &mut Tiny, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, Self, Itself>) {
        if let Tiny::Shop(shop) = node {
            shop.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard);
        }
    }
    fn cost(_: &Config, _: &Msg) -> u32 {
        1
    }
    fn resolve(_: &Config, _: &Nodes<'_, Self>, _: &str, _: &str) -> Option<Vec<NodeId>> {
        None
    }
    fn invariant(_: &Config, _: &Nodes<'_, Self>) -> Result<(), Breach> {
        Ok(())
    }
    fn fingerprint(node: &Tiny, now: Time, digest: &mut Digest) {
        if let Tiny::Shop(shop) = node {
            shop.fingerprint(now, digest);
        }
    }
    fn gauges(_: &Tiny, _: &mut dyn FnMut(ObjectId, u64)) {}
    fn held(_: &Config, _: &Nodes<'_, Self>, _: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {}
}

impl Hosts<Producer> for Market {
    fn msg(msg: Msg) -> Msg {
        msg
    }
    fn timer(timer: ProducerTimer) -> ProducerTimer {
        timer
    }
    fn write(write: Infallible) -> Infallible {
        write
    }
    fn disk(disk: &()) -> &() {
        disk
    }
    fn config(config: &Config) -> &Config {
        config
    }
}

/// What a run showed.
struct Shown {
    history: Vec<Entry>,
    world: World<Market>,
}

/// A record every ten milliseconds for ten seconds, then another minute.
fn run(producer: ProducerConfig, ills: Vec<(Ill, u64, u64)>, seed: u64) -> Shown {
    let mut config = setting::config(producer, true);
    config.places.brokers = vec![BROKERS[0]];
    config.places.producers = vec![(SHOP, 0, 0)];
    let law = Law::Uniform { low: Span::micros(300), high: Span::millis(3) };
    let mut surroundings = Surroundings::calm(NetworkConfig::flat(LinkLaw::healthy(law)));
    let fault = |(ill, at, lasts)| {
        let lasts = Some(Law::Constant(Span::millis(lasts)));
        Fault { name: "trouble".to_owned(), ill, when: When::At(vec![Time::ZERO + Span::millis(at)]), lasts }
    };
    surroundings.faults = ills.into_iter().map(fault).collect::<Vec<_>>().into();
    let mut world: World<Market> = World::new(Arc::new(config), &surroundings, seed).expect("the surroundings fit");
    for number in 0..1000 {
        let what = Op::Publish { to: ObjectId(0), key: KeyId(number % 7), payload: PayloadId(number), bytes: 100 };
        world.command(Time::ZERO + Span::millis(10 * u64::from(number)), SHOP, Command { op: ClientOp(number), what });
    }
    let mut history = Vec::new();
    while world.advance(Time::ZERO + Span::secs(70), &mut history) {}
    Shown { history, world }
}

impl Shown {
    fn ends(&self) -> impl Iterator<Item = (ClientOp, End, Option<crate::record::Place>)> {
        self.history.iter().filter_map(|entry| match entry.what {
            What::End { op, end, place, .. } => Some((op, end, place)),
            What::Call { .. } | What::Note(_) | What::Skipped { .. } | What::Phase(_) | What::Fault { .. } => None,
        })
    }

    fn cluster(&self) -> &Cluster {
        match self.world.nodes().get(BROKERS[0]) {
            Some(Tiny::Broker(cluster, _)) => cluster,
            Some(Tiny::Shop(_)) | None => panic!("the broker is up"),
        }
    }

    /// Every end is true; how many operations ended well.
    fn check(&self) -> usize {
        let mut well = 0;
        for (op, end, place) in self.ends() {
            let slots = || self.cluster().logs.iter().flatten().filter(|slot| slot.payload.0 == op.0);
            let outcome = |number: Option<u32>| number.and_then(|number| self.cluster().outcomes.get(&number));
            let counts = slots().filter(|slot| outcome(slot.transaction) != Some(&crate::model::kafka::batch::Outcome::Abort)).count();
            match end {
                End::Ok => {
                    let place = place.expect("it was told where");
                    let log = &self.cluster().logs[place.log.0 as usize - 2];
                    assert_eq!(log[usize::try_from(place.offset).unwrap()].payload.0, op.0);
                    assert_eq!(counts, 1);
                    well += 1;
                }
                End::Failed(reason) => assert_eq!(counts, 0, "{op} failed: {reason}"),
                End::Unknown(_) => {}
            }
        }
        well
    }
}

fn any() -> Selector {
    Selector::All
}

fn named(name: &str) -> Selector {
    Selector::Named(name.to_owned())
}

#[test]
fn a_calm_world_takes_everything_and_tells_where_it_stands() {
    let shown = run(setting::producer(), Vec::new(), 1);
    assert_eq!((shown.ends().count(), shown.check()), (1000, 1000));
    let again = run(setting::producer(), Vec::new(), 1);
    assert_eq!(shown.world.digest(), again.world.digest());
}

#[test]
fn a_producer_that_dies_takes_what_it_had_not_sent_with_it_and_comes_again() {
    let shown = run(ProducerConfig { linger: Span::millis(40), ..setting::producer() }, vec![(Ill::Kill(named("shop")), 3005, 1000)], 2);
    let well = shown.check();
    assert!((800..=900).contains(&well), "{well} of 1000, some were never asked for, some were lost");
    assert_eq!(shown.cluster().asked.get("init"), Some(&2), "the second process has an id of its own");
}

#[test]
fn operations_end_with_their_transactions() {
    let transactions = Some(crate::model::kafka::config::Transactions { abort_every: Some(5), ..TRANSACTIONS });
    let shown = run(ProducerConfig { transactions, ..setting::producer() }, Vec::new(), 3);
    let well = shown.check();
    assert!((780..=820).contains(&well), "every fifth transaction is aborted: {well}");
    assert_eq!(shown.ends().count(), 1000);
    let noted = shown.history.iter().filter(|entry| matches!(entry.what, What::Note(Note::Log(LogNote::InTransaction { .. })))).count();
    assert_eq!(noted, 1000);
}

#[test]
fn trouble_on_the_way_leaves_every_end_true() {
    for seed in 0..8 {
        for transactions in [None, Some(TRANSACTIONS)] {
            let jam = Ill::Jam { from: any(), to: any(), extra: Law::Uniform { low: Span::ZERO, high: Span::millis(900) } };
            let clog = Ill::Clog { from: named("shop"), to: named("broker") };
            let deaf = Ill::Clog { from: named("broker"), to: named("shop") };
            let ills = vec![(jam, 1000, 1500), (clog, 3500, 4000), (deaf, 8000, 3000)];
            let producer = ProducerConfig { delivery_timeout: Some(Span::secs(3)), transactions, ..setting::producer() };
            let shown = run(producer, ills, seed);
            let well = shown.check();
            assert_eq!(shown.ends().count(), 1000, "everything ends");
            assert!((300..1000).contains(&well), "{well} of 1000 with seed {seed}");
        }
    }
}

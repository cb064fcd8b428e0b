//! The whole of a Kafka system as one protocol: which node plays which part, and what the kernel asks of it.

use crate::base::value::{KeySpec, Reader};
use crate::base::{Digest, NodeId, ObjectId, PayloadId, Problem, Tag, Time};
use crate::check::Promises;
use crate::model::{Described, ScopeRow};
use crate::record::{Command, Mark};
use crate::world::{Breach, Ctx, Discard, Disconnect, Hosts, Itself, Nodes, Peer, Protocol, Role, Roster};

use super::broker::{Broker, BrokerDisk, BrokerTimer, BrokerWrite};
use super::config::Config;
use super::consumer::{Consumer, ConsumerTimer};
use super::controller::{Controller, ControllerDisk, ControllerTimer, ControllerWrite};
use super::processor::{Processor, ProcessorTimer};
use super::producer::{Producer, ProducerTimer};
use super::protocol::{KINDS, Msg, about};
use super::store::{Store, StoreDisk, StoreTimer, StoreWrite};
use super::surface::{Disk, Write};
use super::{check, finally, invariants, keys, marks, print, promises, scope, selectors};

/// A Kafka system.
#[derive(Clone, Debug)]
pub struct Kafka;

/// What a node is.
#[derive(Clone, Debug)]
pub enum Node {
    /// A broker.
    Broker(Box<Broker>),
    /// A controller, or a node of the ZooKeeper ensemble.
    Controller(Box<Controller>),
    /// A producer.
    Producer(Box<Producer>),
    /// A consumer.
    Consumer(Box<Consumer>),
    /// An application that reads, transforms and writes.
    Processor(Box<Processor>),
    /// A database outside of Kafka.
    Store(Box<Store>),
}

/// What a timer is for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// A broker's.
    Broker(BrokerTimer),
    /// A controller's.
    Controller(ControllerTimer),
    /// A producer's.
    Producer(ProducerTimer),
    /// A consumer's.
    Consumer(ConsumerTimer),
    /// A processor's.
    Processor(ProcessorTimer),
    /// The database's.
    Store(StoreTimer),
}

/// What a node is by its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Broker,
    Controller,
    Producer,
    Consumer,
    Processor,
    Store,
}

/// What a node is.
fn kind_of(node: NodeId, config: &Config) -> Kind {
    let places = &config.places;
    if places.brokers.contains(&node) {
        Kind::Broker
    } else if places.controllers.contains(&node) {
        Kind::Controller
    } else if places.producers.iter().any(|(at, _, _)| *at == node) {
        Kind::Producer
    } else if places.consumers.iter().any(|(at, _, _)| *at == node) {
        Kind::Consumer
    } else if places.processors.iter().any(|(at, _, _)| *at == node) {
        Kind::Processor
    } else {
        Kind::Store
    }
}

impl Protocol for Kafka {
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
        about(tag)
    }
    fn roster(config: &Config) -> Roster {
        config.roster()
    }
    fn format(_: NodeId, config: &Config) -> Disk {
        Disk::format(config)
    }

    fn boot(ctx: &mut Ctx<'_, Self, Itself>) -> Node {
        match kind_of(ctx.me(), ctx.config()) {
            Kind::Broker => Node::Broker(Box::new(Broker::boot(&mut ctx.narrow()))),
            Kind::Controller => Node::Controller(Box::new(Controller::boot(&mut ctx.narrow()))),
            Kind::Producer => Node::Producer(Box::new(Producer::boot(&mut ctx.narrow()))),
            Kind::Consumer => Node::Consumer(Box::new(Consumer::boot(&mut ctx.narrow()))),
            Kind::Processor => Node::Processor(Box::new(Processor::boot(&mut ctx.narrow()))),
            Kind::Store => Node::Store(Box::new(Store::boot(&mut ctx.narrow()))),
        }
    }

    fn on_command(node: &mut Node, command: Command, ctx: &mut Ctx<'_, Self, Itself>) {
        match node {
            Node::Broker(broker) => broker.on_command(command, &mut ctx.narrow(), &mut Discard),
            Node::Controller(controller) => controller.on_command(command, &mut ctx.narrow(), &mut Discard),
            Node::Producer(producer) => producer.on_command(command, &mut ctx.narrow(), &mut Discard),
            Node::Consumer(consumer) => consumer.on_command(command, &mut ctx.narrow(), &mut Discard),
            Node::Processor(processor) => processor.on_command(command, &mut ctx.narrow(), &mut Discard),
            Node::Store(store) => store.on_command(command, &mut ctx.narrow(), &mut Discard),
        }
    }

    fn on_message(node: &mut Node, from: Peer, msg: Msg, ctx: &mut Ctx<'_, Self, Itself>) {
        match node {
            Node::Broker(broker) => broker.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            Node::Controller(controller) => controller.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            Node::Producer(producer) => producer.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            Node::Consumer(consumer) => consumer.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            Node::Processor(processor) => processor.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
            Node::Store(store) => store.on_message(from, msg, &mut ctx.narrow(), &mut Discard),
        }
    }

    fn on_timer(node: &mut Node, timer: Timer, ctx: &mut Ctx<'_, Self, Itself>) {
        match (node, timer) {
            (Node::Broker(broker), Timer::Broker(timer)) => broker.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Controller(controller), Timer::Controller(timer)) => controller.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Producer(producer), Timer::Producer(timer)) => producer.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Consumer(consumer), Timer::Consumer(timer)) => consumer.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Processor(processor), Timer::Processor(timer)) => processor.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (Node::Store(store), Timer::Store(timer)) => store.on_timer(timer, &mut ctx.narrow(), &mut Discard),
            (
                Node::Broker(_) | Node::Controller(_) | Node::Producer(_) | Node::Consumer(_) | Node::Processor(_) | Node::Store(_),
                timer,
            ) => unreachable!("{timer:?} fired at another role"),
        }
    }

    fn on_disconnect(node: &mut Node, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, Self, Itself>) {
        match node {
            Node::Broker(broker) => broker.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
            Node::Controller(controller) => controller.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
            Node::Producer(producer) => producer.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
            Node::Consumer(consumer) => consumer.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
            Node::Processor(processor) => processor.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
            Node::Store(store) => store.on_disconnect(peer, why, &mut ctx.narrow(), &mut Discard),
        }
    }

    fn cost(_: &Config, _: &Msg) -> u32 {
        1
    }

    fn resolve(config: &Config, nodes: &Nodes<'_, Self>, role: &str, of: &str) -> Option<Vec<NodeId>> {
        selectors::resolve(config, nodes, role, of)
    }

    fn invariant(config: &Config, nodes: &Nodes<'_, Self>) -> Result<(), Breach> {
        invariants::check(config, nodes).map_err(Breach)
    }

    fn fingerprint(node: &Node, now: Time, digest: &mut Digest) {
        match node {
            Node::Broker(broker) => broker.fingerprint(now, digest),
            Node::Controller(controller) => controller.fingerprint(now, digest),
            Node::Producer(producer) => producer.fingerprint(now, digest),
            Node::Consumer(consumer) => consumer.fingerprint(now, digest),
            Node::Processor(processor) => processor.fingerprint(now, digest),
            Node::Store(store) => store.fingerprint(digest),
        }
    }

    fn gauges(node: &Node, report: &mut dyn FnMut(ObjectId, u64)) {
        if let Node::Broker(broker) = node {
            broker.lags(report);
        }
    }

    fn held(config: &Config, nodes: &Nodes<'_, Self>, report: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {
        finally::held(config, nodes, report);
    }
}

macro_rules! hosts {
    ($($role:ident, $timer:ident, $write:ty, $into:expr, $disk:ty, $part:ident;)*) => {$(
        impl Hosts<$role> for Kafka {
            fn msg(msg: Msg) -> Msg {
                msg
            }
            fn timer(timer: $timer) -> Timer {
                Timer::$role(timer)
            }
            fn write(write: $write) -> Write {
                $into(write)
            }
            fn disk(disk: &Disk) -> &$disk {
                &disk.$part
            }
            fn config(config: &Config) -> &Config {
                config
            }
        }
    )*};
}

hosts! {
    Broker, BrokerTimer, BrokerWrite, Write::Broker, BrokerDisk, broker;
    Controller, ControllerTimer, ControllerWrite, Write::Controller, ControllerDisk, controller;
    Producer, ProducerTimer, std::convert::Infallible, |write| match write {}, (), nothing;
    Consumer, ConsumerTimer, std::convert::Infallible, |write| match write {}, (), nothing;
    Processor, ProcessorTimer, std::convert::Infallible, |write| match write {}, (), nothing;
    Store, StoreTimer, StoreWrite, Write::Store, StoreDisk, store;
}

impl Described for Kafka {
    const NAME: &'static str = "kafka";
    const ABOUT: &'static str = "Kafka: replicated partition logs, controllers, producers, consumer groups, transactions";
    const KEYS: &'static [KeySpec] = keys::KEYS;
    const SCOPE: &'static [ScopeRow] = scope::SCOPE;
    const MARKS: &'static [(Mark, &'static str)] = marks::ALL;
    const ROLES: &'static [&'static str] = selectors::ROLES;

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

//! Who is where in a run of nothing but Kafka, and by which names.

use crate::base::NodeId;
use crate::world::{Roster, RosterNode};

use super::{Commit, Config, Control, Places, Sink};

/// The name of the outside database.
const STORE: &str = "store";

impl Config {
    /// Brokers first, then controllers, producers, consumers, processors, the store: the order of a run of nothing but Kafka.
    pub fn place_in_order(&mut self) {
        let mut next = 0;
        let mut take = |count: u32| -> Vec<NodeId> {
            next += count;
            (next - count..next).map(NodeId).collect()
        };
        let brokers = take(self.broker.count);
        let controllers = take(self.controller.count);
        let mut kinds = |counts: Vec<u32>| -> Vec<(NodeId, u16, u32)> {
            let kinds = (0u16..).zip(counts);
            kinds.flat_map(|(kind, count)| take(count).into_iter().zip(0..).map(move |(node, number)| (node, kind, number))).collect()
        };
        let producers = kinds(self.producers.iter().map(|producer| producer.count).collect());
        let consumers = kinds(self.consumers.iter().map(|consumer| consumer.count).collect());
        let processors = kinds(self.processors.iter().map(|processor| processor.producer.count).collect());
        let store = self.needs_store().then(|| take(1)[0]);
        self.places = Places { brokers, controllers, producers, consumers, processors, store };
    }

    /// Whether some consumer works with a database outside of Kafka.
    #[must_use]
    pub fn needs_store(&self) -> bool {
        self.consumers.iter().any(|consumer| consumer.commit == Commit::WithEffect || consumer.sink == Sink::Idempotent)
    }

    /// Nodes and objects, when the places are [in order](Config::place_in_order).
    #[must_use]
    pub fn roster(&self) -> Roster {
        let mut nodes = Vec::new();
        let mut add = |name: &str, count: u32, groups: &[&'static str], takes_load: bool| {
            for number in 1..=count {
                nodes.push(RosterNode { name: format!("{name}-{number}"), groups: groups.to_vec(), takes_load });
            }
        };
        add("broker", self.broker.count, &["brokers"], false);
        match self.mechanisms.control {
            Control::KRaft => add("controller", self.controller.count, &["controllers"], false),
            Control::ZooKeeper => add("zookeeper", self.controller.count, &["controllers", "zookeepers"], false),
        }
        for producer in &self.producers {
            add(&producer.name, producer.count, &["producers", "clients"], true);
        }
        for consumer in &self.consumers {
            add(&consumer.name, consumer.count, &["consumers", "clients"], false);
        }
        for processor in &self.processors {
            add(&processor.producer.name, processor.producer.count, &["processors", "clients"], false);
        }
        if self.needs_store() {
            nodes.push(RosterNode { name: STORE.to_owned(), groups: vec!["stores"], takes_load: false });
        }
        Roster { nodes, objects: self.objects() }
    }
}

//! Tables of decisions: how things are, what happens, how things are then.

mod admin;
mod brokers;
mod isr;
mod replicas;

use crate::base::NodeId;

use super::super::super::config::{Config, Control};
use super::super::super::ids::Part;
use super::super::super::protocol::control::{Heard, Heartbeat};
use super::super::change::{Change, Fact, PartChange};
use super::super::metadata::Metadata;
use super::super::tests::setting::{Setting, nodes};
use super::{Contact, Decider};

/// The partition that the tables are about.
const PART: Part = Part(0);

/// A cluster of which one partition is looked at.
#[derive(Clone)]
struct Case {
    config: Config,
    metadata: Metadata,
    /// Its leader epoch at the beginning.
    epoch: u32,
}

impl Case {
    /// Brokers 0 to 4 are registered and unfenced; the partition has the replicas 0, 1 and 2, all in sync.
    fn new(elr: bool, min_isr: u32, unclean: bool) -> Case {
        Case::with(&Setting { brokers: 5, elr, topics: vec![(1, 3, min_isr, unclean)], ..Setting::small() })
    }

    fn with(setting: &Setting) -> Case {
        let mut case = Case { config: setting.config(), metadata: Metadata::default(), epoch: 0 };
        for broker in (0..setting.brokers).map(NodeId) {
            case.take(vec![Fact::Registered { broker, incarnation: u64::from(broker.0) }, Fact::Unfenced { broker }]);
        }
        case.take(vec![Fact::Created { part: PART, replicas: nodes(&[0, 1, 2]), isr: nodes(&[0, 1, 2]) }]);
        case
    }

    fn decider(&self) -> Decider<'_> {
        Decider { config: &self.config, metadata: &self.metadata }
    }

    /// Records facts, and says whether there were any.
    fn take(&mut self, facts: Vec<Fact>) -> bool {
        let any = !facts.is_empty();
        if any {
            self.metadata.apply(self.metadata.end(), &Change::from(facts), &mut Vec::new());
        }
        any
    }

    /// The partition is like this: leader, in sync, eligible, last leader.
    fn part(mut self, leader: Option<u32>, isr: &[u32], elr: &[u32], last_leader: Option<u32>) -> Case {
        self.take(vec![Fact::Changed(PartChange {
            leader: Some(leader.map(NodeId)),
            isr: Some(nodes(isr)),
            elr: Some(nodes(elr)),
            last_leader: Some(last_leader.map(NodeId)),
            ..PartChange::none(PART)
        })]);
        self.epoch = self.metadata.view().part(PART).unwrap().epoch;
        self
    }

    /// These brokers are fenced, with nothing else changed.
    fn down(mut self, brokers: &[u32]) -> Case {
        for broker in brokers {
            self.take(vec![Fact::Fenced { broker: NodeId(*broker) }]);
        }
        self
    }

    fn fence(&mut self, broker: u32) {
        let facts = self.decider().fence(NodeId(broker));
        self.take(facts);
    }

    /// A heartbeat of a broker that has read everything: what it is told.
    fn beat(&mut self, broker: u32, wants_shutdown: bool) -> Heard {
        let epoch = self.metadata.view().broker(NodeId(broker)).unwrap().epoch;
        let beat = Heartbeat { broker: NodeId(broker), epoch, metadata: self.metadata.end(), wants_fence: false, wants_shutdown };
        let contact = Contact { lowest_active: self.metadata.end(), stopping_since: Some(self.metadata.end()) };
        let (facts, heard) = self.decider().heartbeat(&beat, contact).unwrap();
        self.take(facts);
        heard
    }

    /// The partition in words: leader, in sync, eligible, by how much the leader's epoch went up; and what else is unusual.
    fn shown(&self) -> String {
        let part = self.metadata.view().part(PART).unwrap();
        let list = |nodes: &[NodeId]| nodes.iter().map(|node| node.0.to_string()).collect::<String>();
        let mut shown = format!(
            "leader {}, in sync {}, eligible {}, epoch +{}",
            part.leader.map_or("-".to_owned(), |leader| leader.0.to_string()),
            list(&part.isr),
            list(&part.elr),
            part.epoch - self.epoch
        );
        if let Some(last) = self.metadata.last_leader(PART) {
            shown.push_str(&format!(", last {}", last.0));
        }
        if part.unclean {
            shown.push_str(", unclean");
        }
        if *part.replicas != *nodes(&[0, 1, 2]) || !part.adding.is_empty() || !part.removing.is_empty() {
            shown.push_str(&format!(", held {} +{} -{}", list(&part.replicas), list(&part.adding), list(&part.removing)));
        }
        shown
    }
}

fn zookeeper() -> Case {
    Case::with(&Setting { brokers: 5, elr: false, control: Control::ZooKeeper, topics: vec![(1, 3, 2, false)], ..Setting::small() })
}

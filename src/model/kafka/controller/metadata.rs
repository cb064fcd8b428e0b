//! The state of the cluster: the fold of the metadata log, the same at controllers and brokers.

use std::sync::Arc;

use crate::base::NodeId;
use crate::model::raft::{Entry, Offset, Payload};

use super::super::ids::Part;
use super::super::view::{BrokerView, PartView, View};
use super::change::{Change, Fact, PartChange};

/// The cluster, with what only controllers look at. Copies share what does not change.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Metadata {
    view: Arc<View>,
    /// The process of each broker that has ever registered, in the order of [`View::brokers`].
    incarnations: Vec<u64>,
    /// By [`Part`]: who led when nobody in sync was left.
    last_leaders: Arc<Vec<Option<NodeId>>>,
    /// Tasks that are done, ascending.
    done: Arc<Vec<u32>>,
}

impl Metadata {
    /// The cluster.
    #[must_use]
    pub const fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Where the log ends that this is the fold of.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.view.version
    }

    /// The process that a broker has registered last.
    #[must_use]
    pub fn incarnation(&self, node: NodeId) -> Option<u64> {
        let at = self.view.brokers.iter().position(|broker| broker.node == node)?;
        Some(self.incarnations[at])
    }

    /// Who led a partition when nobody in sync was left, as long as it has no leader.
    #[must_use]
    pub fn last_leader(&self, part: Part) -> Option<NodeId> {
        self.last_leaders.get(part.index()).copied().flatten()
    }

    /// Whether a task of the administrator is done.
    #[must_use]
    pub fn is_done(&self, task: u32) -> bool {
        self.done.binary_search(&task).is_ok()
    }

    /// Takes up entries of the log, from an offset on, and says which partitions are not as before, ascending.
    ///
    /// # Panics
    /// When they do not follow what was taken up before.
    pub fn take(&mut self, first: Offset, entries: &[Entry<Change>]) -> Vec<Part> {
        let mut changed = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let offset = first.plus(at).0;
            match &entry.payload {
                Payload::User(change) => self.apply(offset, change, &mut changed),
                Payload::LeaderChange { .. } | Payload::Voters(_) => self.pass(offset),
            }
        }
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    /// Takes up the entry at an offset; partitions that it changes are added to a list.
    ///
    /// # Panics
    /// When it does not follow what was taken up before.
    pub fn apply(&mut self, offset: u64, change: &Change, changed: &mut Vec<Part>) {
        self.pass(offset);
        for fact in change.facts.iter() {
            match fact {
                Fact::Registered { broker, incarnation } => self.register(*broker, *incarnation, offset),
                Fact::Fenced { broker } => self.broker_mut(*broker, |broker| (broker.fenced, broker.stopping) = (true, false)),
                Fact::Unfenced { broker } => self.broker_mut(*broker, |broker| broker.fenced = false),
                Fact::Stopping { broker } => self.broker_mut(*broker, |broker| broker.stopping = true),
                Fact::Created { part, replicas, isr } => {
                    self.create(*part, replicas, isr);
                    changed.push(*part);
                }
                Fact::Changed(change) => {
                    self.change(change);
                    changed.push(change.part);
                }
                Fact::Done { task } => {
                    if let Err(at) = self.done.binary_search(task) {
                        Arc::make_mut(&mut self.done).insert(at, *task);
                    }
                }
            }
        }
    }

    /// An entry that says nothing about the cluster.
    fn pass(&mut self, offset: u64) {
        assert_eq!(offset, self.view.version, "the log has no holes");
        Arc::make_mut(&mut self.view).version = offset + 1;
    }

    fn register(&mut self, node: NodeId, incarnation: u64, epoch: u64) {
        let fresh = BrokerView { node, epoch, fenced: true, stopping: false };
        let brokers = &mut Arc::make_mut(&mut self.view).brokers;
        match brokers.binary_search_by_key(&node, |broker| broker.node) {
            Ok(at) => (brokers[at], self.incarnations[at]) = (fresh, incarnation),
            Err(at) => {
                brokers.insert(at, fresh);
                self.incarnations.insert(at, incarnation);
            }
        }
    }

    fn broker_mut(&mut self, node: NodeId, change: impl FnOnce(&mut BrokerView)) {
        let broker = Arc::make_mut(&mut self.view).brokers.iter_mut().find(|broker| broker.node == node);
        change(broker.expect("facts are about brokers that have registered"));
    }

    fn create(&mut self, part: Part, replicas: &Arc<[NodeId]>, isr: &Arc<[NodeId]>) {
        let parts = &mut Arc::make_mut(&mut self.view).parts;
        if parts.len() <= part.index() {
            parts.resize(part.index() + 1, None);
            Arc::make_mut(&mut self.last_leaders).resize(part.index() + 1, None);
        }
        parts[part.index()] = Some(PartView {
            replicas: Arc::clone(replicas),
            isr: Arc::clone(isr),
            elr: Arc::from([]),
            leader: isr.first().copied(),
            epoch: 0,
            version: 0,
            adding: Arc::from([]),
            removing: Arc::from([]),
            unclean: false,
        });
    }

    fn change(&mut self, change: &PartChange) {
        let part = Arc::make_mut(&mut self.view).parts[change.part.index()].as_mut();
        let part = part.expect("changes are about partitions that exist");
        let take = |of: &mut Arc<[NodeId]>, new: &Option<Arc<[NodeId]>>| {
            if let Some(new) = new {
                *of = Arc::clone(new);
            }
        };
        part.version += 1;
        if let Some(leader) = change.leader {
            (part.leader, part.epoch) = (leader, part.epoch + 1);
        }
        take(&mut part.isr, &change.isr);
        take(&mut part.elr, &change.elr);
        take(&mut part.replicas, &change.replicas);
        take(&mut part.adding, &change.adding);
        take(&mut part.removing, &change.removing);
        part.unclean = change.unclean.unwrap_or(part.unclean);
        if let Some(last) = change.last_leader {
            Arc::make_mut(&mut self.last_leaders)[change.part.index()] = last;
        }
    }
}

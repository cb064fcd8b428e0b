//! Requests about control: brokers and their controllers.

use std::sync::Arc;

use crate::base::NodeId;

use super::super::ids::{BrokerEpoch, Epoch, Part};
use super::super::refusal::Refusal;
use super::super::view::{PartView, View};

/// A request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ControlRequest {
    /// Broker → controller: a process has started.
    Register(Register),
    /// Broker → controller: it still runs.
    Heartbeat(Heartbeat),
    /// Leaders of partitions → controller: others are in sync now.
    AlterIsr(AlterIsr),
    /// Controller → broker, with ZooKeeper only: what was decided.
    Push(Push),
}

/// A process has started.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Register {
    /// The broker.
    pub broker: NodeId,
    /// The process: a word that it has drawn when it started.
    pub incarnation: u64,
    /// The epoch that the broker had when it stopped in good order; `None` if it did not, or never ran. It is kept on its disk.
    pub previous: Option<BrokerEpoch>,
}

/// A broker still runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Heartbeat {
    /// The broker.
    pub broker: NodeId,
    /// Its registration.
    pub epoch: BrokerEpoch,
    /// Where what it knows of the metadata log ends.
    pub metadata: u64,
    /// It does not want to serve yet.
    pub wants_fence: bool,
    /// It wants to stop in good order.
    pub wants_shutdown: bool,
}

/// One replica of a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Member {
    /// The broker.
    pub broker: NodeId,
    /// The registration under which it has fetched (KIP-903). `None`: the leader does not know it, or the version does not say.
    pub epoch: Option<BrokerEpoch>,
}

/// The leader of a partition proposes who is in sync.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Proposal {
    /// The partition.
    pub part: Part,
    /// Who is in sync, the leader among them.
    pub isr: Arc<[Member]>,
    /// The leader's epoch.
    pub leader_epoch: Epoch,
    /// The version of the partition that this is to follow.
    pub version: u32,
}

/// Proposals of one broker (`AlterPartition`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AlterIsr {
    /// The broker.
    pub broker: NodeId,
    /// Its registration.
    pub epoch: BrokerEpoch,
    /// At most one for each partition.
    pub proposals: Arc<[Proposal]>,
}

/// What the controller has decided (`LeaderAndIsr`, `UpdateMetadata`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Push {
    /// Counts controllers: an earlier one is not listened to any more.
    pub controller: u32,
    /// The cluster.
    pub view: Arc<View>,
}

/// The state of a broker's session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Heard {
    /// It has read the metadata log as far as its registration.
    pub caught_up: bool,
    /// It may not lead or be in sync.
    pub fenced: bool,
    /// It leads nothing any more and may stop.
    pub may_stop: bool,
}

/// A partition as it is now, or why it is not as proposed.
pub type Altered = (Part, Result<PartView, Refusal>);

/// An answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ControlReply {
    /// Ask another controller: this one is not active.
    NotController {
        /// Who is, if it knows.
        active: Option<NodeId>,
    },
    /// To [`ControlRequest::Register`]: the epoch of the registration.
    Registered(Result<BrokerEpoch, Refusal>),
    /// To [`ControlRequest::Heartbeat`].
    Heard(Result<Heard, Refusal>),
    /// To [`ControlRequest::AlterIsr`]: each partition as it is now, or why it is not as proposed.
    IsrAltered(Result<Vec<Altered>, Refusal>),
    /// To [`ControlRequest::Push`].
    Pushed(Result<(), Refusal>),
}

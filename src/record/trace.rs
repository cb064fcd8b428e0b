//! The trace: every step of every message, kept only when a run is told a second time to explain it.

use crate::base::{ConnId, FaultId, LossReason, NodeId, PayloadId, Tag, Time};

use super::What;

/// One step of the run, for stories.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A message left for another node.
    Sent {
        /// To whom.
        to: NodeId,
        /// Its name.
        tag: Tag,
        /// Over which connection.
        conn: Option<ConnId>,
    },
    /// A transmission was lost (datagram: for good; stream: it will be sent again).
    Lost {
        /// To whom.
        to: NodeId,
        /// Its name.
        tag: Tag,
        /// On a stream: which retransmission it was; 0 is the first transmission.
        resend: u32,
        /// Why.
        why: LossReason,
        /// Whether it will be sent again.
        again: bool,
    },
    /// A transmission is on its way and will arrive.
    Carried {
        /// To whom.
        to: NodeId,
        /// Its name.
        tag: Tag,
        /// On a stream: which retransmission it is.
        resend: u32,
        /// When it arrives.
        at: Time,
        /// Whether its body was damaged on the way.
        damaged: bool,
        /// When the second copy of it arrives, if it was duplicated.
        again: Option<Time>,
    },
    /// An entry was written into the history here.
    Recorded(What),
    /// A fault struck this node (for a fault of the network: one of those it concerns).
    Struck {
        /// Which.
        fault: FaultId,
        /// Begins or ends.
        on: bool,
    },
    /// A message reached its handler.
    Received {
        /// From whom.
        from: NodeId,
        /// Its name.
        tag: Tag,
    },
    /// A timer fired.
    Fired,
    /// The process started on what its disk held.
    Booted,
    /// The process or host went down.
    Down {
        /// How.
        how: &'static str,
    },
    /// Stopped or went on.
    Paused(bool),
    /// A write reached the page cache.
    Wrote {
        /// How many bytes.
        bytes: u64,
    },
    /// Everything written before was made durable, or was not.
    Synced {
        /// Whether it worked.
        ok: bool,
    },
    /// Unsynced writes were lost with the power.
    LostWrites {
        /// How many.
        count: u64,
    },
    /// A connection ended.
    Disconnected {
        /// With whom.
        peer: NodeId,
        /// Why.
        why: &'static str,
    },
    /// The model's own words about a payload.
    Said {
        /// The payload it is about.
        about: Option<PayloadId>,
        /// The words.
        text: String,
    },
}

/// A step with its time and place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceEntry {
    /// When, in true time.
    pub at: Time,
    /// Where.
    pub node: NodeId,
    /// What.
    pub step: Step,
}

/// A trace, bounded: when it is full, further steps are counted and not kept.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    entries: Vec<TraceEntry>,
    limit: usize,
    /// Steps that did not fit.
    pub dropped: u64,
}

impl Trace {
    /// A trace that keeps at most `limit` steps.
    #[must_use]
    pub fn with_limit(limit: usize) -> Trace {
        Trace { entries: Vec::new(), limit, dropped: 0 }
    }
    /// Keeps a step.
    pub fn push(&mut self, entry: TraceEntry) {
        if self.entries.len() < self.limit {
            self.entries.push(entry);
        } else {
            self.dropped += 1;
        }
    }
    /// What was kept, in order.
    #[must_use]
    pub fn entries(&self) -> &[TraceEntry] {
        &self.entries
    }
}

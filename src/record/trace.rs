//! The trace: every step of every message, kept only when a run is told a second time to explain it.

use crate::base::{ConnId, FaultId, LossReason, NodeId, PayloadId, Tag, Time};

use super::{Note, What};

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
    /// The disk was told to make durable what is written so far.
    Syncing,
    /// What a sync asked for was made durable, or was not.
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

impl Step {
    /// Whether it is told wherever it happens: what befalls machines, connections and subscriptions, and the model's words about no
    /// payload. These are few, and a story of one moment may have to reach far back for them.
    #[must_use]
    pub const fn is_of_machine(&self) -> bool {
        match self {
            Step::Struck { .. }
            | Step::Down { .. }
            | Step::Booted
            | Step::Paused(_)
            | Step::LostWrites { .. }
            | Step::Disconnected { .. }
            | Step::Recorded(What::Note(Note::Subscribe { .. } | Note::Unsubscribe { .. }))
            | Step::Said { about: None, .. } => true,
            Step::Sent { .. }
            | Step::Lost { .. }
            | Step::Carried { .. }
            | Step::Recorded(What::Call { .. } | What::End { .. } | What::Skipped { .. } | What::Phase(_) | What::Fault { .. })
            | Step::Recorded(What::Note(
                Note::Deliver { .. } | Note::Settle { .. } | Note::Effect { .. } | Note::Held { .. } | Note::Log(_),
            ))
            | Step::Received { .. }
            | Step::Fired
            | Step::Wrote { .. }
            | Step::Syncing
            | Step::Synced { .. }
            | Step::Said { about: Some(_), .. } => false,
        }
    }
}

/// The part of a run of which every step is kept, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// From when.
    pub from: Time,
    /// Until when.
    pub until: Time,
}

impl Window {
    /// The whole run.
    pub const ALL: Window = Window { from: Time::ZERO, until: Time::FAR };

    /// Whether a moment lies in it.
    #[must_use]
    pub fn contains(&self, at: Time) -> bool {
        self.from <= at && at <= self.until
    }
}

/// A trace, bounded: outside of its window only steps of machines are kept, and when it is full, further steps are counted and not
/// kept.
#[derive(Clone, Debug)]
pub struct Trace {
    entries: Vec<TraceEntry>,
    limit: usize,
    window: Window,
    /// Steps that did not fit. Those outside of the window do not count.
    pub dropped: u64,
}

impl Trace {
    /// A trace that keeps at most `limit` steps of the whole run.
    #[must_use]
    pub fn with_limit(limit: usize) -> Trace {
        Trace::within(Window::ALL, limit)
    }
    /// A trace that keeps at most `limit` steps: all of those in a window, and those of machines wherever they are
    /// ([`Step::is_of_machine`]).
    #[must_use]
    pub fn within(window: Window, limit: usize) -> Trace {
        Trace { entries: Vec::new(), limit, window, dropped: 0 }
    }
    /// Keeps a step.
    pub fn push(&mut self, entry: TraceEntry) {
        if !self.window.contains(entry.at) && !entry.step.is_of_machine() {
            return;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_the_window_only_machines_are_kept() {
        let at = |nanos: u64, step: Step| TraceEntry { at: Time::from_nanos(nanos), node: NodeId(0), step };
        let mut trace = Trace::within(Window { from: Time::from_nanos(10), until: Time::from_nanos(20) }, 4);
        let words = |about: Option<PayloadId>| Step::Said { about, text: "words".into() };
        for nanos in [9, 10, 20, 21] {
            trace.push(at(nanos, Step::Fired));
        }
        trace.push(at(30, Step::Booted));
        trace.push(at(31, words(Some(PayloadId(1)))));
        trace.push(at(32, words(None)));
        trace.push(at(33, Step::Booted));
        let kept: Vec<u64> = trace.entries().iter().map(|e| e.at.nanos()).collect();
        assert_eq!((kept, trace.dropped), (vec![10, 20, 30, 32], 1), "what the window leaves out is not missed, what the limit does is");
    }
}

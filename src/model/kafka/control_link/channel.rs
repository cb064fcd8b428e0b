//! One request after the other to whoever is the active controller.

use crate::base::{Digest, NodeId, Span};

/// The first pause after a failure.
const BACKOFF: Span = Span::millis(50);
/// The longest.
const BACKOFF_MAX: Span = Span::millis(1000);
/// So many hints are followed at once, one after the other, before a pause.
const HINTS: u32 = 2;

/// What a channel does now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum State {
    /// Nothing; a timer may be set for the next request.
    #[default]
    Idle,
    /// A controller was asked.
    Asked(NodeId),
    /// It waits before it asks again.
    Paused,
}

/// What a fired timer means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// It was replaced by a later one.
    Stale,
    /// The next request.
    Next,
    /// This controller has not answered.
    Silence(NodeId),
}

/// One request after the other. Each change of state makes the timers set before stale.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Channel {
    state: State,
    generation: u32,
    /// Failures in a row.
    failures: u32,
    /// Hints followed in a row.
    hints: u32,
}

impl Channel {
    /// Asks a controller: the generation of the timer that ends the patience with it.
    pub(super) fn ask(&mut self, to: NodeId) -> u32 {
        self.change(State::Asked(to))
    }

    /// The answer came: the generation of the timer for the next request, if any.
    pub(super) fn answered(&mut self) -> u32 {
        (self.failures, self.hints) = (0, 0);
        self.change(State::Idle)
    }

    /// No answer, or one that calls for another try: how long to wait, and the generation of the timer.
    pub(super) fn failed(&mut self) -> (Span, u32) {
        let pause = Span::nanos(BACKOFF.as_nanos() << self.failures.min(10)).min(BACKOFF_MAX);
        self.failures += 1;
        self.hints = 0;
        (pause, self.change(State::Paused))
    }

    /// Ready to ask somebody else at once.
    pub(super) fn moved_on(&mut self) {
        self.change(State::Idle);
    }

    /// Somebody else is the active controller: whether to ask that one at once.
    pub(super) fn hinted(&mut self) -> bool {
        self.hints += 1;
        self.hints <= HINTS
    }

    /// Whether an answer of a node is expected.
    pub(super) fn waits_for(&self, node: NodeId) -> bool {
        self.state == State::Asked(node)
    }

    /// Whether it could ask now.
    pub(super) fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// What a timer of a generation means.
    pub(super) fn due(&self, generation: u32) -> Due {
        match self.state {
            _ if generation != self.generation => Due::Stale,
            State::Idle | State::Paused => Due::Next,
            State::Asked(node) => Due::Silence(node),
        }
    }

    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        let state = match self.state {
            State::Idle => 0,
            State::Asked(node) => 2 + u64::from(node.0),
            State::Paused => 1,
        };
        digest.words(state, u64::from(self.failures) << 32 | u64::from(self.hints));
    }

    fn change(&mut self, state: State) -> u32 {
        self.state = state;
        self.generation += 1;
        self.generation
    }
}

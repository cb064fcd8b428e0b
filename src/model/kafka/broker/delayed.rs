//! What waits until batches are committed: answers to producers with `acks=all`, and the coordinators' own writes.

use std::collections::BTreeMap;

use crate::base::PayloadId;
use crate::world::TimerId;

use super::super::batch::Outcome;
use super::super::ids::{Offset, Part, Session};
use super::super::protocol::Produced;
use super::super::refusal::Refusal;
use super::channel::Caller;

/// Who waits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Waiter {
    /// A producer.
    Producer {
        /// Its request.
        caller: Caller,
        /// The first record of it, for the answer's name.
        about: Option<PayloadId>,
    },
    /// The group coordinator, under this ticket.
    Groups(u64),
    /// The transaction coordinator, under this ticket.
    Txns(u64),
    /// A transaction coordinator, one of whose markers was appended.
    Marker {
        /// Its request.
        caller: Caller,
        /// Whose transaction.
        session: Session,
        /// How it ended.
        outcome: Outcome,
    },
}

/// One that waits.
#[derive(Clone, Debug)]
pub struct Delayed {
    /// Who.
    pub who: Waiter,
    /// What became of each batch; those that are not decided yet have their offsets.
    pub results: Vec<Produced>,
    /// Which of them are not decided.
    open: Vec<Part>,
    /// When it is answered in any case.
    pub timer: Option<TimerId>,
}

/// All that wait, by numbers of the broker's.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    next: u64,
    by_number: BTreeMap<u64, Delayed>,
}

impl Waiting {
    /// Somebody waits for some partitions.
    pub fn add(&mut self, who: Waiter, results: Vec<Produced>, open: Vec<Part>) -> u64 {
        self.next += 1;
        self.by_number.insert(self.next, Delayed { who, results, open, timer: None });
        self.next
    }

    /// The timer by which somebody is answered in any case.
    pub fn set_timer(&mut self, number: u64, timer: TimerId) {
        if let Some(delayed) = self.by_number.get_mut(&number) {
            delayed.timer = Some(timer);
        }
    }

    /// One partition is decided. Whoever has nothing left to wait for comes back.
    pub fn decided(&mut self, number: u64, part: Part, refusal: Option<Refusal>) -> Option<Delayed> {
        let delayed = self.by_number.get_mut(&number)?;
        delayed.open.retain(|open| *open != part);
        if let Some(refusal) = refusal {
            for produced in delayed.results.iter_mut().filter(|produced| produced.part == part) {
                produced.result = Err(refusal);
            }
        }
        if delayed.open.is_empty() { self.by_number.remove(&number) } else { None }
    }

    /// The time of one is over: what is not decided yet is not known.
    pub fn expired(&mut self, number: u64) -> Option<Delayed> {
        let mut delayed = self.by_number.remove(&number)?;
        for produced in delayed.results.iter_mut().filter(|produced| delayed.open.contains(&produced.part)) {
            produced.result = Err(Refusal::RequestTimedOut);
        }
        Some(delayed)
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }
}

impl Delayed {
    /// What became of the first batch: the only one of a coordinator's.
    pub fn first(&self) -> Result<Offset, Refusal> {
        self.results.first().map_or(Err(Refusal::InvalidRequest), |produced| produced.result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_waits_for_every_partition() {
        let mut waiting = Waiting::default();
        let results = vec![Produced { part: Part(0), result: Ok(7) }, Produced { part: Part(1), result: Ok(9) }];
        let number = waiting.add(Waiter::Groups(1), results.clone(), vec![Part(0), Part(1)]);
        assert!(waiting.decided(number, Part(1), Some(Refusal::NotEnoughReplicasAfterAppend)).is_none());
        let done = waiting.decided(number, Part(0), None).expect("all is decided");
        let after = Refusal::NotEnoughReplicasAfterAppend;
        assert_eq!(done.results, [Produced { part: Part(0), result: Ok(7) }, Produced { part: Part(1), result: Err(after) }]);
        assert!(waiting.is_empty() && waiting.expired(number).is_none());

        let number = waiting.add(Waiter::Groups(2), results, vec![Part(0), Part(1)]);
        assert!(waiting.decided(number, Part(0), None).is_none());
        let late = waiting.expired(number).expect("it waited");
        assert_eq!((late.first(), late.results[1].result), (Ok(7), Err(Refusal::RequestTimedOut)));
    }
}

//! A partition's queue beside a plain twin.

use proptest::prelude::*;

use crate::base::{KeyId, PayloadId, Span, Time};
use crate::model::kafka::batch::{BATCH_OVERHEAD, RECORD_OVERHEAD, Rec, Stamp};
use crate::model::kafka::ids::{ProducerId, Session};

use super::super::Token;
use super::super::lane::{Lane, Look};

const ROOM: u32 = 600;

/// A batch of the twin.
#[derive(Clone, Debug, PartialEq)]
struct Plain {
    id: u32,
    sizes: Vec<u32>,
    number: Option<u32>,
}

/// The line of batches that can be sent, in order, and those under way.
#[derive(Clone, Debug, Default)]
struct Twin {
    line: Vec<Plain>,
    away: Vec<Plain>,
    next: u32,
}

impl Twin {
    fn push(&mut self, id: u32, size: u32) {
        let used = |batch: &Plain| batch.sizes.iter().map(|size| size + RECORD_OVERHEAD).sum::<u32>() + BATCH_OVERHEAD;
        let open = self.line.last_mut().filter(|batch| batch.number.is_none() && used(batch) + size + RECORD_OVERHEAD <= ROOM);
        match open {
            Some(batch) => batch.sizes.push(size),
            None => self.line.push(Plain { id, sizes: vec![size], number: None }),
        }
    }

    fn take(&mut self) -> Option<u32> {
        if self.line.is_empty() {
            return None;
        }
        let mut batch = self.line.remove(0);
        if batch.number.is_none() {
            batch.number = Some(self.next);
            self.next += u32::try_from(batch.sizes.len()).unwrap();
        }
        let id = batch.id;
        self.away.push(batch);
        Some(id)
    }

    fn put_back(&mut self, at: usize) -> u32 {
        let batch = self.away.remove(at);
        let id = batch.id;
        let before = |other: &Plain| other.number.is_some() && other.number < batch.number;
        let place = self.line.iter().take_while(|other| before(other)).count();
        self.line.insert(place, batch);
        id
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push(u32),
    Take,
    Back(usize),
    Done(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0u32..400).prop_map(Step::Push),
        2 => Just(Step::Take),
        1 => (0usize..5).prop_map(Step::Back),
        1 => (0usize..5).prop_map(Step::Done),
    ];
    prop::collection::vec(step, 0..120)
}

fn session(epoch: u16) -> Session {
    Session { id: ProducerId(1), epoch }
}

/// Takes the next batch, numbered as the engine does.
fn take(lane: &mut Lane) -> Option<u32> {
    lane.head()?;
    let sequence = lane.numbers.next;
    let bundle = lane.take(0);
    let (id, span, fresh) = (bundle.id, bundle.span(), bundle.stamp.is_none());
    if fresh {
        bundle.number(Stamp { session: session(0), sequence });
        bundle.seal(false);
        lane.numbers.next += span;
    }
    Some(id)
}

proptest! {
    #[test]
    fn a_lane_does_what_its_plain_twin_does(steps in steps()) {
        let (mut lane, mut twin, mut ids) = (Lane::default(), Twin::default(), 0);
        let now = Time::from_nanos(5);
        for step in steps {
            match step {
                Step::Push(size) => {
                    let rec = Rec { payload: PayloadId(0), key: KeyId(0), bytes: size, delta: 0 };
                    ids += 1;
                    if !lane.fits(rec.size()) {
                        lane.begin(ids, now, ROOM);
                    }
                    lane.push(rec, Token(ids));
                    twin.push(ids, size);
                }
                Step::Take => prop_assert_eq!(take(&mut lane), twin.take()),
                Step::Back(at) if at < twin.away.len() => {
                    let id = twin.put_back(at);
                    lane.sent.get_mut(&id).unwrap().in_flight = false;
                    lane.put_back(id);
                }
                Step::Done(at) if at < twin.away.len() => {
                    let done = twin.away.remove(at);
                    let bundle = lane.remove(done.id).unwrap();
                    prop_assert_eq!(bundle.stamp.map(|stamp| stamp.sequence), done.number);
                    prop_assert_eq!(bundle.tokens.len(), done.sizes.len());
                }
                Step::Back(_) | Step::Done(_) => {}
            }
            prop_assert_eq!(lane.head().map(|bundle| bundle.id), twin.line.first().map(|batch| batch.id));
            let first = twin.line.iter().chain(&twin.away).filter_map(|batch| batch.number).min();
            prop_assert_eq!(lane.first_numbered().map(|(_, number)| number), first);
            prop_assert_eq!(lane.is_empty(), twin.line.is_empty() && twin.away.is_empty());
            let look = lane.look(now, Span::nanos(10), 0);
            let is_full = twin.line.len() > 1 || twin.line.first().is_some_and(|batch| batch.number.is_some());
            let used: u32 = twin.line.first().map_or(0, |batch| batch.sizes.iter().map(|size| size + RECORD_OVERHEAD).sum());
            let expected = match twin.line.is_empty() {
                true => Look::Empty,
                false if is_full || used + BATCH_OVERHEAD >= ROOM => Look::Ready,
                false => Look::From(Time::from_nanos(15)),
            };
            prop_assert_eq!(look, expected);
        }
    }

    #[test]
    fn numbers_begin_anew_in_the_same_order(sizes in prop::collection::vec(1usize..5, 1..6), gone in 0usize..6) {
        let mut lane = Lane::default();
        for (at, records) in (0u32..).zip(&sizes) {
            lane.begin(at, Time::ZERO, ROOM);
            for _ in 0..*records {
                lane.push(Rec { payload: PayloadId(at), key: KeyId(0), bytes: 1, delta: 0 }, Token(at));
            }
        }
        while take(&mut lane).is_some() {}
        lane.remove(u32::try_from(gone).unwrap());
        let left: Vec<u32> = lane.sent.keys().copied().collect();
        lane.restart(session(1));
        let mut expected = 0;
        for id in left {
            let bundle = &lane.sent[&id];
            prop_assert_eq!(bundle.order(), Some((session(1), expected)));
            prop_assert!(bundle.renumbered);
            expected += bundle.span();
        }
        prop_assert_eq!(lane.numbers.next, expected);
    }
}

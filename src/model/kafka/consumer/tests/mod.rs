//! Consumers against a broker that follows a script.

mod fake;
mod groups;
mod polls;

use std::sync::Arc;

use crate::base::{Law, NodeId, ObjectId, Span, Time};
use crate::model::kafka::batch::{Batch, Content, Outcome, Rec, Stamp, Stored};
use crate::model::kafka::ids::{Epoch, Offset, ProducerId, Session};
use crate::parts::config::{LinkLaw, NetworkConfig};
use crate::parts::fault::{Fault, Ill, Selector, When};
use crate::record::{Entry, LogNote, Mark, Note, What};
use crate::world::{Sim, Surroundings, World};

use fake::{Lab, Script};

/// How a run went.
struct Run {
    entries: Vec<Entry>,
    world: World<Lab>,
}

/// Runs a script for so long.
fn run(script: Script, lasts: Span, faults: Vec<Fault>) -> Run {
    let mut network = NetworkConfig::flat(LinkLaw::healthy(Law::Constant(Span::millis(1))));
    network.stream.connect_timeout = Span::secs(5);
    let surroundings = Surroundings { faults: faults.into(), ..Surroundings::calm(network) };
    let mut world: World<Lab> = World::new(Arc::new(script), &surroundings, 7).expect("the script fits");
    let (mut entries, mut out) = (Vec::new(), Vec::new());
    while world.advance(Time::ZERO + lasts, &mut out) {
        entries.append(&mut out);
        assert!(world.events() < 500_000, "it never ends: {}", world.now());
    }
    Run { entries, world }
}

impl Run {
    fn notes(&self) -> impl Iterator<Item = (Time, NodeId, Note)> {
        let note = |what| if let What::Note(note) = what { Some(note) } else { None };
        self.entries.iter().filter_map(move |entry| note(entry.what).map(|note| (entry.at, entry.node, note)))
    }

    /// The payloads that were delivered, in order.
    fn delivered(&self) -> Vec<u32> {
        let payload = |note| if let Note::Deliver { payload, .. } = note { Some(payload.0) } else { None };
        self.notes().filter_map(|(_, _, note)| payload(note)).collect()
    }

    /// The payloads that took effect, in order.
    fn effects(&self) -> Vec<u32> {
        let payload = |note| if let Note::Effect { payload, .. } = note { Some(payload.0) } else { None };
        self.notes().filter_map(|(_, _, note)| payload(note)).collect()
    }

    /// Committed positions of one log, in order.
    fn committed(&self, log: ObjectId) -> Vec<Offset> {
        let place = |note| if let Note::Log(LogNote::Committed { place, .. }) = note { Some(place) } else { None };
        self.notes().filter_map(|(_, _, note)| place(note)).filter(|place| place.log == log).map(|place| place.offset).collect()
    }

    /// Who began (`true`) or ceased to read which log, in order.
    fn moves(&self) -> Vec<(Time, NodeId, ObjectId, bool)> {
        let log = |note| {
            if let Note::Log(LogNote::Assigned { log, .. }) = note {
                Some((log, true))
            } else if let Note::Log(LogNote::Revoked { log, .. }) = note {
                Some((log, false))
            } else {
                None
            }
        };
        self.notes().filter_map(|(at, node, note)| log(note).map(|(log, begins)| (at, node, log, begins))).collect()
    }

    fn marked(&self, mark: Mark) -> u64 {
        self.world.marks().count(mark)
    }
}

/// Batches of so many records each, one every so often; payloads are numbered by partition and offset.
fn batches(part: u32, count: u64, size: u32, every: Span) -> Vec<(Span, Stored)> {
    let one = |number: u64| {
        let base = number * u64::from(size);
        (every * number, Stored { base, epoch: 1, at: Time::ZERO, batch: Arc::new(Batch::records(records(part, base, size), None, false)) })
    };
    (0..count).map(one).collect()
}

fn records(part: u32, base: Offset, size: u32) -> Vec<Rec> {
    let payload = |delta: u32| crate::base::PayloadId(part * 10_000 + u32::try_from(base).unwrap() + delta);
    (0..size).map(|delta| Rec { payload: payload(delta), key: crate::base::KeyId(0), bytes: 100, delta }).collect()
}

/// A batch of a transaction, or its marker.
fn in_transaction(part: u32, base: Offset, producer: u64, end: Option<Outcome>) -> (Span, Stored) {
    let session = Session { id: ProducerId(producer), epoch: 0 };
    let stamp = Some(Stamp { session, sequence: 0 });
    let batch = match end {
        None => Batch::records(records(part, base, 2), stamp, true),
        Some(outcome) => Batch { stamp, transactional: true, span: 1, bytes: 78, content: Content::Marker { outcome, coordinator: 0 } },
    };
    (Span::ZERO, Stored { base, epoch: 1, at: Time::ZERO, batch: Arc::new(batch) })
}

/// A process that dies at some moments and comes back a second later.
fn dies(who: &str, at: &[u64]) -> Fault {
    Fault {
        name: "dies".into(),
        ill: Ill::Kill(Selector::Named(who.into())),
        when: When::At(at.iter().map(|millis| Time::ZERO + Span::millis(*millis)).collect()),
        lasts: Some(Law::Constant(Span::secs(1))),
    }
}

const LATER: Epoch = 1;

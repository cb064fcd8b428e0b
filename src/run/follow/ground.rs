//! What a story stands on: a run traced around its subject, its graph, and which steps are about which payload.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{NodeId, PayloadId, Span, Time};
use crate::check::{Judged, Property, Verdict, Witness};
use crate::record::{Entry, Phase, Step, TraceEntry, What, Window};
use crate::run::causal::{Causality, EventId, place};
use crate::run::passage::{How, Passage, Ready};
use crate::run::words::Words;
use crate::world::{Sim, Strike};

use super::{Breach, Subject};

/// How many steps are kept: about 200 MB.
const STEPS: usize = 2_000_000;
/// A run of so many events is traced as a whole.
pub(super) const WHOLE: u64 = 300_000;

/// A run with its trace.
pub(super) struct Evidence<'p> {
    pub(super) passage: Passage<'p>,
    /// The trace, and what the final read found.
    pub(super) steps: Vec<TraceEntry>,
    pub(super) judged: Judged,
    pub(super) arm: String,
    pub(super) seed: u64,
    pub(super) phases: Vec<(String, Time)>,
}

/// Runs a seed twice: to learn when its subject lived, and once more with the trace on around that. A run of at most `whole` events is
/// traced as a whole.
pub(super) fn gather<'p>(ready: &'p Ready<'p>, seed: u64, subject: Subject, whole: u64) -> Evidence<'p> {
    let mut lives: BTreeMap<PayloadId, Window> = BTreeMap::new();
    let first = Passage::start(ready, seed, How::default()).run(|entry| {
        if let Some(payload) = entry.what.payload() {
            let here = Window { from: entry.at, until: entry.at };
            let life = lives.entry(payload).or_insert(here);
            life.until = entry.at;
        }
    });
    let (digest, strikes) = (first.digest(), first.sim().strikes().to_vec());
    let outcome = first.finish().outcome;
    let mut windows: Vec<Window> = match subject {
        Subject::Message(payload) => lives.get(&payload).copied().into_iter().collect(),
        Subject::Node(_) | Subject::Outage(_) => Vec::new(),
    };
    let witnesses = outcome.judged.findings.iter().filter_map(|finding| witness(&finding.verdict));
    for witness in witnesses {
        let concerned = match subject {
            Subject::Message(payload) => witness.payloads.contains(&payload),
            Subject::Node(_) | Subject::Outage(_) => true,
        };
        if concerned {
            windows.extend(witness.payloads.iter().filter_map(|p| lives.get(p)).copied());
        }
    }
    if let Subject::Outage(fault) = subject {
        let own = strikes.iter().filter(|s| s.fault == fault);
        windows.extend(own.map(|s| Window { from: s.from, until: s.until.unwrap_or(s.from) }));
    }
    let margin = outcome.lasted.scaled(WHOLE / 2, outcome.events.max(1));
    let around = windows.iter().copied().reduce(|a, b| Window { from: a.from.min(b.from), until: a.until.max(b.until) });
    let window = around.filter(|_| outcome.events > whole).map(|window| Window {
        from: Time::ZERO + window.from.since(Time::ZERO).saturating_sub(margin.min(Span::secs(2))),
        until: window.until + margin,
    });
    let mut last: Vec<Entry> = Vec::new();
    let passage = Passage::start(ready, seed, How { trace_limit: STEPS, window, without: None }).run(|entry| {
        if matches!(entry.what, What::Phase(Phase::Final)) || !last.is_empty() {
            last.push(*entry);
        }
    });
    assert_eq!(passage.digest(), digest, "the run with its trace on is not the run without");
    let mut steps = passage.sim().trace().map_or(Vec::new(), |trace| trace.entries().to_vec());
    let read = last.into_iter().filter(|entry| matches!(entry.what, What::Note(_)));
    steps.extend(read.map(|entry| TraceEntry { at: entry.at, node: entry.node, step: Step::Recorded(entry.what) }));
    let phases = ready.arm().phases();
    let phases = phases.boundaries().map(|(at, phase)| (phase.name().to_owned(), at)).collect();
    Evidence { passage, steps, judged: outcome.judged, arm: ready.arm().name().to_owned(), seed, phases }
}

fn witness(verdict: &Verdict) -> Option<&Witness> {
    match verdict {
        Verdict::Broken(witness) => Some(witness),
        Verdict::Holds { .. } | Verdict::Unknown { .. } => None,
    }
}

/// The properties that were broken, of those whose witness is asked for.
pub(super) fn breaches(judged: &Judged, asked: impl Fn(&Witness) -> bool) -> Vec<(Breach, Vec<PayloadId>)> {
    let broken = judged.findings.iter().filter_map(|finding| {
        let witness = witness(&finding.verdict).filter(|witness| asked(witness))?;
        let breach = Breach { property: finding.property, promised: finding.promised, sentence: witness.sentence.clone() };
        Some((breach, witness.payloads.clone()))
    });
    let mut broken: Vec<(Breach, Vec<PayloadId>)> = broken.collect();
    // What was promised comes first.
    broken.sort_by_key(|(breach, _)| !breach.promised);
    broken
}

/// Everything that a story is made of.
pub(super) struct Ground<'g> {
    pub(super) causality: &'g Causality<'g>,
    pub(super) words: Words<'g>,
    pub(super) sim: &'g dyn Sim,
    pub(super) evidence: &'g Evidence<'g>,
    pub(super) faults: &'g [String],
}

impl<'g> Ground<'g> {
    pub(super) fn new(evidence: &'g Evidence<'g>, faults: &'g [String], causality: &'g Causality<'g>) -> Ground<'g> {
        let sim = evidence.passage.sim();
        let words = Words::new(sim, faults, &evidence.steps, |_| true);
        Ground { causality, words, sim, evidence, faults }
    }

    /// Every entry with its id, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (EventId, &'g TraceEntry)> {
        self.causality.trace().iter().enumerate().map(|(at, entry)| (EventId::at(at), entry))
    }

    pub(super) fn entry(&self, event: EventId) -> &'g TraceEntry {
        self.causality.entry(event)
    }

    pub(super) fn at(&self, event: EventId) -> Time {
        self.entry(event).at
    }

    /// The payload that an entry is about.
    pub(super) fn payload(&self, entry: &TraceEntry) -> Option<PayloadId> {
        match &entry.step {
            Step::Sent { tag, .. } | Step::Lost { tag, .. } | Step::Carried { tag, .. } | Step::Received { tag, .. } => {
                self.sim.about(*tag)
            }
            Step::Recorded(what) => what.payload(),
            Step::Said { about, .. } => *about,
            Step::Struck { .. }
            | Step::Fired
            | Step::Booted
            | Step::Down { .. }
            | Step::Paused(_)
            | Step::Wrote { .. }
            | Step::Syncing
            | Step::Synced { .. }
            | Step::LostWrites { .. }
            | Step::Disconnected { .. } => None,
        }
    }

    /// The entries about a payload, in order.
    pub(super) fn about(&self, payload: PayloadId) -> Vec<EventId> {
        self.all().filter(|(_, entry)| self.payload(entry) == Some(payload)).map(|(event, _)| event).collect()
    }

    /// The entries on a node's line, in order.
    pub(super) fn line(&self, node: NodeId) -> Vec<EventId> {
        self.all().filter(|(_, entry)| place(entry) == Some(node)).map(|(event, _)| event).collect()
    }

    /// The other entries of the handler that an entry is part of, itself included.
    pub(super) fn handler(&self, event: EventId) -> Vec<EventId> {
        let (head, node) = (self.causality.head(event), self.entry(event).node);
        let after = (head.index()..self.causality.trace().len()).map(EventId::at).take_while(|e| self.at(*e) == self.at(head));
        after.filter(|e| place(self.entry(*e)) == Some(node) && self.causality.head(*e) == head).collect()
    }

    /// The witness of a property that was broken about a payload.
    pub(super) fn witness(&self, property: Property) -> Option<&'g Witness> {
        let found = self.evidence.judged.findings.iter().find(|finding| finding.property == property)?;
        witness(&found.verdict)
    }

    /// The strikes of the run.
    pub(super) fn strikes(&self) -> &'g [Strike] {
        self.sim.strikes()
    }

    /// Names in a row: `p1, p2 and p3`; many are cut short.
    pub(super) fn listed(payloads: &BTreeSet<PayloadId>) -> String {
        const SHOWN: usize = 6;
        let names: Vec<String> = payloads.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = payloads.len().saturating_sub(SHOWN);
        match (names.split_last(), more) {
            (None, _) => "none".to_owned(),
            (Some((last, [])), 0) => last.clone(),
            (Some((last, rest)), 0) => format!("{} and {last}", rest.join(", ")),
            (Some(_), more) => format!("{} and {more} more", names.join(", ")),
        }
    }
}

//! When a run was lost, in words.

use std::fmt::Write;

use crate::base::{NodeId, Tag};
use crate::check::Ratio;
use crate::record::{End, LogNote, Note, Phase, Settlement, Step, TraceEntry, What};
use crate::run::{How, Passage, Ready};
use crate::scenario::ArmPlan;
use crate::world::Sim;

use super::{Curve, Doom, Look};

/// Enough for what happens before any one event.
const TRACE: usize = 4_000_000;

/// What the step after so many steps is, told by a second run with its trace on.
pub(super) fn event(ready: &Ready<'_>, seed: u64, steps: u64) -> String {
    let mut passage = Passage::start(ready, seed, How { trace_limit: TRACE, ..How::default() });
    passage.skip_figures();
    for _ in 0..steps {
        passage.step_one();
    }
    let seen = passage.sim().trace().map_or(0, |trace| trace.entries().len());
    passage.step_one();
    let trace: &[TraceEntry] = passage.sim().trace().map_or(&[], |trace| trace.entries());
    let teller = Teller { sim: passage.sim(), arm: ready.arm() };
    let mut told: Vec<String> = Vec::new();
    for entry in passage.entries() {
        told.extend(teller.outside(&entry.what));
    }
    let struck = !told.is_empty();
    for entry in trace.get(seen..).unwrap_or(&[]) {
        told.extend(teller.step(entry, struck));
    }
    told.dedup();
    let more = told.len().saturating_sub(4);
    told.truncate(4);
    if told.is_empty() {
        return "nothing that the trace keeps".to_owned();
    }
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join("; ")
}

struct Teller<'a> {
    sim: &'a dyn Sim,
    arm: &'a ArmPlan,
}

impl Teller<'_> {
    fn node(&self, node: NodeId) -> &str {
        self.sim.names().node(node)
    }

    /// What comes from outside the world: faults and phases.
    fn outside(&self, what: &What) -> Option<String> {
        match what {
            What::Fault { fault, on } => {
                let name = &self.arm.surroundings().faults.get(fault.index())?.name;
                let strike = self.sim.strikes().iter().rev().find(|strike| strike.fault == *fault)?;
                let nodes: Vec<&str> = strike.nodes.iter().map(|node| self.node(*node)).collect();
                let verb = if *on { "strikes" } else { "ends" };
                Some(format!("fault `{name}` {verb} ({}: {})", nodes.join(", "), strike.what))
            }
            What::Phase(Phase::Heal) => Some("everything heals".to_owned()),
            What::Phase(phase) => Some(format!("the phase {} begins", phase.name())),
            What::Call { .. } | What::End { .. } | What::Note(_) | What::Skipped { .. } => None,
        }
    }

    fn step(&self, entry: &TraceEntry, struck: bool) -> Option<String> {
        let who = self.node(entry.node);
        match &entry.step {
            Step::Received { from, tag } => Some(format!("{who} receives {} from {}", self.message(*tag), self.node(*from))),
            Step::Sent { to, tag, .. } => Some(format!("{who} sends {} to {}", self.message(*tag), self.node(*to))),
            Step::Lost { to, tag, .. } => Some(format!("{} from {who} to {} is lost", self.message(*tag), self.node(*to))),
            Step::Fired => Some(format!("a timer of {who} fires")),
            Step::Booted => Some(format!("{who} starts")),
            Step::Down { how } if !struck => Some(format!("{who} {how}")),
            Step::LostWrites { count: 0 } => None,
            Step::LostWrites { count } => Some(format!("{who} loses {count} unsynced writes")),
            Step::Syncing => None,
            Step::Synced { ok: true } => Some(format!("{who}'s disk has everything that was written")),
            Step::Synced { ok: false } => Some(format!("{who}'s disk fails to sync")),
            Step::Disconnected { peer, why } => Some(format!("{who} loses its connection to {}: {why}", self.node(*peer))),
            Step::Recorded(what) => self.recorded(who, what),
            Step::Said { text, .. } => Some(format!("{who}: {text}")),
            Step::Carried { .. } | Step::Struck { .. } | Step::Down { .. } | Step::Paused(_) | Step::Wrote { .. } => None,
        }
    }

    fn recorded(&self, who: &str, what: &What) -> Option<String> {
        let object = |id| self.sim.names().object(id).name.as_str();
        match what {
            What::Call { what, .. } => Some(format!("{who} is asked to {} {} to {}", what.verb(), what.payload(), object(what.object()))),
            What::End { what, end, .. } => {
                let how = match end {
                    End::Ok => "ended well",
                    End::Failed(_) => "failed",
                    End::Unknown(_) => "ended unknown",
                };
                Some(format!("the {} of {} {how} at {who}", what.verb(), what.payload()))
            }
            What::Skipped { what, .. } => Some(format!("{who} is down and {} is not asked for", what.payload())),
            What::Note(note) => Some(match note {
                Note::Subscribe { group } => format!("{who} subscribes to {}", object(*group)),
                Note::Unsubscribe { group } => format!("{who} unsubscribes from {}", object(*group)),
                Note::Deliver { payload, group, .. } => format!("{payload} is delivered from {} to {who}", object(*group)),
                Note::Effect { payload, .. } => format!("the effect of {payload} is applied at {who}"),
                Note::Held { payload, group } => format!("{payload} is held in {}", object(*group)),
                Note::Log(LogNote::Assigned { log, .. }) => format!("{who} reads {} from here on", object(*log)),
                Note::Log(LogNote::Revoked { log, .. }) => format!("{who} reads {} no longer", object(*log)),
                Note::Log(LogNote::Committed { group, place }) => {
                    format!("{} continues at {}@{}", object(*group), object(place.log), place.offset)
                }
                Note::Log(LogNote::Appended { payload, place }) => {
                    format!("{who} was told that {payload} stands at {}@{}", object(place.log), place.offset)
                }
                Note::Log(LogNote::Poll { .. } | LogNote::InTransaction { .. }) => return None,
                Note::Settle { payload, group, how } => match how {
                    Settlement::Acknowledged => format!("{payload} leaves {}: acknowledged", object(*group)),
                    Settlement::Returned => format!("{payload} comes back to {}", object(*group)),
                    Settlement::DeadLettered => format!("{payload} is moved from {} to the dead letters", object(*group)),
                    Settlement::Expired => format!("{payload} expires in {}", object(*group)),
                    Settlement::Dropped => format!("{payload} is dropped from {}", object(*group)),
                    Settlement::Superseded => format!("{payload} is compacted away from {}", object(*group)),
                },
            }),
            What::Phase(_) | What::Fault { .. } => None,
        }
    }

    fn message(&self, tag: Tag) -> String {
        let kind = self.sim.kind(tag.kind).unwrap_or("a message");
        self.sim.about(tag).map_or_else(|| kind.to_owned(), |payload| format!("{kind} {payload}"))
    }
}

impl Doom {
    /// When the run was lost, as text: a sentence and a table.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).expect("a string takes everything");
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let futures = self.looks.first().map_or(0, |look| look.spared.whole);
        writeln!(out, "Under seed {} {} is broken: {}", self.case.seed, self.found.violation, self.found.sentence)?;
        match &self.jump {
            Some(jump) => {
                let of = match jump.curve {
                    Curve::Spared => "if nothing more goes wrong",
                    Curve::Faults => "with the faults still to come",
                };
                let (before, after) = (jump.before.share(jump.curve), jump.after.share(jump.curve));
                writeln!(
                    out,
                    "It was lost at {}: {}. Before, {} of {futures} futures end badly {of}; after, {}.",
                    jump.after.at, jump.event, before.part, after.part
                )?;
            }
            None => writeln!(out, "At no moment do more futures end badly than just before.")?,
        }
        writeln!(out, "\n{:>18}  {:>9}  {:>22}  {:>22}", "time", "event", "faults still to come", "nothing more wrong")?;
        let mut last: Option<&Look> = None;
        for (n, look) in self.looks.iter().enumerate() {
            let next = self.looks.get(n + 1);
            let same = |other: Option<&Look>| other.is_some_and(|o| (o.faults, o.spared) == (look.faults, look.spared));
            // Where nothing changes, the first and the last of a row are enough.
            if same(last) && same(next) {
                continue;
            }
            let column = |curve| {
                let band = look.band(curve);
                format!("{} ({}-{})", percent(look.share(curve)), whole(band.low), whole(band.high))
            };
            writeln!(out, "{:>18}  {:>9}  {:>22}  {:>22}", look.at.to_string(), look.step, column(Curve::Faults), column(Curve::Spared))?;
            last = Some(look);
        }
        writeln!(out, "\nIn brackets: 95 % intervals (Wilson), in percent, of {futures} futures each.")
    }
}

fn percent(share: Ratio) -> String {
    let tenths = (share.part * 1000 + share.whole / 2).checked_div(share.whole).unwrap_or(0);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn whole(share: f64) -> String {
    format!("{:.0}", share * 100.0)
}

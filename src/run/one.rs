//! One run: one plan, one seed; and what is asked again of a run that broke something.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::base::{FaultId, Time};
use crate::check::{Property, Verdict, Witness};
use crate::record::{Entry, What, Window};

use super::explain::{Evidence, tell};
use super::passage::{How, Passage, Ready};
use super::{Ran, RunOutcome, Story};

/// A panic inside a run: our own bug, or a world that is not the same twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crash {
    /// The seed of the run.
    pub seed: u64,
    /// What the panic said.
    pub what: String,
}

/// Runs a seed.
///
/// # Errors
/// A panic inside the run, caught at its border.
pub fn one(ready: &Ready<'_>, seed: u64) -> Result<Ran, Crash> {
    guarded(seed, || Passage::start(ready, seed, How::default()).run(|_| ()).finish())
}

/// Calls something that runs a world; a panic in it becomes a value.
///
/// # Errors
/// The panic.
pub fn guarded<T>(seed: u64, work: impl FnOnce() -> T) -> Result<T, Crash> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|t| (*t).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
        Crash { seed, what: text.unwrap_or_else(|| "a panic without words".into()) }
    })
}

/// Enough for the longest story: about 200 MB while it is told.
const TRACE: usize = 2_000_000;

/// Runs a broken run once more with the trace on and tells the story of a property's witness. `None` when the property holds.
///
/// # Errors
/// A panic inside the run; also when the second run is not the first, which is our own bug.
pub fn explained(ready: &Ready<'_>, run: &RunOutcome, property: Property) -> Result<Option<Story>, Crash> {
    explained_within(ready, run, property, WHOLE)
}

/// The same; a run of more events than `whole` is traced only around its witness.
pub(super) fn explained_within(ready: &Ready<'_>, run: &RunOutcome, property: Property, whole: u64) -> Result<Option<Story>, Crash> {
    let verdict = run.judged.verdict(property);
    let Verdict::Broken(witness) = verdict.as_ref() else { return Ok(None) };
    guarded(run.seed, || {
        let window = if run.events > whole { life(ready, run.seed, |entry| concerns(entry, witness), witness.at) } else { None };
        let mut entries: Vec<Entry> = Vec::new();
        let keep = |entry: &Entry| entries.extend(concerns(entry, witness).then_some(*entry));
        let passage = Passage::start(ready, run.seed, How { trace_limit: TRACE, window, ..How::default() }).run(keep);
        assert_eq!(passage.digest(), run.digest, "the run with its trace on is not the run without");
        let sim = passage.sim();
        let faults: Vec<String> = ready.arm().surroundings().faults.iter().map(|f| f.name.clone()).collect();
        let evidence = Evidence { sim, faults: &faults, entries: &entries };
        Some(tell(property, witness, &evidence))
    })
}

/// A run of so many events may be traced as a whole: an event makes a handful of steps.
const WHOLE: u64 = 300_000;

/// From the first entry of the history that is asked for until the last, and a moment that lies between or beyond. `None`: there is no
/// such entry.
fn life(ready: &Ready<'_>, seed: u64, asked: impl Fn(&Entry) -> bool, and: Time) -> Option<Window> {
    let mut life: Option<Window> = None;
    let _ = Passage::start(ready, seed, How::default()).run(|entry| {
        if asked(entry) {
            let (from, until) = life.map_or((entry.at, entry.at.max(and)), |life| (life.from, life.until.max(entry.at)));
            life = Some(Window { from, until });
        }
    });
    life
}

fn concerns(entry: &Entry, witness: &Witness) -> bool {
    match entry.what {
        What::Phase(_) | What::Fault { .. } => false,
        What::Call { .. } | What::End { .. } | What::Note(_) | What::Skipped { .. } => {
            entry.what.payload().is_some_and(|p| witness.payloads.contains(&p))
        }
    }
}

/// Asks of each declared fault whether it mattered: the same seed without it, everything else the same by name. A fault mattered
/// when one of the properties that the run broke is not broken without it.
///
/// # Errors
/// A panic inside one of the runs.
pub fn mattered(ready: &Ready<'_>, run: &mut RunOutcome, properties: &[Property]) -> Result<(), Crash> {
    let broken: Vec<Property> = properties.iter().copied().filter(|p| run.judged.verdict(*p).is_broken()).collect();
    if broken.is_empty() {
        return Ok(());
    }
    for index in 0..run.ledger.len() {
        let row = &run.ledger[index];
        if row.fired == 0 {
            run.ledger[index].mattered = Some(false);
            continue;
        }
        let how = How { without: Some(FaultId::at(index)), ..How::default() };
        let without = guarded(run.seed, || Passage::start(ready, run.seed, how).run(|_| ()).finish())?.outcome;
        let kept = broken.iter().any(|p| !without.judged.verdict(*p).is_broken());
        run.ledger[index].mattered = Some(kept);
    }
    Ok(())
}

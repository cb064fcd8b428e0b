//! What if: a run goes on under other settings from a moment on, beside itself as it was.

use crate::base::Time;
use crate::record::Entry;
use crate::run::{How, Passage, Ran, Ready, guarded};
use crate::scenario::ArmPlan;

use super::case::Case;

/// A run as it was, and the same run with a change from a moment on.
#[derive(Clone, Debug)]
pub struct Forked {
    /// The moment of the change.
    pub at: Time,
    /// What was changed, as `key = value`.
    pub changes: Vec<String>,
    /// The run as it was.
    pub original: Ran,
    /// The run with the change.
    pub changed: Ran,
    /// The first entries of the two histories that differ; `None` when the change changed nothing that clients and consumers see.
    pub parting: Option<(Option<Entry>, Option<Entry>)>,
}

/// Runs a case to a moment and from there twice: as it is, and as another arm says. Before the moment nothing differs, chance included;
/// after it, what keeps its name keeps its chance.
///
/// # Errors
/// What does not change while it runs, as sentences; a moment outside the run; a panic.
pub fn fork(case: &Case, other: &ArmPlan, at: Time) -> Result<Forked, Vec<String>> {
    let end = case.arm.phases().start(crate::record::Phase::Final);
    if at >= end {
        return Err(vec![format!("the run ends at {end}: there is nothing left to change at {at}")]);
    }
    let runs = || -> Result<_, Vec<String>> {
        let (ready, other_ready) = (Ready::new(&case.arm), Ready::new(other));
        let mut trunk = Passage::start(&ready, case.seed, How::default());
        trunk.run_until(at);
        let mut branch = trunk.clone();
        branch.adopt(at, &other_ready)?;
        let (original, seen) = to_the_end(trunk);
        let (changed, seen_there) = to_the_end(branch);
        Ok((original, changed, parting(&seen, &seen_there)))
    };
    let (original, changed, parting) = guarded(case.seed, runs).unwrap_or_else(|crash| Err(vec![format!("it panics: {}", crash.what)]))?;
    Ok(Forked { at, changes: other.changes_from(&case.arm), original, changed, parting })
}

fn to_the_end(mut passage: Passage<'_>) -> (Ran, Vec<Entry>) {
    let mut seen = Vec::new();
    while passage.step() {
        seen.extend_from_slice(passage.entries());
    }
    seen.extend_from_slice(passage.entries());
    (passage.finish(), seen)
}

fn parting(one: &[Entry], two: &[Entry]) -> Option<(Option<Entry>, Option<Entry>)> {
    let longest = one.len().max(two.len());
    (0..longest).map(|at| (one.get(at).copied(), two.get(at).copied())).find(|(a, b)| a != b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;
    use crate::model::BUILT_IN;
    use crate::scenario::{Source, read};

    const FILE: &str = r#"
        [model.mailbox]
        queue.orders = { visibility_timeout = "3s" }
        producer = { count = 2, retries = 5, timeout = "400ms" }
        consumer.billing = { count = 2, from = "orders", processing = "25ms" }
        [load]
        to = "orders"
        arrivals = { law = "poisson", rate = "40/s" }
        [network]
        delay = { law = "uniform", low = "300us", high = "3ms" }
        [phases]
        warm = "1s"
        chaos = "6s"
        heal = "1s"
        drain = "20s"
        [[fault]]
        name = "off"
        every = { law = "uniform", low = "200ms", high = "2s" }
        first = "2s"
        power_off = "broker"
        lasts = "200ms"
    "#;

    fn arm(sets: &[&str]) -> ArmPlan {
        let text = format!("# Does it hold?\n# Yes.\n{FILE}");
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        let reading = read(&Source { sets: &sets, ..Source::new("a.toml", &text, BUILT_IN) });
        reading.plan.unwrap_or_else(|| panic!("{:?}", reading.problems)).arms()[0].clone()
    }

    fn forked(sets: &[&str], at: Span) -> Result<Forked, Vec<String>> {
        fork(&Case { arm: arm(&[]), seed: 7 }, &arm(sets), Time::ZERO + at)
    }

    #[test]
    fn a_change_of_nothing_changes_nothing() {
        let same = forked(&[], Span::millis(3_100)).expect("nothing stands in the way");
        assert_eq!(same.original.outcome.digest, same.changed.outcome.digest);
        assert_eq!((same.parting, same.changes.len()), (None, 0));
    }

    #[test]
    fn a_change_from_the_very_beginning_is_a_run_of_its_own() {
        for sets in [&["network.loss=3%"][..], &["load.arrivals.rate=60/s"], &["phases.chaos=5s"], &["fault.off.lasts=700ms"]] {
            let changed = forked(sets, Span::ZERO).expect("nothing stands in the way").changed.outcome;
            let ready_arm = arm(sets);
            let own = crate::run::one(&Ready::new(&ready_arm), 7).expect("no panic").outcome;
            assert_eq!(changed.judged.findings, own.judged.findings, "{sets:?}");
            assert_eq!((changed.events, changed.judged.accounting), (own.events, own.judged.accounting), "{sets:?}");
        }
    }

    #[test]
    fn nothing_differs_before_the_change() {
        for sets in
            [&["network.loss=20%"][..], &["model.mailbox.producer.retries=0"], &["fault.off.every=1h"], &["load.arrivals.rate=90/s"]]
        {
            let at = Time::ZERO + Span::millis(2_900);
            let forked = forked(sets, Span::millis(2_900)).expect("nothing stands in the way");
            let (was, is) = forked.parting.expect("it makes a difference");
            let first = was.map(|e| e.at).into_iter().chain(is.map(|e| e.at)).min().expect("an entry");
            assert!(first >= at, "{sets:?}: they part at {first}");
        }
    }

    #[test]
    fn what_runs_is_not_exchanged() {
        let table = [
            ("model.mailbox.producer.count=3", "the nodes of a running system stay the same"),
            ("model.mailbox.queue.mails={}", "queues, topics and subscriptions of a running system stay the same"),
            ("node.all.boot=1s", "machines (`node.…`) are not exchanged"),
            ("network.zone.a={ hosts = [\"broker\"] }", "links and zones of a running system stay the same"),
            ("fault.off.name=on", "not their number and names"),
            ("phases.warm=500ms", "it is too late to change when a phase began"),
        ];
        for (set, expected) in table {
            let problems = forked(&[set], Span::secs(3)).expect_err(set);
            assert!(problems.iter().any(|p| p.contains(expected)), "{set}: {problems:?}");
        }
        let late = forked(&["network.loss=1%"], Span::secs(100)).expect_err("the run is over");
        assert!(late[0].contains("the run ends at 28s"), "{late:?}");
    }
}

//! One consumer: what it is given, what it commits when, where it goes when the log is not what it was.

use std::collections::BTreeSet;

use super::fake::{Quirk, Script};
use super::{LATER, Run, batches, dies, in_transaction, run};
use crate::base::Span;
use crate::model::kafka::batch::Outcome;
use crate::model::kafka::consumer::marks;
use crate::model::kafka::ids::ProducerId;
use crate::model::kafka::mutants::{Mutant, Mutants};
use crate::model::kafka::refusal::Refusal;
use crate::record::{LogNote, Note};

/// One consumer of one partition (of one more, if it says so).
fn text(partitions: u32, consumer: &str) -> String {
    format!("brokers = 1\ntopic.orders = {{ partitions = {partitions} }}\nconsumer = {{ group.id = \"g\", {consumer} }}")
}

fn earliest(consumer: &str) -> Script {
    Script::new(&text(1, &format!("auto.offset.reset = \"earliest\", {consumer}"))).with(0, batches(0, 30, 2, Span::millis(500)))
}

/// Whether every record below each committed position had taken effect by then.
fn commits_behind_effects(run: &Run) -> bool {
    let (mut done, mut behind) = (BTreeSet::new(), true);
    for (_, _, note) in run.notes() {
        if let Note::Effect { payload, .. } = note {
            done.insert(u64::from(payload.0));
        } else if let Note::Log(LogNote::Committed { place, .. }) = note {
            behind &= (0..place.offset).all(|offset| done.contains(&offset));
        }
    }
    behind
}

#[test]
fn everything_comes_once_and_in_order() {
    let script = Script::new(&text(2, "auto.offset.reset = \"earliest\", processing = \"0s\", max.poll.records = 3"))
        .with(0, batches(0, 30, 2, Span::millis(200)))
        .with(1, batches(1, 20, 5, Span::millis(300)));
    let logs = [script.log(0), script.log(1)];
    let run = run(script, Span::secs(30), Vec::new());
    let of = |part: u32| run.delivered().into_iter().filter(|payload| payload / 10_000 == part).collect::<Vec<_>>();
    assert_eq!(of(0), (0..60).collect::<Vec<_>>());
    assert_eq!(of(1), (10_000..10_100).collect::<Vec<_>>());
    assert_eq!(run.effects().len(), 160);
    assert_eq!(logs.map(|log| run.committed(log).last().copied()), [Some(60), Some(100)]);
    let polls = run.notes().filter(|(_, _, note)| matches!(note, Note::Log(LogNote::Poll { .. }))).count();
    assert!(polls >= 160 / 3, "{polls} polls of three at most");
}

#[test]
fn what_is_committed_by_the_client_was_processed_unless_it_was_handed_off() {
    let slow = "processing = \"300ms\", max.poll.records = 4, auto.commit.interval.ms = \"1s\"";
    let table = [
        (slow.to_owned(), true),
        (format!("{slow}, hand_off = 2"), false),
        ("processing = \"300ms\", max.poll.records = 4, commit = \"after\"".into(), true),
        ("processing = \"300ms\", max.poll.records = 4, commit = \"before\"".into(), false),
    ];
    for (consumer, expected) in table {
        let run = run(earliest(&consumer), Span::secs(40), Vec::new());
        assert_eq!(run.effects().len(), 60, "{consumer}");
        assert_eq!(commits_behind_effects(&run), expected, "{consumer}");
    }
    let mut ahead = earliest(slow);
    ahead.config.mutants = Mutants::with(Mutant::CommitsAhead).expect("a build with mutants");
    assert!(!commits_behind_effects(&run(ahead, Span::secs(40), Vec::new())), "the mutant commits ahead");
}

#[test]
fn a_death_repeats_or_loses_by_when_it_is_committed() {
    let deaths = [6100, 9300, 12_200, 15_400];
    let count = |consumer: &str| {
        let script = earliest(&format!("processing = \"150ms\", session.timeout.ms = \"6s\", {consumer}"));
        let effects = run(script, Span::secs(90), vec![dies("consumer-1", &deaths)]).effects();
        let distinct: BTreeSet<u32> = effects.iter().copied().collect();
        (distinct.len(), effects.len() - distinct.len())
    };
    let (done, twice) = count("commit = \"after\"");
    assert!(done == 60 && twice > 0, "after: {done} done, {twice} twice");
    let (done, twice) = count("auto.commit.interval.ms = \"2s\"");
    assert!(done == 60 && twice > 0, "auto: {done} done, {twice} twice");
    let (done, twice) = count("commit = \"before\"");
    assert!(done < 60 && twice == 0, "before: {done} done, {twice} twice");
    assert_eq!(count("commit = \"with_effect\""), (60, 0));
    assert_eq!(count("commit = \"after\", sink = \"idempotent\""), (60, 0));
}

#[test]
fn who_does_not_poll_in_time_leaves_and_comes_again() {
    let slow = "processing = \"2s\", max.poll.records = 2, max.poll.interval.ms = \"3s\", commit = \"after\"";
    let run = run(earliest(slow), Span::secs(40), Vec::new());
    assert!(run.marked(marks::POLL_LATE) > 2 && run.marked(marks::LOST) > 2);
    assert_eq!(run.committed(earliest(slow).log(0)), Vec::<u64>::new(), "no commit counts: the poll takes 4 s");
    assert!(run.delivered().iter().filter(|payload| **payload == 0).count() > 2, "and the same records come again");
}

#[test]
fn a_position_that_is_not_there_is_reset_as_configured() {
    let out_of_range = |reset: &str| {
        let mut script = Script::new(&text(1, &format!("auto.offset.reset = \"{reset}\", processing = \"0s\"")))
            .with(0, batches(0, 10, 2, Span::millis(500)));
        script.quirks.insert(3, Quirk::Refuse(Refusal::OffsetOutOfRange));
        run(script, Span::secs(20), Vec::new())
    };
    let run = out_of_range("earliest");
    assert_eq!(run.delivered().iter().filter(|payload| **payload == 0).count(), 2, "from the beginning again");
    assert_eq!((run.marked(marks::OUT_OF_RANGE), run.delivered().last()), (1, Some(&19)));
    let run = out_of_range("latest");
    assert!(!run.delivered().contains(&0), "it began at the end");
    let run = out_of_range("none");
    assert_eq!((run.marked(marks::STOPPED), run.delivered()), (1, vec![]), "there was no position at all");
}

#[test]
fn a_log_that_was_cut_is_read_again_from_the_cut() {
    let mut script = earliest("processing = \"0s\"");
    script.quirks.insert(4, Quirk::Diverge(LATER, 3));
    let run = run(script, Span::secs(20), Vec::new());
    assert_eq!(run.marked(marks::TRUNCATED), 1);
    let twice: Vec<u32> = (0..60).filter(|payload| run.delivered().iter().filter(|other| *other == payload).count() == 2).collect();
    assert!(twice.first() == Some(&3), "from offset 3 on: {twice:?}");
}

#[test]
fn a_refused_fetch_is_asked_again() {
    let mut script = earliest("processing = \"0s\"");
    for (fetch, why) in [(2, Refusal::NotLeaderOrFollower), (4, Refusal::FencedLeaderEpoch), (5, Refusal::UnknownLeaderEpoch)] {
        script.quirks.insert(fetch, Quirk::Refuse(why));
    }
    assert_eq!(run(script, Span::secs(20), Vec::new()).delivered(), (0..60).collect::<Vec<_>>());
}

#[test]
fn readers_of_committed_records_are_not_given_aborted_ones() {
    let log = || {
        vec![
            in_transaction(0, 0, 1, None),
            in_transaction(0, 2, 2, None),
            in_transaction(0, 4, 1, Some(Outcome::Abort)),
            in_transaction(0, 5, 1, None),
            in_transaction(0, 7, 2, Some(Outcome::Commit)),
            in_transaction(0, 8, 1, Some(Outcome::Commit)),
        ]
    };
    let read = |isolation: &str| {
        let consumer = format!("auto.offset.reset = \"earliest\", processing = \"0s\", isolation.level = \"{isolation}\"");
        let mut script = Script::new(&text(1, &consumer)).with(0, log());
        script.aborted = if isolation == "read_committed" { vec![(ProducerId(1), 0)] } else { Vec::new() };
        let committed = script.log(0);
        let run = run(script, Span::secs(20), Vec::new());
        (run.delivered(), run.committed(committed).last().copied())
    };
    assert_eq!(read("read_committed"), (vec![2, 3, 5, 6], Some(9)), "and the position goes over the markers");
    assert_eq!(read("read_uncommitted"), (vec![0, 1, 2, 3, 5, 6], Some(9)));
}

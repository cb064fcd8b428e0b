//! Forks against runs from the start: the same events, the same verdicts.

use super::*;
use crate::run::{Passage, one};
use crate::scenario::{Source, read};

/// A run of the mailbox under a load that rests now and then.
fn case(model: &str, rate: &str) -> Case {
    let text = format!(
        "# Is anything lost?\n# No.\n[model.mailbox]\n{model}\n[load]\nto = \"orders\"\n\
         arrivals = {{ law = \"poisson\", rate = \"{rate}\" }}\n\
         [phases]\nwarm = \"500ms\"\nchaos = \"1s\"\nheal = \"500ms\"\ndrain = \"6s\"\n"
    );
    let files = |_: &str| Err("no files here".to_owned());
    let reading = read(&Source { files: &files, ..Source::new("test.toml", &text, crate::model::BUILT_IN) });
    let plan = reading.plan.unwrap_or_else(|| panic!("{:#?}", reading.problems));
    Case { arm: plan.arms()[0].clone(), seed: 3 }
}

const HONEST: &str = "queue.orders = { visibility_timeout = \"1s\" }\n\
    producer = { count = 2, retries = 5, timeout = \"200ms\" }\n\
    consumer.billing = { from = \"orders\", processing = \"5ms\" }\n";

fn quick(case: &Case) -> Asked {
    let kinds = [IllKind::Kill, IllKind::PowerOff, IllKind::Pause, IllKind::Cut, IllKind::DiskStall, IllKind::Drop];
    Asked { vocabulary: Vocabulary::of(&case.arm).only(kinds.to_vec()), ..Asked::of(&case.arm) }
}

#[test]
fn a_fork_is_the_run_with_the_fault_declared() {
    let case = case(HONEST, "20/s");
    let ready = Ready::new(&case.arm);
    let ills = Vocabulary::of(&case.arm).singles();
    let mut walk = Walk::new(&ready, case.seed);
    let (mut number, mut behind) = (0, 0);
    while let Some(point) = walk.next() {
        number += 1;
        if point.behind > 0 || number % 7 == 0 {
            behind += u32::from(point.behind > 0);
            let ill = number % ills.len();
            let mut fork: Passage<'_> = walk.stage.passage.clone();
            let fault = fault_of(&case.arm, &ills[ill], (Lasts::For(Span::millis(300)), point), 0);
            fork.inject(point.at, &fault).expect("it fits");
            let fork = fork.run(|_| ()).finish();
            let declared = case_of(&case, &ills, Lasts::For(Span::millis(300)), &[Strike { point, ill }]);
            let declared = one(&Ready::new(&declared.arm), declared.seed).expect("no panic");
            assert_eq!(declared.outcome.digest, fork.outcome.digest, "{} at {point:?}", fault.name);
            assert_eq!(declared.outcome.judged.findings, fork.outcome.judged.findings, "{} at {point:?}", fault.name);
            assert_eq!(declared.outcome.events, fork.outcome.events, "{} at {point:?}", fault.name);
        }
        walk.go();
    }
    assert!(number > 100 && behind > 10, "{number} points, {behind} of them in the middle of a moment");
}

#[test]
fn what_is_known_changes_no_verdict_and_threads_change_nothing() {
    let case = case(HONEST, "20/s");
    let asked = Asked { pairs: 40, ..quick(&case) };
    let of = |jobs: usize, cutting: Cutting| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("threads");
        pool.install(|| exhaust(&case, &Asked { cutting, ..asked.clone() }, &|| ())).expect("no panic")
    };
    let (one, two, long) = (of(1, Cutting::Known), of(2, Cutting::Known), of(2, Cutting::Never));
    println!("{}", one.text());
    assert_eq!(one.text(), two.text());
    assert_eq!(one.hits, two.hits);
    assert_eq!(one.hits, long.hits);
    assert!(one.total().back + one.total().seen > one.total().forks / 2, "{:?}", one.total());
    assert_eq!(long.total().back + long.total().seen, 0);
    assert_eq!(one.total().wrong, 0, "{}", one.text());
}

#[test]
fn two_faults_in_one_moment_are_two_declared_faults() {
    let case = case(HONEST, "20/s");
    let ready = Ready::new(&case.arm);
    let ills = Vocabulary::of(&case.arm).only(vec![IllKind::Pause, IllKind::Kill, IllKind::Drop]).singles();
    let lasts = Lasts::For(Span::millis(50));
    let chaos = (case.arm.surroundings().chaos_start, case.arm.surroundings().heal_start);
    let mut walk = Walk::new(&ready, case.seed);
    let (mut number, mut together) = (0, 0);
    while let Some(point) = walk.next() {
        number += 1;
        let strike = Strike { point, ill: number % ills.len() };
        let mut fork = walk.stage.clone();
        fork.passage.inject(point.at, &fault_of(&case.arm, &ills[strike.ill], (lasts, point), 0)).expect("it fits");
        let mut after = Walk::on(fork, chaos, (point.at, point.behind));
        let second = (after.next().is_some() && number % 3 == 0).then(|| {
            after.go();
            after.next()
        });
        if let Some(Some(point)) = second {
            together += u32::from(point.at == strike.point.at);
            let second = Strike { point, ill: (number + 1) % ills.len() };
            let mut fork = after.stage.passage;
            fork.inject(point.at, &fault_of(&case.arm, &ills[second.ill], (lasts, point), 1)).expect("it fits");
            let fork = fork.run(|_| ());
            let declared = case_of(&case, &ills, lasts, &[strike, second]);
            let declared = one(&Ready::new(&declared.arm), declared.seed).expect("no panic");
            assert_eq!(declared.outcome.digest, fork.digest(), "{strike:?}, then {second:?}");
        }
        walk.go();
    }
    assert!(together > 3, "{together} pairs in one moment");
}

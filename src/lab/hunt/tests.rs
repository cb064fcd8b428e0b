//! What every variation keeps, and that a hunt repeats itself.

use super::*;
use crate::run::fake::FAKE;
use crate::run::tests::plan;
use crate::scenario::expect::{Expectations, Violations};
use crate::scenario::{Plan, Source, read};

/// Hunts with a number of workers.
fn hunted(asked: &Hunt<'_>, jobs: usize) -> Hunted {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("workers");
    pool.install(|| hunt(asked, &|_| false, &|| ()))
}

/// What is printed of a variation is a scenario file without a fault, and reads as the same plan.
#[test]
fn every_variation_can_be_written_down() {
    let plan = plan(&[]);
    let arm = &plan.arms()[0];
    let asked = Hunt { runs: 300, ..Hunt::new(arm, 5) };
    let (breeder, mut cover) = (Breeder::new(&asked), Cover::default());
    for number in 0..300 {
        let variation = breeder.variation(number, &cover);
        assert!(variation.seed < 1 << 63);
        let claims = Expectations { claims: Vec::new(), violations: Violations::None };
        let varied = variation.apply(arm);
        let written = Plan::alone("Does it?".into(), "It does.".into(), &varied, variation.seed, claims, None);
        let text = written.print();
        let reading = read(&Source::new("varied.toml", &text, &[&FAKE]));
        let errors: Vec<_> = reading.problems.iter().filter(|p| p.severity == crate::base::Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{text}");
        assert!(reading.plan.expect("no errors") == written, "{text}");
        let (_, sight) = look(&asked, &variation);
        cover.add(variation, sight);
    }
    assert!(cover.kept().len() > 5, "{}", cover.kept().len());
}

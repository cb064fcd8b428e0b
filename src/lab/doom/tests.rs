//! A run is lost when what was confirmed and not synced is gone.

use super::*;
use crate::check::Property;
use crate::scenario::{Source, read};

/// A broker whose syncs take long loses power once. `mailbox` is more of its table.
fn case(mailbox: &str) -> Case {
    let text = format!(
        "# Is what was confirmed still there?\n# Yes.\n[model.mailbox]\n{mailbox}\nqueue.orders = {{}}\n\
         producer = {{ timeout = \"300ms\", retries = 5 }}\nconsumer.billing = {{ from = \"orders\", processing = \"60ms\", prefetch = 1 }}\n\
         [node.broker.disk]\nsync = \"40ms\"\nwriteback = \"30s\"\n\
         [load]\nto = \"orders\"\narrivals = {{ law = \"poisson\", rate = \"40/s\" }}\n\
         [phases]\nwarm = \"200ms\"\nchaos = \"1s\"\nheal = \"300ms\"\ndrain = \"4s\"\n\
         [[fault]]\nname = \"power fails\"\nat = \"700ms\"\npower_off = \"broker\"\nback_after = \"200ms\"\n"
    );
    let files = |_: &str| Err("no files here".to_owned());
    let reading = read(&Source { files: &files, ..Source::new("test.toml", &text, crate::model::BUILT_IN) });
    let plan = reading.plan.unwrap_or_else(|| panic!("{:#?}", reading.problems));
    Case { arm: plan.arms()[0].clone(), seed: 1 }
}

const LOST: Goal = Goal::Observed(Violation::Property(Property::AckedSurvives));

fn asked() -> Asked {
    Asked { goal: LOST, futures: 12, moments: 24 }
}

#[track_caller]
fn lost_at_the_power_failure(mailbox: &str) -> Doom {
    let doom = doom(&case(mailbox), &asked(), &|| ()).expect("no panic").expect("it loses");
    let jump = doom.jump.as_ref().expect("it was lost at some moment");
    assert_eq!(jump.curve, Curve::Spared);
    assert!(jump.event.starts_with("fault `power fails` strikes (broker: power lost)"), "{}", doom.text());
    assert_eq!((jump.before.spared.part, jump.after.spared.part), (0, 12), "{}", doom.text());
    assert_eq!(jump.after.step, jump.before.step + 1);
    for look in &doom.looks {
        let expected = if look.step <= jump.before.step { 0 } else { 12 };
        assert_eq!(look.spared.part, expected, "at {}: {}", look.at, doom.text());
    }
    doom
}

#[test]
fn what_was_confirmed_and_not_synced_is_lost_with_the_power() {
    let told = lost_at_the_power_failure("broker = { sync = \"never\" }");
    // The power failure is still to come at the beginning, and then something is always unsynced.
    assert!(told.looks[0].faults.part > 6, "{}", told.text());
    let text = told.text();
    assert!(text.contains("Before, 0 of 12 futures end badly if nothing more goes wrong; after, 12."), "{text}");
}

#[cfg(feature = "mutants")]
#[test]
fn a_broker_that_confirms_what_is_not_synced_is_lost_with_the_power() {
    lost_at_the_power_failure("mutant = \"acks_unsynced\"\nbroker = { sync = \"every_message\" }");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let of = |jobs: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("threads");
        let asked = Asked { futures: 4, moments: 8, ..asked() };
        pool.install(|| doom(&case("broker = { sync = \"never\" }"), &asked, &|| ())).expect("no panic").expect("it loses")
    };
    let (one, two) = (of(1), of(2));
    assert_eq!(one.looks, two.looks);
    assert_eq!(one.text(), two.text());
}

#[test]
fn a_run_that_keeps_everything_was_never_lost() {
    let asked = Asked { futures: 1, moments: 4, ..asked() };
    assert!(doom(&case("broker = { sync = \"every_message\" }"), &asked, &|| ()).expect("no panic").is_none());
}

//! Which state may follow which.

use std::fmt::Write;

use super::super::State;
use crate::model::kafka::batch::Outcome;

fn table(v2: bool) -> String {
    let mut table = String::new();
    for before in State::ALL {
        let after = State::ALL.into_iter().filter(|state| state.may_follow(before, v2));
        let after: Vec<String> = after.map(|state| format!("{state:?}")).collect();
        writeln!(table, "{before:?}: {}", after.join(", ")).unwrap();
    }
    table
}

/// As `validPreviousStates` has it.
#[test]
fn the_table_of_one_epoch_for_many_transactions() {
    assert_eq!(
        table(false),
        "Empty: Empty, Ongoing, Dead\n\
         Ongoing: Ongoing, PrepareCommit, PrepareAbort, PrepareEpochFence\n\
         PrepareCommit: CompleteCommit\n\
         PrepareAbort: CompleteAbort\n\
         CompleteCommit: Empty, Ongoing, Dead\n\
         CompleteAbort: Empty, Ongoing, Dead\n\
         Dead: \n\
         PrepareEpochFence: PrepareAbort\n"
    );
}

/// A producer may abort what never began.
#[test]
fn the_table_of_an_epoch_for_each_transaction() {
    assert_eq!(
        table(true),
        "Empty: Empty, Ongoing, PrepareAbort, Dead\n\
         Ongoing: Ongoing, PrepareCommit, PrepareAbort, PrepareEpochFence\n\
         PrepareCommit: CompleteCommit\n\
         PrepareAbort: CompleteAbort\n\
         CompleteCommit: Empty, Ongoing, PrepareAbort, Dead\n\
         CompleteAbort: Empty, Ongoing, PrepareAbort, Dead\n\
         Dead: \n\
         PrepareEpochFence: PrepareAbort\n"
    );
}

#[test]
fn a_decision_leads_to_its_own_end() {
    for outcome in [Outcome::Commit, Outcome::Abort] {
        let (decision, end) = (State::preparing(outcome), State::complete(outcome));
        assert_eq!((decision.decided(), decision.completed(), decision.is_resting()), (Some(outcome), None, false));
        assert_eq!((end.decided(), end.completed(), end.is_resting()), (None, Some(outcome), true));
        assert_eq!(State::ALL.into_iter().filter(|state| state.may_follow(decision, true)).collect::<Vec<_>>(), [end]);
    }
}

//! `deadletter capsule`: one run that goes wrong becomes a file that replays it.

use clap::Args;

use crate::check::Property;
use crate::lab::{Capsule, Case, Found, Goal, Violation};
use crate::model::Model;

use super::exit::Exit;
use super::pick::Pick;
use super::verbs::write_file;
use super::voice::{aside, complain, say};

#[derive(Args, Debug)]
pub(super) struct CapsuleArgs {
    #[command(flatten)]
    pub(super) pick: Pick,
    #[command(flatten)]
    pub(super) sought: Sought,
    /// Where the capsule goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<String>,
}

/// What counts as going wrong.
#[derive(Args, Debug)]
pub(super) struct Sought {
    /// Look for the breach of this property, promised or not, or for `invariant` or `panic` [default: whatever is promised or claimed]
    #[arg(long, value_name = "PROPERTY")]
    pub(super) of: Option<String>,
}

impl Sought {
    /// The goal; an unknown name is complained of.
    pub(super) fn goal(&self) -> Result<Goal, Exit> {
        let Some(name) = &self.of else { return Ok(Goal::Forbidden) };
        if let Some(violation) = Violation::find(name) {
            return Ok(Goal::Observed(violation));
        }
        let known: Vec<&str> = Property::ALL.iter().map(|property| property.name()).collect();
        let near = crate::base::value::did_you_mean(name, &known);
        let hint = near.unwrap_or_else(|| format!("there are: {}, invariant, panic", known.join(", ")));
        complain(&format!("there is no property `{name}`: {hint}"));
        Err(Exit::Usage)
    }

    /// What is wrong with a run; when nothing is, that is said. In a capsule, what it is about counts unless something else is asked for.
    pub(super) fn find(&self, pick: &Pick, models: &[&'static dyn Model]) -> Result<(Case, Goal, Found), Exit> {
        let picked = pick.read(models)?;
        let goal = match (picked.capsule(), &self.of) {
            (Some(capsule), None) => capsule.goal(),
            (Some(_) | None, _) => self.goal()?,
        };
        let case = picked.case;
        let Some(found) = case.try_for(goal) else {
            let what = match goal {
                Goal::Forbidden => "nothing that it promises or claims is broken".to_owned(),
                Goal::Observed(violation) | Goal::Same(violation) => format!("{violation} is not broken"),
            };
            complain(&format!("{}: under seed {} {what}", pick.file, case.seed));
            return Err(Exit::Unknown);
        };
        Ok((case, goal, found))
    }
}

/// Writes the capsule of a run. Done: 1, for something is broken; nothing is: 2.
pub(super) fn run(args: &CapsuleArgs, models: &[&'static dyn Model]) -> Exit {
    let (case, _, found) = match args.sought.find(&args.pick, models) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let capsule = Capsule::of(&case, &found, &args.pick.origin(&case));
    aside(&format!("{}: {}\n", found.violation, found.sentence));
    publish(&capsule, args.out.as_deref()).unwrap_or(Exit::Broken)
}

/// Writes a capsule to a file, with the line that replays it, or to standard output. Only what goes wrong gives an exit.
pub(super) fn publish(capsule: &Capsule, out: Option<&str>) -> Option<Exit> {
    let Some(file) = out else {
        say(&capsule.text());
        return None;
    };
    let failed = write_file(file, &capsule.text());
    if failed.is_none() {
        aside(&format!("repro: deadletter replay {file}   # deadletter {}, digest {}\n", capsule.note().version, capsule.note().digest));
    }
    failed
}

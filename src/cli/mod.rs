//! The command line: words in, words and exit codes out. Everything it can do, the library can do.
//!
//! A program with models of its own hands them to [`main`] and has the whole command line for them:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     deadletter::cli::main(deadletter::model::BUILT_IN)
//! }
//! ```

mod args;
mod capsule;
mod doom;
mod exhaust;
mod exit;
mod files;
mod follow;
mod fork;
mod hunt;
mod list;
mod pick;
mod progress;
mod replay;
mod shrink;
#[cfg(test)]
mod tests;
mod verbs;
mod voice;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::model::Model;

use args::{Cli, Verb};
pub use exit::Exit;
pub use list::scope_page;

/// The whole program, with these models. An interrupt (Ctrl-C) ends the process by its signal, which shells report as 130.
pub fn main(models: &[&'static dyn Model]) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(usage(&error).code()),
    };
    ExitCode::from(perform(cli.verb, models).code())
}

/// Does what was asked.
fn perform(verb: Verb, models: &[&'static dyn Model]) -> Exit {
    match verb {
        Verb::Run(args) => verbs::run(&args, models),
        Verb::Check(args) => verbs::check(&args, models),
        Verb::Audit(args) => verbs::audit(&args, models),
        Verb::Capsule(args) => capsule::run(&args, models),
        Verb::Fork(args) => fork::run(&args, models),
        Verb::Hunt(args) => hunt::run(&args, models),
        Verb::Replay(args) => replay::run(&args, models),
        Verb::Follow(args) => follow::follow(&args, models),
        Verb::Doom(args) => doom::run(&args, models),
        Verb::Exhaust(args) => exhaust::run(&args, models),
        Verb::Shrink(args) => shrink::run(&args, models),
        Verb::List(args) => match list::list(args.what, args.model.as_deref(), models) {
            Some(text) => {
                voice::say(&text);
                Exit::Holds
            }
            None => {
                let known: Vec<&str> = models.iter().map(|m| m.name()).collect();
                voice::complain(&format!("there is no model `{}` (models: {})", args.model.unwrap_or_default(), known.join(", ")));
                Exit::Usage
            }
        },
        Verb::Schema => {
            voice::say(&crate::scenario::schema::schema_text(models));
            Exit::Holds
        }
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "deadletter", &mut script);
            voice::say(&String::from_utf8_lossy(&script));
            Exit::Holds
        }
    }
}

/// Prints what the parser has to say. Help and version were asked for; everything else is wrong usage.
fn usage(error: &clap::Error) -> Exit {
    // Printing fails when nobody listens any more; there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Holds }
}

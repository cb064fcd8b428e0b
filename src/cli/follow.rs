//! `deadletter follow`: tells the story of a message, a node or a fault.

use std::fs;

use crate::base::PayloadId;
use crate::lab::{Budget, Campaign, Failure};
use crate::model::Model;
use crate::report::tale;
use crate::run::Ready;
use crate::run::follow::{Followable, Subject, Tale, follow as follow_run, followable};

use super::args::{FollowArgs, Telling};
use super::exit::Exit;
use super::verbs::our_bug;
use super::voice::{complain, say, width};

/// `deadletter follow`.
pub(super) fn follow(args: &FollowArgs, models: &[&'static dyn Model]) -> Exit {
    let picked = match args.pick.read(models) {
        Ok(picked) => picked,
        Err(exit) => return exit,
    };
    let (plan, arm, seed) = (&picked.plan, &picked.case.arm, picked.case.seed);
    let ready = Ready::new(arm);
    let file = &args.pick.file;
    let crashed = |crash| {
        let asked = Campaign { plan, file, set: &args.pick.set, budget: Budget::Seed(seed), arm: Some(arm.name()) };
        our_bug(&asked, &Failure { arm: arm.name().to_owned(), crash })
    };
    let Some(subject) = &args.subject else {
        return match followable(&ready, seed) {
            Ok(found) => {
                say(&offer(&found, seed));
                Exit::Holds
            }
            Err(crash) => crashed(crash),
        };
    };
    let subject = match Subject::parse(subject, &ready) {
        Ok(subject) => subject,
        Err(why) => {
            complain(&why);
            return Exit::Usage;
        }
    };
    match follow_run(&ready, seed, subject) {
        Ok(tale) if tale.events.is_empty() && matches!(subject, Subject::Message(_)) => {
            complain(&format!("{} never came up under seed {seed}; `deadletter follow {}` says what did", tale.title, file));
            Exit::Usage
        }
        Ok(tale) => publish(args, &tale),
        Err(crash) => crashed(crash),
    }
}

/// Writes the story where it is wanted.
fn publish(args: &FollowArgs, tale: &Tale) -> Exit {
    let text = match args.telling {
        Telling::Text => tale::text::render(tale, width()),
        Telling::Svg => tale::svg::render(tale),
        Telling::Shiviz => tale::shiviz::render(tale),
        Telling::Chrome => tale::chrome::render(tale),
    };
    let Some(out) = &args.out else {
        say(&text);
        return Exit::Holds;
    };
    match fs::write(out, text) {
        Ok(()) => Exit::Holds,
        Err(error) => {
            complain(&format!("`{out}` cannot be written: {error}"));
            Exit::Usage
        }
    }
}

/// What can be followed, as text.
fn offer(found: &Followable, seed: u64) -> String {
    let mut out = format!("What can be followed under seed {seed}:\n");
    for (breach, payloads) in &found.breaches {
        let names: Vec<String> = payloads.iter().map(ToString::to_string).collect();
        let promised = if breach.promised { "broken" } else { "not kept, and not promised" };
        out += &format!("  {:<10} {promised}: {} – {}\n", names.join(" "), breach.property, breach.sentence);
    }
    if found.breaches.is_empty() {
        out += "  no property was broken\n";
    }
    let run = |(first, last): &(PayloadId, PayloadId)| if first == last { first.to_string() } else { format!("{first} to {last}") };
    let messages: Vec<String> = found.messages.iter().map(run).collect();
    out += &format!("  messages   {}\n  nodes      {}\n", none_or(&messages), found.nodes.join(", "));
    let times = |times: u64| if times == 1 { "once".to_owned() } else { format!("{times} times") };
    let faults: Vec<String> = found.faults.iter().map(|(name, struck)| format!("{name} (struck {})", times(*struck))).collect();
    out += &format!("  faults     {}\n", none_or(&faults));
    out
}

/// A list on one line.
fn none_or(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

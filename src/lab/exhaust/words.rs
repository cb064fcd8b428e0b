//! What came out, in words.

use std::fmt::Write;

use crate::parts::fault::{CutShape, Ill, Selector};
use crate::scenario::selector_text;

use super::{Exhausted, Finding, Lasts, Tally};
use crate::lab::case::Goal;
use crate::lab::vocabulary::IllKind;

/// A fault in few words: its kind and its target.
///
/// ```
/// use deadletter::lab::{IllKind, exhaust::label};
/// assert_eq!(label(&IllKind::PowerOff.at("broker")[0]), "power_off broker");
/// assert_eq!(label(&IllKind::Cut.at("broker")[2]), "cut to broker");
/// ```
#[must_use]
pub fn label(ill: &Ill) -> String {
    format!("{} {}", IllKind::of(ill).name(), target(ill))
}

fn target(ill: &Ill) -> String {
    match ill {
        Ill::Kill(who)
        | Ill::PowerOff(who)
        | Ill::Wipe(who)
        | Ill::Pause(who)
        | Ill::Freeze(who)
        | Ill::DiskStall(who)
        | Ill::TornWrite(who)
        | Ill::DiskFull(who)
        | Ill::Slow { who, .. }
        | Ill::SyncFails { who, .. }
        | Ill::FlipBits { who, .. } => selector_text(who),
        Ill::ClockStep { who, by } => format!("{} {}", selector_text(who), if *by < 0 { "back" } else { "forward" }),
        Ill::ClockDrift { who, ppm } => format!("{} {}", selector_text(who), if *ppm < 0 { "slow" } else { "fast" }),
        Ill::Jam { from, to, .. } | Ill::Drop { from, to, .. } | Ill::Clog { from, to } => one_way(from, to),
        Ill::Cut(cut) => match &cut.shape {
            CutShape::Halves(who) => format!("halves of {}", selector_text(who)),
            CutShape::Isolate(who) => selector_text(who),
            CutShape::MajoritiesRing(who) => format!("ring of {}", selector_text(who)),
            CutShape::Bridge(who) => format!("bridge in {}", selector_text(who)),
            CutShape::Between { a, b } => format!("between {} and {}", selector_text(a), selector_text(b)),
            CutShape::OneWay { from, to } => one_way(from, to),
            CutShape::Link(name) => format!("link {name}"),
            CutShape::Pairs(pairs) => format!("{} pairs", pairs.len()),
        },
    }
}

fn one_way(from: &Selector, to: &Selector) -> String {
    match (from, to) {
        (Selector::All, to) => format!("to {}", selector_text(to)),
        (from, Selector::All) => format!("from {}", selector_text(from)),
        (from, to) => format!("from {} to {}", selector_text(from), selector_text(to)),
    }
}

/// Some kinds, as long as they can be said in a breath.
fn one_of(kinds: &[&str]) -> String {
    match kinds {
        [one] => (*one).to_owned(),
        [some @ .., last] if kinds.len() <= 4 => format!("{} or {last}", some.join(", ")),
        _ => "fault".to_owned(),
    }
}

/// A count with its thousands apart.
fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn many(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{} {what}s", count(n)) }
}

impl Exhausted {
    /// What was tried and what came out, as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.headline(&mut out).expect("a string takes everything");
        self.table(&mut out).expect("a string takes everything");
        self.told(&mut out).expect("a string takes everything");
        out
    }

    fn headline(&self, out: &mut String) -> std::fmt::Result {
        let kinds: Vec<&str> = self.asked.vocabulary.kinds.iter().map(|kind| kind.name()).collect();
        let (fault, breaks) = (one_of(&kinds), self.breaks());
        let lasts = match self.asked.lasts {
            Lasts::For(span) => format!("for {span}"),
            Lasts::UntilHeal => "until everything heals".to_owned(),
        };
        let of = if self.tried == self.points { String::new() } else { format!(" (of {})", count(self.points)) };
        let where_ = format!("any of {}{of}", many(self.tried, "point"));
        let singles = self.total();
        for found in &self.before {
            writeln!(out, "Without any fault added, {} is broken already: {}", found.violation, found.sentence)?;
        }
        if singles.wrong == 0 {
            writeln!(out, "No single {fault} at {where_} {breaks}.")?;
        } else {
            let share = format!("{} of {} runs", count(singles.wrong), count(singles.forks));
            writeln!(out, "A single {fault} {breaks}: in {share}, one for each fault at {where_}.")?;
        }
        writeln!(out, "Faults: {} at {}, each {lasts}.", kinds.join(", "), self.asked.vocabulary.nodes.join(", "))?;
        cut_short(out, &singles)?;
        if let Some(pairs) = &self.pairs {
            let all = count_wide(pairs.all);
            writeln!(
                out,
                "Pairs: {} of {all} were tried; {} break what no fault of theirs breaks alone.",
                count(pairs.tally.forks),
                count(pairs.tally.wrong)
            )?;
            cut_short(out, &pairs.tally)?;
        }
        for (ill, why) in &self.refused {
            writeln!(out, "Not tried: {} ({why}).", label(ill))?;
        }
        Ok(())
    }

    /// What is looked for, as a verb.
    fn breaks(&self) -> String {
        match self.asked.goal {
            Goal::Forbidden => "breaks what must hold".to_owned(),
            Goal::Observed(violation) | Goal::Same(violation) => format!("breaks {violation}"),
        }
    }

    fn table(&self, out: &mut String) -> std::fmt::Result {
        let widest = self.ills.iter().map(|ill| label(ill).len()).max().unwrap_or(0).max(5);
        writeln!(out, "\n{:widest$}  {:>10}  {:>10}  {:>10}  {:>10}", "fault", "runs", "came back", "seen", "wrong")?;
        for (ill, t) in self.ills.iter().zip(&self.tallies) {
            let [runs, back, seen, wrong] = [t.forks, t.back, t.seen, t.wrong].map(count);
            writeln!(out, "{:widest$}  {runs:>10}  {back:>10}  {seen:>10}  {wrong:>10}", label(ill))?;
        }
        Ok(())
    }

    fn told(&self, out: &mut String) -> std::fmt::Result {
        for finding in &self.findings {
            writeln!(out, "\n{}", finding.headline())?;
            match &finding.found {
                Some(found) => writeln!(out, "  {}", found.sentence)?,
                None => writeln!(out, "  run by itself, it shows nothing: that is a bug of deadletter")?,
            }
        }
        Ok(())
    }
}

impl Finding {
    /// What goes wrong, by what, since when and how often, in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let places: Vec<String> = self.strikes.iter().map(|strike| place(strike.point)).collect();
        let what = if self.strikes.len() == 1 { "point" } else { "pair" };
        format!("{} is broken by {} at {}, first {}", self.violation, self.by, many(self.times, what), places.join(", then "))
    }
}

fn place(point: super::Point) -> String {
    match point.behind {
        0 => format!("at {}", point.at),
        1 => format!("at {} after 1 event of that moment", point.at),
        n => format!("at {} after {n} events of that moment", point.at),
    }
}

fn cut_short(out: &mut String, tally: &Tally) -> std::fmt::Result {
    let (back, seen) = (count(tally.back), count(tally.seen));
    let (run, saved) = (count(tally.events), count(tally.saved));
    writeln!(
        out,
        "Of {}, {back} came back to the run without the fault, {seen} to a state that was seen: {run} events were run, {saved} were not.",
        many(tally.forks, "run")
    )
}

/// A count beyond all bounds, in powers of ten when it is long.
fn count_wide(n: u128) -> String {
    u64::try_from(n).ok().filter(|n| *n < 1_000_000_000_000).map_or_else(
        || {
            let digits = n.to_string();
            format!("about {}·10^{}", &digits[..1], digits.len() - 1)
        },
        count,
    )
}

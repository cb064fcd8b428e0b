//! What if, in words: a run as it was beside the same run with a change.

use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::base::{FaultId, KeyId, PayloadId};
use crate::check::{Accounting, Finding, Quantiles, Verdict};
use crate::lab::Forked;
use crate::record::{End, Entry, LogNote, Names, Note, Op, What};
use crate::run::Ran;

use super::words;

/// The two runs side by side. `names` are those of the run's nodes and objects.
#[must_use]
pub fn text(forked: &Forked, names: &Names, width: usize) -> String {
    let mut out = format!("From {} on:\n", words::time(forked.at));
    for change in &forked.changes {
        out += &format!("  {}\n", words::clean(change));
    }
    if forked.changes.is_empty() {
        out += "  nothing is changed\n";
    }
    out += "\n";
    out += &parting(forked, names);
    let (left, right) = (&forked.original, &forked.changed);
    let mut table = Table::new();
    table.load_style(super::text::RULES).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(["", "As it was", "With the change", ""]);
    for (name, was, is) in rows(left, right) {
        let sign = if was == is { "" } else { "≠" };
        table.add_row([name, was, is, sign.to_owned()]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    out += &format!("\n{}\n", table.trim_fmt().lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
    out + &sentences(left, right)
}

/// Where the two histories part.
fn parting(forked: &Forked, names: &Names) -> String {
    let Some((was, is)) = &forked.parting else {
        return "Clients and consumers see no difference: the two histories are the same.\n".to_owned();
    };
    let told = |entry: &Option<Entry>| {
        entry.map_or_else(|| "nothing more happens".to_owned(), |e| format!("at {} {}", words::time(e.at), happened(&e, forked, names)))
    };
    format!("The two histories part here:\n  as it was:        {}\n  with the change:  {}\n", told(was), told(is))
}

/// One entry of a history as a clause.
fn happened(entry: &Entry, forked: &Forked, names: &Names) -> String {
    let name_of = |fault: FaultId| forked.original.outcome.ledger.get(fault.index()).map_or("?", |row| row.name.as_str());
    let node = names.node(entry.node);
    let name = |object| names.object(object).name.as_str();
    match entry.what {
        What::Call { what, .. } => format!("{node} begins to {}", asked(what)),
        What::End { what, end: End::Ok, .. } => format!("{node}'s {} ends well", ask(what)),
        What::End { what, end: End::Failed(why), .. } => format!("{node}'s {} fails: {why}", ask(what)),
        What::End { what, end: End::Unknown(why), .. } => format!("{node}'s {} ends unknown: {why}", ask(what)),
        What::Skipped { what, .. } => format!("{node} is down and cannot {}", asked(what)),
        What::Note(Note::Deliver { group, payload, .. }) => format!("{node} receives {payload} from {}", name(group)),
        What::Note(Note::Effect { group, payload }) => format!("{node} applies the effect of {payload} for {}", name(group)),
        What::Note(Note::Settle { group, payload, .. }) => format!("{payload} leaves {}", name(group)),
        What::Note(Note::Held { group, payload }) => format!("{payload} is held in {}", name(group)),
        What::Note(Note::Subscribe { group }) => format!("{} is subscribed", name(group)),
        What::Note(Note::Unsubscribe { group }) => format!("{} is unsubscribed", name(group)),
        What::Note(Note::Log(LogNote::Poll { group })) => format!("{node} reads from {}", name(group)),
        What::Note(Note::Log(LogNote::Assigned { log, .. })) => format!("{node} reads {} from here on", name(log)),
        What::Note(Note::Log(LogNote::Revoked { log, .. })) => format!("{node} reads {} no longer", name(log)),
        What::Note(Note::Log(LogNote::Committed { group, place })) => {
            format!("{node}: {} continues at {}@{}", name(group), name(place.log), place.offset)
        }
        What::Note(Note::Log(LogNote::Appended { payload, place })) => {
            format!("{node} was told that {payload} stands at {}@{}", name(place.log), place.offset)
        }
        What::Note(Note::Log(LogNote::InTransaction { transaction, payload })) => {
            format!("{node}: {payload} belongs to transaction {transaction}")
        }
        What::Phase(phase) => format!("the {} phase begins", phase.name()),
        What::Fault { fault, on: true } => format!("fault `{}` strikes", name_of(fault)),
        What::Fault { fault, on: false } => format!("fault `{}` ends", name_of(fault)),
    }
}

fn asked(what: Op) -> String {
    let (payload, key): (PayloadId, KeyId) = (what.payload(), what.key());
    format!("{} {payload} (key {key})", what.verb())
}

fn ask(what: Op) -> String {
    format!("{} of {}", what.verb(), what.payload())
}

/// One figure of both runs.
type Row = (String, String, String);

fn rows(left: &Ran, right: &Ran) -> Vec<Row> {
    let mut rows = Vec::new();
    for (was, is) in left.outcome.judged.findings.iter().zip(&right.outcome.judged.findings) {
        let telling = was.promised || is.promised || was.verdict.is_broken() || is.verdict.is_broken();
        if telling {
            let promised = if was.promised { "" } else { " (not promised)" };
            rows.push((words::sentence(was.property.sentence()) + promised, verdict(was), verdict(is)));
        }
    }
    type Figure = (&'static str, fn(&Accounting) -> u64);
    const FIGURES: [Figure; 13] = [
        ("operations", |a| a.attempts),
        ("ended well", |a| a.ok),
        ("failed", |a| a.failed),
        ("unknown", |a| a.unknown + a.pending),
        ("never asked: the client was down", |a| a.skipped),
        ("messages delivered", |a| a.delivered),
        ("delivered again", |a| a.duplicates),
        ("effects applied again", |a| a.duplicate_effects),
        ("acknowledged and lost", |a| a.lost),
        ("dead-lettered", |a| a.dead_lettered),
        ("expired or dropped", |a| a.expired + a.dropped),
        ("compacted away", |a| a.superseded),
        ("held at the end", |a| a.held),
    ];
    for (name, of) in FIGURES {
        let (was, is) = (of(&left.outcome.judged.accounting), of(&right.outcome.judged.accounting));
        if was > 0 || is > 0 {
            rows.push((name.to_owned(), words::count(was), words::count(is)));
        }
    }
    let (was, is) = (&left.outcome.judged.latency, &right.outcome.judged.latency);
    for (name, was, is) in [("acknowledged", &was.ack_ok, &is.ack_ok), ("delivered", &was.delivery, &is.delivery)] {
        type At = (&'static str, fn(&Quantiles) -> crate::base::Span);
        const QUANTILES: [At; 3] = [("p50", |q| q.p50), ("p99", |q| q.p99), ("longest", |q| q.max)];
        for (quantile, of) in QUANTILES {
            let shown = |q: &Quantiles| if q.count == 0 { "–".to_owned() } else { words::span(of(q)) };
            rows.push((format!("until {name}, {quantile}"), shown(was), shown(is)));
        }
    }
    rows
}

fn verdict(finding: &Finding) -> String {
    match &finding.verdict {
        Verdict::Holds { .. } => "holds".to_owned(),
        Verdict::Broken(witness) => format!("broken {}", words::times_over(witness.cases)),
        Verdict::Unknown { .. } => "unknown".to_owned(),
    }
}

/// The proofs of what is broken in one of the two and not in the other.
fn sentences(left: &Ran, right: &Ran) -> String {
    let mut out = String::new();
    for (was, is) in left.outcome.judged.findings.iter().zip(&right.outcome.judged.findings) {
        match (&was.verdict, &is.verdict) {
            (Verdict::Broken(_), Verdict::Broken(_)) => {}
            (Verdict::Broken(witness), _) => out += &format!("As it was: {}.\n", witness.sentence),
            (_, Verdict::Broken(witness)) => out += &format!("With the change: {}.\n", witness.sentence),
            (Verdict::Holds { .. } | Verdict::Unknown { .. }, Verdict::Holds { .. } | Verdict::Unknown { .. }) => {}
        }
    }
    out
}

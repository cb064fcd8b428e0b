//! What a reader is told of an arm, in sentences and rows: shared by the terminal summary and the page.

use std::collections::BTreeSet;

use crate::check::{Accounting, Finding, GroupAccounting, Promise, Quantiles, Verdict};
use crate::run::{Answer, ArmOutcome, LedgerRow, Tally};

use super::words;

/// What was promised of a property, and what was seen.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub(super) struct PromiseRow {
    /// `✔` kept, `✘` promised and broken, `?` cannot be told, `•` broken but not promised.
    pub(super) sign: &'static str,
    /// The property as a sentence.
    pub(super) what: String,
    /// Whether it is promised, and by which settings.
    pub(super) promised: String,
    /// What happened.
    pub(super) observed: String,
}

/// The properties worth a row (promised, or broken, or promised and not decided), and sentences about all others.
pub(super) fn promises(arm: &ArmOutcome) -> (Vec<PromiseRow>, Vec<String>) {
    let mut rows = Vec::new();
    let (mut kept, mut open) = (Vec::new(), Vec::new());
    for tally in &arm.tallies {
        if tally.promised || tally.broken > 0 {
            rows.push(promise_row(arm, tally));
        } else if tally.held > 0 && tally.unknown == 0 {
            kept.push(tally.property.sentence());
        } else {
            open.push(tally.property.sentence());
        }
    }
    let mut others = Vec::new();
    if !kept.is_empty() {
        others.push(format!("Not promised, and yet true in {}: {}.", all_runs(arm.runs), kept.join("; ")));
    }
    if !open.is_empty() {
        others.push(format!("Not promised, and cannot be told: {}.", open.join("; ")));
    }
    (rows, others)
}

fn promise_row(arm: &ArmOutcome, tally: &Tally) -> PromiseRow {
    let sign = match (tally.broken > 0, tally.promised, tally.unknown > 0) {
        (true, true, _) => "✘",
        (true, false, _) => "•",
        (false, _, true) => "?",
        (false, _, false) => "✔",
    };
    let because = arm.promises.0.iter().find(|p: &&Promise| p.property == tally.property).map_or("", |p| p.because.as_str());
    let word = if tally.promised { "yes" } else { "no" };
    let promised = if because.is_empty() { word.to_owned() } else { format!("{word}: {because}") };
    PromiseRow { sign, what: words::sentence(tally.property.sentence()), promised, observed: observed(arm, tally) }
}

/// What was seen of a property over all runs; with a single run, how often in it.
fn observed(arm: &ArmOutcome, tally: &Tally) -> String {
    let runs = tally.held + tally.broken + tally.unknown;
    if runs <= 1 {
        return arm.shown.judged.findings.iter().find(|f| f.property == tally.property).map_or_else(|| "not judged".to_owned(), found);
    }
    let mut text = match (tally.broken, tally.held) {
        (0, 0) => "cannot be told".to_owned(),
        (0, held) if held == runs => format!("true in {}", all_runs(runs)),
        (0, held) => format!("true in {} of {} runs", words::count(held), words::count(runs)),
        (broken, _) => format!("broken in {} of {} runs ({})", words::count(broken), words::count(runs), words::share(broken, runs)),
    };
    if tally.unknown > 0 && tally.held + tally.broken > 0 {
        text.push_str(&format!(", {} could not tell", words::count(tally.unknown)));
    }
    if let Some(seed) = tally.first_broken {
        text.push_str(&format!(", first with seed {seed}"));
    }
    text
}

/// What one run says of a property.
fn found(finding: &Finding) -> String {
    match &finding.verdict {
        Verdict::Holds { examined } => format!("true ({} examined)", words::count(*examined)),
        Verdict::Broken(w) => format!("broken {} among {} examined", words::times_over(w.cases), words::count(w.examined)),
        Verdict::Unknown { why } => format!("cannot be told: {}", words::clean(why)),
    }
}

fn all_runs(runs: u64) -> String {
    if runs == 1 { "the run".to_owned() } else { format!("all {} runs", words::count(runs)) }
}

/// A breach in the shown run, with its proof.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub(super) struct Breach {
    /// `✘` promised and broken, `•` broken but not promised.
    pub(super) sign: &'static str,
    /// The property as a sentence, and whether it was promised.
    pub(super) what: String,
    /// The witness's sentence.
    pub(super) proof: String,
    /// How many such cases there are.
    pub(super) cases: String,
}

/// All breaches of the shown run: the one with the story first, then violations, then observations.
pub(super) fn breaches(arm: &ArmOutcome) -> Vec<Breach> {
    let told = arm.shown.story.as_ref().map(|s| s.property);
    let mut broken: Vec<_> = arm.shown.judged.findings.iter().filter(|f| f.verdict.is_broken()).collect();
    broken.sort_by_key(|f| (Some(f.property) != told, !f.promised));
    let mut out: Vec<Breach> = Vec::new();
    for mut breach in broken.into_iter().filter_map(breach) {
        if out.iter().any(|b| b.proof == breach.proof) {
            "The same case proves it.".clone_into(&mut breach.proof);
        }
        out.push(breach);
    }
    out
}

fn breach(finding: &Finding) -> Option<Breach> {
    let Verdict::Broken(witness) = &finding.verdict else {
        return None;
    };
    let weight = if finding.promised { "Promised, but not so" } else { "Not so, and not promised" };
    let cases = match witness.cases {
        1 => format!("It is the only such case among {} examined.", words::count(witness.examined)),
        n => format!("It is the first of {} such cases among {} examined.", words::count(n), words::count(witness.examined)),
    };
    Some(Breach {
        sign: if finding.promised { "✘" } else { "•" },
        what: format!("{weight}: {}", finding.property.sentence()),
        proof: full_stop(&words::clean(&witness.sentence)),
        cases,
    })
}

/// A step of the story.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub(super) struct StoryRow {
    /// When, told apart from its neighbours.
    pub(super) at: String,
    /// Where; empty when nowhere in particular.
    pub(super) node: String,
    /// What.
    pub(super) text: String,
}

/// The steps of the story of the shown run; none when there is no story.
pub(super) fn story(arm: &ArmOutcome) -> Vec<StoryRow> {
    let Some(story) = &arm.shown.story else {
        return Vec::new();
    };
    let times = words::times(&story.lines.iter().map(|l| l.at).collect::<Vec<_>>());
    let rows = story.lines.iter().zip(times).map(|(line, at)| {
        let node = line.node.and_then(|n| arm.scenery.nodes.get(n.index())).map_or_else(String::new, |n| words::clean(n));
        StoryRow { at, node, text: words::clean(&line.text) }
    });
    rows.collect()
}

/// A fault of the ledger.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub(super) struct FaultRow {
    /// Its name.
    pub(super) name: String,
    /// How often it struck.
    pub(super) fired: String,
    /// What it touched.
    pub(super) touched: String,
    /// Whether it is to blame.
    pub(super) mattered: &'static str,
    /// When, whom and how: the first strikes.
    pub(super) strikes: String,
}

/// The ledger of the shown run.
pub(super) fn faults(arm: &ArmOutcome) -> Vec<FaultRow> {
    arm.shown.ledger.iter().map(fault).collect()
}

fn fault(row: &LedgerRow) -> FaultRow {
    FaultRow {
        name: words::clean(&row.name),
        fired: words::times_over(row.fired),
        touched: if row.touched == 0 { "nothing".to_owned() } else { words::count(row.touched) },
        mattered: match row.mattered {
            Some(true) => "yes: without it the broken promises hold",
            Some(false) => "no: broken without it as well",
            None => "not asked",
        },
        strikes: strikes(row),
    }
}

/// When a fault struck, what it did and to whom: `power_off of broker: 20–26 s, 48–50.5 s`. The first few.
fn strikes(row: &LedgerRow) -> String {
    const TOLD: usize = 5;
    let mut out = String::new();
    let mut last = None;
    for strike in row.strikes.iter().take(TOLD) {
        let what = words::clean(&strike.what);
        let strangers: Vec<&str> = strike.nodes.iter().map(String::as_str).filter(|n| !what.contains(*n)).collect();
        let whom = words::clean(&strangers.join(", "));
        let what = if whom.is_empty() { what } else { format!("{what} of {whom}") };
        let when = match strike.until {
            Some(until) if words::moment(until) == words::moment(strike.from) => format!("{} s", words::moment(strike.from)),
            Some(until) => format!("{}–{} s", words::moment(strike.from), words::moment(until)),
            None => format!("{} s to the end", words::moment(strike.from)),
        };
        match &last {
            Some(same) if *same == what => out.push_str(&format!(", {when}")),
            Some(_) => out.push_str(&format!("; {what}: {when}")),
            None => out.push_str(&format!("{what}: {when}")),
        }
        last = Some(what);
    }
    if row.strikes.len() > TOLD {
        out.push_str(&format!(", and {} more", words::count((row.strikes.len() - TOLD) as u64)));
    }
    out
}

/// Everything a reader should be careful about: the arm's own warnings, and faults that did nothing.
pub(super) fn warnings(arm: &ArmOutcome) -> Vec<String> {
    let mut out: Vec<String> = arm.warnings.iter().map(|w| full_stop(&words::sentence(&words::clean(w)))).collect();
    for row in arm.shown.ledger.iter().filter(|row| row.touched == 0) {
        let name = words::clean(&row.name);
        if out.iter().any(|w| w.contains(&name) && w.contains("touched nothing")) {
            continue;
        }
        out.push(match row.fired {
            0 => format!(
                "The fault `{name}` never struck in the run that is shown: it touched nothing, and the run proves nothing about it."
            ),
            n => format!("The fault `{name}` struck {} and touched nothing: the run proves nothing about it.", words::times_over(n)),
        });
    }
    if let Some(breach) = &arm.shown.invariant {
        out.push(format!("The protocol broke an invariant of its own: {}", full_stop(&words::clean(breach))));
    }
    if arm.shown.judged.accounting.malformed > 0 {
        let entries = words::counted(arm.shown.judged.accounting.malformed, "entry", "entries");
        out.push(format!("The model recorded {entries} that contradict the rules of histories: do not trust these verdicts."));
    }
    out
}

/// Where the messages went, in sentences whose numbers add up.
pub(super) fn accounting(arm: &ArmOutcome) -> Vec<String> {
    let a = &arm.shown.judged.accounting;
    if a.attempts == 0 && a.skipped == 0 {
        return vec!["Nothing was sent.".to_owned()];
    }
    let mut out = vec![told(a)];
    let open = a.unknown + a.pending;
    if open > 0 && a.recovered + a.unknown_not_happened == open {
        let open = if open == 1 { "The one".to_owned() } else { format!("Of the {}", words::count(open)) };
        let (arrived, never) = (words::count(a.recovered), words::count(a.unknown_not_happened));
        out.push(format!("{open} without a clear answer: {arrived} arrived all the same, {never} never did."));
    }
    if a.skipped > 0 {
        out.push(format!("Besides, {} never made because the client was down.", were(a.skipped, "call was", "calls were")));
    }
    out.extend(a.groups.iter().map(group));
    if a.lost > 0 {
        let lost = were(a.lost, "message was", "messages were");
        out.push(format!("In all, {lost} acknowledged and yet vanished for somebody they were owed to."));
    }
    out
}

fn were(n: u64, one: &str, many: &str) -> String {
    words::counted(n, one, many)
}

/// `Of 100 calls, 90 were acknowledged + 10 failed = 100.`
fn told(a: &Accounting) -> String {
    let parts = [(a.ok, "acknowledged"), (a.failed, "failed for certain"), (a.unknown, "ended unknown"), (a.pending, "never answered")];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", words::count(*n))).collect();
    format!("Clients made {}: {}.", words::counted(a.attempts, "call", "calls"), parts.join(" + "))
}

/// What a group saw, in one sentence; what is zero is left out.
fn group(g: &GroupAccounting) -> String {
    let mut parts = Vec::new();
    if g.delivered > 0 || g.deliveries > 0 {
        let deliveries = words::counted(g.deliveries, "delivery", "deliveries");
        parts.push(format!("{} arrived in {deliveries}", were(g.delivered, "message", "messages")));
    }
    let rest = [
        (g.duplicates, "repeated"),
        (g.redelivered, "marked as redelivered"),
        (g.duplicate_effects, "applied again"),
        (g.lost, "acknowledged but lost"),
        (g.dead_lettered, "moved to dead letters"),
        (g.expired, "expired"),
        (g.dropped, "dropped by a full queue"),
        (g.superseded, "compacted away"),
        (g.held, "still held at the end"),
        (g.unexpected, "never sent to it"),
        (g.corrupted, "damaged"),
    ];
    parts.extend(rest.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", words::count(*n))));
    if parts.is_empty() {
        parts.push("nothing".to_owned());
    }
    format!("{}: {}.", words::clean(&g.name), parts.join(", "))
}

/// How available it was, in sentences.
pub(super) fn figures(arm: &ArmOutcome) -> Vec<String> {
    let f = &arm.shown.judged.figures;
    if f.attempts == 0 {
        return vec!["No call was made after the warm-up, so there are no figures.".to_owned()];
    }
    let mut first = format!(
        "After the warm-up {} of {} calls succeeded ({}).",
        words::count(f.success.part),
        words::count(f.success.whole),
        words::share(f.success.part, f.success.whole)
    );
    if f.skipped > 0 {
        let share = words::share(f.offered_success.part, f.offered_success.whole);
        first.push_str(&format!(" Counting {} whose client was down, {share} did.", words::counted(f.skipped, "call", "calls")));
    }
    let (acked, delivered) = (f.acked, f.delivered);
    vec![
        first,
        format!(
            "Throughput: {} acknowledged, {} delivered.",
            words::rate(acked.count, acked.over),
            words::rate(delivered.count, delivered.over)
        ),
    ]
}

/// The columns of [`latency`].
pub(super) const LATENCY_COLUMNS: [&str; 7] =
    ["From the call until", "Count", "Half within", "90 % within", "99 % within", "99.9 % within", "Longest"];

/// A row for each kind of latency that was measured.
pub(super) fn latency(arm: &ArmOutcome) -> Vec<[String; 7]> {
    let l = &arm.shown.judged.latency;
    let kinds: [(&str, &Quantiles); 5] = [
        ("it was acknowledged", &l.ack_ok),
        ("it failed", &l.ack_failed),
        ("it was given up as unknown", &l.ack_unknown),
        ("it reached a consumer", &l.delivery),
        ("it took effect", &l.effect),
    ];
    let row = |(name, q): &(&str, &Quantiles)| {
        let spans = [q.p50, q.p90, q.p99, q.p999, q.max].map(words::span);
        let [p50, p90, p99, p999, max] = spans;
        [(*name).to_owned(), words::count(q.count), p50, p90, p99, p999, max]
    };
    kinds.iter().filter(|(_, q)| q.count > 0).map(row).collect()
}

/// An arm's name for people: the main arm by that name, others with what they change.
pub(super) fn arm_name(arm: &ArmOutcome) -> String {
    let name = words::clean(&arm.name);
    if arm.differs.is_empty() { name } else { format!("{name}: {}", words::clean(&arm.differs.join(", "))) }
}

/// What was still waiting at the end, as one sentence; none when nothing was.
pub(super) fn pending(arm: &ArmOutcome) -> Option<String> {
    let waiting: BTreeSet<String> = arm.shown.pending.iter().map(|p| words::clean(p)).collect();
    (!waiting.is_empty()).then(|| format!("Still waiting at the end: {}.", waiting.into_iter().collect::<Vec<_>>().join("; ")))
}

/// The marks that were reached, as one sentence; none when there were none.
pub(super) fn marks(arm: &ArmOutcome) -> Option<String> {
    let marks: Vec<String> =
        arm.shown.marks.iter().map(|(mark, n)| format!("{} ({})", words::clean(mark), words::times_over(*n))).collect();
    (!marks.is_empty()).then(|| format!("Rare paths that were taken: {}.", marks.join(", ")))
}

/// What the run that is shown was: its size and its identity.
pub(super) fn run(arm: &ArmOutcome) -> String {
    let run = &arm.shown;
    format!(
        "Shown is seed {}: {} of virtual time, {}, {}, digest {}.",
        run.seed,
        words::span(run.lasted),
        words::counted(run.events, "event", "events"),
        words::counted(run.messages, "message handled", "messages handled"),
        run.digest
    )
}

/// The question's answer in one sentence.
pub(super) fn verdict(answer: Answer, arms: usize) -> String {
    let whom = if arms == 1 { "It came out".to_owned() } else { format!("All {arms} arms came out") };
    match answer {
        Answer::Holds => format!("{whom} as expected."),
        Answer::Broken if arms == 1 => "It did not come out as expected.".to_owned(),
        Answer::Broken => "At least one arm did not come out as expected.".to_owned(),
        Answer::Unknown => "Nothing can be said for certain: see the lines marked with a question mark.".to_owned(),
    }
}

/// An arm's answer in one sentence.
pub(super) const fn arm_verdict(answer: Answer) -> &'static str {
    match answer {
        Answer::Holds => "This arm came out as expected.",
        Answer::Broken => "This arm did not come out as expected.",
        Answer::Unknown => "What came out of this arm decides nothing.",
    }
}

/// The text with a full stop, unless it ends a sentence already.
fn full_stop(text: &str) -> String {
    let ends = text.ends_with(['.', '!', '?']);
    if ends || text.is_empty() { text.to_owned() } else { format!("{text}.") }
}

//! A story as text: what made the difference first, then what happened, one handler a paragraph.

use std::fmt::Write;

use crate::base::Time;
use crate::report::text::wrap;
use crate::report::words;
use crate::run::follow::{Subject, Tale};

use super::groups;

/// The story in lines of at most so many columns.
///
/// Every paragraph is what one node did at one moment for one reason; behind the time stands how long it was since the paragraph before.
#[must_use]
pub fn render(tale: &Tale, width: usize) -> String {
    let mut out = String::new();
    let line = |out: &mut String, text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&mut out, &format!("The story of {} (seed {}, arm `{}`)", words::clean(&tale.title), tale.seed, words::clean(&tale.arm)));
    for breach in &tale.breaches {
        let promised = if breach.promised { "broken" } else { "not kept, and not promised" };
        let text = format!("{promised}: {} – {}", breach.property, breach.sentence);
        line(&mut out, &indented(&text, (2, 4), width));
    }
    if !tale.gist.is_empty() {
        line(&mut out, "");
        let heading = match tale.subject {
            Subject::Message(_) => "What made the difference",
            Subject::Node(_) => "How it fared",
            Subject::Outage(_) => "What it did",
        };
        line(&mut out, heading);
        for gist in &tale.gist {
            line(&mut out, &indented(&gist.text, (2, 2), width));
        }
    }
    line(&mut out, "");
    line(&mut out, "What happened");
    let names = tale.nodes.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(0).min(20);
    let mut before: Option<Time> = None;
    for group in groups(tale) {
        let since = before.map_or(String::new(), |before| plus(before, group.at));
        before = Some(group.at);
        let name = group.node.map_or("–", |node| tale.name(node));
        let head = format!("  {:>13} {since:>10}  {name:<names$}  ", words::micros(group.at));
        let margin = head.chars().count();
        let body = wrap(&group.text(tale), width.saturating_sub(margin).max(30), 0).replace('\n', &format!("\n{}", " ".repeat(margin)));
        line(&mut out, &format!("{head}{body}"));
    }
    if tale.events.is_empty() {
        line(&mut out, "  nothing: it never came up in this run");
    }
    if tale.left_out > 0 {
        let _ = writeln!(out, "  … {} that there was no room for", words::counted(tale.left_out, "step", "steps"));
    }
    out
}

/// How long after: `+1.20 ms`; nothing at the same moment.
fn plus(before: Time, at: Time) -> String {
    let gap = at.saturating_since(before);
    if gap.is_zero() { String::new() } else { format!("+{}", words::span(gap)) }
}

fn indented(text: &str, (first, rest): (usize, usize), width: usize) -> String {
    let body = wrap(&words::clean(text), width.saturating_sub(rest), 0);
    format!("{}{}", " ".repeat(first), body.replace('\n', &format!("\n{}", " ".repeat(rest))))
}

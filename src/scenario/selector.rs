//! Selectors: whom a fault concerns, read from text and checked against the names of the run.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::base::value::{Value, did_you_mean};
use crate::base::{Place, Problem};
use crate::parts::config::NetworkConfig;
use crate::parts::fault::Selector;
use crate::parts::network::Network;
use crate::world::Roster;

/// The names that selectors may use.
pub(super) struct Scope<'a> {
    /// Nodes and objects; `None` when the model's own table is wrong, so that nothing is known of them.
    pub(super) roster: Option<&'a Roster>,
    /// Zones, regions and switches.
    pub(super) network: &'a NetworkConfig,
    /// The same, built; `None` when it cannot be.
    pub(super) wired: Option<&'a Network>,
    /// Roles the protocol knows.
    pub(super) roles: &'a [&'static str],
}

impl Scope<'_> {
    /// All nodes and groups, groups first.
    pub(super) fn nodes_and_groups(&self) -> Vec<&str> {
        let nodes = self.roster.map_or(&[][..], |roster| &roster.nodes);
        let groups: BTreeSet<&str> = nodes.iter().flat_map(|node| node.groups.iter().copied()).collect();
        groups.into_iter().chain(nodes.iter().map(|node| node.name.as_str())).collect()
    }

    /// The positions of the nodes with a name or in a group of that name.
    pub(super) fn named(&self, name: &str) -> BTreeSet<usize> {
        let nodes = self.roster.map_or(&[][..], |roster| &roster.nodes);
        let matches = |(at, node): (usize, &crate::world::RosterNode)| (node.name == name || node.groups.contains(&name)).then_some(at);
        nodes.iter().enumerate().filter_map(matches).collect()
    }

    fn regions(&self) -> BTreeSet<&str> {
        self.network.zones.iter().filter_map(|zone| zone.region.as_deref()).collect()
    }

    /// All zones, regions and switches.
    fn places(&self) -> Vec<&str> {
        let zones = self.network.zones.iter().map(|zone| zone.name.as_str());
        zones.chain(self.regions()).chain(self.network.switches.iter().map(String::as_str)).chain(["lan"]).collect()
    }

    /// The positions of the hosts of a zone, region or switch; `None` when there is no such thing, or that is not known.
    fn within(&self, name: &str) -> Option<BTreeSet<usize>> {
        let members = self.wired?.zone_members(name)?;
        Some(members.into_iter().map(crate::base::NodeId::index).collect())
    }

    /// Whether no other node shares a group with one of those that a selector certainly means.
    pub(super) fn is_alone(&self, selector: &Selector) -> bool {
        let (Some(roster), Some(these)) = (self.roster, self.resolve(selector)) else { return false };
        let groups: BTreeSet<&str> = these.iter().flat_map(|at| roster.nodes[*at].groups.iter().copied()).collect();
        let mut others = roster.nodes.iter().enumerate().filter(|(at, _)| !these.contains(at));
        !others.any(|(_, node)| node.groups.iter().any(|group| groups.contains(group)))
    }

    /// Whether there is a link of this name, declared or implied. Nothing is said against it while the network is not known.
    pub(super) fn has_link(&self, name: &str) -> bool {
        self.wired.is_none_or(|network| network.link(name).is_some())
    }

    /// The names that links may have, for hints: the declared ones and the uplinks of nodes and zones.
    pub(super) fn links(&self) -> Vec<String> {
        let declared = self.network.links.iter().map(|link| link.name.clone());
        let zones = || self.network.zones.iter().map(|zone| zone.name.as_str()).chain(["lan"]);
        let nodes = self.roster.map_or(&[][..], |roster| &roster.nodes);
        let up = nodes.iter().flat_map(|node| zones().map(move |zone| format!("{}-{zone}", node.name)));
        let top =
            zones().flat_map(|zone| self.regions().into_iter().chain(["core"]).map(move |top| format!("{zone}-{top}")).collect::<Vec<_>>());
        declared.chain(up).chain(top).filter(|name| self.has_link(name)).collect()
    }

    /// Whom a selector certainly means; `None` when that is decided while it runs (a role), or nothing is known.
    pub(super) fn resolve(&self, selector: &Selector) -> Option<BTreeSet<usize>> {
        let roster = self.roster?;
        match selector {
            Selector::All => Some((0..roster.nodes.len()).collect()),
            Selector::Named(name) => Some(self.named(name)),
            Selector::Zone(name) => self.within(name),
            Selector::Random { count, of } => {
                let of = self.resolve(of)?;
                Some(of.into_iter().take(usize::try_from(*count).expect("32 bits fit")).collect())
            }
            Selector::Role { .. } => None,
            Selector::Union(parts) => parts.iter().map(|part| self.resolve(part)).try_fold(BTreeSet::new(), |mut all, part| {
                all.extend(part?);
                Some(all)
            }),
        }
    }
}

/// A selector as it is written in a file.
///
/// ```
/// use deadletter::parts::fault::Selector;
/// use deadletter::scenario::selector_text;
/// let of = Box::new(Selector::Named("brokers".into()));
/// assert_eq!(selector_text(&Selector::Random { count: 2, of }), "random(2, brokers)");
/// ```
#[must_use]
pub fn selector_text(selector: &Selector) -> String {
    match selector {
        Selector::All => "all".to_owned(),
        Selector::Named(name) => name.clone(),
        Selector::Zone(name) => format!("zone({name})"),
        Selector::Random { count: 1, of } => format!("random({})", selector_text(of)),
        Selector::Random { count, of } => format!("random({count}, {})", selector_text(of)),
        Selector::Role { name, of } if of.is_empty() => name.clone(),
        Selector::Role { name, of } => format!("{name}({of})"),
        Selector::Union(parts) => parts.iter().map(selector_text).collect::<Vec<_>>().join(" + "),
    }
}

/// Reads a selector; every wrong name in it is a problem of its own.
pub(super) fn read(value: &Value, scope: &Scope<'_>, problems: &mut Vec<Problem>) -> Option<Selector> {
    let text = value.as_text()?;
    let before = problems.len();
    let mut parser = Parser { text, at: 0, place: &value.place, scope, problems, depth: 0 };
    let selector = parser.union()?;
    parser.space();
    if parser.at < text.len() {
        let rest = parser.at..text.len();
        parser.say(rest, "nothing was expected here", Some("several are joined with `+`".to_owned()));
        return None;
    }
    let wrong = problems.len() > before;
    if !wrong && scope.roster.is_some() && scope.resolve(&selector).is_some_and(|nodes| nodes.is_empty()) {
        let problem = Problem::error(value.place.clone(), format!("`{text}` selects nobody"));
        problems.push(problem.hint("a group without nodes, or a zone without hosts"));
        return None;
    }
    (!wrong).then_some(selector)
}

struct Parser<'p, 's> {
    text: &'p str,
    at: usize,
    place: &'p Place,
    scope: &'p Scope<'s>,
    problems: &'p mut Vec<Problem>,
    depth: usize,
}

impl Parser<'_, '_> {
    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn takes(&mut self, sign: char) -> bool {
        self.space();
        let found = self.text[self.at..].starts_with(sign);
        self.at += if found { sign.len_utf8() } else { 0 };
        found
    }

    /// A problem at some bytes of the selector; of the whole text where escapes hide which they are.
    fn say(&mut self, bytes: Range<usize>, what: impl Into<String>, hint: Option<String>) {
        let problem = Problem::error(inside(self.place, self.text, bytes), what);
        self.problems.push(crate::scenario::with(problem, hint));
    }

    fn word(&mut self) -> Range<usize> {
        self.space();
        let start = self.at;
        let rest = &self.text[start..];
        self.at += rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).unwrap_or(rest.len());
        start..self.at
    }

    fn union(&mut self) -> Option<Selector> {
        if self.depth > 16 {
            self.say(self.at..self.text.len(), "this selector is nested too deeply", None);
            return None;
        }
        self.depth += 1;
        let mut parts = vec![self.term()?];
        while self.takes('+') {
            parts.push(self.term()?);
        }
        self.depth -= 1;
        if parts.len() == 1 { parts.pop() } else { Some(Selector::Union(parts)) }
    }

    fn term(&mut self) -> Option<Selector> {
        let range = self.word();
        let word = self.text[range.clone()].to_owned();
        if word.is_empty() {
            let hint = "write it like `b1`, `brokers`, `all`, `zone(a)`, `random(brokers)`, `leader(orders/0)` or `b1 + b2`";
            let next = self.text[range.end..].chars().next().map_or(0, char::len_utf8);
            self.say(range.start..range.end + next, "a node, group or role was expected", Some(hint.to_owned()));
            return None;
        }
        let open = self.text[self.at..].starts_with('(');
        match (word.as_str(), open) {
            ("all", false) => Some(Selector::All),
            ("zone", true) => self.zone(),
            ("random", true) => self.random(range),
            (_, true) => self.role(&word, range),
            (_, false) => self.name(word, range),
        }
    }

    fn close(&mut self) -> Option<()> {
        if self.takes(')') {
            return Some(());
        }
        self.say(self.at..self.text.len(), "`)` was expected here", None);
        None
    }

    fn zone(&mut self) -> Option<Selector> {
        self.takes('(');
        let range = self.word();
        let name = self.text[range.clone()].to_owned();
        self.close()?;
        if self.scope.wired.is_some() && self.scope.within(&name).is_none() {
            let known = self.scope.places();
            let hint = did_you_mean(&name, &known);
            self.say(range, format!("there is no zone, region or switch `{name}`"), hint);
        }
        Some(Selector::Zone(name))
    }

    fn random(&mut self, range: Range<usize>) -> Option<Selector> {
        self.takes('(');
        let back = self.at;
        let number = self.word();
        let mut count = 1;
        if self.takes(',') {
            let text = self.text[number.clone()].to_owned();
            let Some(read) = text.parse::<u32>().ok().filter(|count| *count > 0) else {
                self.say(number, format!("`{text}` is not a number of nodes"), Some("write it like `random(2, brokers)`".to_owned()));
                return None;
            };
            count = read;
        } else {
            self.at = back;
        }
        let of = self.union()?;
        self.close()?;
        let there = self.scope.resolve(&of).map(|nodes| nodes.len()).filter(|there| *there > 0);
        if let Some(there) = there.filter(|there| u64::from(count) > u64::try_from(*there).unwrap_or(u64::MAX)) {
            let what = format!("{count} are to be drawn, but `{}` has only {there}", selector_text(&of));
            self.say(range.start..self.at, what, None);
        }
        Some(Selector::Random { count, of: Box::new(of) })
    }

    fn role(&mut self, word: &str, range: Range<usize>) -> Option<Selector> {
        self.takes('(');
        let rest = &self.text[self.at..];
        let of = rest[..rest.find(')').unwrap_or(rest.len())].trim().to_owned();
        self.at += rest.find(')').unwrap_or(rest.len());
        self.close()?;
        if self.scope.roster.is_some() && !self.scope.roles.contains(&word) {
            let mut known = self.scope.roles.to_vec();
            known.extend(["zone", "random"]);
            let hint = did_you_mean(word, &known);
            self.say(range, format!("this model has no role `{word}`"), hint);
        }
        Some(Selector::Role { name: word.to_owned(), of })
    }

    fn name(&mut self, word: String, range: Range<usize>) -> Option<Selector> {
        if self.scope.roster.is_none() || !self.scope.named(&word).is_empty() {
            return Some(Selector::Named(word));
        }
        if self.scope.roles.contains(&word.as_str()) {
            return Some(Selector::Role { name: word, of: String::new() });
        }
        let mut known = self.scope.nodes_and_groups();
        known.extend(self.scope.roles.iter().copied());
        let zone = self.scope.places().contains(&word.as_str()).then(|| format!("did you mean `zone({word})`?"));
        let hint = zone.or_else(|| did_you_mean(&word, &known));
        self.say(range, format!("there is no node, group or role `{word}`"), hint);
        Some(Selector::Named(word))
    }
}

/// The place of some bytes of a text: the whole where it is written with escapes.
pub(super) fn inside(place: &Place, text: &str, bytes: Range<usize>) -> Place {
    let raw = place.text.get(place.start..place.end).unwrap_or("");
    let quote = if raw.len() == text.len() + 2 && raw.get(1..=text.len()) == Some(text) { Some(1) } else { None };
    let bare = (raw == text).then_some(0);
    match quote.or(bare) {
        Some(skip) => Place { start: place.start + skip + bytes.start, end: place.start + skip + bytes.end, ..place.clone() },
        None => place.clone(),
    }
}

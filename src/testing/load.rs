//! Operations that shrink: fewer, of one client, about one key, evenly spaced.

use proptest::collection;
use proptest::strategy::{BoxedStrategy, Strategy};

use crate::base::{KeyId, PayloadId, Span, Time};
use crate::load::{Listed, OpKind};
use crate::record::ObjectKind;
use crate::scenario::ArmPlan;

use super::moment::rounder;
use super::shrinking::{Shrinking, with_one, without_some};

/// How many keys operations are about, at most.
const KEYS: u32 = 3;

/// The gaps between operations that are evenly spaced.
const GAPS: [Span; 3] = [Span::millis(100), Span::millis(10), Span::millis(1)];

/// The bytes of every operation.
const BYTES: u32 = 100;

/// One operation before it is written out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ask {
    pub(super) at: Time,
    payload: u32,
    client: usize,
    to: usize,
    key: u32,
}

/// What operations are drawn from.
#[derive(Clone, Debug)]
pub(super) struct Asks {
    clients: Vec<String>,
    to: Vec<(String, OpKind)>,
    window: (Time, Time),
    at_most: usize,
}

impl Asks {
    /// # Panics
    /// When there is nobody to ask, nothing to ask for, no time, or no operation.
    pub(super) fn new(arm: &ArmPlan, window: (Time, Time), at_most: usize) -> Asks {
        let roster = arm.model().roster();
        let takes = |name: &str| {
            roster.objects.iter().find(|object| object.name == name).and_then(|object| match object.kind {
                ObjectKind::Queue | ObjectKind::Topic => Some(OpKind::Publish),
                ObjectKind::Service => Some(OpKind::Request),
                ObjectKind::Subscription { .. } | ObjectKind::Log { .. } | ObjectKind::DeadLetters => None,
            })
        };
        // Where the scenario's own load goes; without one, wherever the model takes something.
        let load = arm.load();
        let mut names: Vec<&str> =
            load.streams.iter().map(|stream| &stream.to).chain(load.listed.iter().map(|one| &one.to)).map(String::as_str).collect();
        if names.is_empty() {
            names.extend(roster.objects.iter().map(|object| object.name.as_str()));
        }
        let mut to: Vec<(String, OpKind)> = Vec::new();
        for name in names {
            if let Some(op) = takes(name).filter(|_| to.iter().all(|(other, _)| other != name)) {
                to.push((name.to_owned(), op));
            }
        }
        let clients: Vec<String> = roster.nodes.iter().filter(|node| node.takes_load).map(|node| node.name.clone()).collect();
        assert!(
            !clients.is_empty() && !to.is_empty(),
            "the model `{}` has nobody to ask, or nothing to ask for",
            arm.model().model().name()
        );
        assert!(window.0 < window.1 && at_most > 0, "there is no time for operations, or they are to be none");
        Asks { clients, to, window, at_most }
    }

    /// At least one, in order of time.
    pub(super) fn draw(&self) -> BoxedStrategy<Vec<Ask>> {
        let (from, until) = self.window;
        let one = (from.nanos()..until.nanos(), 0..self.clients.len(), 0..self.to.len(), 0..KEYS);
        collection::vec(one, 1..=self.at_most)
            .prop_map(|mut drawn| {
                drawn.sort_unstable();
                let numbered = (0..).zip(drawn);
                numbered.map(|(payload, (at, client, to, key))| Ask { at: Time::from_nanos(at), payload, client, to, key }).collect()
            })
            .boxed()
    }

    /// Fewer of them, but not none: a run without operations proves nothing.
    pub(super) fn fewer(asks: &[Ask]) -> Vec<Vec<Ask>> {
        let mut found = without_some(asks);
        found.retain(|asks| !asks.is_empty());
        found
    }

    /// One of them at an earlier client, object or key.
    pub(super) fn plainer(asks: &[Ask]) -> Vec<Vec<Ask>> {
        let all: Vec<Ask> = asks.iter().map(|ask| Ask { client: 0, to: 0, key: 0, ..*ask }).collect();
        let mut found = vec![all];
        found.extend(with_one(asks, |ask| {
            let mut found: Vec<Ask> = (0..ask.client).map(|client| Ask { client, ..*ask }).collect();
            found.extend((0..ask.to).map(|to| Ask { to, ..*ask }));
            found.extend((0..ask.key).map(|key| Ask { key, ..*ask }));
            found
        }));
        found.retain(|other| other != asks);
        found
    }

    /// All of them evenly spaced, or one at a rounder moment; evenly spaced ones move together. Last they are numbered from zero.
    pub(super) fn rounder(&self, asks: &[Ask]) -> Vec<Vec<Ask>> {
        let Some(first) = asks.first() else { return Vec::new() };
        let spaced =
            |from: Time, gap: Span| -> Vec<Ask> { (0..).zip(asks).map(|(number, ask)| Ask { at: from + gap * number, ..*ask }).collect() };
        let mut found = Vec::new();
        if let Some(gap) = GAPS.into_iter().find(|gap| spaced(first.at, *gap) == asks) {
            found.extend(rounder(first.at, self.window).into_iter().map(|at| spaced(at, gap)));
        } else {
            found.extend(GAPS.into_iter().map(|gap| spaced(first.at, gap)));
            found.extend(with_one(asks, |ask| rounder(ask.at, self.window).into_iter().map(|at| Ask { at, ..*ask }).collect()));
        }
        found.retain(|asks| asks.is_sorted_by_key(|ask| ask.at) && asks.iter().all(|ask| ask.at < self.window.1));
        let numbered: Vec<Ask> = (0..).zip(asks).map(|(payload, ask)| Ask { payload, ..*ask }).collect();
        found.extend((numbered != asks).then_some(numbered));
        found
    }

    /// The operations, as far as these clients are there.
    pub(super) fn listed(&self, asks: &[Ask], there: impl Fn(&str) -> bool) -> Vec<Listed> {
        let known = asks.iter().filter(|ask| there(&self.clients[ask.client]));
        let mut listed: Vec<Listed> = known
            .map(|ask| Listed {
                at: ask.at,
                payload: PayloadId(ask.payload),
                client: self.clients[ask.client].clone(),
                to: self.to[ask.to].0.clone(),
                op: self.to[ask.to].1,
                key: KeyId(ask.key),
                bytes: BYTES,
            })
            .collect();
        listed.sort_by_key(|one| (one.at, one.payload));
        listed
    }
}

/// From one to `at_most` operations of an arm's clients, on the objects that its own load is about, from the first moment of the window on
/// and before the second. They shrink to fewer, of the first client, about the first key, evenly spaced at round moments.
///
/// # Panics
/// When the arm's model has no client or takes nothing, or when the window is empty.
pub fn operations(arm: &ArmPlan, window: (Time, Time), at_most: usize) -> BoxedStrategy<Vec<Listed>> {
    let asks = Asks::new(arm, window, at_most);
    let law = asks.clone();
    let simpler = move |list: &Vec<Ask>| {
        let mut all = Asks::fewer(list);
        all.extend(Asks::plainer(list));
        all.extend(law.rounder(list));
        all
    };
    Shrinking::new(asks.draw(), simpler).prop_map(move |list| asks.listed(&list, |_| true)).boxed()
}

/// An operation in words: `shop publishes p0 to orders at 2s (key k0)`.
pub(super) fn in_words(one: &Listed) -> String {
    let verb = match one.op {
        OpKind::Publish => "publishes",
        OpKind::Request => "requests",
    };
    format!("{} {verb} {} to {} at {} (key {})", one.client, one.payload, one.to, one.at, one.key)
}

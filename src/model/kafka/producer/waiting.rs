//! Sends that wait inside the client library: for room in its buffer, or for metadata of their topic.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Span, Time};

use super::super::ids::TopicId;
use super::Outgoing;

/// A send that waits.
#[derive(Clone, Copy, Debug)]
struct Blocked {
    record: Outgoing,
    since: Time,
    /// Counts sends.
    turn: u64,
}

/// All sends that wait, as if each had a thread of its own. What came first is served first; only a topic that nobody knows yet
/// is passed over.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    topics: BTreeMap<TopicId, VecDeque<Blocked>>,
    count: usize,
    turns: u64,
    /// The first in turn has found no room.
    pub(super) for_room: bool,
}

impl Waiting {
    /// Whether nobody waits.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many wait.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// One more waits.
    pub(super) fn push(&mut self, record: Outgoing, since: Time) {
        self.turns += 1;
        self.count += 1;
        self.topics.entry(record.topic).or_default().push_back(Blocked { record, since, turn: self.turns });
    }

    /// Who is next, of those whose topic is known.
    pub(super) fn next(&self, is_known: impl Fn(TopicId) -> bool) -> Option<Outgoing> {
        let heads = self.topics.iter().filter(|(topic, _)| is_known(**topic)).filter_map(|(_, queue)| queue.front());
        heads.min_by_key(|blocked| blocked.turn).map(|blocked| blocked.record)
    }

    /// The next of a topic waits no longer.
    pub(super) fn pop(&mut self, topic: TopicId) -> Option<Outgoing> {
        let queue = self.topics.get_mut(&topic)?;
        let first = queue.pop_front()?;
        if queue.is_empty() {
            self.topics.remove(&topic);
        }
        self.count -= 1;
        Some(first.record)
    }

    /// The topics that somebody waits for.
    pub(super) fn topics(&self) -> impl Iterator<Item = TopicId> + '_ {
        self.topics.keys().copied()
    }

    /// Those that have waited for too long wait no longer. When the next will have, if nothing happens.
    pub(super) fn expire(&mut self, now: Time, most: Span, expired: &mut Vec<Outgoing>) -> Option<Time> {
        for topic in self.topics().collect::<Vec<_>>() {
            while self.topics.get(&topic).and_then(VecDeque::front).is_some_and(|first| first.since + most <= now) {
                expired.extend(self.pop(topic));
            }
        }
        self.topics.values().filter_map(|queue| queue.front()).map(|first| first.since + most).min()
    }

    /// Nobody waits any longer.
    pub(super) fn clear(&mut self) -> Vec<Outgoing> {
        self.count = 0;
        std::mem::take(&mut self.topics).into_values().flatten().map(|blocked| blocked.record).collect()
    }
}

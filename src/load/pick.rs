//! What an operation is about: its key, its size, its client. All three depend on the operation's number in its stream and
//! not on when it comes or what was drawn before, so that another rate law asks for the same things.

use super::config::{ClientChoice, Keys, LoadStream, Sizes};
use super::curve::{Alias, zipf};
use super::trace::TraceRow;
use crate::base::{Chance, Decision, KeyId, Lane, NodeId, SmallStream, Stream, Tag, Words, WorldKey};

/// Tables for choosing; shared by all runs of a plan.
#[derive(Clone, Debug)]
pub(super) struct Picker {
    keys: KeyTable,
    sizes: SizeTable,
    choice: ClientChoice,
}

#[derive(Clone, Debug)]
enum KeyTable {
    Uniform(u32),
    Zipf(Alias),
    Hot { count: u32, hot: u32, share: Chance },
    Sequential(u32),
    Recorded,
}

#[derive(Clone, Debug)]
enum SizeTable {
    Constant(u32),
    Uniform { low: u32, high: u32 },
    Mix { bytes: Vec<u32>, weights: Alias },
    Recorded,
}

/// Which operation is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    /// Its number in the stream, from zero.
    pub(super) number: u64,
    /// Its words.
    pub(super) decision: Decision,
    /// Its row, if it is recorded.
    pub(super) row: Option<TraceRow>,
}

/// The secret from which a stream's choices follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chooser(WorldKey);

impl Chooser {
    /// That of stream number `index` under a seed.
    pub(super) fn new(seed: u64, index: u64) -> Chooser {
        Chooser(WorldKey::new(Stream::named(seed, "load choices", index).word()))
    }

    /// The words of an open stream's operation.
    pub(super) fn open(&self, number: u64) -> Decision {
        self.0.open(NodeId(0), NodeId(0), Tag { kind: 0, subject: number, attempt: 1 })
    }

    /// The words of the n-th operation of a user.
    pub(super) fn user(&self, user: u32, n: u32) -> Decision {
        self.0.open(NodeId(0), NodeId(user), Tag { kind: 1, subject: u64::from(n), attempt: 1 })
    }

    /// The words of the thought of a user before its n-th operation.
    pub(super) fn thought(&self, user: u32, n: u32) -> SmallStream {
        self.user(user, n).words(Lane::Delay, 0)
    }
}

impl Picker {
    /// The tables of a stream without problems.
    pub(super) fn new(stream: &LoadStream) -> Picker {
        let keys = match stream.keys {
            Keys::Uniform { count } => KeyTable::Uniform(count),
            Keys::Zipf { count, exponent_milli } => KeyTable::Zipf(Alias::new(&zipf(count, exponent_milli))),
            Keys::Hot { count, hot, share } => KeyTable::Hot { count, hot, share },
            Keys::Sequential { count } => KeyTable::Sequential(count),
            Keys::FromTrace => KeyTable::Recorded,
        };
        let sizes = match &stream.size {
            Sizes::Constant(bytes) => SizeTable::Constant(*bytes),
            Sizes::Uniform { low, high } => SizeTable::Uniform { low: *low, high: *high },
            Sizes::Mix(parts) => {
                let weights: Vec<u64> = parts.iter().map(|(_, weight)| u64::from(*weight)).collect();
                SizeTable::Mix { bytes: parts.iter().map(|(bytes, _)| *bytes).collect(), weights: Alias::new(&weights) }
            }
            Sizes::FromTrace => SizeTable::Recorded,
        };
        Picker { keys, sizes, choice: stream.clients }
    }

    /// The key it is about.
    pub(super) fn key(&self, of: Subject) -> KeyId {
        let mut words = of.decision.words(Lane::Choice, 0);
        KeyId(match &self.keys {
            KeyTable::Uniform(count) => below(&mut words, *count),
            KeyTable::Zipf(alias) => alias.draw(&mut words),
            KeyTable::Hot { count, hot, share } => {
                if words.hits(*share) {
                    below(&mut words, *hot)
                } else {
                    hot + below(&mut words, count - hot)
                }
            }
            KeyTable::Sequential(count) => u32::try_from(of.number % u64::from(*count)).expect("below a count"),
            KeyTable::Recorded => return of.row.and_then(|row| row.key).expect("a plan has no trace without keys"),
        })
    }

    /// How many bytes it carries.
    pub(super) fn bytes(&self, of: Subject) -> u32 {
        let mut words = of.decision.words(Lane::Choice, 1);
        match &self.sizes {
            SizeTable::Constant(bytes) => *bytes,
            SizeTable::Uniform { low, high } => {
                low + u32::try_from(words.below(u64::from(high - low) + 1)).expect("no more than the difference")
            }
            SizeTable::Mix { bytes, weights } => bytes[weights.draw(&mut words) as usize],
            SizeTable::Recorded => of.row.and_then(|row| row.bytes).expect("a plan has no trace without sizes"),
        }
    }

    /// The client that is asked, as a position among so many.
    pub(super) fn client(&self, of: Subject, key: KeyId, count: u32) -> u32 {
        if let Some(client) = of.row.and_then(|row| row.client) {
            return client % count;
        }
        match self.choice {
            ClientChoice::RoundRobin => u32::try_from(of.number % u64::from(count)).expect("below a count"),
            ClientChoice::ByKey => key.0 % count,
            ClientChoice::Random => below(&mut of.decision.words(Lane::Choice, 2), count),
        }
    }
}

fn below(words: &mut SmallStream, count: u32) -> u32 {
    u32::try_from(words.below(u64::from(count))).expect("below a count")
}

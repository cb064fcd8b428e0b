//! Keyed decisions: what befalls a message depends on its name, not on what was drawn before it.

use super::NodeId;
use super::digest::folded;
use super::stream::{SmallStream, Stream, Words, finish};

/// The name of one transmission of a message: who sends what to whom, about which subject, for the how-manieth time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tag {
    /// Index into the protocol's list of message kinds.
    pub kind: u16,
    /// What the message is about (a payload, an operation, a heartbeat number).
    pub subject: u64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// The independent questions asked about one transmission. Each has its own word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u64)]
pub enum Lane {
    /// Is it lost?
    Loss,
    /// Does it arrive twice?
    Duplicate,
    /// How long does it take?
    Delay,
    /// How much longer, by jitter?
    Jitter,
    /// Is it held back behind later ones?
    Reorder,
    /// Is it damaged, and how?
    Corrupt,
    /// How long does its service take?
    Service,
    /// A choice the protocol makes about the subject.
    Choice,
}

/// The secret of one world, from which all keyed decisions follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldKey([u64; 4]);

/// An opened tag: ready to answer for each lane.
///
/// ```
/// use deadletter::base::{Lane, NodeId, Tag, WorldKey};
/// let key = WorldKey::new(7);
/// let tag = Tag { kind: 1, subject: 17, attempt: 2 };
/// let first = key.open(NodeId(0), NodeId(1), tag);
/// assert_eq!(first.word(Lane::Loss, 0), key.open(NodeId(0), NodeId(1), tag).word(Lane::Loss, 0));
/// assert_ne!(first.word(Lane::Loss, 0), first.word(Lane::Delay, 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision(u64);

impl WorldKey {
    /// The key of the world with this seed.
    #[must_use]
    pub fn new(seed: u64) -> WorldKey {
        let mut stream = Stream::named(seed, "decisions", 0);
        WorldKey([stream.word(), stream.word(), stream.word(), stream.word()])
    }

    /// Opens the tag of a transmission from one node to another.
    #[inline]
    #[must_use]
    pub fn open(&self, from: NodeId, to: NodeId, tag: Tag) -> Decision {
        let ends = u64::from(from.0) << 32 | u64::from(to.0);
        let what = u64::from(tag.kind) << 48 ^ u64::from(tag.attempt).rotate_left(16);
        // A fold by an unlucky factor (zero, all ones) erases what it multiplies: what the tag says enters once more beside it.
        let subject = tag.subject ^ self.0[1];
        let half = folded(ends ^ self.0[0], subject) ^ subject.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Decision(folded(half ^ what ^ self.0[2], self.0[3] | 1) ^ half.rotate_left(29) ^ what.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }
}

impl Decision {
    /// The word of a lane; `step` tells repeated draws apart (hops of a path, copies, retransmissions).
    #[inline]
    #[must_use]
    pub const fn word(self, lane: Lane, step: u32) -> u64 {
        finish(
            self.0
                .wrapping_add((lane as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
                .wrapping_add((step as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)),
        )
    }

    /// A source of further words inside a lane, for laws that draw more than one.
    #[inline]
    #[must_use]
    pub const fn words(self, lane: Lane, step: u32) -> SmallStream {
        SmallStream::from_word(self.word(lane, step))
    }

    /// The opened tag's hash: overrides are found by it.
    #[must_use]
    pub const fn hash(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANES: [Lane; 8] =
        [Lane::Loss, Lane::Duplicate, Lane::Delay, Lane::Jitter, Lane::Reorder, Lane::Corrupt, Lane::Service, Lane::Choice];

    /// Draws in one chi-square test: a hundred a bin.
    const DRAWS: u64 = 25_600;

    /// Chi-square tests over 256 bins, gathered. Each statistic, less its mean 255 and over its deviation, must lie within 5.5
    /// (the tail of chi-square at this size: about one in 10⁷), and the average of all within 4.5 of its standard errors: too
    /// even a distribution fails as too uneven a one does.
    #[derive(Default)]
    struct Trials {
        sum: f64,
        count: f64,
    }

    impl Trials {
        fn uniform(&mut self, what: &str, mut bin: impl FnMut(u64) -> u64) {
            let mut bins = [0u32; 256];
            for i in 0..DRAWS {
                bins[usize::try_from(bin(i) & 255).unwrap()] += 1;
            }
            let expected = DRAWS / 256;
            let squares: u64 = bins.iter().map(|count| u64::from(*count).abs_diff(expected).pow(2)).sum();
            let deviations = (squares as f64 / expected as f64 - 255.0) / 510f64.sqrt();
            assert!(deviations.abs() < 5.5, "{what}: {deviations} deviations from uniform");
            self.sum += deviations;
            self.count += 1.0;
        }

        fn finish(self) {
            let errors = self.sum / self.count.sqrt();
            assert!(errors.abs() < 4.5, "{} trials together are {errors} standard errors off", self.count);
        }
    }

    /// The first half byte of each of two words: 256 bins, all alike when both are uniform and independent.
    fn both(a: u64, b: u64) -> u64 {
        a >> 60 << 4 | b >> 60
    }

    /// Keys as they come, and keys that are as weak as can be.
    fn keys() -> Vec<WorldKey> {
        let mut keys: Vec<WorldKey> = (0..6).map(WorldKey::new).collect();
        keys.extend([WorldKey([0, 0, 0, 1]), WorldKey([1, 1, 1, 1]), WorldKey([u64::MAX; 4]), WorldKey([1 << 63; 4])]);
        keys
    }

    fn tag(subject: u64, attempt: u32) -> Tag {
        Tag { kind: 3, subject, attempt }
    }

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);

    #[test]
    fn every_byte_of_every_lane_is_uniform() {
        let mut trials = Trials::default();
        for key in keys() {
            for lane in LANES {
                for byte in 0..8 {
                    trials.uniform(&format!("{key:?} {lane:?} byte {byte}"), |i| key.open(A, B, tag(i, 1)).word(lane, 0) >> (8 * byte));
                }
            }
        }
        trials.finish();
    }

    #[test]
    fn lanes_are_independent_of_each_other() {
        let mut trials = Trials::default();
        for key in keys() {
            for (i, one) in LANES.iter().enumerate() {
                for other in &LANES[..i] {
                    trials.uniform(&format!("{key:?} {one:?} {other:?}"), |i| {
                        let decision = key.open(A, B, tag(i, 1));
                        both(decision.word(*one, 0), decision.word(*other, 0))
                    });
                }
            }
        }
        trials.finish();
    }

    /// What differs in one small number only decides alike no more often than strangers do.
    #[test]
    fn neighbours_are_independent_of_each_other() {
        let mut trials = Trials::default();
        for key in keys() {
            for lane in LANES {
                let word = |from: NodeId, to: NodeId, tag: Tag, step: u32| key.open(from, to, tag).word(lane, step);
                let mut pair = |what: &str, pair: &dyn Fn(u64) -> (u64, u64)| {
                    trials.uniform(&format!("{key:?} {lane:?} {what}"), |i| {
                        let (a, b) = pair(i);
                        both(a, b)
                    });
                };
                pair("attempts", &|i| (word(A, B, tag(i, 1), 0), word(A, B, tag(i, 2), 0)));
                pair("subjects", &|i| (word(A, B, tag(2 * i, 1), 0), word(A, B, tag(2 * i + 1, 1), 0)));
                pair("subjects in a row", &|i| (word(A, B, tag(i, 1), 0), word(A, B, tag(i + 1, 1), 0)));
                pair("directions", &|i| (word(A, B, tag(i, 1), 0), word(B, A, tag(i, 1), 0)));
                pair("receivers", &|i| (word(A, B, tag(i, 1), 0), word(A, NodeId(2), tag(i, 1), 0)));
                pair("kinds", &|i| (word(A, B, tag(i, 1), 0), word(A, B, Tag { kind: 4, ..tag(i, 1) }, 0)));
                pair("steps", &|i| (word(A, B, tag(i, 1), 0), word(A, B, tag(i, 1), 1)));
                pair("subject and attempt", &|i| (word(A, B, tag(i, 2), 0), word(A, B, tag(i + 1, 1), 0)));
                pair("pairs of nodes", &|i| {
                    let (from, to) = (NodeId(u32::try_from(i % 160).unwrap()), NodeId(u32::try_from(200 + i / 160).unwrap()));
                    (word(from, to, tag(9, 1), 0), word(to, from, tag(9, 1), 0))
                });
                pair("a lane's further words", &|i| {
                    let mut words = key.open(A, B, tag(i, 1)).words(lane, 0);
                    (words.word(), words.word())
                });
                pair("a lane's word and its further ones", &|i| {
                    let decision = key.open(A, B, tag(i, 1));
                    (decision.word(lane, 0), decision.words(lane, 0).word())
                });
            }
        }
        trials.finish();
    }

    /// Every bit of a tag turns every bit of the word in half of all cases: 176 by 64 shares of 4096 cases, each within 5.5
    /// standard errors of a half.
    #[test]
    fn every_bit_of_a_tag_reaches_every_bit_of_the_word() {
        let key = WorldKey::new(3);
        let word = |ends: u64, subject: u64, kind: u64, attempt: u64| {
            let (from, to) = (u32::try_from(ends >> 32).unwrap(), u32::try_from(ends & 0xffff_ffff).unwrap());
            let tag = Tag { kind: u16::try_from(kind).unwrap(), subject, attempt: u32::try_from(attempt).unwrap() };
            key.open(NodeId(from), NodeId(to), tag).word(Lane::Loss, 0)
        };
        let cases = 4096u64;
        for bit in 0..176u32 {
            let flip = |from: u32, width: u32| if (from..from + width).contains(&bit) { 1u64 << (bit - from) } else { 0 };
            let mut turned = [0u32; 64];
            for case in 0..cases {
                let (ends, subject, kind, attempt) = (((case % 7) << 32) | (case % 5), case, case % 3, 1 + case % 2);
                let before = word(ends, subject, kind, attempt);
                let after = word(ends ^ flip(0, 64), subject ^ flip(64, 64), kind ^ flip(128, 16), attempt ^ flip(144, 32));
                let changed = before ^ after;
                turned.iter_mut().enumerate().for_each(|(place, count)| *count += u32::from(changed >> place & 1 == 1));
            }
            let error = (cases as f64 * 0.25).sqrt();
            for (place, count) in turned.iter().enumerate() {
                let errors = (f64::from(*count) - cases as f64 / 2.0) / error;
                assert!(errors.abs() < 5.5, "bit {bit} of the tag, bit {place} of the word: {errors} standard errors");
            }
        }
    }

    /// Old verdicts rest on these words.
    #[test]
    fn decisions_are_pinned() {
        let decision = WorldKey::new(7).open(A, B, Tag { kind: 1, subject: 17, attempt: 2 });
        let words: Vec<u64> = LANES.iter().map(|lane| decision.word(*lane, 0)).collect();
        assert_eq!(
            words,
            [
                0x25ed_58ac_6eaf_13b0,
                0xca0f_9af9_1465_6d8f,
                0x64b9_1c1b_7e0e_35c8,
                0x7ce1_cb8c_f320_cef5,
                0x863e_fb95_6653_df75,
                0xebf0_24b5_b050_1cab,
                0x4dbc_1d7a_ccae_ef7c,
                0x934d_90a2_6c89_8d00
            ]
        );
        assert_eq!(decision.words(Lane::Delay, 1).word(), 0x32f2_7010_92ef_850a);
    }
}

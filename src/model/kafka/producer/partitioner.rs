//! Which partition of a topic a record goes to.

use crate::base::{KeyId, SmallStream, Words};

use super::super::config::Partitioner;

/// Kafka's hash of keys: murmur2, 32 bits, with its seed.
pub(super) fn murmur2(data: &[u8]) -> u32 {
    const FACTOR: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).expect("keys are short");
    let mut hash = 0x9747_b28c ^ length;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(FACTOR);
        hash = hash.wrapping_mul(FACTOR) ^ (word ^ (word >> 24)).wrapping_mul(FACTOR);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, byte| tail << 8 | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(FACTOR);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(FACTOR);
    hash ^ (hash >> 15)
}

/// The partition of a key: the hash of its decimal digits, without its sign, over the number of partitions.
pub(super) fn of_key(key: KeyId, partitions: u32) -> u32 {
    let mut digits = [0u8; 10];
    let mut at = digits.len();
    let mut rest = key.0;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    (murmur2(&digits[at..]) & 0x7fff_ffff) % partitions
}

/// What is remembered for one topic between choices.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Choice {
    /// The partition that is stuck to.
    current: Option<u32>,
    /// Bytes that went there since it was chosen.
    bytes: u64,
    /// Records so far, for turns.
    turn: u32,
}

/// A topic as choices see it: how many partitions it has, and which of them have a leader.
pub(super) struct Field<'a> {
    pub(super) partitions: u32,
    pub(super) is_led: &'a dyn Fn(u32) -> bool,
}

impl Choice {
    /// The partition for a record. Asking again gives the same until [`Choice::went`].
    pub(super) fn choose(&mut self, how: Partitioner, key: KeyId, field: &Field<'_>, words: &mut SmallStream) -> u32 {
        match how {
            Partitioner::KeyHash => of_key(key, field.partitions),
            Partitioner::Sticky => *self.current.get_or_insert_with(|| at_random(field, words)),
            Partitioner::RoundRobin => {
                let led = (0..field.partitions).filter(|number| (field.is_led)(*number)).count();
                match u32::try_from(led).expect("not more than there are") {
                    0 => self.turn % field.partitions,
                    led => nth_led(field, self.turn % led),
                }
            }
        }
    }

    /// A record of so many bytes went to the chosen partition. `full`: the batch there takes no more. One that is stuck to is left when a
    /// batch's worth went there and the batch is full, or at the latest when twice as much did.
    pub(super) fn went(
        &mut self,
        how: Partitioner,
        (bytes, batch_size): (u32, u32),
        full: bool,
        field: &Field<'_>,
        words: &mut SmallStream,
    ) {
        match how {
            Partitioner::KeyHash => {}
            Partitioner::RoundRobin => self.turn = self.turn.wrapping_add(1) & 0x7fff_ffff,
            Partitioner::Sticky => {
                self.bytes += u64::from(bytes);
                let enough = u64::from(batch_size);
                if self.bytes >= enough && full || self.bytes >= 2 * enough {
                    self.current = Some(at_random(field, words));
                    self.bytes = 0;
                }
            }
        }
    }
}

/// Any partition that has a leader; any at all if none has.
fn at_random(field: &Field<'_>, words: &mut SmallStream) -> u32 {
    let below = |n: u32, words: &mut SmallStream| u32::try_from(words.below(u64::from(n))).expect("below a small number");
    let led = (0..field.partitions).filter(|number| (field.is_led)(*number)).count();
    match u32::try_from(led).expect("not more than there are") {
        0 => below(field.partitions, words),
        led => nth_led(field, below(led, words)),
    }
}

fn nth_led(field: &Field<'_>, nth: u32) -> u32 {
    (0..field.partitions).filter(|number| (field.is_led)(*number)).nth(nth as usize).expect("so many are led")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kafka's own (UtilsTest), as signed numbers.
    #[test]
    fn the_hash_is_kafkas() {
        let table: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (text, hash) in table {
            assert_eq!(murmur2(text.as_bytes()), u32::from_ne_bytes(hash.to_ne_bytes()), "{text}");
        }
    }

    #[test]
    fn keys_are_hashed_by_their_decimal_digits_without_sign() {
        assert_eq!(of_key(KeyId(21), 1000), (-973_932_308_i32 & 0x7fff_ffff).unsigned_abs() % 1000);
        for key in [0, 7, 10, 99, 100, 4_294_967_295] {
            let text = key.to_string();
            assert_eq!(of_key(KeyId(key), 17), (murmur2(text.as_bytes()) & 0x7fff_ffff) % 17, "{key}");
        }
    }

    #[test]
    fn sticky_stays_for_a_batch_and_avoids_partitions_without_leader() {
        let mut words = SmallStream::named(3, "sticky", 0);
        let field = Field { partitions: 6, is_led: &|number| number % 2 == 1 };
        let mut choice = Choice::default();
        let mut seen = [0; 6];
        for _ in 0..300 {
            let first = choice.choose(Partitioner::Sticky, KeyId(0), &field, &mut words);
            seen[first as usize] += 1;
            for filled in [400, 800, 1200, 1600] {
                assert_eq!(choice.choose(Partitioner::Sticky, KeyId(9), &field, &mut words), first);
                choice.went(Partitioner::Sticky, (400, 1000), filled == 1600, &field, &mut words);
            }
        }
        assert_eq!((seen[0], seen[2], seen[4]), (0, 0, 0));
        assert!(seen[1].min(seen[3]).min(seen[5]) > 60, "each is chosen: {seen:?}");
        let mut choice = Choice::default();
        let first = choice.choose(Partitioner::Sticky, KeyId(0), &field, &mut words);
        choice.went(Partitioner::Sticky, (1999, 1000), false, &field, &mut words);
        assert_eq!(choice.choose(Partitioner::Sticky, KeyId(0), &field, &mut words), first, "not left before the batch is full");
        choice.went(Partitioner::Sticky, (1, 1000), false, &field, &mut words);
        assert_eq!(choice.bytes, 0, "left at twice the size");
    }

    #[test]
    fn turns_go_over_the_led_partitions() {
        let mut words = SmallStream::named(3, "turns", 0);
        let field = Field { partitions: 4, is_led: &|number| number != 2 };
        let mut choice = Choice::default();
        let mut turns = Vec::new();
        for _ in 0..7 {
            turns.push(choice.choose(Partitioner::RoundRobin, KeyId(0), &field, &mut words));
            choice.went(Partitioner::RoundRobin, (1, 1), false, &field, &mut words);
        }
        assert_eq!(turns, [0, 1, 3, 0, 1, 3, 0]);
    }
}

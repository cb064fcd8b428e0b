//! The rolling digest of everything that happened: two runs are equal when their digests are.

use std::fmt;

const FOLD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A 64-bit rolling digest; one folded multiply for each pair of words.
///
/// ```
/// use deadletter::base::Digest;
/// let mut a = Digest::new();
/// let mut b = Digest::new();
/// a.words(1, 2);
/// b.words(2, 1);
/// assert_ne!(a, b);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Digest(u64);

/// The high and low half of a 128-bit product, xored.
#[must_use]
pub(crate) const fn folded(a: u64, b: u64) -> u64 {
    let wide = (a as u128) * (b as u128);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let halves = ((wide >> 64) as u64, wide as u64);
    halves.0 ^ halves.1
}

impl Digest {
    /// The digest of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Digest(0x243f_6a88_85a3_08d3)
    }

    /// Adds two words.
    #[inline]
    pub const fn words(&mut self, a: u64, b: u64) {
        // Rotating the state by a fixed amount keeps a zero product from erasing the past.
        self.0 = self.0.rotate_left(23) ^ folded(self.0 ^ a ^ FOLD, b ^ 0xa409_3822_299f_31d0);
    }

    /// Adds one word.
    #[inline]
    pub const fn word(&mut self, a: u64) {
        self.words(a, 0x082e_fa98_ec4e_6c89);
    }

    /// Adds a text, its length included.
    pub fn text(&mut self, text: &str) {
        self.words(text.len() as u64, xxhash_rust::xxh3::xxh3_64(text.as_bytes()));
    }

    /// A digest as it is displayed: sixteen hexadecimal digits, letters small.
    ///
    /// ```
    /// use deadletter::base::Digest;
    /// let digest = Digest::new();
    /// assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
    /// assert_eq!(Digest::parse("243F6A8885A308D3"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Digest> {
        let right = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if right { u64::from_str_radix(text, 16).ok().map(Digest) } else { None }
    }

    /// The digest so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl std::hash::Hasher for Digest {
    /// The digest so far: of what derives `Hash`, for comparing states within one process.
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.words(bytes.len() as u64, xxhash_rust::xxh3::xxh3_64(bytes));
    }
    fn write_u8(&mut self, word: u8) {
        self.word(u64::from(word));
    }
    fn write_u32(&mut self, word: u32) {
        self.word(u64::from(word));
    }
    fn write_u64(&mut self, word: u64) {
        self.word(word);
    }
}

impl Default for Digest {
    fn default() -> Self {
        Digest::new()
    }
}

impl fmt::Display for Digest {
    /// Sixteen hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

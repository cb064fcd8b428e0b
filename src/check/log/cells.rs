//! What stands at which offset, exactly and in about a byte each: chunks that are in use lie open, the others are packed.

use std::sync::Arc;

/// How many offsets share a chunk.
const CHUNK: usize = 1024;

/// Nothing is known of this offset.
const NONE: u32 = u32::MAX;

#[derive(Clone, Debug, Default)]
enum Chunk {
    #[default]
    Empty,
    /// As long as it needs to be, at most [`CHUNK`].
    Open(Arc<Vec<u32>>),
    Packed(Arc<[u8]>),
}

/// A map from dense numbers to 32-bit values: from offsets to payloads, or from payloads to keys. Clones share chunks until they differ.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    chunks: Vec<Chunk>,
    /// The open chunks, the one used last first.
    open: Vec<u32>,
    /// How many may be open.
    limit: usize,
}

impl Cells {
    /// Nothing is known; so many chunks may be open at once: as many as there are places in use.
    pub(super) fn new(limit: usize) -> Cells {
        Cells { chunks: Vec::new(), open: Vec::new(), limit: limit.max(1) }
    }

    /// The value of a number. Opens its chunk: for places that are in use.
    #[inline]
    pub(super) fn get(&mut self, at: u32) -> Option<u32> {
        let index = at as usize / CHUNK;
        if index >= self.chunks.len() {
            return None;
        }
        if matches!(self.chunks[index], Chunk::Empty) {
            return None;
        }
        self.touch(index);
        let Chunk::Open(values) = &self.chunks[index] else { unreachable!("it was opened") };
        values.get(at as usize % CHUNK).copied().filter(|value| *value != NONE)
    }

    /// Gives a number its value.
    #[inline]
    pub(super) fn set(&mut self, at: u32, value: u32) {
        let (index, offset) = (at as usize / CHUNK, at as usize % CHUNK);
        if index >= self.chunks.len() {
            self.chunks.resize(index + 1, Chunk::Empty);
        }
        self.touch(index);
        let Chunk::Open(values) = &mut self.chunks[index] else { unreachable!("it was opened") };
        let values = Arc::make_mut(values);
        if offset >= values.len() {
            values.resize(offset + 1, NONE);
        }
        values[offset] = value;
    }

    /// Opens a chunk, and packs the one that has not been used for longest when there are too many.
    #[inline]
    fn touch(&mut self, index: usize) {
        let name = u32::try_from(index).expect("numbers have 32 bits");
        if self.open.first() == Some(&name) {
            return;
        }
        self.bring(index, name);
    }

    fn bring(&mut self, index: usize, name: u32) {
        if let Some(place) = self.open.iter().position(|n| *n == name) {
            self.open[..=place].rotate_right(1);
            return;
        }
        let values = match std::mem::take(&mut self.chunks[index]) {
            Chunk::Empty => Vec::new(),
            Chunk::Packed(bytes) => unpacked(&bytes),
            Chunk::Open(_) => unreachable!("it would be among the open ones"),
        };
        self.chunks[index] = Chunk::Open(Arc::new(values));
        self.open.insert(0, name);
        if self.open.len() > self.limit {
            let oldest = self.open.pop().expect("there are several") as usize;
            if let Chunk::Open(values) = &self.chunks[oldest] {
                self.chunks[oldest] = Chunk::Packed(packed(values));
            }
        }
    }

    /// The value of a number, without opening anything: for the end, when numbers are asked for in order. The reader keeps what it unpacked.
    pub(super) fn look<'c>(&'c self, at: u32, reader: &mut Unpacked<'c>) -> Option<u32> {
        let index = at as usize / CHUNK;
        if reader.chunk != Some(index) {
            reader.chunk = Some(index);
            reader.own = match self.chunks.get(index) {
                None | Some(Chunk::Empty) => Values::None,
                Some(Chunk::Open(values)) => Values::Lent(values),
                Some(Chunk::Packed(bytes)) => Values::Own(unpacked(bytes)),
            };
        }
        let values = match &reader.own {
            Values::None => &[][..],
            Values::Lent(values) => values,
            Values::Own(values) => values,
        };
        values.get(at as usize % CHUNK).copied().filter(|value| *value != NONE)
    }

    /// Every number with its value, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.chunks.iter().enumerate().flat_map(|(index, chunk)| {
            let values = match chunk {
                Chunk::Empty => Vec::new(),
                Chunk::Open(values) => values.to_vec(),
                Chunk::Packed(bytes) => unpacked(bytes),
            };
            let first = index * CHUNK;
            let numbered = values.into_iter().enumerate().filter(|(_, value)| *value != NONE);
            numbered.map(move |(i, value)| (u32::try_from(first + i).expect("numbers have 32 bits"), value))
        })
    }

    /// Whether all chunks are the very ones of a clone.
    #[cfg(test)]
    pub(super) fn shares_with(&self, other: &Cells) -> bool {
        let same = |(one, other): (&Chunk, &Chunk)| match (one, other) {
            (Chunk::Open(one), Chunk::Open(other)) => Arc::ptr_eq(one, other),
            (Chunk::Packed(one), Chunk::Packed(other)) => Arc::ptr_eq(one, other),
            (Chunk::Empty, Chunk::Empty) => true,
            (Chunk::Open(_) | Chunk::Packed(_) | Chunk::Empty, _) => false,
        };
        self.chunks.len() == other.chunks.len() && self.chunks.iter().zip(&other.chunks).all(same)
    }

    /// Bytes on the heap, shared ones included.
    pub(super) fn bytes(&self) -> usize {
        let chunk = |chunk: &Chunk| match chunk {
            Chunk::Empty => 0,
            Chunk::Open(values) => values.capacity() * size_of::<u32>() + 40,
            Chunk::Packed(bytes) => bytes.len() + 16,
        };
        self.chunks.capacity() * size_of::<Chunk>() + self.open.capacity() * 4 + self.chunks.iter().map(chunk).sum::<usize>()
    }
}

/// The chunk that was looked at last.
#[derive(Default)]
pub(super) struct Unpacked<'c> {
    chunk: Option<usize>,
    own: Values<'c>,
}

#[derive(Default)]
enum Values<'c> {
    #[default]
    None,
    Lent(&'c [u32]),
    Own(Vec<u32>),
}

/// Values as bytes. A value is one more than its distance from the one before, folded so that small distances of either sign are small
/// numbers; a run of nothing is a zero and its length.
fn packed(values: &[u32]) -> Arc<[u8]> {
    let mut bytes = Vec::with_capacity(values.len() + values.len() / 4);
    let (mut before, mut missing) = (0_i64, 0_u64);
    for value in values {
        if *value == NONE {
            missing += 1;
            continue;
        }
        if missing > 0 {
            put(&mut bytes, 0);
            put(&mut bytes, std::mem::take(&mut missing));
        }
        let distance = i64::from(*value) - before;
        before = i64::from(*value);
        put(&mut bytes, ((distance << 1) ^ (distance >> 63)).cast_unsigned() + 1);
    }
    bytes.into()
}

fn unpacked(bytes: &[u8]) -> Vec<u32> {
    let mut values = Vec::with_capacity(CHUNK);
    let (mut rest, mut before) = (bytes, 0_i64);
    while !rest.is_empty() {
        match take(&mut rest) {
            0 => {
                let missing = usize::try_from(take(&mut rest)).expect("a chunk is short");
                values.resize(values.len() + missing, NONE);
            }
            folded => {
                let folded = folded - 1;
                before += (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
                values.push(u32::try_from(before).expect("values have 32 bits"));
            }
        }
    }
    values
}

/// Seven bits a byte, the lowest first; the eighth says that there are more.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn take(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    while let Some((first, rest)) = bytes.split_first() {
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        shift += 7;
        if first & 0x80 == 0 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn behave_like_a_map(
            limit in 1usize..4,
            steps in prop::collection::vec((prop_oneof![0u32..40, 1000u32..1060, 0u32..5_000], any::<bool>(), prop_oneof![0u32..50, 0u32..u32::MAX]), 0..300),
        ) {
            let (mut cells, mut twin) = (Cells::new(limit), BTreeMap::new());
            let mut fork = None;
            for (i, (at, put, value)) in steps.into_iter().enumerate() {
                if i == 100 {
                    fork = Some((cells.clone(), twin.clone()));
                }
                if put {
                    cells.set(at, value);
                    twin.insert(at, value);
                }
                prop_assert_eq!(cells.get(at), twin.get(&at).copied());
            }
            for (cells, twin) in fork.into_iter().chain([(cells, twin)]) {
                let mut reader = Unpacked::default();
                for at in 0..5_100 {
                    prop_assert_eq!(cells.look(at, &mut reader), twin.get(&at).copied());
                }
                prop_assert_eq!(cells.all().collect::<Vec<_>>(), twin.into_iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_value_takes_about_a_byte() {
        let mut cells = Cells::new(2);
        for at in 0..100_000 {
            cells.set(at, at * 12 + at % 7);
        }
        let bytes: usize = cells.chunks.iter().map(|c| if let Chunk::Packed(bytes) = c { bytes.len() } else { 0 }).sum();
        // The first value of a chunk stands on its own.
        assert!(bytes < 100_000 + 3 * (100_000 / CHUNK), "{bytes} bytes");
    }
}

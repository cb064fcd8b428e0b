//! Leader epochs: where in the log each began [S:kafka LeaderEpochFileCache].

use crate::base::Digest;

use super::super::ids::{Epoch, Offset};

/// For each leader epoch the offset at which it began. Epochs and offsets grow.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Epochs {
    began: Vec<(Epoch, Offset)>,
}

impl Epochs {
    /// An epoch begins at an offset, unless it has begun before. Later epochs, and those that began there or after, had nothing that
    /// counts: they are forgotten.
    #[inline]
    pub fn assign(&mut self, epoch: Epoch, start: Offset) {
        if self.began.last().is_some_and(|(last, from)| *last == epoch && *from <= start) {
            return;
        }
        while self.began.pop_if(|(other, from)| *other >= epoch || *from >= start).is_some() {}
        self.began.push((epoch, start));
    }

    /// The last epoch.
    #[must_use]
    pub fn last(&self) -> Option<Epoch> {
        self.began.last().map(|(epoch, _)| *epoch)
    }

    /// The last epoch not above the one asked for, and where it ended. What is above all known ones ended where the log does; what is
    /// below all of them ended where the first known one began.
    #[must_use]
    pub fn end_of(&self, asked: Epoch, log_end: Offset) -> (Epoch, Offset) {
        let higher = self.began.partition_point(|(epoch, _)| *epoch <= asked);
        let end = self.began.get(higher).map_or(log_end, |(_, start)| *start);
        (higher.checked_sub(1).map_or(asked, |at| self.began[at].0), end)
    }

    /// The epoch in which what is at an offset was appended.
    #[must_use]
    pub fn at(&self, offset: Offset) -> Option<Epoch> {
        let after = self.began.partition_point(|(_, start)| *start <= offset);
        after.checked_sub(1).map(|at| self.began[at].0)
    }

    /// The log ends at an offset: epochs that began there or later never were.
    pub fn truncate(&mut self, end: Offset) {
        while self.began.pop_if(|(_, from)| *from >= end).is_some() {}
    }

    /// The log begins at an offset: the epoch in force there begins there.
    pub fn start_at(&mut self, start: Offset) {
        let after = self.began.partition_point(|(_, from)| *from <= start);
        if let Some(last) = after.checked_sub(1) {
            self.began[last].1 = start;
            self.began.drain(..last);
        }
    }

    /// All of them with their beginnings.
    #[must_use]
    pub fn all(&self) -> &[(Epoch, Offset)] {
        &self.began
    }

    /// Adds them to a digest.
    pub fn fingerprint(&self, digest: &mut Digest) {
        for (epoch, start) in &self.began {
            digest.words(u64::from(*epoch), *start);
        }
    }
}

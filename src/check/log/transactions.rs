//! Which messages belong together, until all of them are where they should be.

use crate::base::{NodeId, PayloadId};

use super::super::bits::Plane;
use super::super::table::Table;

/// A message of a transaction: one that the load asked its producer for, or one that was carried on from where it was read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Part {
    pub(super) payload: PayloadId,
    pub(super) carried: bool,
}

impl Part {
    fn key(self) -> u64 {
        u64::from(self.carried) << 32 | u64::from(self.payload.0)
    }
}

/// A transaction that has not been seen as a whole yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Transaction {
    pub(super) node: NodeId,
    pub(super) parts: Vec<Part>,
}

/// The smallest number of transactions at which it is worth looking for those that are done with. Tests look all the time.
const SWEEP: usize = if cfg!(test) { 1 } else { 256 };

/// All transactions that still matter, and which of them messages belong to.
#[derive(Clone, Debug, Default)]
pub(super) struct Transactions {
    open: Table<Transaction>,
    /// By part.
    of: Table<u64>,
    /// What was ever part of one.
    pub(super) parts: Plane,
    /// Those that have been seen as a whole.
    pub(super) whole: u64,
    limit: usize,
}

impl Transactions {
    /// A message is put into a transaction, and is in no other from now on.
    pub(super) fn add(&mut self, number: u64, node: NodeId, part: Part) {
        self.take(part);
        self.parts.insert(part.payload.0);
        self.of.insert(part.key(), number);
        let transaction = self.open.entry(number);
        transaction.node = node;
        transaction.parts.push(part);
    }

    /// A message belongs to no transaction any more: it failed, or was put into another.
    pub(super) fn take(&mut self, part: Part) {
        let Some(number) = self.of.remove(part.key()) else { return };
        let Some(transaction) = self.open.get_mut(number) else { return };
        transaction.parts.retain(|other| *other != part);
        if transaction.parts.is_empty() {
            self.open.remove(number);
        }
    }

    /// The transaction that a message is in.
    pub(super) fn of(&self, part: Part) -> Option<(u64, &Transaction)> {
        let number = *self.of.get(part.key())?;
        Some((number, self.open.get(number)?))
    }

    /// Whether it is time to [`sweep`](Self::sweep).
    #[inline]
    pub(super) fn overgrown(&self) -> bool {
        self.open.len() > self.limit.max(SWEEP)
    }

    /// Forgets the transactions that are done with.
    pub(super) fn sweep(&mut self, is_whole: impl Fn(&Transaction) -> bool) {
        let done: Vec<u64> = self.open.unordered().filter(|(_, transaction)| is_whole(transaction)).map(|(number, _)| number).collect();
        for number in done {
            let transaction = self.open.remove(number).expect("it was found a moment ago");
            for part in transaction.parts {
                self.of.remove(part.key());
            }
            self.whole += 1;
        }
        self.limit = 2 * self.open.len();
    }

    /// Those that still matter, in order of number.
    pub(super) fn sorted(&self) -> Vec<(u64, &Transaction)> {
        self.open.sorted()
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        let parts: usize = self.open.unordered().map(|(_, t)| t.parts.capacity() * size_of::<Part>()).sum();
        self.open.bytes() + self.of.bytes() + self.parts.bytes() + parts
    }
}

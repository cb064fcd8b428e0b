//! A node's disk: what a process wrote, what of it would survive a kill, and what a power failure.
//!
//! A running process keeps its own memory and only writes; it reads the disk when it boots. So a disk is two images and a
//! queue between them: the writes that reached the medium, the writes that a reader sees, and the page cache of writes
//! that are only seen so far. Every write leaves the cache once, in order, and either becomes durable (a sync finished,
//! or the operating system wrote it back) or is given up (a sync failed).

use std::collections::VecDeque;

use super::config::DiskConfig;
use crate::base::{FaultId, Span, Time};

mod stores;

pub use stores::Either;

/// What a disk holds: the fold of the writes that reached it.
///
/// `apply` must accept any subsequence of the writes in their order: after a failed sync, later writes may be durable
/// while earlier ones are lost.
pub trait Contents: Clone {
    /// One write: appended records, a replaced file, a deleted segment.
    type Write: Clone;
    /// Takes a write up.
    fn apply(&mut self, write: Self::Write);
    /// What is left of a write that a power failure cut in two at a place chosen by `word`. `None`: nothing.
    fn torn(write: &Self::Write, word: u64) -> Option<Self::Write>;
    /// Damages something that is held, chosen by `word`; `false` when nothing is held that could be damaged.
    fn flip(&mut self, word: u64) -> bool;
    /// Bytes that a write takes up.
    fn bytes(write: &Self::Write) -> u64;
    /// Bytes that a write sets free (a deleted segment, a truncated log).
    fn frees(write: &Self::Write) -> u64;
}

/// No disk at all: nothing can be written.
impl Contents for () {
    type Write = std::convert::Infallible;
    fn apply(&mut self, write: Self::Write) {
        match write {}
    }
    fn torn(write: &Self::Write, _: u64) -> Option<Self::Write> {
        match *write {}
    }
    fn flip(&mut self, _: u64) -> bool {
        false
    }
    fn bytes(write: &Self::Write) -> u64 {
        match *write {}
    }
    fn frees(write: &Self::Write) -> u64 {
        match *write {}
    }
}

/// A write was refused: the disk is full, or a fault makes it so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiskFull {
    /// The fault that filled it; `None`: the writes themselves did.
    pub cause: Option<FaultId>,
}

/// How far a sync that was started reaches: every write before it, none after.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SyncPoint(u64);

/// What a power failure took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lost {
    /// Writes that did not survive whole, those of failed syncs included.
    pub writes: u64,
    /// Whether a part of one of them survived.
    pub torn: bool,
}

/// How the power fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PowerLoss {
    /// Between two writes: nothing of the page cache reaches the medium.
    Clean,
    /// In the middle of the first write of the page cache, at a place chosen by this word.
    Torn(u64),
}

/// A write that only the page cache holds.
#[derive(Clone, Debug)]
struct Cached<W> {
    at: Time,
    write: W,
}

/// The disk of one node.
///
/// ```
/// use deadletter::base::{Span, Time};
/// use deadletter::parts::config::MachineConfig;
/// use deadletter::parts::disk::{Contents, Disk, PowerLoss};
/// # #[derive(Clone, Default, PartialEq, Debug)] struct Words(Vec<u8>);
/// # impl Contents for Words {
/// #     type Write = u8;
/// #     fn apply(&mut self, write: u8) { self.0.push(write); }
/// #     fn torn(_: &u8, _: u64) -> Option<u8> { None }
/// #     fn flip(&mut self, _: u64) -> bool { false }
/// #     fn bytes(_: &u8) -> u64 { 1 }
/// #     fn frees(_: &u8) -> u64 { 0 }
/// # }
/// let mut disk = Disk::new(Words::default(), &MachineConfig::default().disk);
/// disk.write(Time::ZERO, 1).unwrap();
/// let point = disk.sync_started();
/// disk.write(Time::ZERO, 2).unwrap();
/// disk.sync_finished(point);
/// assert_eq!(disk.recover(), Words(vec![1, 2])); // after a kill: the page cache survives
/// let lost = disk.power_off(Time::ZERO + Span::secs(1), PowerLoss::Clean);
/// assert_eq!((lost.writes, disk.recover()), (1, Words(vec![1])));
/// ```
#[derive(Clone, Debug)]
pub struct Disk<C: Contents> {
    /// What a power failure leaves.
    durable: C,
    /// What a reader sees below the cache, once a failed sync made it differ from `durable`.
    seen: Option<Box<C>>,
    /// Dirty writes, oldest first; the newest has number `next - 1`.
    cache: VecDeque<Cached<C::Write>>,
    next: u64,
    /// Writes given up by failed syncs since the power last failed.
    given_up: u64,
    used: u64,
    used_durable: u64,
    capacity: Option<u64>,
    writeback: Option<Span>,
    fillers: Vec<FaultId>,
    stalls: Vec<FaultId>,
}

impl<C: Contents> Disk<C> {
    /// A disk with these contents on the medium. They count as no bytes.
    #[must_use]
    pub fn new(contents: C, config: &DiskConfig) -> Disk<C> {
        Disk {
            durable: contents,
            seen: None,
            cache: VecDeque::new(),
            next: 0,
            given_up: 0,
            used: 0,
            used_durable: 0,
            capacity: config.capacity,
            writeback: config.writeback,
            fillers: Vec::new(),
            stalls: Vec::new(),
        }
    }

    /// Puts a write into the page cache. A write that needs no more room than it sets free is always accepted.
    ///
    /// # Errors
    /// When the disk has no room for it, or a fault fills the disk.
    pub fn write(&mut self, now: Time, write: C::Write) -> Result<(), DiskFull> {
        let (takes, frees) = (C::bytes(&write), C::frees(&write));
        if takes > frees {
            if let Some(fault) = self.fillers.first() {
                return Err(DiskFull { cause: Some(*fault) });
            }
            let after = self.used.saturating_sub(frees).checked_add(takes);
            if after.is_none_or(|bytes| self.capacity.is_some_and(|most| bytes > most)) {
                return Err(DiskFull { cause: None });
            }
        }
        self.write_back(now);
        debug_assert!(self.cache.back().is_none_or(|last| last.at <= now), "writes come in order of time");
        self.used = self.used.saturating_sub(frees).saturating_add(takes);
        self.cache.push_back(Cached { at: now, write });
        self.next += 1;
        Ok(())
    }

    /// Begins a sync: it covers everything written so far.
    #[must_use]
    pub fn sync_started(&self) -> SyncPoint {
        SyncPoint(self.next)
    }

    /// A sync succeeded: what it covers is durable, except for what an earlier failed sync gave up.
    pub fn sync_finished(&mut self, point: SyncPoint) {
        self.settle(self.covered(point), true);
    }

    /// A sync failed: what it covers stays readable but is never durable, however many later syncs succeed. This is
    /// Linux's behaviour: the pages are marked clean after the first report of the error [S2:fsync-slides].
    /// Writes that the operating system had already written back are safe.
    pub fn sync_failed(&mut self, now: Time, point: SyncPoint) {
        self.write_back(now);
        self.settle(self.covered(point), false);
    }

    /// The operating system makes durable what was written at least its write-back time ago. The disk does this by itself
    /// before whatever depends on it; calling it oftener changes nothing but memory.
    pub fn write_back(&mut self, now: Time) {
        let Some(after) = self.writeback else { return };
        if self.stalls.is_empty() {
            let old = self.cache.iter().take_while(|cached| now.saturating_since(cached.at) >= after).count();
            self.settle(old, true);
        }
    }

    /// What a process that boots now reads: everything written and not lost, in order.
    #[must_use]
    pub fn recover(&self) -> C {
        let mut image = self.seen.as_deref().unwrap_or(&self.durable).clone();
        for cached in &self.cache {
            image.apply(cached.write.clone());
        }
        image
    }

    /// What a power failure now would leave, as of the last [`Disk::write_back`].
    #[must_use]
    pub const fn durable(&self) -> &C {
        &self.durable
    }

    /// The power fails: the page cache is lost. (A killed process loses nothing: its writes stay in the page cache.)
    pub fn power_off(&mut self, now: Time, how: PowerLoss) -> Lost {
        self.write_back(now);
        let mut lost = Lost { writes: self.given_up + self.cache.len() as u64, torn: false };
        let part = match (how, self.cache.front()) {
            (PowerLoss::Torn(word), Some(cached)) => C::torn(&cached.write, word),
            (PowerLoss::Torn(_), None) | (PowerLoss::Clean, _) => None,
        };
        self.cache.clear();
        self.seen = None;
        self.given_up = 0;
        if let Some(part) = part {
            lost.torn = true;
            self.make_durable(part);
        }
        self.used = self.used_durable;
        lost
    }

    /// Everything is lost: an empty disk stands in for the old one. Faults that act on it go on acting.
    pub fn wipe(&mut self, empty: C) {
        self.durable = empty;
        self.seen = None;
        self.cache.clear();
        (self.given_up, self.used, self.used_durable) = (0, 0, 0);
    }

    /// Damages something durable, chosen by `word`; `false` when there is nothing to damage. Where a failed sync left
    /// pages that only the cache holds, the cache keeps its undamaged copy until the power fails.
    pub fn flip(&mut self, now: Time, word: u64) -> bool {
        self.write_back(now);
        self.durable.flip(word)
    }

    /// A fault begins to fill the disk.
    pub fn fill(&mut self, fault: FaultId) {
        self.fillers.push(fault);
    }

    /// A fault no longer fills the disk. `false` when it did not.
    pub fn unfill(&mut self, fault: FaultId) -> bool {
        take(&mut self.fillers, fault)
    }

    /// A fault begins to stall the disk: nothing is written back, and syncs do not complete while
    /// [`Disk::stalled_by`] names a fault (their completion is the caller's event to hold).
    pub fn stall(&mut self, now: Time, fault: FaultId) {
        self.write_back(now);
        self.stalls.push(fault);
    }

    /// A fault no longer stalls the disk. `false` when it did not.
    pub fn unstall(&mut self, fault: FaultId) -> bool {
        take(&mut self.stalls, fault)
    }

    /// The fault that stalls the disk, if any does.
    #[must_use]
    pub fn stalled_by(&self) -> Option<FaultId> {
        self.stalls.first().copied()
    }

    /// Bytes in use, the page cache included.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// How many writes only the page cache holds.
    #[must_use]
    pub fn dirty(&self) -> u64 {
        self.cache.len() as u64
    }

    /// How many writes at the front of the cache a sync covers.
    fn covered(&self, point: SyncPoint) -> usize {
        assert!(point.0 <= self.next, "a sync covers writes of this disk");
        let first = self.next - self.cache.len() as u64;
        usize::try_from(point.0.saturating_sub(first)).expect("no more than the cache holds")
    }

    /// Takes the oldest `count` writes out of the cache, onto the medium or not.
    fn settle(&mut self, count: usize, durable: bool) {
        if !durable && count > 0 && self.seen.is_none() {
            self.seen = Some(Box::new(self.durable.clone()));
        }
        for _ in 0..count {
            let Cached { write, .. } = self.cache.pop_front().expect("the cache holds what is settled");
            if let Some(seen) = &mut self.seen {
                seen.apply(write.clone());
            }
            if durable {
                self.make_durable(write);
            } else {
                self.given_up += 1;
            }
        }
    }

    fn make_durable(&mut self, write: C::Write) {
        self.used_durable = self.used_durable.saturating_sub(C::frees(&write)).saturating_add(C::bytes(&write));
        self.durable.apply(write);
    }
}

/// Removes one entry of a fault; `false` when there is none.
fn take(causes: &mut Vec<FaultId>, fault: FaultId) -> bool {
    let place = causes.iter().position(|cause| *cause == fault);
    place.map(|at| causes.remove(at)).is_some()
}

#[cfg(test)]
mod tests;

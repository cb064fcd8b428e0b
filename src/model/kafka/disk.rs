//! What a broker keeps on disk: its logs, the checkpoints of its high watermarks and recovery points, and what the control plane keeps.

use std::sync::Arc;

use crate::base::Time;
use crate::world::Contents;

use super::batch::Stored;
use super::ids::{Epoch, Offset, Part};
use super::log::{Compacted, Deleted, Image, Log, Producers, Rules, Stopped, Tail};

/// One write. Checkpoints are files that are replaced as a whole.
#[derive(Clone, Debug)]
pub enum BrokerWrite<M> {
    /// A batch at the end of a log. See [`BrokerWrite::append`].
    Append {
        /// Which.
        part: Part,
        /// How the log ended before.
        after: Tail,
        /// The batch.
        entry: Stored,
    },
    /// A log ends at an offset.
    Truncate {
        /// Which.
        part: Part,
        /// Where.
        to: Offset,
        /// Bytes that this sets free.
        bytes: u64,
    },
    /// A log begins at an offset.
    DeleteBelow {
        /// Which.
        part: Part,
        /// Where.
        start: Offset,
        /// The first batch that is left: its offset and epoch.
        first: Option<(Offset, Epoch)>,
        /// Where the log ends.
        end: Offset,
        /// What is known of producers there.
        producers: Arc<Producers>,
        /// Bytes that this sets free.
        bytes: u64,
    },
    /// A log was compacted.
    Compacted {
        /// Which.
        part: Part,
        /// Up to where.
        to: Offset,
        /// What is left below.
        kept: Arc<[Stored]>,
        /// Bytes that this sets free.
        bytes: u64,
    },
    /// This broker holds no copy of a partition any more.
    Drop {
        /// Which.
        part: Part,
        /// Bytes that this sets free.
        bytes: u64,
    },
    /// The high watermarks of all logs.
    Watermarks(Arc<[(Part, Offset)]>),
    /// Up to where each log was synced.
    RecoveryPoints(Arc<[(Part, Offset)]>),
    /// The broker has stopped and everything is synced (`true`), or it starts (`false`).
    Stopped(bool),
    /// What the control plane keeps.
    Control(M),
}

impl<M> BrokerWrite<M> {
    /// A batch that is about to be appended to a log.
    #[must_use]
    pub fn append(part: Part, log: &Log, entry: Stored) -> BrokerWrite<M> {
        BrokerWrite::Append { part, after: log.tail(), entry }
    }

    /// What was removed from the beginning of a log.
    #[must_use]
    pub fn deleted(part: Part, log: &Log, deleted: &Deleted) -> BrokerWrite<M> {
        let first = log.batches_from(deleted.to).next().map(|entry| (entry.base, entry.epoch));
        BrokerWrite::DeleteBelow {
            part,
            start: deleted.to,
            first,
            end: log.end(),
            producers: log.producers_at_start(),
            bytes: deleted.bytes(),
        }
    }

    /// What compaction did to a log.
    #[must_use]
    pub fn compacted(part: Part, compacted: &Compacted) -> BrokerWrite<M> {
        BrokerWrite::Compacted { part, to: compacted.to, kept: Arc::clone(&compacted.kept), bytes: compacted.bytes }
    }
}

/// A broker's disk: the fold of what was written.
#[derive(Clone, Debug, Default)]
pub struct BrokerDisk<M> {
    /// By partition.
    logs: Vec<Option<Image>>,
    watermarks: Arc<[(Part, Offset)]>,
    recovery_points: Arc<[(Part, Offset)]>,
    stopped: bool,
    /// What the control plane keeps.
    pub control: M,
}

impl<M> BrokerDisk<M> {
    /// An empty disk, but for what the control plane finds there at first.
    #[must_use]
    pub fn new(control: M) -> BrokerDisk<M> {
        BrokerDisk { logs: Vec::new(), watermarks: Arc::default(), recovery_points: Arc::default(), stopped: false, control }
    }

    /// The partitions of which there is a log.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        self.logs.iter().enumerate().filter(|(_, image)| image.is_some()).map(|(at, _)| Part::at(at))
    }

    /// Whether the broker has stopped as it should.
    #[must_use]
    pub const fn stopped_cleanly(&self) -> bool {
        self.stopped
    }

    /// A log as a broker that starts now has it, and its high watermark as of the last checkpoint.
    #[must_use]
    pub fn log(&self, part: Part, rules: Rules, now: Time) -> Option<(Log, Offset)> {
        let image = self.logs.get(part.index())?.clone()?;
        let of = |all: &[(Part, Offset)]| all.iter().find(|(other, _)| *other == part).map_or(0, |(_, offset)| *offset);
        let stopped = if self.stopped { Stopped::Cleanly } else { Stopped::From(of(&self.recovery_points)) };
        let log = Log::recover(rules, image, stopped, now);
        let high_watermark = of(&self.watermarks).clamp(log.start(), log.end());
        Some((log, high_watermark))
    }

    fn image(&mut self, part: Part) -> &mut Image {
        if part.index() >= self.logs.len() {
            self.logs.resize_with(part.index() + 1, || None);
        }
        self.logs[part.index()].get_or_insert_default()
    }
}

impl<M: Contents> Contents for BrokerDisk<M> {
    type Write = BrokerWrite<M::Write>;

    fn apply(&mut self, write: Self::Write) {
        match write {
            BrokerWrite::Append { part, after, entry } => self.image(part).append(after, entry),
            BrokerWrite::Truncate { part, to, .. } => self.image(part).truncate(to),
            BrokerWrite::DeleteBelow { part, start, first, end, producers, .. } => {
                self.image(part).delete_below(start, (first, end), producers)
            }
            BrokerWrite::Compacted { part, to, kept, .. } => self.image(part).compacted(to, &kept),
            BrokerWrite::Drop { part, .. } => {
                if let Some(image) = self.logs.get_mut(part.index()) {
                    *image = None;
                }
            }
            BrokerWrite::Watermarks(all) => self.watermarks = all,
            BrokerWrite::RecoveryPoints(all) => self.recovery_points = all,
            BrokerWrite::Stopped(cleanly) => self.stopped = cleanly,
            BrokerWrite::Control(write) => self.control.apply(write),
        }
    }

    /// Half a batch has a wrong checksum and is cut off; files that are replaced are replaced or not.
    fn torn(write: &Self::Write, word: u64) -> Option<Self::Write> {
        match write {
            BrokerWrite::Control(write) => M::torn(write, word).map(BrokerWrite::Control),
            BrokerWrite::Append { .. } | BrokerWrite::Truncate { .. } | BrokerWrite::DeleteBelow { .. } | BrokerWrite::Compacted { .. } => {
                None
            }
            BrokerWrite::Drop { .. } | BrokerWrite::Watermarks(_) | BrokerWrite::RecoveryPoints(_) | BrokerWrite::Stopped(_) => None,
        }
    }

    /// Bits flip in one of the batches, or, where there is none, in what the control plane keeps.
    fn flip(&mut self, word: u64) -> bool {
        let counts: Vec<u64> = self.logs.iter().map(|image| image.as_ref().map_or(0, |image| image.len() as u64)).collect();
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return self.control.flip(word);
        }
        let mut which = word % total;
        for (image, count) in self.logs.iter_mut().zip(counts) {
            match image {
                Some(image) if which < count => return image.flip(which),
                Some(_) | None => which -= count,
            }
        }
        false
    }

    fn bytes(write: &Self::Write) -> u64 {
        match write {
            BrokerWrite::Append { entry, .. } => u64::from(entry.batch.bytes),
            BrokerWrite::Control(write) => M::bytes(write),
            BrokerWrite::Truncate { .. } | BrokerWrite::DeleteBelow { .. } | BrokerWrite::Compacted { .. } | BrokerWrite::Drop { .. } => 0,
            BrokerWrite::Watermarks(_) | BrokerWrite::RecoveryPoints(_) | BrokerWrite::Stopped(_) => 0,
        }
    }

    fn frees(write: &Self::Write) -> u64 {
        match write {
            BrokerWrite::Truncate { bytes, .. }
            | BrokerWrite::DeleteBelow { bytes, .. }
            | BrokerWrite::Compacted { bytes, .. }
            | BrokerWrite::Drop { bytes, .. } => *bytes,
            BrokerWrite::Control(write) => M::frees(write),
            BrokerWrite::Append { .. } | BrokerWrite::Watermarks(_) | BrokerWrite::RecoveryPoints(_) | BrokerWrite::Stopped(_) => 0,
        }
    }
}

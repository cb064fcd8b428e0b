//! Following: one fetch at a time from each leader that this broker has partitions of, and what becomes of the answers.

use std::collections::BTreeSet;

use crate::base::NodeId;
use crate::world::{Ctx, Hosts, TimerId};

use super::super::batch::{Rec, Stored};
use super::super::config::Truncation;
use super::super::ids::{Offset, Part};
use super::super::mutants::Mutant;
use super::super::protocol::{Body, Chunk, Fetch, FetchPart, FetchReply, Fetched, Reader};
use super::super::refusal::Refusal;
use super::{Broker, BrokerTimer, BrokerWrite, fetch::News, marks, replica};

/// What is fetched from one leader.
#[derive(Clone, Debug, Default)]
pub(super) struct Fetcher {
    /// The partitions that it leads and this broker follows.
    parts: BTreeSet<Part>,
    /// Those that shall be left alone for a while.
    paused: BTreeSet<Part>,
    /// The number of the request that is not answered yet, and when it is given up.
    asked: Option<(u32, TimerId)>,
    /// The pause is under way.
    resting: bool,
}

impl Broker {
    /// This broker follows somebody from now on, or nobody.
    pub(super) fn follow<W: Hosts<Broker>>(&mut self, part: Part, leader: Option<NodeId>, ctx: &mut Ctx<'_, W, Broker>) {
        for fetcher in self.fetchers.values_mut() {
            fetcher.parts.remove(&part);
            fetcher.paused.remove(&part);
        }
        if let Some(leader) = leader {
            self.fetchers.entry(leader).or_default().parts.insert(part);
            self.fetch_from(leader, ctx);
        }
    }

    /// Asks a leader what there is, unless it has been asked already.
    pub(super) fn fetch_from<W: Hosts<Broker>>(&mut self, leader: NodeId, ctx: &mut Ctx<'_, W, Broker>) {
        let (config, Some(registration)) = (ctx.config(), self.registration) else { return };
        let Some(fetcher) = self.fetchers.get(&leader) else { return };
        // Whoever fetches also flushes, and goes on when that is done.
        if fetcher.asked.is_some() || fetcher.parts.iter().any(|part| self.is_flushing(*part, config)) {
            return;
        }
        let ready = fetcher.parts.iter().filter(|part| !fetcher.paused.contains(part));
        let parts: Vec<FetchPart> = ready.filter_map(|part| self.wants(*part, config)).collect();
        if parts.is_empty() {
            return;
        }
        let wait = self.links.wait(leader, ctx.now());
        if !wait.is_zero() {
            self.rest(leader, wait, ctx);
            return;
        }
        let broker = &config.broker;
        let fetch = Fetch {
            reader: Reader::Follower { broker: ctx.me(), epoch: registration },
            max_wait: broker.replica_fetch_wait_max,
            min_bytes: broker.replica_fetch_min_bytes,
            max_bytes: broker.replica_fetch_response_max_bytes,
            max_part_bytes: broker.replica_fetch_max_bytes,
            parts,
        };
        let number = self.links.send(leader, None, Body::Fetch(Box::new(fetch)), ctx);
        let timer = ctx.timer(broker.replica_socket_timeout, BrokerTimer::FetchLost { leader, number });
        self.fetchers.entry(leader).or_default().asked = Some((number, timer));
    }

    /// From where a follower wants to read on.
    fn wants(&self, part: Part, config: &super::Config) -> Option<FetchPart> {
        let replica = self.replicas[part.index()].as_ref()?;
        let replica::Part::Follower { leader: Some(_), epoch } = &replica.part else { return None };
        let epochs = config.mechanisms.truncation == Truncation::LeaderEpoch;
        let silent = config.mutants.has(Mutant::NoTruncation);
        Some(FetchPart {
            part,
            offset: replica.log.end(),
            epoch: epochs.then_some(*epoch),
            last_epoch: replica.log.last_epoch().filter(|_| epochs && !silent),
        })
    }

    /// Asks every leader that has not been asked.
    pub(super) fn follow_all<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        for leader in self.fetchers.keys().copied().collect::<Vec<NodeId>>() {
            self.fetch_from(leader, ctx);
        }
    }

    /// A leader has answered.
    pub(super) fn fetched<W: Hosts<Broker>>(&mut self, leader: NodeId, number: u32, reply: FetchReply, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        let Some((_, timer)) = fetcher.asked.take_if(|(asked, _)| *asked == number) else { return };
        ctx.cancel(timer);
        for Fetched { part, result } in reply.parts {
            let follows = self.replicas[part.index()]
                .as_ref()
                .is_some_and(|replica| matches!(&replica.part, replica::Part::Follower { leader: Some(of), .. } if *of == leader));
            if !follows {
                continue;
            }
            match result {
                Ok(chunk) => self.take_over(part, chunk, ctx),
                Err(refusal) => self.refused(leader, part, refusal, ctx),
            }
        }
        self.fetch_from(leader, ctx);
    }

    /// Appends what a leader has sent, or cuts off what has diverged from it.
    fn take_over<W: Hosts<Broker>>(&mut self, part: Part, chunk: Chunk, ctx: &mut Ctx<'_, W, Broker>) {
        if let Some((epoch, end)) = chunk.diverging {
            let Some(replica) = self.replicas[part.index()].as_ref() else { return };
            let to = replica.log.cut_for((epoch, end));
            self.truncate(part, to, ctx);
            return;
        }
        let Some(replica) = self.replicas[part.index()].as_mut() else { return };
        let before = replica.log.end();
        for entry in chunk.entries {
            if entry.base < replica.log.end() {
                continue;
            }
            if ctx.write(BrokerWrite::append(part, &replica.log, entry.clone())).is_err() {
                break;
            }
            tell(&entry, ctx, &|payload| format!("{payload} is copied, at {}", entry.base));
            replica.log.append(entry);
        }
        if chunk.log_start > replica.log.start() {
            if chunk.log_start > replica.log.end() {
                ctx.mark(marks::FOLLOWER_OUT_OF_RANGE);
            }
            let deleted = replica.log.delete_below(chunk.log_start);
            if ctx.write(BrokerWrite::deleted(part, &replica.log, &deleted)).is_err() {
                ctx.say(None, || "the disk is full".to_owned());
            }
        }
        let moved = chunk.high_watermark.min(replica.log.end());
        let news = moved > replica.high_watermark;
        replica.high_watermark = replica.high_watermark.max(moved);
        let grew = replica.log.end() > before;
        if grew {
            self.flush_if_due(part, ctx);
        }
        if news && ctx.config().broker.rack_aware_selector {
            self.wake(part, News::Committed, ctx);
        }
    }

    /// Cuts a follower's log.
    pub(super) fn truncate<W: Hosts<Broker>>(&mut self, part: Part, to: Offset, ctx: &mut Ctx<'_, W, Broker>) {
        if ctx.config().mutants.has(Mutant::NoTruncation) {
            return;
        }
        let Some(replica) = self.replicas[part.index()].as_mut() else { return };
        if to >= replica.log.end() {
            return;
        }
        let name = ctx.config().part_name(part);
        let cut: Vec<(Offset, Rec)> =
            if ctx.is_traced() { replica.log.records_from(to).map(|(at, rec)| (at, *rec)).collect() } else { Vec::new() };
        for (offset, record) in cut {
            ctx.say(Some(record.payload), || format!("{} at {name}@{offset} is cut off: the leader's log has diverged", record.payload));
        }
        ctx.mark(marks::TRUNCATED);
        if to < replica.high_watermark {
            ctx.mark(marks::TRUNCATED_COMMITTED);
        }
        let bytes = replica.log.truncate(to);
        replica.high_watermark = replica.high_watermark.min(to);
        replica.flushed = replica.flushed.min(to);
        if ctx.write(BrokerWrite::Truncate { part, to, bytes }).is_err() {
            ctx.say(None, || "the disk is full".to_owned());
        }
    }

    /// A leader refuses to serve a partition.
    fn refused<W: Hosts<Broker>>(&mut self, leader: NodeId, part: Part, refusal: Refusal, ctx: &mut Ctx<'_, W, Broker>) {
        let name = ctx.config().part_name(part);
        ctx.say(None, || format!("the leader refuses to be followed in {name}: {refusal}"));
        let backoff = ctx.config().broker.replica_fetch_backoff;
        if let Some(fetcher) = self.fetchers.get_mut(&leader) {
            fetcher.paused.insert(part);
        }
        self.rest(leader, backoff, ctx);
    }

    /// Fetches nothing of the paused partitions for a while.
    fn rest<W: Hosts<Broker>>(&mut self, leader: NodeId, pause: crate::base::Span, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        if !std::mem::replace(&mut fetcher.resting, true) {
            ctx.timer(pause, BrokerTimer::Rested { leader });
        }
    }

    /// The pause is over.
    pub(super) fn rested<W: Hosts<Broker>>(&mut self, leader: NodeId, ctx: &mut Ctx<'_, W, Broker>) {
        if let Some(fetcher) = self.fetchers.get_mut(&leader) {
            fetcher.resting = false;
            fetcher.paused.clear();
        }
        self.fetch_from(leader, ctx);
    }

    /// A leader has not answered in time, or the connection to it has ended.
    pub(super) fn fetch_lost<W: Hosts<Broker>>(&mut self, leader: NodeId, number: Option<u32>, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        let Some((_, timer)) = fetcher.asked.take_if(|(asked, _)| number.is_none_or(|number| *asked == number)) else { return };
        if number.is_some() {
            self.links.drop(leader, ctx);
        } else {
            ctx.cancel(timer);
        }
        let backoff = ctx.config().broker.replica_fetch_backoff;
        self.rest(leader, backoff, ctx);
    }
}

/// Tells the story of every record of a batch.
fn tell<W: Hosts<Broker>>(entry: &Stored, ctx: &mut Ctx<'_, W, Broker>, words: &dyn Fn(crate::base::PayloadId) -> String) {
    if ctx.is_traced() {
        for record in entry.batch.as_records() {
            ctx.say(Some(record.payload), || words(record.payload));
        }
    }
}

//! Reading: what followers and consumers fetch, now or as soon as there is something.

use std::collections::BTreeMap;

use crate::base::{NodeId, Span};
use crate::world::{Ctx, Hosts, TimerId};

use super::super::config::{Config, Version};
use super::super::ids::{Offset, Part};
use super::super::mutants::Mutant;
use super::super::protocol::{Body, Chunk, Fetch, FetchPart, FetchReply, Fetched, ListOffsets, Reader, Seek};
use super::super::refusal::Refusal;
use super::channel::Caller;
use super::{Broker, BrokerTimer, Replica};

/// A fetch that waits for news.
#[derive(Clone, Debug)]
pub(super) struct Parked {
    caller: Caller,
    fetch: Box<Fetch>,
    timer: TimerId,
}

/// All fetches that wait, by numbers of the broker's.
#[derive(Clone, Debug, Default)]
pub(super) struct ParkedFetches {
    next: u64,
    by_number: BTreeMap<u64, Parked>,
}

/// What happened at a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum News {
    /// Its log has grown: followers care.
    Appended,
    /// Its high watermark has moved: consumers care.
    Committed,
}

/// What a fetch finds now.
struct Found {
    parts: Vec<Fetched>,
    bytes: u32,
    /// Something is to be told whatever there is to read.
    urgent: bool,
}

/// What a follower is told whose log ends outside of the leader's: beyond its end, where to cut, and before its beginning, where that
/// is. (Kafka's followers ask for this with another request.)
fn outside(mut chunk: Chunk, offset: Offset, replica: &Replica) -> Chunk {
    if offset > replica.log.end() {
        chunk.diverging = Some((replica.log.last_epoch().unwrap_or(0), replica.log.end()));
    }
    chunk
}

impl Broker {
    /// A follower or a consumer asks what there is.
    pub(super) fn fetch<W: Hosts<Broker>>(&mut self, caller: Caller, fetch: Box<Fetch>, ctx: &mut Ctx<'_, W, Broker>) {
        match fetch.reader {
            Reader::Follower { broker, epoch } => {
                for asked in &fetch.parts {
                    self.follower_fetches((broker, epoch), asked, ctx);
                }
            }
            Reader::Consumer { group, .. } => {
                for asked in &fetch.parts {
                    self.reach(group, asked, ctx.config());
                }
            }
        }
        let found = self.find(caller.peer.node, &fetch, ctx.config());
        if found.urgent || found.bytes >= fetch.min_bytes.max(1) || fetch.max_wait == Span::ZERO {
            self.answer_fetch(caller, (&fetch, found.parts), ctx);
            return;
        }
        self.park(caller, fetch, ctx);
    }

    fn park<W: Hosts<Broker>>(&mut self, caller: Caller, fetch: Box<Fetch>, ctx: &mut Ctx<'_, W, Broker>) {
        self.parked.next += 1;
        let number = self.parked.next;
        for asked in &fetch.parts {
            if let Some(replica) = self.replicas.get_mut(asked.part.index()).and_then(Option::as_mut) {
                replica.fetching.push(number);
            }
        }
        let timer = ctx.timer(fetch.max_wait, BrokerTimer::Fetch { number });
        self.parked.by_number.insert(number, Parked { caller, fetch, timer });
    }

    /// Takes a fetch out of those that wait.
    fn unpark(&mut self, number: u64) -> Option<Parked> {
        let parked = self.parked.by_number.remove(&number)?;
        for asked in &parked.fetch.parts {
            if let Some(replica) = self.replicas.get_mut(asked.part.index()).and_then(Option::as_mut) {
                replica.fetching.retain(|other| *other != number);
            }
        }
        Some(parked)
    }

    /// A fetch has waited long enough: it gets what there is.
    pub(super) fn fetch_expired<W: Hosts<Broker>>(&mut self, number: u64, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(parked) = self.unpark(number) else { return };
        let found = self.find(parked.caller.peer.node, &parked.fetch, ctx.config());
        self.answer_fetch(parked.caller, (&parked.fetch, found.parts), ctx);
    }

    /// Something happened at a partition: those who wait for it and have enough now are answered.
    pub(super) fn wake<W: Hosts<Broker>>(&mut self, part: Part, news: News, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(replica) = self.replicas[part.index()].as_ref() else { return };
        for number in replica.fetching.clone() {
            let Some(parked) = self.parked.by_number.get(&number) else { continue };
            let cares = match parked.fetch.reader {
                Reader::Follower { .. } => news == News::Appended,
                Reader::Consumer { .. } => news == News::Committed,
            };
            if !cares {
                continue;
            }
            let found = self.find(parked.caller.peer.node, &parked.fetch, ctx.config());
            if found.urgent || found.bytes >= parked.fetch.min_bytes.max(1) {
                self.answer_parked(number, found, ctx);
            }
        }
    }

    /// A partition's leader or place has changed: whoever waits for it is answered at once.
    pub(super) fn wake_all<W: Hosts<Broker>>(&mut self, part: Part, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(replica) = self.replicas[part.index()].as_ref() else { return };
        for number in replica.fetching.clone() {
            let Some(parked) = self.parked.by_number.get(&number) else { continue };
            let found = self.find(parked.caller.peer.node, &parked.fetch, ctx.config());
            self.answer_parked(number, found, ctx);
        }
    }

    fn answer_parked<W: Hosts<Broker>>(&mut self, number: u64, found: Found, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(parked) = self.unpark(number) else { return };
        ctx.cancel(parked.timer);
        self.answer_fetch(parked.caller, (&parked.fetch, found.parts), ctx);
    }

    /// Forgets the fetches that came over a connection that has ended.
    pub(super) fn forget_fetches<W: Hosts<Broker>>(&mut self, conn: crate::base::ConnId, ctx: &mut Ctx<'_, W, Broker>) {
        let of = |(number, parked): (&u64, &Parked)| (parked.caller.peer.conn == Some(conn)).then_some(*number);
        for number in self.parked.by_number.iter().filter_map(of).collect::<Vec<u64>>() {
            if let Some(parked) = self.unpark(number) {
                ctx.cancel(parked.timer);
            }
        }
    }

    fn answer_fetch<W: Hosts<Broker>>(&mut self, caller: Caller, (fetch, parts): (&Fetch, Vec<Fetched>), ctx: &mut Ctx<'_, W, Broker>) {
        if let Reader::Follower { broker, .. } = fetch.reader {
            for fetched in &parts {
                if let Ok(chunk) = &fetched.result {
                    self.told(fetched.part, broker, chunk.high_watermark);
                }
            }
        }
        self.answer(caller, None, Body::FetchReply(Box::new(FetchReply { parts })), ctx);
    }

    /// What a fetch would get now: partitions with news only.
    fn find(&self, client: NodeId, fetch: &Fetch, config: &Config) -> Found {
        let mut found = Found { parts: Vec::new(), bytes: 0, urgent: false };
        for asked in &fetch.parts {
            let room = fetch.max_bytes.saturating_sub(found.bytes);
            if room == 0 {
                break;
            }
            let result = self.look((client, fetch.reader), asked, fetch.max_part_bytes.min(room), config);
            match &result {
                Ok(None) => continue,
                Ok(Some(chunk)) => {
                    found.urgent |= chunk.diverging.is_some() || chunk.preferred.is_some() || chunk.entries.is_empty();
                    found.bytes += chunk.entries.iter().map(|entry| entry.batch.bytes).sum::<u32>();
                }
                Err(_) => found.urgent = true,
            }
            found.parts.push(Fetched { part: asked.part, result: result.map(|chunk| chunk.expect("without news it is left out")) });
        }
        found
    }

    /// What one partition has for a reader; `None`: no news.
    fn look(&self, (client, reader): (NodeId, Reader), asked: &FetchPart, room: u32, config: &Config) -> Result<Option<Chunk>, Refusal> {
        let replica = self.readable((client, reader), asked, config)?;
        let log = &replica.log;
        let last_stable = log.last_stable(replica.high_watermark);
        let mut chunk = Chunk {
            high_watermark: replica.high_watermark,
            last_stable,
            log_start: log.start(),
            diverging: None,
            preferred: None,
            aborted: Vec::new(),
            entries: Vec::new(),
        };
        if let Some(last) = asked.last_epoch.filter(|_| !config.mutants.has(Mutant::EpochNotChecked)) {
            let (epoch, end) = log.end_for_epoch(last);
            if epoch != last || end < asked.offset {
                chunk.diverging = Some((epoch, end));
                return Ok(Some(chunk));
            }
        }
        if asked.offset > log.end() || asked.offset < log.start() {
            return match reader {
                Reader::Follower { .. } => Ok(Some(outside(chunk, asked.offset, replica))),
                Reader::Consumer { .. } => Err(Refusal::OffsetOutOfRange),
            };
        }
        let (until, behind) = match reader {
            Reader::Follower { broker, .. } => {
                let told = replica.leading().and_then(|leading| leading.followers.iter().find(|follower| follower.node == broker));
                // A follower whose high watermark is behind is told at once since KIP-392 (2.4).
                let tells = config.version >= Version::V2_8;
                (log.end(), tells && told.is_some_and(|follower| follower.told < replica.high_watermark))
            }
            Reader::Consumer { committed, .. } => {
                chunk.preferred = self.preferred(client, asked, replica, config);
                let bound = if committed && !config.mutants.has(Mutant::ReadsUndecided) { last_stable } else { replica.high_watermark };
                (if config.mutants.has(Mutant::ServesAboveWatermark) { log.end() } else { bound }, false)
            }
        };
        if asked.offset < until && chunk.preferred.is_none() {
            chunk.entries = log.read(asked.offset, until, room);
            if let Reader::Consumer { committed: true, .. } = reader {
                let read_to = chunk.entries.last().map_or(asked.offset, super::super::batch::Stored::end);
                chunk.aborted = log.aborted(asked.offset, read_to);
            }
        }
        let news = !chunk.entries.is_empty() || chunk.preferred.is_some() || behind;
        Ok(news.then_some(chunk))
    }

    /// The replica that may serve a reader.
    fn readable(&self, (client, reader): (NodeId, Reader), asked: &FetchPart, config: &Config) -> Result<&Replica, Refusal> {
        let replica = self.replicas.get(asked.part.index()).and_then(Option::as_ref).ok_or(Refusal::UnknownTopicOrPartition)?;
        let from_follower =
            matches!(reader, Reader::Consumer { .. }) && config.broker.rack_aware_selector && self.shares_rack(client, config);
        if replica.leading().is_none() && !from_follower {
            return Err(Refusal::NotLeaderOrFollower);
        }
        if config.mutants.has(Mutant::EpochNotChecked) {
            return Ok(replica);
        }
        match asked.epoch {
            Some(epoch) if epoch < replica.epoch() => Err(Refusal::FencedLeaderEpoch),
            Some(epoch) if epoch > replica.epoch() => Err(Refusal::UnknownLeaderEpoch),
            Some(_) | None => Ok(replica),
        }
    }

    /// A consumer asks where a log begins or ends.
    pub(super) fn list_offsets(&self, asked: ListOffsets) -> Result<Offset, Refusal> {
        let replica = self.replicas.get(asked.part.index()).and_then(Option::as_ref).ok_or(Refusal::UnknownTopicOrPartition)?;
        let leading = replica.leading().ok_or(Refusal::NotLeaderOrFollower)?;
        if asked.epoch.is_some_and(|epoch| epoch < leading.epoch) {
            return Err(Refusal::FencedLeaderEpoch);
        }
        Ok(match asked.seek {
            Seek::Earliest => replica.log.start(),
            Seek::Latest if asked.committed => replica.log.last_stable(replica.high_watermark),
            Seek::Latest => replica.high_watermark,
        })
    }
}

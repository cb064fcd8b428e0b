//! Fetches: one at a time to each broker, of all partitions that have nothing buffered.

use std::collections::BTreeMap;

use crate::base::NodeId;
use crate::world::{Ctx, Hosts};

use super::super::super::config::{Config, Reset};
use super::super::super::ids::{Offset, Part};
use super::super::super::mutants::Mutant;
use super::super::super::protocol::{self as wire_protocol, Body, Chunk, FetchPart, FetchReply};
use super::super::super::refusal::Refusal;
use super::super::marks;
use super::buffer::Fetched;
use super::wire::Ask;
use super::{Concern, Reader, Reads, Whose};

impl Reader {
    /// Asks every broker that is not being asked for what it has of the partitions that it serves.
    pub(super) fn fetch<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        if !self.slots.values().any(|slot| slot.is_readable() && !slot.fetching && !slot.buffered) {
            return;
        }
        let (now, config) = (ctx.now(), ctx.config());
        for (node, parts) in self.wanted(config) {
            if self.resting.contains(&Concern::Node(node)) || self.data.is_fetching(node) {
                continue;
            }
            let wait = self.data.links.wait(node, now);
            if !wait.is_zero() {
                // The broker may be down, and somebody else the leader.
                self.stale = true;
                self.rest_for(wait, Concern::Node(node), ctx);
                continue;
            }
            self.ask_for(node, parts, ctx);
        }
    }

    /// What is wanted, by the broker to ask.
    fn wanted(&mut self, config: &Config) -> BTreeMap<NodeId, Vec<FetchPart>> {
        let mut wanted: BTreeMap<NodeId, Vec<FetchPart>> = BTreeMap::new();
        let Some(view) = &self.view else { return wanted };
        let says_epoch = config.version >= super::super::super::config::Version::V2_8;
        for (part, slot) in &self.slots {
            if !slot.is_readable() || slot.fetching || slot.buffered || self.resting.contains(&Concern::Part(*part)) {
                continue;
            }
            let known = view.part(*part);
            let Some((leader, epoch)) = known.and_then(|known| known.leader.map(|leader| (leader, known.epoch))) else {
                self.stale = true;
                continue;
            };
            let last_epoch = slot.last_epoch.filter(|_| slot.doubtful && says_epoch);
            let one = FetchPart { part: *part, offset: slot.offset, epoch: says_epoch.then_some(epoch), last_epoch };
            wanted.entry(slot.preferred.unwrap_or(leader)).or_default().push(one);
        }
        wanted
    }

    fn ask_for<W: Hosts<R>, R: Reads>(&mut self, node: NodeId, parts: Vec<FetchPart>, ctx: &mut Ctx<'_, W, R>) {
        let own = self.own(ctx.config());
        let mut asked = Vec::with_capacity(parts.len());
        for one in &parts {
            if let Some(slot) = self.slots.get_mut(&one.part) {
                slot.fetching = true;
                asked.push((one.part, one.offset, slot.round));
            }
        }
        let fetch = wire_protocol::Fetch {
            reader: wire_protocol::Reader::Consumer { group: own.group, committed: own.read_committed },
            max_wait: own.fetch_max_wait,
            min_bytes: own.fetch_min_bytes,
            max_bytes: own.fetch_max_bytes,
            max_part_bytes: own.max_partition_fetch_bytes,
            parts,
        };
        self.data.ask(node, (Body::Fetch(Box::new(fetch)), Ask::Fetch(asked)), own.request_timeout, ctx);
    }

    /// A broker has answered a fetch.
    pub(super) fn came<W: Hosts<R>, R: Reads>(
        &mut self,
        from: NodeId,
        asked: &[(Part, Offset, u64)],
        reply: FetchReply,
        ctx: &mut Ctx<'_, W, R>,
    ) {
        for (part, _, round) in asked {
            if let Some(slot) = self.slots.get_mut(part).filter(|slot| slot.round == *round) {
                slot.fetching = false;
            }
        }
        for fetched in reply.parts {
            let Some((part, offset, round)) = asked.iter().find(|(part, _, _)| *part == fetched.part).copied() else { continue };
            let fits = self.slots.get(&part).is_some_and(|slot| slot.round == round && slot.offset == offset && slot.is_readable());
            if !fits {
                continue;
            }
            match fetched.result {
                Ok(chunk) => self.got(part, chunk, ctx),
                Err(why) => self.fetch_refused(from, part, why, ctx),
            }
        }
    }

    /// What one partition has.
    fn got<W: Hosts<R>, R: Reads>(&mut self, part: Part, chunk: Chunk, ctx: &mut Ctx<'_, W, R>) {
        let config = ctx.config();
        let Some(slot) = self.slots.get_mut(&part) else { return };
        if let Some((epoch, end)) = chunk.diverging {
            ctx.mark(marks::TRUNCATED);
            if Whose::config(self.whose, config).reset == Reset::None {
                return self.stop(Refusal::OffsetOutOfRange, ctx);
            }
            slot.offset = slot.offset.min(end);
            slot.last_epoch = Some(epoch);
            return;
        }
        slot.doubtful = false;
        if let Some(replica) = chunk.preferred {
            if slot.preferred != Some(replica) {
                ctx.mark(marks::PREFERRED);
            }
            slot.preferred = Some(replica);
        }
        if !chunk.entries.is_empty() {
            slot.buffered = true;
            let committed = Whose::config(self.whose, config).read_committed && !config.mutants.has(Mutant::ReadsAborted);
            self.fetched.push_back(Fetched::new(part, slot.round, chunk, committed));
        }
    }

    fn fetch_refused<W: Hosts<R>, R: Reads>(&mut self, from: NodeId, part: Part, why: Refusal, ctx: &mut Ctx<'_, W, R>) {
        let Some(slot) = self.slots.get_mut(&part) else { return };
        let elsewhere = slot.preferred.take() == Some(from);
        if why == Refusal::OffsetOutOfRange {
            if elsewhere {
                return; // a follower may be behind: the leader knows
            }
            ctx.mark(marks::OUT_OF_RANGE);
            let (offset, config) = (slot.offset, ctx.config());
            ctx.say(None, || format!("{} has no offset {offset}", config.part_name(part)));
            if !slot.is_ghost() {
                self.reset(part, ctx);
            }
            return;
        }
        self.stale = true;
        self.rest(Concern::Part(part), ctx);
    }

    /// A fetch was not answered.
    pub(super) fn not_fetched<W: Hosts<R>, R: Reads>(&mut self, node: NodeId, asked: &[(Part, Offset, u64)], ctx: &mut Ctx<'_, W, R>) {
        for (part, _, round) in asked {
            if let Some(slot) = self.slots.get_mut(part).filter(|slot| slot.round == *round) {
                slot.fetching = false;
                slot.preferred = None;
            }
        }
        self.rest(Concern::Node(node), ctx);
    }

    /// Leaders are known anew: whoever moved is asked at once, and logs that have a new leader may have been cut.
    pub(super) fn leaders_known(&mut self) {
        self.resting.retain(|concern| !matches!(concern, Concern::Part(_)));
        let Some(view) = &self.view else { return };
        for (part, slot) in &mut self.slots {
            let newer = view.part(*part).is_some_and(|known| slot.last_epoch.is_some_and(|last| last < known.epoch));
            slot.doubtful |= newer;
        }
    }

    /// A replica nearby is good for `metadata.max.age.ms`; then the leader is asked again.
    pub(super) fn forget_preferred(&mut self) {
        for slot in self.slots.values_mut() {
            slot.preferred = None;
        }
    }
}

//! Who reads what from here, and what a run that is over finds in the logs.

use crate::base::{NodeId, ObjectId, PayloadId};
use crate::world::{Ctx, Hosts};

use super::super::config::Config;
use super::super::ids::{BrokerEpoch, GroupId, Offset, Part};
use super::super::protocol::FetchPart;
use super::{Broker, Replica};

impl Broker {
    /// A follower asks: its log goes so far.
    pub(super) fn follower_fetches<W: Hosts<Broker>>(
        &mut self,
        (node, registration): (NodeId, BrokerEpoch),
        asked: &FetchPart,
        ctx: &mut Ctx<'_, W, Broker>,
    ) {
        let now = ctx.now();
        let Some(replica) = self.replicas.get_mut(asked.part.index()).and_then(Option::as_mut) else { return };
        let right = asked.epoch.is_none_or(|epoch| epoch == replica.epoch());
        let diverged = asked.last_epoch.is_some_and(|last| {
            let (epoch, end) = replica.log.end_for_epoch(last);
            epoch != last || end < asked.offset
        });
        let inside = asked.offset <= replica.log.end() && asked.offset >= replica.log.start();
        let blind = ctx.config().mutants.has(super::super::mutants::Mutant::EpochNotChecked);
        if replica.leading().is_none() || !inside || ((!right || diverged) && !blind) {
            return;
        }
        replica.fetched(node, registration, asked.offset, now);
        self.caught_up(asked.part, node, ctx);
        self.advance(asked.part, ctx);
    }

    /// A follower is told the high watermark.
    pub(super) fn told(&mut self, part: Part, node: NodeId, high_watermark: Offset) {
        let leading = self.replicas.get_mut(part.index()).and_then(Option::as_mut).and_then(Replica::leading_mut);
        if let Some(follower) = leading.and_then(|leading| leading.followers.iter_mut().find(|follower| follower.node == node)) {
            follower.told = follower.told.max(high_watermark);
        }
    }

    /// A group's consumer asks from an offset on: the group has what lies before.
    pub(super) fn reach(&mut self, group: GroupId, asked: &FetchPart, config: &Config) {
        let Some(replica) = self.replicas.get_mut(asked.part.index()).and_then(Option::as_mut) else { return };
        match replica.reached.iter_mut().find(|(of, _, _)| *of == group) {
            Some((_, _, reached)) => *reached = asked.offset.max(*reached),
            None => {
                if let Some(subscription) = config.subscription(group, asked.part) {
                    replica.reached.push((group, subscription, asked.offset));
                }
            }
        }
    }

    /// Whether a client is in this broker's rack.
    pub(super) fn shares_rack(&self, client: NodeId, config: &Config) -> bool {
        let own = rack_of_broker(self.me, config);
        own.is_some() && own == rack_of_client(client, config)
    }

    /// The replica that a consumer had better ask: one in its rack, in sync, with what it wants (KIP-392).
    pub(super) fn preferred(&self, client: NodeId, asked: &FetchPart, replica: &Replica, config: &Config) -> Option<NodeId> {
        let leading = replica.leading().filter(|_| config.broker.rack_aware_selector)?;
        let rack = rack_of_client(client, config)?;
        if rack_of_broker(self.me, config) == Some(rack) {
            return None;
        }
        let fits = |node: &NodeId| rack_of_broker(*node, config) == Some(rack) && leading.isr.contains(node);
        let has = |node: &NodeId| leading.followers.iter().any(|follower| follower.node == *node && follower.end >= asked.offset);
        self.view.part(asked.part)?.replicas.iter().copied().find(|node| fits(node) && has(node))
    }

    /// Where a group stands in a partition, if this broker coordinates it.
    #[must_use]
    pub fn position(&self, group: GroupId, part: Part, config: &Config) -> Option<Offset> {
        let leads = self.replica(config.groups[group.index()].home).is_some_and(|replica| replica.leading().is_some());
        if leads { self.groups.position(group, part) } else { None }
    }

    /// A replica.
    #[must_use]
    pub fn replica(&self, part: Part) -> Option<&Replica> {
        self.replicas.get(part.index()).and_then(Option::as_ref)
    }

    /// Whether this broker takes itself for the leader of a partition, and in which epoch.
    #[must_use]
    pub fn leads(&self, part: Part) -> Option<u32> {
        self.replica(part).and_then(Replica::leading).map(|leading| leading.epoch)
    }

    /// The records of a partition that a group which stands at an offset has before it, committed or about to be.
    pub fn ahead(&self, part: Part, from: Offset, report: &mut dyn FnMut(PayloadId)) {
        let Some(replica) = self.replica(part) else { return };
        for entry in replica.log.batches_from(from).filter(|entry| !replica.log.is_aborted(entry)) {
            for (_, record) in entry.records().filter(|(offset, _)| *offset >= from) {
                report(record.payload);
            }
        }
    }

    /// How many records of each subscription its consumers have not fetched, at the leaders.
    pub fn lags(&self, report: &mut dyn FnMut(ObjectId, u64)) {
        for replica in self.replicas.iter().flatten().filter(|replica| replica.leading().is_some()) {
            for (_, subscription, reached) in &replica.reached {
                report(*subscription, replica.log.end().saturating_sub(*reached));
            }
        }
    }
}

fn rack_of_broker(node: NodeId, config: &Config) -> Option<&str> {
    let at = config.places.brokers.iter().position(|broker| *broker == node)?;
    config.broker.racks.get(at).map(String::as_str)
}

fn rack_of_client(node: NodeId, config: &Config) -> Option<&str> {
    let (_, kind, _) = config.places.consumers.iter().find(|(client, _, _)| *client == node)?;
    config.consumers[usize::from(*kind)].rack.as_deref()
}

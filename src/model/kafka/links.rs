//! Connections to other nodes: one for each, opened when something is to be sent, opened again after a pause that doubles.

use std::collections::BTreeMap;

use crate::base::{ConnId, NodeId, PayloadId, Span, Time};
use crate::world::{Ctx, Hosts, Peer, Role};

use super::protocol::{Body, Msg, Namer};

/// A connection, or the pause before the next one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Link {
    conn: Option<ConnId>,
    /// How many requests went over it so far.
    number: u32,
    /// How often in a row it broke before anything came over it.
    failures: u32,
    /// No new connection before this, by the node's clock.
    not_before: Time,
}

/// The connections of one node as a client of others. A broker that is client and server keeps those it has accepted elsewhere.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Links {
    namer: Namer,
    links: BTreeMap<NodeId, Link>,
    /// `reconnect.backoff.ms`.
    backoff: Span,
    /// `reconnect.backoff.max.ms`.
    backoff_max: Span,
}

impl Links {
    /// No connections yet, of a part (below 8, each with its own) of a process in its so-manieth life.
    #[must_use]
    pub const fn new((life, part): (u32, u8), backoff: Span, backoff_max: Span) -> Links {
        Links { namer: Namer::new(life, part), links: BTreeMap::new(), backoff, backoff_max }
    }

    /// How long to wait before something can be sent to a node; zero: now.
    #[must_use]
    pub fn wait(&self, to: NodeId, now: Time) -> Span {
        match self.links.get(&to) {
            // A clock that was set back does not make the pause longer.
            Some(Link { conn: None, not_before, .. }) => not_before.saturating_since(now).min(self.backoff_max),
            Some(Link { conn: Some(_), .. }) | None => Span::ZERO,
        }
    }

    /// Sends a request over the connection to a node, which is opened if there is none (whatever [`Links::wait`] says). Its number
    /// comes back with the answer. `about`: the first record that it carries, and which attempt this is.
    pub fn send<W: Hosts<R>, R: Role<Msg = Msg>>(
        &mut self,
        to: NodeId,
        about: Option<(PayloadId, u32)>,
        body: Body,
        ctx: &mut Ctx<'_, W, R>,
    ) -> u32 {
        let link = self.links.entry(to).or_default();
        let conn = *link.conn.get_or_insert_with(|| ctx.connect(to));
        link.number += 1;
        let number = link.number;
        let msg = match about {
            Some((payload, attempt)) => self.namer.about(payload, attempt, number, body),
            None => self.namer.counted(number, body),
        };
        ctx.send_on(conn, msg);
        number
    }

    /// Something came: whether it came over a connection that is still in use, and from whom. What comes over one that was given up is
    /// to be ignored.
    pub fn heard(&mut self, peer: Peer) -> bool {
        match self.links.get_mut(&peer.node) {
            Some(link) if link.conn.is_some() && link.conn == peer.conn => {
                link.failures = 0;
                true
            }
            Some(_) | None => false,
        }
    }

    /// A connection ended: whether it was one of these. What was asked over it is not answered any more.
    pub fn lost(&mut self, peer: Peer, now: Time) -> bool {
        match self.links.get_mut(&peer.node) {
            Some(link) if link.conn.is_some() && link.conn == peer.conn => {
                self.failed(peer.node, now);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Gives up a connection that does not answer.
    pub fn drop<W: Hosts<R>, R: Role<Msg = Msg>>(&mut self, to: NodeId, ctx: &mut Ctx<'_, W, R>) {
        if let Some(conn) = self.links.get(&to).and_then(|link| link.conn) {
            ctx.close(conn);
            self.failed(to, ctx.now());
        }
    }

    /// Closes all connections, without a pause before the next.
    pub fn close<W: Hosts<R>, R: Role<Msg = Msg>>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        for link in self.links.values_mut() {
            if let Some(conn) = link.conn.take() {
                ctx.close(conn);
            }
        }
    }

    /// Whether there is a connection to a node (perhaps not accepted yet).
    #[must_use]
    pub fn is_open(&self, to: NodeId) -> bool {
        self.links.get(&to).is_some_and(|link| link.conn.is_some())
    }

    fn failed(&mut self, to: NodeId, now: Time) {
        let (backoff, most) = (self.backoff, self.backoff_max);
        let link = self.links.entry(to).or_default();
        let pause = Span::nanos(backoff.as_nanos().saturating_mul(1 << link.failures.min(20))).min(most);
        link.conn = None;
        link.failures += 1;
        link.not_before = now + pause;
    }
}

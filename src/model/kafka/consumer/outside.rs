//! A consumer's connection to the outside database: what was asked is asked again until it is answered.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{NodeId, Span};
use crate::world::{Ctx, Hosts, Peer, TimerId};

use super::super::ids::{GroupId, Part};
use super::super::links::Links;
use super::super::protocol::store::{Advance, Wanted};
use super::super::protocol::{Body, StoreReply, StoreRequest};
use super::{Consumer, ConsumerTimer};

/// What a consumer wants of the database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Errand {
    /// Where to begin in partitions that it was given, or where somebody else has gone on.
    Begin { parts: Vec<Part>, after_conflict: bool },
    /// The effects of a poll with its positions. `doubtful`: it was asked before, and not answered: it may have happened.
    Together { advances: Vec<Advance>, effects: Vec<Wanted>, doubtful: bool },
    /// Effects that count once. Of which worker; `None`: of the whole poll.
    Once { effects: Vec<Wanted>, worker: Option<usize> },
}

/// The connection.
#[derive(Clone, Debug)]
pub(super) struct Outside {
    node: NodeId,
    links: Links,
    group: GroupId,
    /// How long an answer is waited for.
    patience: Span,
    /// The pause after a failure.
    backoff: Span,
    asked: BTreeMap<u32, (Errand, TimerId)>,
    waiting: VecDeque<Errand>,
    resting: bool,
}

impl Outside {
    pub(super) fn new((node, links): (NodeId, Links), group: GroupId, (patience, backoff): (Span, Span)) -> Outside {
        Outside { node, links, group, patience, backoff, asked: BTreeMap::new(), waiting: VecDeque::new(), resting: false }
    }

    /// Asks for something.
    pub(super) fn run<W: Hosts<Consumer>>(&mut self, errand: Errand, ctx: &mut Ctx<'_, W, Consumer>) {
        self.waiting.push_back(errand);
        self.send(ctx);
    }

    /// Sends what waits.
    pub(super) fn send<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        if self.resting || self.waiting.is_empty() {
            return;
        }
        let wait = self.links.wait(self.node, ctx.now());
        if !wait.is_zero() {
            self.resting = true;
            ctx.timer(wait, ConsumerTimer::StoreAgain);
            return;
        }
        let group = self.group;
        while let Some(errand) = self.waiting.pop_front() {
            let request = match &errand {
                Errand::Begin { parts, .. } => StoreRequest::Positions { group, parts: parts.clone() },
                Errand::Together { advances, doubtful: true, .. } => {
                    StoreRequest::Positions { group, parts: advances.iter().map(|advance| advance.part).collect() }
                }
                Errand::Together { advances, effects, doubtful: false } => {
                    StoreRequest::Together { group, advances: advances.clone(), effects: effects.clone() }
                }
                Errand::Once { effects, .. } => StoreRequest::Once { effects: effects.clone() },
            };
            let number = self.links.send(self.node, None, Body::Store(Box::new(request)), ctx);
            let timer = ctx.timer(self.patience, ConsumerTimer::StoreLate(number));
            self.asked.insert(number, (errand, timer));
        }
    }

    /// The pause is over.
    pub(super) fn rested<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        self.resting = false;
        self.send(ctx);
    }

    /// An answer: what it is to, and what it says, if it is over with that.
    pub(super) fn answered<W: Hosts<Consumer>>(
        &mut self,
        from: Peer,
        (number, reply): (u32, StoreReply),
        ctx: &mut Ctx<'_, W, Consumer>,
    ) -> Option<(Errand, StoreReply)> {
        if !self.links.heard(from) {
            return None;
        }
        let (errand, timer) = self.asked.remove(&number)?;
        ctx.cancel(timer);
        match (errand, reply) {
            (errand, StoreReply::Failed) => {
                self.waiting.push_back(errand);
                self.resting = true;
                ctx.timer(self.backoff, ConsumerTimer::StoreAgain);
                None
            }
            (Errand::Together { advances, effects, doubtful: true }, StoreReply::Positions(found)) => {
                let stands = |advance: &Advance| found.iter().find(|(part, _)| *part == advance.part).map(|(_, offset)| *offset);
                if advances.iter().all(|advance| stands(advance) == Some(advance.to)) {
                    return Some((Errand::Together { advances, effects, doubtful: true }, StoreReply::Done));
                }
                if advances.iter().all(|advance| stands(advance) == advance.from) {
                    self.run(Errand::Together { advances, effects, doubtful: false }, ctx);
                    return None;
                }
                Some((Errand::Together { advances, effects, doubtful: true }, StoreReply::Conflict))
            }
            other => Some(other),
        }
    }

    /// The connection ended, or is given up: everything is asked again.
    pub(super) fn lost<W: Hosts<Consumer>>(&mut self, peer: Peer, ctx: &mut Ctx<'_, W, Consumer>) -> bool {
        let mine = self.links.lost(peer, ctx.now());
        if mine {
            self.again(ctx);
        }
        mine
    }

    /// No answer came in time.
    pub(super) fn late<W: Hosts<Consumer>>(&mut self, number: u32, ctx: &mut Ctx<'_, W, Consumer>) {
        if self.asked.contains_key(&number) {
            self.links.drop(self.node, ctx);
            self.again(ctx);
        }
    }

    fn again<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        for (_, (errand, timer)) in std::mem::take(&mut self.asked) {
            ctx.cancel(timer);
            self.waiting.push_back(match errand {
                Errand::Together { advances, effects, .. } => Errand::Together { advances, effects, doubtful: true },
                whole @ (Errand::Begin { .. } | Errand::Once { .. }) => whole,
            });
        }
        self.send(ctx);
    }

    /// Nothing that was asked matters any more.
    pub(super) fn forget<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        self.waiting.clear();
        for (_, (_, timer)) in std::mem::take(&mut self.asked) {
            ctx.cancel(timer);
        }
        self.links.close(ctx);
    }

    /// How much is asked or waits.
    pub(super) fn open(&self) -> usize {
        self.asked.len() + self.waiting.len()
    }
}

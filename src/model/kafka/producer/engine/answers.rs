//! What becomes of batches that were sent.

use crate::record::Reason;

use super::super::super::ids::{Offset, Part};
use super::super::super::mutants::Mutant;
use super::super::super::protocol::Produced;
use super::super::super::refusal::Refusal;
use super::super::bundle::Bundle;
use super::super::verdict::Why;
use super::super::{Fate, backoff, marks};
use super::{Engine, Env, Out, Word};

impl Engine {
    /// A leader answered for the batches of a request.
    pub(super) fn on_produced(&mut self, sent: &[(Part, u32)], results: &[Produced], env: &mut Env<'_>, out: &mut Vec<Out>) {
        for (at, (part, id)) in sent.iter().enumerate() {
            let beside = results.get(at).filter(|produced| produced.part == *part);
            let result = match beside.or_else(|| results.iter().find(|produced| produced.part == *part)) {
                Some(produced) => produced.result.map_err(Why::Refused),
                None => Err(Why::Lost),
            };
            self.settle(*part, *id, result, env, out);
        }
    }

    /// An attempt has come to an end. A batch that was given up meanwhile is not here any more.
    pub(super) fn settle(&mut self, part: Part, id: u32, result: Result<Offset, Why>, env: &mut Env<'_>, out: &mut Vec<Out>) {
        let acks = self.settings.acks;
        let lane = &mut self.lanes[part.index()];
        lane.is_muted = false;
        let Some(bundle) = lane.sent.get_mut(&id) else { return };
        bundle.in_flight = false;
        match result {
            Ok(base) => self.complete(part, id, base, out),
            Err(why) => {
                bundle.doubt |= why.leaves_doubt(acks);
                if why.asks_for_metadata() {
                    self.metadata.want();
                }
                if why == Why::Refused(Refusal::OutOfOrderSequenceNumber) {
                    out.push(Out::Mark(marks::GAP));
                }
                if self.may_retry(part, id, why, env) {
                    self.put_back(part, id, why, env, out);
                } else {
                    self.fail(part, id, why, out);
                }
            }
        }
    }

    /// A batch is stored.
    fn complete(&mut self, part: Part, id: u32, base: Offset, out: &mut Vec<Out>) {
        let lane = &mut self.lanes[part.index()];
        let Some(bundle) = lane.remove(id) else { return };
        if let Some(next) = bundle.next_number() {
            lane.numbers.acked = lane.numbers.acked.max(next);
        }
        self.free += u64::from(bundle.room);
        self.tidy(part);
        self.tell_done(Some(part), bundle.tokens, Fate::At(base), out);
    }

    /// Whether a batch is sent again.
    fn may_retry(&mut self, part: Part, id: u32, why: Why, env: &Env<'_>) -> bool {
        let Some(bundle) = self.lanes[part.index()].sent.get(&id) else { return false };
        let is_late = self.settings.delivery_timeout.is_some_and(|most| bundle.created + most <= env.now);
        if is_late || bundle.retries >= self.settings.retries {
            return false;
        }
        match bundle.stamp.filter(|_| self.is_numbered()) {
            Some(stamp) => self.may_retry_numbered(part, (stamp, bundle.renumbered), why),
            None => why.is_retriable(),
        }
    }

    /// A batch waits to be sent again.
    fn put_back(&mut self, part: Part, id: u32, why: Why, env: &mut Env<'_>, out: &mut Vec<Out>) {
        let pauses = (self.settings.retry_backoff, self.settings.retry_backoff_max);
        let transactional = self.txn.is_some();
        let lane = &mut self.lanes[part.index()];
        let Some(bundle) = lane.sent.get_mut(&id) else { return };
        let pause = backoff::pause(pauses, bundle.retries, env.words);
        bundle.retries += 1;
        bundle.not_before = env.now + pause;
        out.push(Out::Mark(marks::RETRIED));
        out.push(Out::Say(bundle.seal(transactional), Word::Again { why: why.reason(), pause }));
        lane.put_back(id);
    }

    /// A batch that was answered, or not, is given up.
    fn fail(&mut self, part: Part, id: u32, why: Why, out: &mut Vec<Out>) {
        let Some(bundle) = self.lanes[part.index()].remove(id) else { return };
        let (stamp, span, tries_left) = (bundle.stamp, bundle.span(), bundle.retries < self.settings.retries);
        self.give_up(part, bundle, why.reason(), out);
        if let Some(stamp) = stamp {
            self.on_failed(part, (stamp, span), why, tries_left, out);
        }
    }

    /// A batch that was taken out ends without being acknowledged: what can be said of it is said.
    pub(super) fn give_up(&mut self, part: Part, mut bundle: Bundle, reason: Reason, out: &mut Vec<Out>) {
        let certain = !(bundle.doubt || bundle.in_flight) || self.mutants.has(Mutant::UnknownAsFailed);
        out.push(Out::Mark(if certain { marks::FAILED } else { marks::UNKNOWN }));
        out.push(Out::Say(bundle.seal(self.txn.is_some()), Word::GivenUp { why: reason, doubt: !certain }));
        self.free += u64::from(bundle.room);
        self.tidy(part);
        let fate = if certain { Fate::Failed(reason) } else { Fate::Unknown(reason) };
        self.tell_done(Some(part), bundle.tokens, fate, out);
    }
}

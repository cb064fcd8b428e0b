//! Patience comes to an end: of sends that wait inside the library, and of batches.

use crate::base::Time;
use crate::record::Reason;

use super::super::super::ids::Part;
use super::super::{Fate, marks};
use super::{Engine, Env, Out, Wake};

const NO_ROOM: Reason = Reason("no room in buffer.memory within max.block.ms");
const NO_METADATA: Reason = Reason("no metadata within max.block.ms");
const LATE: Reason = Reason("not delivered within delivery.timeout.ms");

impl Engine {
    /// Fails sends that have waited for `max.block.ms`: nothing of them was sent.
    pub(super) fn expire_sends(&mut self, env: &Env<'_>, out: &mut Vec<Out>, wake: &mut Wake) {
        if self.waiting.is_empty() {
            return;
        }
        let mut expired = Vec::new();
        if let Some(next) = self.waiting.expire(env.now, self.settings.max_block, &mut expired) {
            wake.at(next);
        }
        for record in expired {
            let reason = if self.metadata.knows(record.topic) { NO_ROOM } else { NO_METADATA };
            out.push(Out::Mark(marks::BLOCKED_TOO_LONG));
            self.tell_done(None, vec![record.token], Fate::Failed(reason), out);
        }
    }

    /// Gives up batches whose `delivery.timeout.ms` is over, wherever they are. What is under way may still arrive.
    pub(super) fn expire_batches(&mut self, env: &Env<'_>, out: &mut Vec<Out>, wake: &mut Wake) {
        let Some(most) = self.settings.delivery_timeout else { return };
        let oldest = |part: &Part| self.lanes[part.index()].oldest();
        if let Some(moment) = env.now.nanos().checked_sub(most.as_nanos()).map(Time::from_nanos) {
            let late: Vec<Part> = self.busy.iter().filter(|part| oldest(part).is_some_and(|oldest| oldest <= moment)).copied().collect();
            for part in late {
                self.expire_lane(part, moment, out);
            }
        }
        for part in &self.busy {
            if let Some(oldest) = self.lanes[part.index()].oldest() {
                wake.at(oldest + most);
            }
        }
    }

    /// Gives up what came into being up to a moment. If it was sent more than once, nobody knows whether its number is taken.
    fn expire_lane(&mut self, part: Part, moment: Time, out: &mut Vec<Out>) {
        let at = part.index();
        let mut expired: Vec<_> = self.lanes[at].sent_before(moment).into_iter().filter_map(|id| self.lanes[at].remove(id)).collect();
        while self.lanes[at].fresh.front().is_some_and(|bundle| bundle.created <= moment) {
            expired.extend(self.lanes[at].fresh.pop_front());
        }
        for bundle in expired {
            out.push(Out::Mark(marks::EXPIRED));
            if let Some(next) = bundle.next_number().filter(|_| bundle.retries > 0) {
                let unresolved = &mut self.lanes[at].numbers.unresolved;
                *unresolved = Some(unresolved.map_or(next, |other| other.max(next)));
                self.unresolved.insert(part);
            }
            self.give_up(part, bundle, LATE, out);
            self.batch_failed_in_transaction(LATE, out);
        }
    }
}

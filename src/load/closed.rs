//! Closed loops: users who wait for the end of one operation before they think about the next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::base::law::Sampler;
use crate::base::{ClientOp, Span, Time, Words};

/// A user whose operation ended in the moment in which it began waits at least this long, so that virtual time goes on.
pub(super) const BREATH: Span = Span::millis(1);

/// The users of one stream.
#[derive(Clone, Debug)]
pub(super) struct Users {
    think: Sampler,
    /// Those who will issue, by when and who.
    ready: BinaryHeap<Reverse<(Time, u32)>>,
    users: Vec<User>,
    /// Whose operation it is, for those under way.
    waiting: BTreeMap<ClientOp, u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct User {
    /// How many operations were issued.
    count: u32,
    issued_at: Time,
    waits_for: Option<ClientOp>,
}

impl Users {
    /// All users, thinking for the first time. `words` gives a user's source for its n-th thought.
    pub(super) fn new<W: Words>(count: u32, think: Sampler, mut words: impl FnMut(u32, u32) -> W) -> Users {
        let ready = (0..count).map(|user| Reverse((Time::ZERO + think.draw(&mut words(user, 0)), user))).collect();
        Users { think, ready, users: vec![User::default(); count as usize], waiting: BTreeMap::new() }
    }

    /// When the next operation is issued.
    pub(super) fn peek(&self) -> Option<Time> {
        self.ready.peek().map(|Reverse((at, _))| *at)
    }

    /// The user whose turn it is, with the number of its operation, from zero.
    pub(super) fn issue(&mut self, op: ClientOp) -> (u32, u32) {
        let Reverse((at, number)) = self.ready.pop().expect("somebody is ready");
        let user = &mut self.users[number as usize];
        debug_assert!(user.waits_for.is_none(), "one operation at a time");
        *user = User { count: user.count + 1, issued_at: at, waits_for: Some(op) };
        self.waiting.insert(op, number);
        (number, user.count - 1)
    }

    /// An operation ended, or was never taken up: its user thinks. Nothing happens if it is none of these users'.
    pub(super) fn ended<W: Words>(&mut self, at: Time, op: ClientOp, words: impl FnOnce(u32, u32) -> W) {
        let Some(number) = self.waiting.remove(&op) else { return };
        let user = &mut self.users[number as usize];
        user.waits_for = None;
        let thought = self.think.draw(&mut words(number, user.count)).as_nanos();
        let pause = if at == user.issued_at { thought.max(BREATH.as_nanos()) } else { thought };
        let next = Time::from_nanos(at.nanos().saturating_add(pause));
        self.ready.push(Reverse((next, number)));
    }

    /// The operations under way of the users that `theirs` picks, in order of user.
    pub(super) fn under_way(&self, theirs: impl Fn(u32) -> bool) -> Vec<ClientOp> {
        let picked = (0u32..).zip(&self.users).filter(|(number, _)| theirs(*number));
        picked.filter_map(|(_, user)| user.waits_for).collect()
    }
}

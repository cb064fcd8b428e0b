//! The load under way: a value that yields commands in order of time and hears how they end.

use std::sync::Arc;

use super::closed::Users;
use super::config::{Arrivals, Listed, LoadConfig, LoadProblem, OpKind};
use super::open::{Open, Pattern};
use super::phases::Phases;
use super::pick::{Chooser, Picker, Subject};
use super::trace::TraceRow;
use crate::base::law::Sampler;
use crate::base::{ClientOp, KeyId, NodeId, ObjectId, PayloadId, Time};
use crate::record::{Command, Op};

/// Whom a stream or a listed operation concerns: names resolved by whoever knows the roster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The object operated on.
    pub object: ObjectId,
    /// The nodes that are asked, at least one.
    pub clients: Vec<NodeId>,
}

/// A checked load with its tables, tied to a roster; shared by the runs of all seeds.
#[derive(Debug)]
pub struct LoadPlan {
    streams: Vec<StreamPlan>,
    /// In order of time.
    listed: Vec<Arrival>,
    until: Time,
}

#[derive(Debug)]
struct StreamPlan {
    target: Target,
    op: OpKind,
    kind: Kind,
    picker: Picker,
    limit: u64,
}

#[derive(Debug)]
enum Kind {
    Open(Pattern),
    Closed { users: u32, think: Sampler },
}

impl LoadPlan {
    /// The plan of a load that concerns these targets: one for each stream, or for each listed operation one with its client.
    /// Operations are issued from time zero to the end of the heal phase.
    ///
    /// # Errors
    /// All problems, each with the position of its stream.
    ///
    /// # Panics
    /// When there is not one target for each stream or listed operation, when there are both streams and listed operations, or
    /// when these are not in order.
    pub fn new(config: &LoadConfig, targets: Vec<Target>, phases: &Phases) -> Result<Arc<LoadPlan>, Vec<(usize, LoadProblem)>> {
        assert_eq!(config.streams.len() + config.listed.len(), targets.len(), "one target for each stream or operation");
        assert!(config.streams.is_empty() || config.listed.is_empty(), "streams and listed operations do not share their numbers");
        assert!(config.listed.is_sorted_by_key(|one| (one.at, one.payload)), "listed operations are in order of time");
        if config.streams.is_empty() {
            let listed = config.listed.iter().zip(&targets).map(|(one, target)| listed(one, target));
            return Ok(Arc::new(LoadPlan { streams: Vec::new(), listed: listed.collect(), until: phases.load_until() }));
        }
        let mut problems = Vec::new();
        for (at, (stream, target)) in config.streams.iter().zip(&targets).enumerate() {
            problems.extend(stream.problems().into_iter().map(|problem| (at, problem)));
            if target.clients.is_empty() {
                let what = format!("nobody can be asked: no node of the roster operates on `{}` for clients", stream.to);
                problems.push((at, LoadProblem { field: "clients", what, hint: None }));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let streams = config.streams.iter().zip(targets).map(|(stream, target)| {
            let kind = match (&stream.arrivals, Pattern::new(&stream.arrivals)) {
                (Arrivals::Closed { users, think }, _) => Kind::Closed { users: *users, think: think.sampler() },
                (_, pattern) => Kind::Open(pattern.expect("what is not closed is open")),
            };
            StreamPlan { target, op: stream.op, kind, picker: Picker::new(stream), limit: stream.limit.unwrap_or(u64::MAX) }
        });
        Ok(Arc::new(LoadPlan { streams: streams.collect(), listed: Vec::new(), until: phases.load_until() }))
    }
}

/// A listed operation with its names resolved. It has the number of its payload.
fn listed(one: &Listed, target: &Target) -> Arrival {
    let [node] = target.clients[..] else { panic!("a listed operation has one client") };
    let what = what(one.op, target.object, (one.key, one.payload, one.bytes));
    Arrival { at: one.at, node, command: Command { op: ClientOp(one.payload.0), what } }
}

/// One operation for one client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// When the client is asked.
    pub at: Time,
    /// The client's node.
    pub node: NodeId,
    /// What it is asked.
    pub command: Command,
}

/// A load under one seed. The operation that carries payload n is operation n: those of streams are numbered from zero in order
/// of issue, listed ones as they are written.
///
/// ```
/// use deadletter::base::{NodeId, ObjectId, Span};
/// use deadletter::load::{Arrivals, ClientChoice, Keys, Load, LoadConfig, LoadPlan, LoadStream, OpKind, Phases, Sizes, Target};
/// let stream = LoadStream {
///     to: "orders".into(),
///     op: OpKind::Publish,
///     arrivals: Arrivals::Poisson { rate: "500/s".parse().unwrap() },
///     keys: Keys::Zipf { count: 1000, exponent_milli: 1100 },
///     size: Sizes::Constant(1024),
///     clients: ClientChoice::RoundRobin,
///     limit: None,
/// };
/// let target = Target { object: ObjectId(0), clients: vec![NodeId(3), NodeId(4)] };
/// let phases = Phases { warm: Span::ZERO, chaos: Span::secs(10), heal: Span::ZERO, drain: Span::secs(1) };
/// let plan = LoadPlan::new(&LoadConfig { streams: vec![stream], listed: vec![] }, vec![target], &phases).unwrap();
/// let mut load = Load::new(&plan, 7);
/// while let Some(arrival) = load.next() {
///     assert!(arrival.at < phases.load_until());
/// }
/// assert!((4_700..5_300).contains(&load.issued()));
/// ```
#[derive(Clone, Debug)]
pub struct Load {
    plan: Arc<LoadPlan>,
    streams: Vec<StreamState>,
    issued: u32,
}

#[derive(Clone, Debug)]
struct StreamState {
    chooser: Chooser,
    issued: u64,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// Boxed, for it holds the buffers of two ciphers.
    Open {
        source: Box<Open>,
        next: Option<Time>,
    },
    Closed(Users),
}

impl Load {
    /// The load of a plan under a seed, at time zero.
    #[must_use]
    pub fn new(plan: &Arc<LoadPlan>, seed: u64) -> Load {
        let streams = (0u64..).zip(&plan.streams).map(|(index, stream)| {
            let chooser = Chooser::new(seed, index);
            let state = match &stream.kind {
                Kind::Open(pattern) => {
                    let mut source = Box::new(Open::new(seed, index));
                    let next = source.next(pattern, plan.until);
                    State::Open { source, next }
                }
                Kind::Closed { users, think } => State::Closed(Users::new(*users, think.clone(), |user, n| chooser.thought(user, n))),
            };
            StreamState { chooser, issued: 0, state }
        });
        Load { plan: Arc::clone(plan), streams: streams.collect(), issued: 0 }
    }

    /// The load of a plan that takes another's place at a moment: what the plan issues before is left out, and operations are
    /// numbered on from those that were issued already.
    #[must_use]
    pub fn from_moment(plan: &Arc<LoadPlan>, seed: u64, (at, issued): (Time, u64)) -> Load {
        let mut load = Load::new(plan, seed);
        while load.peek().is_some_and(|next| next < at) && load.next().is_some() {}
        load.issued = u32::try_from(issued).expect("fewer than 2^32 operations in a run");
        load
    }

    /// When the next operation is issued. With closed loops, what ends meanwhile may bring it forward: ask again after
    /// [`Load::ended`], [`Load::skipped`] and [`Load::crashed`].
    #[must_use]
    pub fn peek(&self) -> Option<Time> {
        if self.plan.streams.is_empty() {
            return self.next_listed().map(|next| next.at);
        }
        self.first().map(|(at, _)| at)
    }

    /// The next of the listed operations; what is listed after the end of load is never issued.
    fn next_listed(&self) -> Option<Arrival> {
        self.plan.listed.get(self.issued as usize).filter(|next| next.at < self.plan.until).copied()
    }

    /// The next operation.
    #[expect(clippy::should_implement_trait, reason = "not an iterator: what comes next depends on what is reported in between")]
    pub fn next(&mut self) -> Option<Arrival> {
        if self.plan.streams.is_empty() {
            let next = self.next_listed()?;
            self.issued += 1;
            return Some(next);
        }
        let (at, index) = self.first()?;
        let (plan, stream) = (&self.plan.streams[index], &mut self.streams[index]);
        let (op, payload) = (ClientOp(self.issued), PayloadId(self.issued));
        self.issued = self.issued.checked_add(1).expect("fewer than 2^32 operations in a run");
        let number = stream.issued;
        stream.issued += 1;
        let count = u32::try_from(plan.target.clients.len()).expect("fewer than 2^32 nodes");
        let (subject, user) = match (&mut stream.state, &plan.kind) {
            (State::Open { source, next }, Kind::Open(pattern)) => {
                *next = source.next(pattern, self.plan.until);
                let row = row(pattern, number);
                (Subject { number, decision: stream.chooser.open(number), row }, None)
            }
            (State::Closed(users), _) => {
                let (user, n) = users.issue(op);
                (Subject { number, decision: stream.chooser.user(user, n), row: None }, Some(user))
            }
            (State::Open { .. }, Kind::Closed { .. }) => unreachable!("a stream is what its plan says"),
        };
        let key = plan.picker.key(subject);
        let client = user.map_or_else(|| plan.picker.client(subject, key, count), |user| user % count);
        let (to, bytes) = (plan.target.object, plan.picker.bytes(subject));
        let what = what(plan.op, to, (key, payload, bytes));
        Some(Arrival { at, node: plan.target.clients[client as usize], command: Command { op, what } })
    }

    /// An operation ended, however. A user of a closed loop thinks and then issues the next; open loads take no notice.
    pub fn ended(&mut self, at: Time, op: ClientOp) {
        for stream in &mut self.streams {
            let chooser = stream.chooser;
            if let State::Closed(users) = &mut stream.state {
                users.ended(at, op, |user, n| chooser.thought(user, n));
            }
        }
    }

    /// The client was down and the operation was never called. An open load has lost it; a user of a closed loop thinks and tries
    /// anew (another operation), after a millisecond at least.
    pub fn skipped(&mut self, at: Time, op: ClientOp) {
        self.ended(at, op);
    }

    /// A client's process is gone, and with it what it was about to answer: its users give up what is under way, think, and
    /// issue anew. A late end of what was given up changes nothing.
    pub fn crashed(&mut self, at: Time, node: NodeId) {
        let plan = Arc::clone(&self.plan);
        for (stream, plan) in self.streams.iter_mut().zip(&plan.streams) {
            let (chooser, clients) = (stream.chooser, &plan.target.clients);
            if let State::Closed(users) = &mut stream.state {
                for op in users.under_way(|user| clients[user as usize % clients.len()] == node) {
                    users.ended(at, op, |user, n| chooser.thought(user, n));
                }
            }
        }
    }

    /// How many operations were issued.
    #[must_use]
    pub fn issued(&self) -> u64 {
        u64::from(self.issued)
    }

    /// Whether some operations wait for the end of others.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.streams.iter().any(|stream| matches!(stream.state, State::Closed(_)))
    }

    /// The stream whose turn it is, with the moment: the earliest, of equals the first in the configuration.
    fn first(&self) -> Option<(Time, usize)> {
        let due = self.streams.iter().zip(&self.plan.streams).enumerate().filter_map(|(index, (stream, plan))| {
            let at = match &stream.state {
                State::Open { next, .. } => *next,
                State::Closed(users) => users.peek().filter(|at| *at < self.plan.until),
            };
            at.filter(|_| stream.issued < plan.limit).map(|at| (at, index))
        });
        due.min()
    }
}

/// What a client is asked.
const fn what(kind: OpKind, to: ObjectId, (key, payload, bytes): (KeyId, PayloadId, u32)) -> Op {
    match kind {
        OpKind::Publish => Op::Publish { to, key, payload, bytes },
        OpKind::Request => Op::Request { to, key, payload, bytes },
    }
}

/// The recorded row of an operation, if its stream is recorded.
fn row(pattern: &Pattern, number: u64) -> Option<TraceRow> {
    if let Pattern::Recorded(rows) = pattern { rows.get(usize::try_from(number).ok()?).copied() } else { None }
}

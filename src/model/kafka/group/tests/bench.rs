//! A coordinator on a bench: time, a log and its appends in the hands of the test.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{NodeId, SmallStream, Span, Time};
use crate::model::kafka::batch::{Batch, Content, Outcome, Position, Stamp, Stored};
use crate::model::kafka::broker::{Caller, Env};
use crate::model::kafka::config::{Assignor, Config};
use crate::model::kafka::group::{GroupOut, GroupTimer, Groups};
use crate::model::kafka::ids::{GroupId, MemberId, Offset, Part, ProducerId, Session, TopicId};
use crate::model::kafka::protocol::group::{Generation, Join, Membership, Strategy, Subscription};
use crate::model::kafka::protocol::{GroupReply, GroupRequest};
use crate::model::kafka::refusal::Refusal;
use crate::model::kafka::view::View;
use crate::record::{Mark, Note};
use crate::world::Peer;

pub(super) const GROUP: GroupId = GroupId(0);

/// The bench.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) config: Config,
    pub(super) view: View,
    pub(super) groups: Groups,
    pub(super) now: Time,
    pub(super) log: Vec<Stored>,
    /// Appends that nobody has decided on yet, each with where it stands in the log.
    pub(super) open: Vec<(u64, usize)>,
    pub(super) answers: BTreeMap<u32, GroupReply>,
    pub(super) notes: Vec<Note>,
    pub(super) marks: Vec<Mark>,
    timers: Vec<(Time, u64, GroupTimer)>,
    words: SmallStream,
    number: u32,
    set: u64,
}

impl Bench {
    /// A coordinator that leads the group's home, which is empty.
    pub(super) fn new(text: &str) -> Bench {
        let config = super::config(text);
        let view = super::one_broker(&config, NodeId(0));
        let mut bench = Bench {
            config,
            view,
            groups: Groups::new(),
            now: Time::ZERO + Span::secs(1),
            log: Vec::new(),
            open: Vec::new(),
            answers: BTreeMap::new(),
            notes: Vec::new(),
            marks: Vec::new(),
            timers: Vec::new(),
            words: SmallStream::named(1, "bench", 0),
            number: 0,
            set: 0,
        };
        bench.load();
        bench
    }

    pub(super) fn home(&self) -> Part {
        self.config.groups[0].home
    }

    fn act(&mut self, act: impl FnOnce(&mut Groups, &mut Env<'_>, &mut Vec<GroupOut>)) {
        let mut out = Vec::new();
        let mut env = Env { now: self.now, me: NodeId(0), config: &self.config, view: &self.view, words: &mut self.words };
        act(&mut self.groups, &mut env, &mut out);
        for one in out {
            match one {
                GroupOut::Answer(caller, reply) => {
                    let before = self.answers.insert(caller.number, reply);
                    assert_eq!(before, None, "a request is answered once");
                }
                GroupOut::Append { batch, ticket, .. } => {
                    self.open.push((ticket, self.log.len()));
                    self.put(batch);
                }
                GroupOut::Timer(after, timer) => {
                    self.set += 1;
                    self.timers.push((self.now + after, self.set, timer));
                }
                GroupOut::Note(note) => self.notes.push(note),
                GroupOut::Mark(mark) => self.marks.push(mark),
                GroupOut::Say(..) => {}
            }
        }
    }

    fn put(&mut self, batch: Batch) -> Offset {
        let base = self.log.last().map_or(0, Stored::end);
        self.log.push(Stored { base, epoch: 1, at: self.now, batch: Arc::new(batch) });
        base
    }

    /// A new coordinator takes over what the log holds.
    pub(super) fn load(&mut self) {
        let (home, log) = (self.home(), self.log.clone());
        self.groups = Groups::new();
        self.open.clear();
        self.timers.clear();
        self.act(|groups, env, out| groups.load(home, 1, &mut log.into_iter(), env, out));
    }

    /// Asks; the answer may come later.
    pub(super) fn ask(&mut self, request: GroupRequest) -> u32 {
        self.number += 1;
        let number = self.number;
        let caller = Caller { peer: Peer { node: NodeId(1), conn: None }, number };
        self.act(|groups, env, out| groups.on_request(caller, NodeId(1), request, env, out));
        number
    }

    /// Asks, and has all appends succeed: the answer must be there.
    pub(super) fn told(&mut self, request: GroupRequest) -> GroupReply {
        let number = self.ask(request);
        self.settle();
        self.answers.remove(&number).expect("answered at once")
    }

    /// All appends are on all replicas.
    pub(super) fn settle(&mut self) {
        while !self.open.is_empty() {
            let (ticket, at) = self.open.remove(0);
            let base = self.log[at].base;
            self.act(|groups, env, out| groups.on_appended(ticket, Ok(base), env, out));
        }
    }

    /// The next append is not.
    pub(super) fn fail(&mut self, why: Refusal) {
        let (ticket, _) = self.open.remove(0);
        self.act(|groups, env, out| groups.on_appended(ticket, Err(why), env, out));
    }

    /// Time goes on; appends succeed.
    pub(super) fn pass(&mut self, span: Span) {
        let end = self.now + span;
        while let Some(at) = self.timers.iter().enumerate().min_by_key(|(_, (when, set, _))| (*when, *set)).map(|(at, _)| at) {
            let (when, _, timer) = self.timers[at];
            if when > end {
                break;
            }
            self.timers.remove(at);
            self.now = when;
            self.act(|groups, env, out| groups.on_timer(timer, env, out));
            self.settle();
        }
        self.now = end;
    }

    /// A transaction is decided.
    pub(super) fn mark(&mut self, session: Session, outcome: Outcome) {
        let stamp = Some(Stamp { session, sequence: 0 });
        let content = Content::Marker { outcome, coordinator: 0 };
        self.put(Batch { stamp, transactional: true, span: 1, bytes: 78, content });
        let home = self.home();
        self.act(|groups, env, out| groups.on_marker(home, session, outcome, env, out));
    }

    pub(super) fn join(&mut self, member: Option<MemberId>, instance: Option<u32>, owned: &[Part]) -> GroupRequest {
        GroupRequest::Join(Join {
            group: GROUP,
            member,
            instance: instance.map(NodeId),
            session_timeout: Span::secs(10),
            rebalance_timeout: Span::secs(60),
            strategy: Strategy { assignor: Assignor::Range, cooperative: false },
            subscription: Subscription { topics: Arc::new([TopicId(0)]), owned: owned.into(), generation: 0 },
        })
    }

    /// What a join was answered.
    pub(super) fn joined(&mut self, number: u32) -> crate::model::kafka::protocol::group::Joined {
        let reply = self.answers.remove(&number);
        let Some(GroupReply::Join(Ok(joined))) = reply else { panic!("not joined: {reply:?}") };
        joined
    }

    /// The first round of a dynamic member: its name.
    pub(super) fn name(&mut self) -> MemberId {
        let request = self.join(None, None, &[]);
        let reply = self.told(request);
        let GroupReply::Join(Err((Refusal::MemberIdRequired, Some(name)))) = reply else { panic!("no name: {reply:?}") };
        name
    }

    pub(super) fn heartbeat(&mut self, member: MemberId, generation: Generation) -> Result<(), Refusal> {
        let reply = self.told(GroupRequest::Heartbeat { group: GROUP, from: speaks(member, generation) });
        let GroupReply::Heartbeat(result) = reply else { panic!("{reply:?}") };
        result
    }

    pub(super) fn commit(&mut self, from: Option<Membership>, part: u32, offset: Offset) -> Result<(), Refusal> {
        let reply = self.told(GroupRequest::Commit { group: GROUP, from, positions: position(part, offset) });
        let GroupReply::Commit(result) = reply else { panic!("{reply:?}") };
        result
    }

    pub(super) fn commit_in(&mut self, session: Session, part: u32, offset: Offset) -> u32 {
        let txn = crate::model::kafka::ids::TxnId(0);
        self.ask(GroupRequest::TxnCommit { group: GROUP, from: None, txn, session, positions: position(part, offset) })
    }

    /// The committed position of a partition, or why it is not told.
    pub(super) fn find(&mut self, part: u32, stable: bool) -> Result<Option<Offset>, Refusal> {
        let reply = self.told(GroupRequest::Positions { group: GROUP, from: None, parts: Arc::new([Part(part)]), stable });
        let GroupReply::Positions(result) = reply else { panic!("{reply:?}") };
        result.map(|found| found[0].position.map(|(offset, _)| offset))
    }
}

pub(super) const fn speaks(member: MemberId, generation: Generation) -> Membership {
    Membership { member, generation, instance: None }
}

pub(super) fn position(part: u32, offset: Offset) -> Arc<[Position]> {
    Arc::new([Position { group: GROUP, part: Part(part), offset, epoch: None }])
}

pub(super) const fn session(id: u64) -> Session {
    Session { id: ProducerId(id), epoch: 0 }
}

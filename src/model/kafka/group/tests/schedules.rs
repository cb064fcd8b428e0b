//! Random schedules of members that come, go, are silent and come again, against a plain account of who may read what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bench::{Bench, GROUP, speaks};
use crate::base::{Span, Stream, Words};
use crate::model::kafka::config::Assignor;
use crate::model::kafka::group::assign::{Known, Wish, by_leader};
use crate::model::kafka::ids::{MemberId, Part, TopicId};
use crate::model::kafka::protocol::group::{Beat, BeatEpoch, Generation, Joined, Strategy};
use crate::model::kafka::protocol::{GroupReply, GroupRequest};
use crate::model::kafka::refusal::Refusal;

const TEXT: &str =
    "version = \"4.0\"\nbrokers = 1\ntopic.orders = { partitions = 6 }\nconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\" }";

/// A member as it sees itself.
#[derive(Clone, Default)]
struct Member {
    id: Option<MemberId>,
    generation: Generation,
    owned: BTreeSet<Part>,
    /// What it has asked: a join or a sync.
    waits: Option<u32>,
    in_group: bool,
    told: Option<Arc<[Part]>>,
}

struct Play {
    bench: Bench,
    members: Vec<Member>,
    words: Stream,
    cooperative: bool,
    /// Who was given what in which generation.
    given: BTreeMap<(Generation, Part), usize>,
    committed: BTreeMap<Part, u64>,
    offset: u64,
}

impl Play {
    fn new(seed: u64, cooperative: bool) -> Play {
        Play {
            bench: Bench::new(TEXT),
            members: vec![Member::default(); 4],
            words: Stream::named(seed, "schedule", 0),
            cooperative,
            given: BTreeMap::new(),
            committed: BTreeMap::new(),
            offset: 0,
        }
    }

    fn below(&mut self, n: u64) -> usize {
        usize::try_from(self.words.below(n)).unwrap()
    }

    fn join(&mut self, at: usize) {
        let member = &mut self.members[at];
        if !self.cooperative {
            member.owned.clear();
        }
        let owned: Vec<Part> = member.owned.iter().copied().collect();
        let GroupRequest::Join(mut join) = self.bench.join(member.id, None, &owned) else { unreachable!("a join") };
        join.strategy = Strategy { assignor: Assignor::Sticky, cooperative: self.cooperative };
        join.subscription.generation = member.generation;
        let number = self.bench.ask(GroupRequest::Join(join));
        self.members[at].waits = Some(number);
        self.members[at].in_group = false;
        self.hear(at);
    }

    fn lose(&mut self, at: usize, forget: bool) {
        let member = &mut self.members[at];
        member.owned.clear();
        member.generation = 0;
        member.in_group = false;
        if forget {
            member.id = None;
        }
    }

    /// Takes up an answer, if one has come.
    fn hear(&mut self, at: usize) {
        let Some(number) = self.members[at].waits else { return };
        let Some(reply) = self.bench.answers.remove(&number) else { return };
        self.members[at].waits = None;
        if let GroupReply::Join(Err((Refusal::MemberIdRequired, name))) = reply {
            self.members[at].id = name;
        } else if let GroupReply::Join(Ok(joined)) = reply {
            self.sync(at, joined);
        } else if let GroupReply::Sync(Ok(assigned)) = reply {
            self.take_up(at, &assigned);
        } else if let GroupReply::Join(Err((why, _))) | GroupReply::Sync(Err(why)) = reply {
            if matches!(why, Refusal::UnknownMemberId | Refusal::IllegalGeneration) {
                self.lose(at, why == Refusal::UnknownMemberId);
            }
        } else {
            panic!("{reply:?}");
        }
    }

    /// A generation has begun: asks for its assignment, or makes it.
    fn sync(&mut self, at: usize, joined: Joined) {
        let known: Vec<Known> = (0..6).map(|part| (TopicId(0), Part(part))).collect();
        let wishes: Vec<Wish> = joined.members.iter().map(Wish::from).collect();
        let strategy = Strategy { assignor: Assignor::Sticky, cooperative: self.cooperative };
        let assignment = if joined.leader == joined.member { by_leader(strategy, &wishes, &known) } else { BTreeMap::new() };
        self.members[at].id = Some(joined.member);
        self.members[at].generation = joined.generation;
        let assignment = assignment.into_iter().map(|(member, parts)| (member, parts.into())).collect();
        let from = speaks(joined.member, joined.generation);
        self.members[at].waits = Some(self.bench.ask(GroupRequest::Sync { group: GROUP, from, assignment }));
        self.hear(at);
    }

    fn take_up(&mut self, at: usize, assigned: &[Part]) {
        let generation = self.members[at].generation;
        for part in assigned {
            let other = self.given.insert((generation, *part), at);
            assert!(other.is_none_or(|other| other == at), "{part:?} has two owners in generation {generation}");
        }
        let before = std::mem::take(&mut self.members[at].owned);
        let assigned: BTreeSet<Part> = assigned.iter().copied().collect();
        if self.cooperative {
            let lost: BTreeSet<Part> = before.difference(&assigned).copied().collect();
            // A second round, and nobody was given meanwhile what is given up only now.
            for part in &lost {
                assert!(!self.given.contains_key(&(generation, *part)), "{part:?} was given away under its owner");
            }
        }
        self.members[at].owned = assigned;
        self.members[at].in_group = true;
    }

    /// A commit of a partition that the member believes to have.
    fn commit(&mut self, at: usize) {
        let member = &self.members[at];
        let (Some(id), Some(part)) = (member.id, member.owned.first().copied()) else { return };
        let generation = member.generation;
        self.offset += 1;
        let offset = self.offset;
        if self.bench.commit(Some(speaks(id, generation)), part.0, offset) == Ok(()) {
            let latest = self.given.keys().map(|(generation, _)| *generation).max().unwrap_or(0);
            assert!(generation >= latest, "a commit of generation {generation} counts, though {latest} is settled");
            self.committed.insert(part, offset);
        }
    }

    fn step(&mut self) {
        let at = self.below(4);
        match self.below(12) {
            0..=3 if self.members[at].waits.is_none() && !self.members[at].in_group => self.join(at),
            4..=6 if self.members[at].in_group => {
                let (id, generation) = (self.members[at].id.unwrap(), self.members[at].generation);
                match self.bench.heartbeat(id, generation) {
                    Ok(()) => {}
                    Err(Refusal::RebalanceInProgress) => self.join(at),
                    Err(why) => self.lose(at, why == Refusal::UnknownMemberId),
                }
            }
            7 | 8 => self.commit(at),
            9 if self.members[at].in_group && self.below(4) == 0 => {
                let member = self.members[at].id.unwrap();
                self.bench.told(GroupRequest::Leave { group: GROUP, member });
                self.lose(at, true);
            }
            10 if self.below(6) == 0 => {
                self.bench.load();
                // Nobody answers what the old coordinator was asked.
                for member in &mut self.members {
                    member.waits = None;
                }
                self.bench.answers.clear();
            }
            _ => {
                let span = [Span::millis(200), Span::secs(1), Span::secs(4), Span::secs(20)][self.below(4)];
                self.bench.pass(span);
            }
        }
        self.bench.settle();
        (0..4).for_each(|at| self.hear(at));
        for (part, offset) in &self.committed {
            assert_eq!(self.bench.groups.position(GROUP, *part), Some(*offset), "{part:?}");
        }
    }
}

#[test]
fn one_owner_in_each_generation_and_commits_from_the_latest_only() {
    let (mut settled, mut commits) = (0, 0);
    for seed in 0..300 {
        let mut play = Play::new(seed, seed % 2 == 1);
        for _ in 0..400 {
            play.step();
        }
        settled += play.given.keys().map(|(generation, _)| *generation).collect::<BTreeSet<_>>().len();
        commits += play.offset;
    }
    assert!(settled > 1000 && commits > 1000, "{settled} generations, {commits} commits: the schedules do something");
}

/// A member of a group that the broker assigns.
fn beat(play: &mut Play, at: usize) {
    let member = &mut play.members[at];
    let id = *member.id.get_or_insert(MemberId(100 + at as u64));
    if let Some(target) = member.told.take() {
        // Gives up at once, takes over at once, and says so.
        member.owned = target.iter().copied().collect();
    }
    let joins = member.generation == 0;
    let beat = Beat {
        group: GROUP,
        member: id,
        instance: None,
        epoch: if joins { BeatEpoch::Join } else { BeatEpoch::At(member.generation) },
        rebalance_timeout: joins.then(|| Span::secs(60)),
        topics: joins.then(|| Arc::from([TopicId(0)])),
        assignor: None,
        owned: Some(member.owned.iter().copied().collect()),
    };
    let reply = play.bench.told(GroupRequest::Beat(beat));
    let GroupReply::Beat(result) = reply else { panic!("{reply:?}") };
    if let Ok(beaten) = result {
        play.members[at].generation = beaten.epoch;
        play.members[at].told = beaten.assigned;
    } else {
        play.lose(at, false);
        play.members[at].told = None;
    }
}

#[test]
fn nobody_has_what_another_has_not_let_go() {
    let mut full = 0;
    for seed in 0..200 {
        let mut play = Play::new(seed, false);
        for _ in 0..300 {
            let at = play.below(4);
            match play.below(16) {
                0..=10 => beat(&mut play, at),
                11 if play.below(3) == 0 => play.bench.load(),
                // It crashes, and a process without memory comes with the same name after its session.
                12 if play.below(3) == 0 => {
                    play.members[at] = Member::default();
                    play.bench.pass(Span::secs(46));
                    (0..4).for_each(|at| play.lose(at, false));
                    (0..4).for_each(|at| play.members[at].told = None);
                }
                _ => play.bench.pass(Span::millis(700)),
            }
            let mut owner: BTreeMap<Part, usize> = BTreeMap::new();
            for (at, member) in play.members.iter().enumerate() {
                for part in &member.owned {
                    assert_eq!(owner.insert(*part, at), None, "seed {seed}: two have {part:?}");
                }
            }
            full += usize::from(owner.len() == 6);
        }
    }
    assert!(full > 1000, "{full}: groups come to rest in between");
}

//! Random schedules: whatever happens on the way, a transaction has one end, and everybody hears of the same.

use std::collections::BTreeMap;

use crate::base::{Span, Words};
use crate::model::kafka::batch::Outcome;
use crate::model::kafka::ids::{Part, ProducerId, Session, TxnId};
use crate::model::kafka::mutants::Mutants;
use crate::model::kafka::protocol::{TxnReply, TxnRequest};
use crate::model::kafka::refusal::Refusal;
use crate::record::Mark;

use super::super::{State, marks};
use super::config::BROKERS;
use super::rig::{Deal, Rig, TIMEOUT};

/// What a producer is about to do.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Begin,
    Rest,
    Adding(Part),
    Open,
    Ending(Outcome),
    Gone,
}

/// A producer. The first two have one transactional id.
struct Person {
    txn: TxnId,
    session: Option<Session>,
    /// It asks for the next epoch of the session that it has.
    goes_on: bool,
    stage: Stage,
    asked: Option<u32>,
    serial: u32,
}

/// Producers and what they believe.
struct Crowd {
    rig: Rig,
    people: Vec<Person>,
    told: BTreeMap<Deal, Outcome>,
}

impl Crowd {
    fn new(seed: u64, v2: bool, mutants: Mutants) -> Crowd {
        let mut rig = Rig::new(seed, v2, mutants);
        if seed.is_multiple_of(3) {
            rig.seed_log(TxnId(0), Session { id: ProducerId(7), epoch: 32_762 }, State::Empty);
        }
        rig.refusals = 20;
        let person = |txn| Person { txn: TxnId(txn), session: None, goes_on: false, stage: Stage::Begin, asked: None, serial: 0 };
        Crowd { rig, people: vec![person(0), person(0), person(1)], told: BTreeMap::new() }
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.rig.chance.below(n) == 0
    }

    fn pick<T>(&mut self, from: fn(&mut Rig) -> &mut Vec<T>) -> Option<T> {
        let len = from(&mut self.rig).len() as u64;
        let at = usize::try_from(self.rig.chance.below(len)).unwrap();
        (len > 0).then(|| from(&mut self.rig).remove(at))
    }

    fn part(&mut self) -> Part {
        Part(u32::try_from(self.rig.chance.below(4)).unwrap())
    }

    fn v2(&self) -> bool {
        self.rig.config.mechanisms.epoch_per_transaction
    }

    /// A producer does the next thing.
    fn act(&mut self, who: usize) {
        if let Some(number) = self.people[who].asked {
            if !self.one_in(8) {
                return;
            }
            // A connection that is given up does not bring its requests any more, where an epoch serves many transactions: a late end
            // of an earlier one would end the present one. That is what an epoch for each transaction is for.
            if !self.v2() {
                self.rig.requests.retain(|(other, _, _)| *other != number);
            }
            self.people[who].asked = None;
        }
        let stage = self.people[who].stage;
        match stage {
            Stage::Rest if self.one_in(8) => {
                self.people[who].goes_on = true;
                self.people[who].stage = Stage::Begin;
            }
            Stage::Rest if self.v2() && self.one_in(8) => self.people[who].stage = Stage::Ending(Outcome::Abort),
            Stage::Rest => {
                self.people[who].serial += 1;
                self.people[who].stage = Stage::Adding(self.part());
            }
            Stage::Open if self.one_in(3) => self.people[who].stage = Stage::Adding(self.part()),
            Stage::Open if self.one_in(3) => self.people[who].stage = Stage::Ending(Outcome::Abort),
            Stage::Open => self.people[who].stage = Stage::Ending(Outcome::Commit),
            Stage::Gone if self.one_in(20) => self.people[who].stage = Stage::Begin,
            Stage::Gone => return,
            Stage::Begin | Stage::Adding(_) | Stage::Ending(_) => {}
        }
        let Person { txn, session, goes_on, stage, .. } = self.people[who];
        let request = match (stage, session) {
            (Stage::Adding(part), Some(session)) => self.rig.adding(txn, session, part),
            (Stage::Ending(outcome), Some(session)) => TxnRequest::EndTxn { txn, session, outcome },
            (_, session) => {
                let expected = session.filter(|_| goes_on);
                TxnRequest::InitProducerId { txn: Some(txn), timeout: TIMEOUT, expected }
            }
        };
        self.people[who].asked = Some(self.rig.ask(who, request));
    }

    /// A producer ends, and another process takes its place.
    fn restart(&mut self, who: usize) {
        let person = &mut self.people[who];
        (person.session, person.goes_on, person.stage, person.asked) = (None, false, Stage::Begin, None);
        person.serial += 1;
    }

    /// A producer hears an answer, if it still waits for it.
    fn hear(&mut self, (who, number, reply): (usize, u32, TxnReply)) {
        if self.people[who].asked != Some(number) {
            return;
        }
        self.people[who].asked = None;
        let result = match reply {
            TxnReply::ProducerId(result) => result.map(|session| {
                let person = &mut self.people[who];
                (person.session, person.goes_on, person.stage) = (Some(session), false, Stage::Rest);
            }),
            TxnReply::PartitionsAdded(result) | TxnReply::OffsetsAdded(result) => result.map(|()| self.write(who)),
            TxnReply::Verified(results) => results[0].1.map(|()| self.write(who)),
            TxnReply::Ended(result) => result.map(|session| {
                if let Stage::Ending(outcome) = self.people[who].stage {
                    self.told.insert((who, self.people[who].serial), outcome);
                }
                let person = &mut self.people[who];
                (person.session, person.stage) = (Some(session), Stage::Rest);
                person.serial += 1;
            }),
            TxnReply::MarkersWritten(_) => unreachable!(),
        };
        match result {
            Ok(())
            | Err(
                Refusal::ConcurrentTransactions
                | Refusal::NotCoordinator
                | Refusal::CoordinatorNotAvailable
                | Refusal::CoordinatorLoadInProgress,
            ) => {}
            Err(_) => {
                self.restart(who);
                self.people[who].stage = Stage::Gone;
            }
        }
    }

    fn write(&mut self, who: usize) {
        let Person { session: Some(session), stage: Stage::Adding(part), serial, .. } = self.people[who] else { return };
        if self.rig.write(part, session, (who, serial)) {
            self.people[who].stage = Stage::Open;
        } else {
            self.restart(who);
            self.people[who].stage = Stage::Gone;
        }
    }

    /// One random thing happens.
    fn step(&mut self) {
        if self.rig.txns.is_none() && self.one_in(20) {
            self.rig.come();
        }
        let roll = self.rig.chance.below(200);
        let who = usize::try_from(self.rig.chance.below(3)).unwrap();
        match roll {
            0..50 => self.act(who),
            50..90 => {
                if let Some(request) = self.pick(|rig| &mut rig.requests) {
                    if self.v2() && self.one_in(8) {
                        self.rig.requests.push(request.clone());
                    }
                    self.rig.deliver(request);
                }
            }
            90..122 => {
                if let Some(reply) = self.pick(|rig| &mut rig.replies)
                    && !self.one_in(20)
                {
                    self.hear(reply);
                }
            }
            122..157 => {
                let more = self.rig.chance.below(4);
                let to = (self.rig.replicated + usize::try_from(more).unwrap()).min(self.rig.home.len());
                self.rig.replicate(to);
            }
            157..171 => {
                if let Some(letter) = self.pick(|rig| &mut rig.letters) {
                    let fate = self.rig.chance.below(4);
                    if fate == 0 {
                        self.rig.lose_letter(&letter);
                    } else {
                        self.rig.deliver_letter(&letter);
                    }
                    if fate == 1 {
                        // Its answer does not arrive, and it comes a second time, later.
                        let ack = self.rig.acks.pop().unwrap();
                        self.rig.acks.push((ack.0, ack.1, Err(Refusal::RequestTimedOut)));
                        self.rig.letters.push(letter);
                    }
                }
            }
            171..187 => {
                if let Some(ack) = self.pick(|rig| &mut rig.acks) {
                    self.rig.deliver_ack(ack);
                }
            }
            187 => self.rig.pass(Span::secs(4)),
            188..191 => self.rig.pass(Span::millis(60)),
            191..193 => {
                let part = self.part();
                let leader = (!self.one_in(6)).then(|| BROKERS[usize::from(self.one_in(2))]);
                self.rig.elect(part, leader);
            }
            193..195 => {
                if let Some((ticket, _)) = self.pick(|rig| &mut rig.flights) {
                    self.rig.with(|txns, env, out| txns.on_appended(ticket, Err(Refusal::RequestTimedOut), env, out));
                }
            }
            195 => {
                let more = usize::try_from(self.rig.chance.below(6)).unwrap();
                self.rig.crash(self.rig.replicated + more);
            }
            196 if self.one_in(2) => self.rig.come(),
            196 => self.rig.resign(),
            197 => self.restart(who),
            _ => self.act(who),
        }
    }

    /// Everything has an end, everywhere the same, and the one that producers were told.
    fn check(&mut self) -> Result<(), String> {
        if let Some(wrong) = &self.rig.wrong {
            return Err(wrong.clone());
        }
        if !self.rig.txns.as_ref().is_some_and(super::super::Txns::is_settled) {
            return Err("a transaction does not end".to_owned());
        }
        let mut ends: BTreeMap<Deal, Outcome> = BTreeMap::new();
        for (at, log) in self.rig.logs.iter().enumerate() {
            if !log.open().is_empty() {
                return Err(format!("in partition {at} these have no end: {:?}", log.open()));
            }
            for (deal, outcome) in &log.ended {
                if *ends.entry(*deal).or_insert(*outcome) != *outcome {
                    return Err(format!("{deal:?} has two ends"));
                }
            }
        }
        for (deal, told) in &self.told {
            if ends.get(deal).is_some_and(|end| end != told) {
                return Err(format!("{deal:?} was told {told:?}"));
            }
        }
        Ok(())
    }
}

fn run(seed: u64, v2: bool, mutants: Mutants) -> (Crowd, Result<(), String>) {
    let mut crowd = Crowd::new(seed, v2, mutants);
    for _ in 0..4000 {
        crowd.step();
        if crowd.rig.wrong.is_some() {
            break;
        }
    }
    crowd.rig.heal();
    let verdict = crowd.check();
    (crowd, verdict)
}

const SEEDS: u64 = 300;

#[test]
fn every_transaction_has_one_end() {
    for v2 in [false, true] {
        let (mut commits, mut aborts) = (0, 0);
        let mut seen: std::collections::BTreeSet<Mark> = std::collections::BTreeSet::new();
        for seed in 0..SEEDS {
            let (crowd, verdict) = run(seed, v2, Mutants::none());
            assert_eq!(verdict, Ok(()), "seed {seed}, v2: {v2}");
            seen.extend(&crowd.rig.marks);
            commits += crowd.told.values().filter(|told| **told == Outcome::Commit).count();
            aborts += crowd.told.values().filter(|told| **told == Outcome::Abort).count();
        }
        assert!(commits > 2000 && aborts > 1000, "{commits} commits, {aborts} aborts");
        let unseen: Vec<Mark> = marks::ALL.iter().map(|(mark, _)| *mark).filter(|mark| !seen.contains(mark)).collect();
        assert_eq!(unseen, [marks::EXPIRED, marks::NOT_IN_TRANSACTION], "v2: {v2}");
    }
}

#[cfg(feature = "mutants")]
#[test]
fn what_is_broken_is_noticed() {
    use crate::model::kafka::mutants::Mutant;

    let by = |mutant: Mutant, v2: bool, word: &str| {
        let found = (0..SEEDS).find_map(|seed| run(seed, v2, Mutants::with(mutant).unwrap()).1.err());
        let found = found.unwrap_or_else(|| panic!("{mutant:?} goes unnoticed, v2: {v2}"));
        assert!(found.contains(word), "{mutant:?}: {found}");
    };
    for v2 in [false, true] {
        by(Mutant::ZombieNotFenced, v2, "is served");
        by(Mutant::MarkerForgotten, v2, "no end");
        by(Mutant::AbortsCommitted, v2, "is decided");
    }
}

//! The hostile world: late, lost and doubled messages, partitions, kills, power failures, failing disks, pauses.

use std::collections::BTreeMap;

use crate::base::{Chance, NodeId, SmallStream, Span, Time, Words};
use crate::model::raft::message::Voted;
use crate::model::raft::{Change, Message, Moment, Output, Raft, Record, Role, Settings, Stored, Ticket, Timer};
use crate::parts::config::MachineConfig;
use crate::parts::disk::{Disk, PowerLoss, SyncPoint};

use super::laws::{Laws, Word, words};

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) settings: Settings,
    pub(super) nodes: usize,
    pub(super) voters: usize,
    /// Whether voters come and go.
    pub(super) members: bool,
    /// Whether logs are compacted.
    pub(super) compaction: bool,
    /// How long things go wrong.
    pub(super) trouble: Span,
}

#[derive(Clone, Debug)]
enum Event {
    Deliver { from: NodeId, to: NodeId, message: Message<Word> },
    Fire { at: NodeId, life: u32, timer: Timer },
    Synced { at: NodeId, life: u32, ticket: Ticket, point: SyncPoint, fine: bool },
    Boot { at: NodeId },
    Load,
    Strike,
}

/// One node: its process, if it runs, its disk, and its machine.
#[derive(Clone, Debug)]
struct Site {
    raft: Option<Raft<Word>>,
    disk: Disk<Stored<Word>>,
    life: u32,
    /// How far the machine is, and its state.
    applied: u64,
    state: Vec<Word>,
    paused: Time,
    /// What was committed anywhere when each read came.
    reads: BTreeMap<u64, usize>,
}

/// A run.
#[derive(Clone, Debug)]
pub(super) struct Rig {
    scene: Scene,
    chance: SmallStream,
    pub(super) now: Time,
    queue: BTreeMap<(Time, u64), Event>,
    sequence: u64,
    sites: Vec<Site>,
    /// Which side of a partition each node is on.
    side: Vec<u64>,
    /// Two nodes that do not reach each other.
    cut: Option<[NodeId; 2]>,
    healed: bool,
    next_word: u32,
    pub(super) laws: Laws,
    pub(super) events: u64,
    pub(super) reads_answered: u64,
    pub(super) terms: u32,
}

/// Whether a vote leaves.
fn is_vote(output: &Output<Word>) -> bool {
    matches!(output, Output::Send { message: Message::Voted(Voted { granted: true, pre: false, .. }), .. })
}

const ONE_IN: fn(u64) -> Chance = |n| Chance::ratio(1, n);

impl Rig {
    pub(super) fn new(scene: Scene, seed: u64) -> Rig {
        let voters = || (0..scene.voters).map(NodeId::at);
        let disk = |_| Disk::new(Stored::format(voters()), &MachineConfig::default().disk);
        let site = |disk| Site { raft: None, disk, life: 0, applied: 0, state: vec![], paused: Time::ZERO, reads: BTreeMap::new() };
        let mut rig = Rig {
            scene,
            chance: SmallStream::named(seed, "raft", 0),
            now: Time::ZERO,
            queue: BTreeMap::new(),
            sequence: 0,
            sites: (0..scene.nodes).map(disk).map(site).collect(),
            side: vec![0; scene.nodes],
            cut: None,
            healed: false,
            next_word: 0,
            laws: Laws::default(),
            events: 0,
            reads_answered: 0,
            terms: 0,
        };
        for node in 0..scene.nodes {
            rig.after(Span::ZERO, Event::Boot { at: NodeId::at(node) });
        }
        rig.after(Span::ZERO, Event::Load);
        rig.after(Span::ZERO, Event::Strike);
        rig
    }

    /// Trouble, then healing; at the end everybody must have agreed on something new.
    pub(super) fn run(self) -> Result<Rig, String> {
        let end = Time::ZERO + self.scene.trouble;
        let mut this = self.trouble()?;
        this.heal();
        this.recover(end)?;
        Ok(this)
    }

    /// Trouble alone.
    pub(super) fn trouble(mut self) -> Result<Rig, String> {
        self.until(Time::ZERO + self.scene.trouble)?;
        Ok(self)
    }

    fn recover(&mut self, end: Time) -> Result<(), String> {
        self.until(end + Span::secs(20))?;
        let before = self.laws.committed.len();
        self.until(end + Span::secs(30))?;
        if self.laws.committed.len() <= before {
            return Err(format!("nothing is committed any more after healing: {}", self.standing()));
        }
        self.quiet();
        self.until(end + Span::secs(40))?;
        let all = self.laws.committed.len() as u64;
        let leader = self.sites.iter().filter_map(|site| site.raft.as_ref()).find(|raft| raft.in_charge());
        let leader = leader.ok_or_else(|| format!("nobody is in charge at the end: {}", self.standing()))?;
        // Observers of a pull quorum follow as well.
        let everybody = (0..self.sites.len()).map(NodeId::at).collect();
        let reached = if leader.push().is_some() { leader.voters().to_vec() } else { everybody };
        for voter in reached {
            let site = &self.sites[voter.index()];
            if site.applied != all || !words(&self.laws.committed).eq(site.state.iter().copied()) {
                return Err(format!("{voter} has applied {} of {all} entries: {}", site.applied, self.standing()));
            }
        }
        Ok(())
    }

    /// Where everybody stands, for messages.
    fn standing(&self) -> String {
        let one = |raft: &Raft<Word>| {
            let (me, role, term, leader) = (raft.me(), raft.role(), raft.term(), raft.leader());
            let (end, committed) = (raft.log().end(), raft.committed());
            format!("{me} {role:?} in {term} under {leader:?} up to {end}, committed {committed}, voters {:?}", raft.voters())
        };
        self.sites.iter().filter_map(|site| site.raft.as_ref()).map(one).collect::<Vec<_>>().join("; ")
    }

    fn until(&mut self, end: Time) -> Result<(), String> {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 < end) {
            let ((now, _), event) = entry.remove_entry();
            self.now = now;
            self.events += 1;
            self.step(event);
            if let Some(broken) = self.laws.broken.take() {
                return Err(format!("{:?}: {broken}", self.now));
            }
        }
        self.now = end;
        Ok(())
    }

    fn after(&mut self, span: Span, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now + span, self.sequence), event);
    }

    fn micros(&mut self, low: u64, high: u64) -> Span {
        self.chance.span_between(Span::micros(low), Span::micros(high))
    }

    fn moment(&mut self) -> Moment {
        Moment::new(self.now, &mut self.chance)
    }

    fn any_node(&mut self) -> NodeId {
        NodeId::at(usize::try_from(self.chance.below(self.sites.len() as u64)).unwrap())
    }

    fn step(&mut self, event: Event) {
        let at = match &event {
            Event::Deliver { to, .. } => Some(*to),
            Event::Fire { at, .. } | Event::Synced { at, .. } | Event::Boot { at } => Some(*at),
            Event::Load | Event::Strike => None,
        };
        if let Some(until) = at.map(|at| self.sites[at.index()].paused).filter(|until| *until > self.now) {
            self.after(until.since(self.now), event);
            return;
        }
        let moment = self.moment();
        match event {
            Event::Boot { at } => self.boot(at),
            Event::Load => self.load(),
            Event::Strike => self.strike(),
            Event::Deliver { from, to, message } => self.with(to, |raft| raft.message(from, message, moment)),
            Event::Fire { at, life, timer } if life == self.sites[at.index()].life => self.with(at, |raft| raft.timer(timer, moment)),
            Event::Synced { at, life, ticket, point, fine } if life == self.sites[at.index()].life => {
                let now = self.now;
                let disk = &mut self.sites[at.index()].disk;
                if fine {
                    disk.sync_finished(point);
                    self.with(at, |raft| raft.synced(ticket, moment));
                } else {
                    disk.sync_failed(now, point);
                    self.with(at, |raft| raft.sync_failed(moment));
                }
            }
            Event::Fire { .. } | Event::Synced { .. } => {}
        }
    }

    fn boot(&mut self, at: NodeId) {
        let moment = self.moment();
        let site = &mut self.sites[at.index()];
        if site.raft.is_none() {
            site.life += 1;
            (site.applied, site.state) = (0, vec![]);
            site.reads.clear();
            site.raft = Some(Raft::boot(at, self.scene.settings, site.disk.recover(), moment));
            self.with(at, |_| {});
        }
    }

    /// Lets a node take an input, if it runs, and does what it wants.
    fn with(&mut self, at: NodeId, input: impl FnOnce(&mut Raft<Word>)) {
        let Some(raft) = &mut self.sites[at.index()].raft else { return };
        input(raft);
        let outputs = raft.outputs();
        let voted = outputs.iter().any(is_vote);
        for output in outputs {
            self.carry_out(at, output);
        }
        // Right after a vote is the worst moment.
        let deadly = if voted { ONE_IN(8) } else { ONE_IN(2000) };
        if !self.healed && self.chance.hits(deadly) {
            self.stop(at);
        }
    }

    fn carry_out(&mut self, at: NodeId, output: Output<Word>) {
        let site = &mut self.sites[at.index()];
        let raft = site.raft.as_ref().expect("it runs");
        match output {
            Output::Write(record) => {
                if let Record::Append { first, entries } = &record {
                    self.laws.holds(raft, *first, entries);
                }
                site.disk.write(self.now, record).expect("room");
            }
            Output::Sync(ticket) => {
                let (point, life) = (site.disk.sync_started(), site.life);
                let fine = self.healed || !self.chance.hits(ONE_IN(50));
                let slow = if self.chance.hits(ONE_IN(10)) && !self.healed { 100_000 } else { 3_000 };
                let after = self.micros(100, slow);
                self.after(after, Event::Synced { at, life, ticket, point, fine });
            }
            Output::Send { to, message } => self.transmit(at, to, message),
            Output::Set { timer, after } => {
                let life = site.life;
                self.after(after, Event::Fire { at, life, timer });
            }
            Output::Cancel(_) | Output::InCharge { .. } => {}
            Output::Committed { first, entries } => {
                let (applied, term) = (site.applied, raft.term());
                self.laws.demand(first.0 == applied, || format!("{at} is at {applied} and gets {first}"));
                self.laws.hands_out((at, term), first, &entries);
                site.applied += entries.len() as u64;
                site.state.extend(words(&entries));
            }
            Output::Restore(snapshot) => {
                self.laws.restores(at, &snapshot);
                (site.applied, site.state) = (snapshot.end.0, snapshot.state.to_vec());
            }
            Output::Role { role: Role::Leader, term, .. } => {
                self.terms = self.terms.max(term.0);
                self.laws.leads(raft);
            }
            Output::Role { .. } => {}
            Output::ReadReady { read } => {
                let (then, applied) = (site.reads.remove(&read).expect("it was asked"), site.applied);
                self.laws.demand(applied >= then as u64, || format!("{at} reads at {applied} what was at {then} before"));
                self.reads_answered += 1;
            }
            Output::ReadRefused { read } => drop(site.reads.remove(&read).expect("it was asked")),
        }
    }

    fn transmit(&mut self, from: NodeId, to: NodeId, message: Message<Word>) {
        let (lost, doubled, late) = (self.chance.hits(ONE_IN(20)), self.chance.hits(ONE_IN(20)), self.chance.hits(ONE_IN(20)));
        let slow = if late && !self.healed { 150_000 } else { 5_000 };
        let (one, other) = (self.micros(100, slow), self.micros(100, 60_000));
        let cut = self.cut.is_some_and(|ends| ends.contains(&from) && ends.contains(&to));
        if cut || self.side[from.index()] != self.side[to.index()] || (lost && !self.healed) {
            return;
        }
        if doubled {
            self.after(other, Event::Deliver { from, to, message: message.clone() });
        }
        self.after(one, Event::Deliver { from, to, message });
    }

    /// Clients propose and read everywhere, with pauses in which even a node that was cut off has all there is; now and then logs are compacted and voters come and go.
    fn load(&mut self) {
        for node in (0..self.sites.len()).map(NodeId::at) {
            let (moment, count) = (self.moment(), 1 + self.chance.below(3));
            let new: Vec<Word> = (0..count).map(|more| Word(self.next_word + u32::try_from(more).unwrap())).collect();
            let (read, committed) = (u64::from(self.next_word), self.laws.committed.len());
            self.next_word += 3;
            let what = self.chance.below(40);
            let change = if self.chance.below(2) == 0 { Change::Add(self.any_node()) } else { Change::Remove(self.any_node()) };
            let site = &mut self.sites[node.index()];
            let (applied, state) = (site.applied, site.state.clone());
            let Some(raft) = site.raft.as_mut().filter(|_| site.paused <= self.now) else { continue };
            if raft.role() == Role::Leader && raft.push().is_some() {
                site.reads.insert(read, committed);
            }
            let busy = (self.now.nanos() / 400_000_000).is_multiple_of(2);
            let (members, compaction) = (self.scene.members, self.scene.compaction);
            self.with(node, |raft| {
                let _ = raft.propose(new.into_iter().filter(|_| busy), moment);
                let _ = raft.read(read, moment);
                match what {
                    0 if compaction => raft.compact(crate::model::raft::Offset(applied), state.into(), moment),
                    1..3 if members => drop(raft.change_voters(change, moment)),
                    3 => raft.resign(None, moment),
                    _ => {}
                }
            });
        }
        let after = self.micros(1_000, 40_000);
        self.after(after, Event::Load);
    }

    fn strike(&mut self) {
        let (any, after) = (self.any_node(), self.micros(10_000, 400_000));
        let leads = |site: &Site| site.raft.as_ref().is_some_and(|raft| raft.role() == Role::Leader);
        let leader = self.sites.iter().position(leads).map(NodeId::at);
        let node = leader.filter(|_| self.chance.hits(ONE_IN(2))).unwrap_or(any);
        match self.chance.below(8) {
            0 => self.stop(node),
            4 | 5 => self.cut = Some([node, self.any_node()]),
            1 => {
                let long = self.micros(1_000, 1_500_000);
                self.sites[node.index()].paused = self.now + long;
            }
            2 => self.side = (0..self.sites.len()).map(|_| self.chance.below(2)).collect(),
            3 => self.side = (0..self.sites.len()).map(|other| u64::from(other == node.index())).collect(),
            _ => {
                self.side.fill(0);
                self.cut = None;
            }
        }
        self.after(after, Event::Strike);
    }

    /// Kills a process or cuts its power; it starts again soon.
    fn stop(&mut self, at: NodeId) {
        let (how, word) = (self.chance.below(3), self.chance.word());
        let long = if self.chance.hits(ONE_IN(3)) { 1_000_000 } else { 20_000 };
        let after = self.micros(100, long);
        let site = &mut self.sites[at.index()];
        site.raft = None;
        match how {
            0 => {}
            1 => drop(site.disk.power_off(self.now, PowerLoss::Clean)),
            _ => drop(site.disk.power_off(self.now, PowerLoss::Torn(word))),
        }
        self.after(after, Event::Boot { at });
    }

    fn heal(&mut self) {
        self.healed = true;
        self.cut = None;
        self.side.fill(0);
        self.queue.retain(|_, event| !matches!(event, Event::Strike));
        self.scene.members = false;
        for site in &mut self.sites {
            site.paused = Time::ZERO;
        }
    }

    /// Lets everything go well for a while.
    pub(super) fn calm(&mut self, span: Span) -> Result<(), String> {
        self.heal();
        self.until(self.now + span)
    }

    /// No more load.
    fn quiet(&mut self) {
        self.queue.retain(|_, event| !matches!(event, Event::Load));
    }

    /// Cuts the power of all nodes at once and starts them again.
    pub(super) fn blackout(&mut self) {
        for site in &mut self.sites {
            site.raft = None;
            site.disk.power_off(self.now, PowerLoss::Clean);
        }
        for node in 0..self.sites.len() {
            self.after(Span::millis(1), Event::Boot { at: NodeId::at(node) });
        }
    }
}

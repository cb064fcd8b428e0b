//! The disk beside a naive twin that keeps everything that ever happened and replays it for each question.

use super::*;
use crate::base::Law;
use proptest::prelude::*;

/// Records of (number, length); `apply` keeps them in order of arrival.
#[derive(Clone, PartialEq, Debug, Default)]
struct Log(Vec<(u32, u64)>);

#[derive(Clone, PartialEq, Debug)]
enum Change {
    Append(u32, u64),
    /// Deletes everything held when it was made; frees so many bytes.
    Trim(u64),
}

impl Contents for Log {
    type Write = Change;
    fn apply(&mut self, write: Change) {
        match write {
            Change::Append(id, bytes) => self.0.push((id, bytes)),
            Change::Trim(_) => self.0.clear(),
        }
    }
    fn torn(write: &Change, word: u64) -> Option<Change> {
        match write {
            Change::Append(id, bytes) => (*bytes > 1).then(|| Change::Append(*id, 1 + word % (bytes - 1))),
            Change::Trim(_) => None,
        }
    }
    fn flip(&mut self, word: u64) -> bool {
        let count = self.0.len() as u64;
        if let Some(at) = word.checked_rem(count) {
            self.0[usize::try_from(at).unwrap()].0 ^= 1 << 31;
        }
        count > 0
    }
    fn bytes(write: &Change) -> u64 {
        match write {
            Change::Append(_, bytes) => *bytes,
            Change::Trim(_) => 0,
        }
    }
    fn frees(write: &Change) -> u64 {
        match write {
            Change::Append(..) => 0,
            Change::Trim(bytes) => *bytes,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Dirty(Time),
    Durable,
    GivenUp,
}

/// The naive twin: everything that ever happened, in order, replayed from the start for each question.
#[derive(Clone, Default)]
struct Twin {
    writes: Vec<(Change, State)>,
    /// Flips, with how many writes of the list they came after having reached the medium.
    flips: Vec<(usize, u64)>,
}

impl Twin {
    fn dirty(&self) -> usize {
        self.writes.iter().filter(|(_, state)| matches!(state, State::Dirty(_))).count()
    }
    fn settled(&self) -> usize {
        self.writes.len() - self.dirty()
    }
    /// The medium: durable writes and flips in the order in which they got there.
    fn platter(&self) -> Log {
        self.replay(|state| matches!(state, State::Durable), true)
    }
    fn read(&self) -> Log {
        let differs = self.writes.iter().any(|(_, state)| *state == State::GivenUp);
        if !differs {
            return self.replay(|_| true, true);
        }
        // Flips that struck before the first given-up write are in the reader's image too; later ones are hidden by it.
        let first = self.writes.iter().position(|(_, state)| *state == State::GivenUp).unwrap();
        let mut early = self.clone();
        early.flips.retain(|(after, _)| *after <= first);
        early.replay(|_| true, true)
    }
    fn replay(&self, keep: impl Fn(State) -> bool, flips: bool) -> Log {
        let mut log = Log::default();
        let mut flip = self.flips.iter().filter(|_| flips).peekable();
        for (at, (write, state)) in self.writes.iter().enumerate() {
            while flip.next_if(|(after, _)| *after <= at).map(|(_, word)| log.flip(*word)).is_some() {}
            if keep(*state) {
                log.apply(write.clone());
            }
        }
        flip.for_each(|(_, word)| {
            log.flip(*word);
        });
        log
    }
    fn mark(&mut self, upto: usize, to: State) {
        for (_, state) in self.writes.iter_mut().take(upto) {
            if matches!(state, State::Dirty(_)) {
                *state = to;
            }
        }
    }
    /// Eager: called at every step of time.
    fn write_back(&mut self, now: Time, after: Span) {
        let old = self.writes.iter().take_while(|(_, state)| match state {
            State::Dirty(at) => now.saturating_since(*at) >= after,
            State::Durable | State::GivenUp => true,
        });
        let old = old.count();
        self.mark(old, State::Durable);
    }
    fn power_off(&mut self, how: PowerLoss) -> Lost {
        let mut lost = Lost::default();
        let mut part = None;
        for (write, state) in &self.writes {
            if *state != State::Durable {
                lost.writes += 1;
            }
            if let (State::Dirty(_), PowerLoss::Torn(word), None) = (state, how, &part) {
                part = Some(Log::torn(write, word));
            }
        }
        let part = part.flatten();
        lost.torn = part.is_some();
        // What is left is one durable list; flips move with the writes they followed.
        let kept: Vec<usize> = (0..self.writes.len()).filter(|i| self.writes[*i].1 == State::Durable).collect();
        for (after, _) in &mut self.flips {
            *after = kept.iter().filter(|i| **i < *after).count();
        }
        self.writes.retain(|(_, state)| *state == State::Durable);
        self.writes.extend(part.map(|write| (write, State::Durable)));
        lost
    }
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Write(u64),
    Trim,
    SyncStart,
    SyncEnd(usize, bool),
    Kill,
    Power(Option<u64>),
    Flip(u64),
    Stall(bool),
    Wipe,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0u64..40).prop_map(Step::Wait),
        8 => (1u64..9).prop_map(Step::Write),
        1 => Just(Step::Trim),
        4 => Just(Step::SyncStart),
        4 => (any::<usize>(), prop::bool::weighted(0.7)).prop_map(|(which, ok)| Step::SyncEnd(which, ok)),
        2 => Just(Step::Kill),
        2 => prop::option::of(any::<u64>()).prop_map(Step::Power),
        1 => any::<u64>().prop_map(Step::Flip),
        1 => any::<bool>().prop_map(Step::Stall),
        1 => Just(Step::Wipe),
    ];
    prop::collection::vec(step, 1..120)
}

/// The disk beside its twin.
struct Pair {
    disk: Disk<Log>,
    twin: Twin,
    after: Option<Span>,
    now: Time,
    ids: u32,
    points: Vec<(SyncPoint, usize, u32)>,
    stalled: bool,
    /// Counts power failures and wipes: sync points of an earlier life cover nothing.
    life: u32,
}

impl Pair {
    fn new(writeback: Option<u64>) -> Pair {
        let after = writeback.map(Span::nanos);
        let config = DiskConfig { sync: Law::Constant(Span::ZERO), writeback: after, capacity: None };
        let disk = Disk::new(Log::default(), &config);
        Pair { disk, twin: Twin::default(), after, now: Time::ZERO, ids: 0, points: Vec::new(), stalled: false, life: 0 }
    }
    fn tick(&mut self) {
        if let (Some(after), false) = (self.after, self.stalled) {
            self.twin.write_back(self.now, after);
        }
    }
    fn write(&mut self, change: Change) {
        self.disk.write(self.now, change.clone()).unwrap();
        self.twin.writes.push((change, State::Dirty(self.now)));
    }
    fn step(&mut self, step: Step) {
        match step {
            Step::Wait(nanos) => {
                for _ in 0..nanos {
                    self.now += Span::nanos(1);
                    self.tick();
                }
            }
            Step::Write(bytes) => {
                self.ids += 1;
                self.write(Change::Append(self.ids, bytes));
            }
            Step::Trim => {
                let held = self.twin.read().0.iter().map(|(_, bytes)| bytes).sum();
                self.write(Change::Trim(held));
            }
            Step::SyncStart => self.points.push((self.disk.sync_started(), self.twin.writes.len(), self.life)),
            Step::SyncEnd(which, ok) if !self.points.is_empty() => self.sync_ends(which, ok),
            Step::SyncEnd(..) | Step::Kill => {}
            Step::Power(word) => {
                let how = word.map_or(PowerLoss::Clean, PowerLoss::Torn);
                assert_eq!(self.disk.power_off(self.now, how), self.twin.power_off(how));
                self.life += 1;
            }
            Step::Flip(word) => {
                let could = !self.twin.platter().0.is_empty();
                assert_eq!(self.disk.flip(self.now, word), could);
                self.twin.flips.push((self.twin.settled(), word));
            }
            Step::Stall(on) if on != self.stalled => {
                if on {
                    self.disk.stall(self.now, FaultId(0));
                } else {
                    assert!(self.disk.unstall(FaultId(0)));
                }
                self.stalled = on;
                self.tick();
            }
            Step::Stall(_) => {}
            Step::Wipe => {
                self.disk.wipe(Log::default());
                self.twin = Twin::default();
                self.life += 1;
            }
        }
    }
    fn sync_ends(&mut self, which: usize, ok: bool) {
        let (point, upto, life) = self.points.swap_remove(which % self.points.len());
        if ok {
            self.disk.sync_finished(point);
        } else {
            self.disk.sync_failed(self.now, point);
        }
        if life == self.life {
            self.twin.mark(upto, if ok { State::Durable } else { State::GivenUp });
        }
    }
    fn compare(&self) {
        assert_eq!(self.disk.recover(), self.twin.read());
        let mut aged = self.disk.clone();
        aged.write_back(self.now);
        assert_eq!(*aged.durable(), self.twin.platter());
        assert_eq!(aged.dirty(), self.twin.dirty() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn any_sequence_leaves_what_the_twin_leaves(steps in steps(), writeback in prop::option::of(1u64..80)) {
        let mut pair = Pair::new(writeback);
        for step in steps {
            pair.step(step);
            pair.compare();
        }
    }

    #[test]
    fn used_bytes_are_those_held_when_nothing_fails(sizes in prop::collection::vec((1u64..9, any::<bool>()), 0..40)) {
        let config = DiskConfig { sync: Law::Constant(Span::ZERO), writeback: None, capacity: Some(40) };
        let mut disk = Disk::new(Log::default(), &config);
        for (id, (bytes, sync)) in (0u32..).zip(sizes) {
            let held = |disk: &Disk<Log>| disk.recover().0.iter().map(|(_, bytes)| bytes).sum::<u64>();
            let before = held(&disk);
            let fits = before + bytes <= 40;
            prop_assert_eq!(disk.write(Time::ZERO, Change::Append(id, bytes)).is_ok(), fits);
            if !fits {
                disk.write(Time::ZERO, Change::Trim(before)).expect("deleting needs no room");
            }
            if sync {
                disk.sync_finished(disk.sync_started());
            }
            prop_assert_eq!(disk.used(), held(&disk));
        }
        disk.power_off(Time::ZERO, PowerLoss::Clean);
        prop_assert_eq!(disk.used(), disk.recover().0.iter().map(|(_, bytes)| bytes).sum::<u64>());
    }
}

#[test]
fn a_failed_sync_leaves_a_hole() {
    let mut disk = Disk::new(Log::default(), &crate::parts::config::MachineConfig::default().disk);
    disk.write(Time::ZERO, Change::Append(1, 1)).unwrap();
    disk.sync_failed(Time::ZERO, disk.sync_started());
    disk.write(Time::ZERO, Change::Append(2, 1)).unwrap();
    disk.sync_finished(disk.sync_started());
    assert_eq!(disk.recover(), Log(vec![(1, 1), (2, 1)]), "readable until the power fails");
    let lost = disk.power_off(Time::ZERO, PowerLoss::Clean);
    assert_eq!((lost, disk.recover()), (Lost { writes: 1, torn: false }, Log(vec![(2, 1)])));
}

#[test]
fn a_filled_disk_names_its_fault_until_it_is_lifted() {
    let mut disk = Disk::new(Log::default(), &crate::parts::config::MachineConfig::default().disk);
    disk.fill(FaultId(3));
    disk.fill(FaultId(5));
    assert_eq!(disk.write(Time::ZERO, Change::Append(1, 1)), Err(DiskFull { cause: Some(FaultId(3)) }));
    assert!(disk.unfill(FaultId(3)) && !disk.unfill(FaultId(3)));
    assert_eq!(disk.write(Time::ZERO, Change::Append(1, 1)), Err(DiskFull { cause: Some(FaultId(5)) }));
    assert!(disk.unfill(FaultId(5)));
    assert_eq!(disk.write(Time::ZERO, Change::Append(1, 1)), Ok(()));
}

//! A small world for tests of what stands above worlds: one client, one queue, and a fault that eats what was acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::value::{KeyKind, KeySpec, Reader, Table};
use crate::base::{Digest, FaultId, Law, NodeId, ObjectId, PayloadId, Problem, SmallStream, Span, Tag, Time, Words};
use crate::check::{Promises, Property};
use crate::model::{Checked, Model, ScopeRow};
use crate::parts::fault::{Fault, Ill, Selector, When};
use crate::record::{Command, End, Entry, LossReason, Mark, Marks, Names, Note, Object, ObjectKind, Op, Step, Trace, TraceEntry, What};
use crate::world::{Roster, RosterNode, Sim, Strike, Surroundings};

/// The model: `[model.fake]`.
pub(crate) static FAKE: Fake = Fake;

/// See [`FAKE`].
#[derive(Debug)]
pub(crate) struct Fake;

const KEYS: &[KeySpec] = &[
    KeySpec::new("promises", KeyKind::Flag, "whether it promises to lose nothing").or("true"),
    KeySpec::new("flaky", KeyKind::Flag, "whether it looks at something outside the world").or("false"),
    KeySpec::new("panics_at", KeyKind::Span, "when it panics"),
];

impl Model for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn about(&self) -> &'static str {
        "a queue that acknowledges before it stores"
    }
    fn keys(&self) -> &'static [KeySpec] {
        KEYS
    }
    fn scope(&self) -> &'static [ScopeRow] {
        &[]
    }
    fn marks(&self) -> &'static [(Mark, &'static str)] {
        &[("fake.lost", "an acknowledged message was lost"), ("fake.never", "nothing reaches this")]
    }
    fn roles(&self) -> &'static [&'static str] {
        &[]
    }
    fn kinds(&self) -> &'static [&'static str] {
        &["publish"]
    }
    fn check(&self, table: &Table, problems: &mut Vec<Problem>) -> Option<Box<dyn Checked>> {
        let reader = Reader::new(table, KEYS, "model.fake", problems);
        let (promises, flaky) = (reader.flag("promises") == Some(true), reader.flag("flaky") == Some(true));
        Some(Box::new(FakeChecked { promises, flaky, panics_at: reader.span("panics_at") }))
    }
}

#[derive(Debug)]
struct FakeChecked {
    promises: bool,
    flaky: bool,
    panics_at: Option<Span>,
}

impl Checked for FakeChecked {
    fn model(&self) -> &'static dyn Model {
        &FAKE
    }
    fn roster(&self) -> Roster {
        let node = |name: &str, takes_load| RosterNode { name: name.into(), groups: Vec::new(), takes_load };
        Roster {
            nodes: vec![node("client", true), node("broker", false)],
            objects: vec![Object { name: "orders".into(), kind: ObjectKind::Queue }],
        }
    }
    fn promises(&self) -> Promises {
        let mut promises = Promises::default();
        if self.promises {
            promises.promise(Property::AckedSurvives, "`promises` is set");
        }
        promises
    }
    fn print(&self) -> String {
        format!("promises = {}\n", self.promises)
    }
    fn start(&self, surroundings: &Surroundings, seed: u64) -> Result<Box<dyn Sim>, Vec<String>> {
        let roster = self.roster();
        let names = Names { nodes: roster.nodes.into_iter().map(|n| n.name).collect(), objects: roster.objects };
        let trace = (surroundings.trace_limit > 0).then(|| Trace::within(surroundings.trace_window, surroundings.trace_limit));
        Ok(Box::new(FakeSim {
            now: Time::ZERO,
            queue: BTreeMap::new(),
            sequence: 0,
            words: SmallStream::named(seed, "fake", 0),
            digest: Digest::new(),
            names: Arc::new(names),
            windows: windows(surroundings, seed),
            strikes: Vec::new(),
            touched: vec![0; surroundings.faults.len()],
            marks: Marks::default(),
            trace,
            outside: self.flaky.then(|| Arc::clone(&OUTSIDE)),
            panics_at: self.panics_at.map(|s| Time::ZERO + s),
        }))
    }
}

/// What a world must not look at.
static OUTSIDE: std::sync::LazyLock<Arc<AtomicU64>> = std::sync::LazyLock::new(Arc::default);

/// When each fault acts: for a constant span, on three seeds of four.
fn windows(surroundings: &Surroundings, seed: u64) -> Vec<(FaultId, Time, Time)> {
    let mut windows = Vec::new();
    for (index, fault) in surroundings.faults.iter().enumerate() {
        if let (When::At(times), Some(Law::Constant(lasts))) = (&fault.when, &fault.lasts)
            && !seed.is_multiple_of(4)
        {
            windows.extend(times.iter().map(|at| (FaultId::at(index), *at, *at + *lasts)));
        }
    }
    windows
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    Asked(NodeId, Command),
    Arrived(Command),
    Told(Command),
    Handed(Command),
}

#[derive(Clone)]
struct FakeSim {
    now: Time,
    queue: BTreeMap<(Time, u64), Happening>,
    sequence: u64,
    words: SmallStream,
    digest: Digest,
    names: Arc<Names>,
    windows: Vec<(FaultId, Time, Time)>,
    strikes: Vec<Strike>,
    touched: Vec<u64>,
    marks: Marks,
    trace: Option<Trace>,
    outside: Option<Arc<AtomicU64>>,
    panics_at: Option<Time>,
}

const CLIENT: NodeId = NodeId(0);
const BROKER: NodeId = NodeId(1);

impl FakeSim {
    fn later(&mut self, happening: Happening) {
        let after = Span::micros(500) + Span::nanos(self.words.below(1_000_000));
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), happening);
    }

    fn tell(&mut self, node: NodeId, step: Step) {
        let at = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push(TraceEntry { at, node, step });
        }
    }

    fn happen(&mut self, happening: Happening, out: &mut Vec<Entry>) {
        let at = self.now;
        let tag = |c: Command| Tag { kind: 0, subject: u64::from(c.what.payload().0), attempt: 1 };
        match happening {
            Happening::Asked(node, command) => {
                out.push(Entry { at, node, what: What::Call { op: command.op, what: command.what } });
                self.tell(node, Step::Sent { to: BROKER, tag: tag(command), conn: None });
                self.later(Happening::Arrived(command));
            }
            Happening::Arrived(command) => {
                self.tell(BROKER, Step::Received { from: CLIENT, tag: tag(command) });
                self.later(Happening::Told(command));
                let eats = self.windows.iter().find(|(_, from, until)| *from <= at && at < *until).copied();
                let Some((fault, from, until)) = eats else { return self.later(Happening::Handed(command)) };
                self.touched[fault.index()] += 1;
                self.marks.hit("fake.lost");
                if !self.strikes.iter().any(|s| s.fault == fault) {
                    let strike = Strike {
                        fault,
                        from,
                        until: Some(until),
                        nodes: vec![BROKER],
                        what: "loses what it acknowledged".into(),
                        ill: Ill::Kill(Selector::Named("broker".into())),
                    };
                    self.strikes.push(strike);
                }
                self.tell(BROKER, Step::Lost { to: CLIENT, tag: tag(command), resend: 0, why: LossReason::Fault(fault), again: false });
            }
            Happening::Told(command) => {
                out.push(Entry { at, node: CLIENT, what: What::End { op: command.op, what: command.what, end: End::Ok, place: None } });
            }
            Happening::Handed(command) => {
                let (group, payload) = (command.what.object(), command.what.payload());
                let deliver = Note::Deliver { group, payload, intact: true, redelivered: false, place: None };
                out.push(Entry { at, node: CLIENT, what: What::Note(deliver) });
                out.push(Entry { at, node: CLIENT, what: What::Note(Note::Effect { group, payload }) });
            }
        }
    }
}

impl Sim for FakeSim {
    fn unmatched(&self) -> Vec<String> {
        Vec::new()
    }
    fn advance(&mut self, until: Time, out: &mut Vec<Entry>) -> bool {
        let before = out.len();
        while self.advance_one(until, out) {
            if out.len() > before {
                return true;
            }
        }
        self.now = self.now.max(until);
        false
    }
    fn advance_one(&mut self, until: Time, out: &mut Vec<Entry>) -> bool {
        let Some((&(at, sequence), _)) = self.queue.first_key_value().filter(|((at, _), _)| *at <= until) else { return false };
        let happening = self.queue.remove(&(at, sequence)).expect("just seen");
        self.now = at;
        assert!(self.panics_at.is_none_or(|p| at < p), "the fake broker was told to panic");
        let outside = self.outside.as_ref().map_or(0, |o| o.fetch_add(1, Ordering::Relaxed));
        self.digest.words(at.nanos(), sequence ^ outside << 32);
        self.happen(happening, out);
        true
    }
    fn inject(&mut self, _: Time, fault: &Fault, _: &mut Vec<Entry>) -> Result<FaultId, Vec<String>> {
        Err(vec![format!("fault `{}`: only declared faults act on the fake broker", fault.name)])
    }
    fn reseed(&mut self, seed: u64) {
        self.words = SmallStream::named(seed, "fake", 0);
    }
    fn adopt(&mut self, _: Time, _: &dyn Sim) -> Result<(), Vec<String>> {
        Err(vec!["the fake broker does not change its settings".to_owned()])
    }
    fn spare(&mut self) {
        let now = self.now;
        self.windows.retain(|(_, from, _)| *from <= now);
    }
    fn is_calm(&self) -> bool {
        false
    }
    fn next_time(&mut self) -> Option<Time> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }
    fn now(&self) -> Time {
        self.now
    }
    fn command(&mut self, at: Time, node: NodeId, command: Command) {
        assert!(at >= self.now, "commands are not for the past");
        let Op::Publish { .. } = command.what else { panic!("a queue takes no requests") };
        self.sequence += 1;
        self.queue.insert((at, self.sequence), Happening::Asked(node, command));
    }
    fn heal(&mut self, _: Time, _: &mut Vec<Entry>) {
        self.windows.clear();
    }
    fn final_read(&mut self, _: &mut Vec<Entry>) {}
    fn gauges(&self, report: &mut dyn FnMut(ObjectId, u64)) {
        report(ObjectId(0), self.queue.len() as u64);
    }
    fn digest(&self) -> Digest {
        self.digest
    }
    fn fingerprint(&self) -> Digest {
        self.digest
    }
    fn events(&self) -> u64 {
        self.sequence - self.queue.len() as u64
    }
    fn messages(&self) -> u64 {
        self.events()
    }
    fn strikes(&self) -> &[Strike] {
        &self.strikes
    }
    fn touched(&self, fault: FaultId) -> u64 {
        self.touched[fault.index()]
    }
    fn marks(&self) -> &Marks {
        &self.marks
    }
    fn names(&self) -> &Names {
        &self.names
    }
    fn trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }
    fn pending(&self) -> Vec<String> {
        Vec::new()
    }
    fn breach(&self) -> Option<&(Time, String)> {
        None
    }
    fn kind(&self, kind: u16) -> Option<&'static str> {
        self.kinds().get(usize::from(kind)).copied()
    }
    fn kinds(&self) -> &'static [&'static str] {
        FAKE.kinds()
    }
    fn about(&self, tag: Tag) -> Option<PayloadId> {
        u32::try_from(tag.subject).ok().map(PayloadId)
    }
    fn holders(&self, _: PayloadId) -> Vec<(NodeId, ObjectId)> {
        Vec::new()
    }
    fn fork(&self) -> Box<dyn Sim> {
        Box::new(self.clone())
    }
}

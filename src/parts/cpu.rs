//! A node's processors: so many servers, one queue before them, first come first served.

use std::collections::VecDeque;

use super::config::CpuConfig;
use crate::base::{Span, Time};

/// What becomes of a job that arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// A server takes it at once: the caller draws its service time and schedules its completion.
    Start,
    /// It waits; [`Cpu::finished`] or [`Cpu::start_waiting`] will hand it out.
    Waits,
    /// The queue is full.
    Refused,
}

/// Figures since the start of the run, weighted by time: divide an integral by the span for a mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CpuStats {
    /// Jobs in service times nanoseconds. Divided by (servers × span): the utilisation.
    pub busy: u128,
    /// Jobs waiting times nanoseconds. Divided by the span: the mean length of the queue.
    pub waiting: u128,
    /// How long the processors stood still.
    pub stopped: Span,
    /// Jobs that came, refused ones included.
    pub arrived: u64,
    /// Jobs refused by a full queue.
    pub refused: u64,
    /// Jobs served to the end.
    pub finished: u64,
    /// Jobs dropped by a crash, waiting or in service.
    pub dropped: u64,
    /// The longest the queue ever was.
    pub longest: u32,
}

/// The processors of one node with their run queue. A job is an opaque handle.
///
/// ```
/// use deadletter::base::{Law, Span, Time};
/// use deadletter::parts::config::CpuConfig;
/// use deadletter::parts::cpu::{Arrival, Cpu};
/// let config = CpuConfig { servers: 1, queue: Some(1), service: Law::Constant(Span::millis(1)) };
/// let mut cpu = Cpu::new(&config);
/// assert_eq!(cpu.arrive(Time::ZERO, 'a'), Arrival::Start);
/// assert_eq!(cpu.arrive(Time::ZERO, 'b'), Arrival::Waits);
/// assert_eq!(cpu.arrive(Time::ZERO, 'c'), Arrival::Refused);
/// assert_eq!(cpu.finished(Time::ZERO + Span::millis(1), 'a'), Some('b'));
/// ```
#[derive(Clone, Debug)]
pub struct Cpu<J> {
    servers: u32,
    limit: u32,
    /// A job in service; the only place for one while there is one server, so that a fork copies no heap memory.
    first: Option<J>,
    /// Further jobs in service, in order of their start.
    others: Vec<J>,
    queue: VecDeque<J>,
    stopped_at: Option<Time>,
    counted_to: Time,
    stats: CpuStats,
}

impl<J: Copy + PartialEq> Cpu<J> {
    /// Idle processors at time zero.
    ///
    /// # Panics
    /// When there are no servers.
    #[must_use]
    pub fn new(config: &CpuConfig) -> Cpu<J> {
        assert!(config.servers > 0, "a node has at least one server");
        Cpu {
            servers: config.servers,
            limit: config.queue.unwrap_or(u32::MAX),
            first: None,
            others: Vec::new(),
            queue: VecDeque::new(),
            stopped_at: None,
            counted_to: Time::ZERO,
            stats: CpuStats::default(),
        }
    }

    /// A job arrives. While the processors are suspended it waits even if a server is free.
    pub fn arrive(&mut self, now: Time, job: J) -> Arrival {
        self.count(now);
        self.stats.arrived += 1;
        if self.stopped_at.is_none() && self.in_service() < self.servers {
            debug_assert!(self.queue.is_empty(), "nobody waits before a free server");
            self.serve(job);
            return Arrival::Start;
        }
        if self.waiting() >= self.limit {
            self.stats.refused += 1;
            return Arrival::Refused;
        }
        self.queue.push_back(job);
        self.stats.longest = self.stats.longest.max(self.waiting());
        Arrival::Waits
    }

    /// A job's service completes. Gives the job that its server takes next, which the caller then starts.
    ///
    /// # Panics
    /// When the job is not in service, or the processors are suspended: their completions must be held (see [`Cpu::resume`]).
    pub fn finished(&mut self, now: Time, job: J) -> Option<J> {
        assert!(self.stopped_at.is_none(), "no service completes on a stopped processor");
        self.count(now);
        self.stats.finished += 1;
        self.release(job);
        self.start_waiting(now)
    }

    /// Starts a job that waits before a free server. After [`Cpu::resume`]: call it until it gives `None`.
    pub fn start_waiting(&mut self, now: Time) -> Option<J> {
        if self.stopped_at.is_some() || self.in_service() == self.servers {
            return None;
        }
        self.count(now);
        let job = self.queue.pop_front()?;
        self.serve(job);
        Some(job)
    }

    /// The node crashed: every job is dropped, first those in service, then those waiting, in order. A suspension ends
    /// with the process; if its cause still acts on the next one, suspend again.
    pub fn clear(&mut self, now: Time) -> impl Iterator<Item = J> + use<J> {
        let _ = self.resume(now);
        self.count(now);
        self.stats.dropped += u64::from(self.in_service()) + u64::from(self.waiting());
        let served = self.first.take().into_iter().chain(std::mem::take(&mut self.others));
        served.chain(std::mem::take(&mut self.queue))
    }

    /// The processors stop (a paused process, a frozen machine). The caller holds the completions of
    /// [`Cpu::serving`]; arrivals wait.
    pub fn suspend(&mut self, now: Time) {
        self.count(now);
        assert!(self.stopped_at.is_none(), "suspended once at a time: causes are counted by the caller");
        self.stopped_at = Some(now);
    }

    /// The processors go on. Gives how long they stood still: each held completion is that much later than it was to be.
    /// Zero when they were not suspended.
    pub fn resume(&mut self, now: Time) -> Span {
        self.count(now);
        let stood = self.stopped_at.take().map_or(Span::ZERO, |since| now.since(since));
        self.stats.stopped += stood;
        stood
    }

    /// Whether the processors stand still.
    #[must_use]
    pub const fn is_suspended(&self) -> bool {
        self.stopped_at.is_some()
    }

    /// The jobs in service.
    pub fn serving(&self) -> impl Iterator<Item = J> + '_ {
        self.first.iter().chain(&self.others).copied()
    }

    /// How many jobs are in service.
    #[must_use]
    #[inline]
    pub fn in_service(&self) -> u32 {
        u32::from(self.first.is_some()) + u32::try_from(self.others.len()).expect("no more than servers")
    }

    /// How many jobs wait.
    #[must_use]
    #[inline]
    pub fn waiting(&self) -> u32 {
        u32::try_from(self.queue.len()).expect("no more than the limit")
    }

    /// The figures up to now.
    pub fn stats(&mut self, now: Time) -> CpuStats {
        self.count(now);
        let standing = self.stopped_at.map_or(Span::ZERO, |since| now.since(since));
        CpuStats { stopped: self.stats.stopped + standing, ..self.stats }
    }

    /// Adds what has passed since the last change to the integrals.
    #[inline]
    fn count(&mut self, now: Time) {
        let passed = u128::from(now.since(self.counted_to).as_nanos());
        self.stats.busy += passed * u128::from(self.in_service());
        self.stats.waiting += passed * u128::from(self.waiting());
        self.counted_to = now;
    }

    fn serve(&mut self, job: J) {
        if self.first.is_none() {
            self.first = Some(job);
        } else {
            self.others.push(job);
        }
        debug_assert!(self.in_service() <= self.servers, "no more jobs than servers");
    }

    fn release(&mut self, job: J) {
        if self.first == Some(job) {
            self.first = None;
            return;
        }
        let at = self.others.iter().position(|other| *other == job).expect("a job that finishes is in service");
        self.others.remove(at);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_arithmetic, clippy::cast_possible_truncation, reason = "closed forms and their confidence intervals")]
    use super::*;
    use crate::base::{Law, Stream, Words};
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    /// Mean service time, in nanoseconds: the closed forms have it as one.
    const UNIT: f64 = 1e6;

    #[derive(Clone, Copy)]
    enum Shape {
        Exponential,
        Constant,
    }

    /// A span of the given mean (in units), from a word.
    fn draw(shape: Shape, mean: f64, words: &mut Stream) -> Span {
        let factor = match shape {
            Shape::Exponential => -libm::log(((words.word() >> 11) as f64 + 0.5) / (1u64 << 53) as f64),
            Shape::Constant => 1.0,
        };
        Span::nanos(libm::round(factor * mean * UNIT) as u64)
    }

    struct Case {
        gap: Shape,
        rate: f64,
        service: Shape,
        servers: u32,
        queue: Option<u32>,
        seed: u64,
    }

    /// What one batch of time gave.
    #[derive(Clone, Copy, Default)]
    struct Batch {
        system: f64,
        wait: f64,
        lost: f64,
        at_once: f64,
        busy: f64,
    }

    /// Runs a queue through `batches` stretches of time of `length` units each, after one for warming up.
    fn run(case: &Case, batches: usize, length: f64) -> Vec<Batch> {
        let (mut gaps, mut works) = (Stream::named(case.seed, "gaps", 0), Stream::named(case.seed, "services", 0));
        let mut cpu: Cpu<u64> = Cpu::new(&CpuConfig { servers: case.servers, queue: case.queue, service: Law::Constant(Span::ZERO) });
        let mut due: BinaryHeap<Reverse<(Time, u64)>> = BinaryHeap::new();
        let mut came: VecDeque<Time> = VecDeque::new();
        let (mut next, mut number) = (Time::ZERO + draw(case.gap, 1.0 / case.rate, &mut gaps), 0u64);
        let mut done = Vec::new();
        let (mut before, mut start) = (CpuStats::default(), Time::ZERO);
        let (mut waits, mut waited, mut at_once) = (0u64, 0u128, 0u64);
        for _ in 0..=batches {
            let end = start + Span::nanos((length * UNIT) as u64);
            loop {
                let completion = due.peek().map_or(Time::FAR, |Reverse((at, _))| *at);
                let now = completion.min(next);
                if now >= end {
                    break;
                }
                if completion <= next {
                    let Reverse((_, job)) = due.pop().unwrap();
                    if let Some(job) = cpu.finished(now, job) {
                        let arrived = came.pop_front().unwrap();
                        (waits, waited) = (waits + 1, waited + u128::from(now.since(arrived).as_nanos()));
                        due.push(Reverse((now + draw(case.service, 1.0, &mut works), job)));
                    }
                    continue;
                }
                number += 1;
                match cpu.arrive(now, number) {
                    Arrival::Start => {
                        (waits, at_once) = (waits + 1, at_once + 1);
                        due.push(Reverse((now + draw(case.service, 1.0, &mut works), number)));
                    }
                    Arrival::Waits => came.push_back(now),
                    Arrival::Refused => {}
                }
                next = now + draw(case.gap, 1.0 / case.rate, &mut gaps);
            }
            let stats = cpu.stats(end);
            let (busy, waiting) = ((stats.busy - before.busy) as f64, (stats.waiting - before.waiting) as f64);
            done.push(Batch {
                system: (busy + waiting) / (length * UNIT),
                wait: waited as f64 / waits as f64 / UNIT,
                lost: (stats.refused - before.refused) as f64 / (stats.arrived - before.arrived) as f64,
                at_once: at_once as f64 / waits as f64,
                busy: busy / (length * UNIT * f64::from(case.servers)),
            });
            (before, start, waits, waited, at_once) = (stats, end, 0, 0, 0);
        }
        done.split_off(1)
    }

    /// Whether a closed form lies in the 99.9 % interval of the batch means, and whether that interval says anything.
    fn agrees(what: &str, expected: f64, values: impl Iterator<Item = f64>) {
        use statrs::distribution::{ContinuousCDF, StudentsT};
        let values: Vec<f64> = values.collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
        let half = StudentsT::new(0.0, 1.0, n - 1.0).unwrap().inverse_cdf(0.9995) * (variance / n).sqrt();
        println!("{what}: {mean:.5} ± {half:.5}, closed form {expected:.5}");
        assert!((mean - expected).abs() <= half, "{what}: {mean} ± {half}, closed form {expected}");
        assert!(half < 0.1 * expected, "{what}: ± {half} would accept anything");
    }

    fn open(rate: f64, servers: u32, seed: u64) -> Case {
        Case { gap: Shape::Exponential, rate, service: Shape::Exponential, servers, queue: None, seed }
    }

    #[test]
    fn m_m_1_is_as_long_as_it_should_be() {
        // L with its asymptotic variance 2ρ(1+ρ)/(1-ρ)^4 a unit of time, at 99.9 %.
        for (rate, length, variance, wait) in [(0.5, 4_000.0, 24.0, 1.0), (0.8, 8_000.0, 1800.0, 4.0)] {
            let batches = run(&open(rate, 1, 11), 40, length);
            let mean = batches.iter().map(|b| b.system).sum::<f64>() / 40.0;
            let half = 3.2905 * f64::sqrt(variance / (40.0 * length));
            let expected = rate / (1.0 - rate);
            println!("M/M/1 {rate} L: {mean:.5} ± {half:.5}, closed form {expected:.5}");
            assert!((mean - expected).abs() <= half && half < 0.1 * expected, "L {mean} ± {half}, closed form {expected}");
            agrees("M/M/1 Wq", wait, batches.iter().map(|b| b.wait));
            agrees("M/M/1 utilisation", rate, batches.iter().map(|b| b.busy));
            agrees("M/M/1 served at once", 1.0 - rate, batches.iter().map(|b| b.at_once));
        }
    }

    #[test]
    fn m_m_c_waits_as_erlang_says() {
        for (servers, rate, waits, wait) in
            [(2, 1.6, 0.711_111_11, 1.777_777_78), (4, 3.2, 0.596_432_47, 0.745_540_59), (8, 7.2, 0.701_532_99, 0.876_916_24)]
        {
            let batches = run(&open(rate, servers, 12), 40, 6_000.0);
            agrees("M/M/c Wq", wait, batches.iter().map(|b| b.wait));
            agrees("M/M/c P(wait)", waits, batches.iter().map(|b| 1.0 - b.at_once));
            agrees("M/M/c L", rate * (wait + 1.0), batches.iter().map(|b| b.system));
        }
    }

    #[test]
    fn m_d_1_and_d_m_1_wait_as_they_should() {
        let batches = run(&Case { service: Shape::Constant, ..open(0.8, 1, 13) }, 40, 6_000.0);
        agrees("M/D/1 Wq", 2.0, batches.iter().map(|b| b.wait));
        agrees("M/D/1 P(wait = 0)", 0.2, batches.iter().map(|b| b.at_once));
        for (rate, wait) in [(0.5, 0.255_000_97), (0.8, 1.692_730_84)] {
            let batches = run(&Case { gap: Shape::Constant, ..open(rate, 1, 14) }, 40, 6_000.0);
            agrees("D/M/1 Wq", wait, batches.iter().map(|b| b.wait));
        }
    }

    #[test]
    fn m_m_1_k_refuses_as_it_should() {
        for (places, rate, loss, system, sojourn) in [
            (5u32, 0.8, 0.088_819_50, 1.868_332_03, 2.563_065_21),
            (10, 1.0, 0.090_909_09, 5.0, 5.5),
            (10, 1.2, 0.192_586_50, 6.710_708_68, 6.926_137_84),
        ] {
            let batches = run(&Case { queue: Some(places - 1), ..open(rate, 1, 15) }, 40, 5_000.0);
            agrees("M/M/1/K loss", loss, batches.iter().map(|b| b.lost));
            agrees("M/M/1/K L", system, batches.iter().map(|b| b.system));
            agrees("M/M/1/K Wq", sojourn - 1.0, batches.iter().map(|b| b.wait));
        }
    }

    #[test]
    fn a_suspended_cpu_serves_nobody_and_loses_nobody() {
        let at = |ms| Time::ZERO + Span::millis(ms);
        let mut cpu = Cpu::new(&CpuConfig { servers: 2, queue: None, service: Law::Constant(Span::ZERO) });
        assert_eq!(cpu.arrive(at(0), 1), Arrival::Start);
        cpu.suspend(at(1));
        assert_eq!((cpu.arrive(at(2), 2), cpu.arrive(at(2), 3)), (Arrival::Waits, Arrival::Waits));
        assert_eq!(cpu.start_waiting(at(3)), None);
        assert_eq!(cpu.resume(at(5)), Span::millis(4));
        assert_eq!((cpu.start_waiting(at(5)), cpu.start_waiting(at(5))), (Some(2), None));
        assert_eq!(cpu.serving().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(cpu.finished(at(6), 2), Some(3));
        let stats = cpu.stats(at(7));
        assert_eq!((stats.busy, stats.waiting), (7_000_000 + 2_000_000, 2 * 3_000_000 + 1_000_000));
        assert_eq!((stats.stopped, stats.arrived, stats.longest), (Span::millis(4), 3, 2));
    }

    #[test]
    fn a_crash_gives_every_job_back_in_order() {
        let mut cpu = Cpu::new(&CpuConfig { servers: 2, queue: Some(3), service: Law::Constant(Span::ZERO) });
        for job in 0..6 {
            cpu.arrive(Time::ZERO, job);
        }
        cpu.suspend(Time::ZERO);
        assert_eq!(cpu.clear(Time::ZERO).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!((cpu.in_service(), cpu.waiting(), cpu.is_suspended()), (0, 0, false));
        let stats = cpu.stats(Time::ZERO);
        assert_eq!((stats.dropped, stats.refused), (5, 1));
        assert_eq!(cpu.arrive(Time::ZERO, 9), Arrival::Start);
    }
}

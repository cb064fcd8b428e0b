//! Along a run, one event at a time, knowing where each point is.

use crate::base::Time;
use crate::record::Phase;
use crate::run::{How, Passage, Ready};

use super::Point;
use super::fork::Stage;
use super::standing::Standing;

/// A run that stops before each event in which a fault may come first.
pub(super) struct Walk<'p> {
    pub(super) stage: Stage<'p>,
    /// How many points were reached.
    pub(super) points: u64,
    chaos: (Time, Time),
    /// The last moment in which something happened, and how many events it had so far.
    moment: (Time, u32),
    /// Where the next event is, once it is known.
    next: Option<Point>,
    over: bool,
}

impl<'p> Walk<'p> {
    /// Before the first event.
    pub(super) fn new(ready: &'p Ready<'p>, seed: u64) -> Walk<'p> {
        let mut passage = Passage::start(ready, seed, How::default());
        passage.skip_figures();
        let standing = Standing::new(std::sync::Arc::new(passage.sim().names().clone()));
        let phases = ready.arm().phases();
        Walk::on(Stage { passage, standing }, (phases.start(Phase::Chaos), phases.start(Phase::Heal)), (Time::ZERO, 0))
    }

    /// From a stage on, when so many events of a moment have been.
    pub(super) fn on(stage: Stage<'p>, chaos: (Time, Time), moment: (Time, u32)) -> Walk<'p> {
        Walk { stage, points: 0, chaos, moment, next: None, over: false }
    }

    /// Goes to the next point, if it is not there already; `None` when the chaos phase is over.
    pub(super) fn next(&mut self) -> Option<Point> {
        while self.next.is_none() {
            let next = self.stage.passage.next_event();
            if self.over || self.stage.passage.sim().now() >= self.chaos.1 || next.is_some_and(|at| at >= self.chaos.1) {
                return None;
            }
            match next {
                Some(at) if at >= self.chaos.0 => {
                    let behind = if at == self.moment.0 { self.moment.1 } else { 0 };
                    self.points += 1;
                    self.next = Some(Point { at, behind });
                }
                Some(_) | None => self.go(),
            }
        }
        self.next
    }

    /// Lets the next event happen, or what lies between two events.
    pub(super) fn go(&mut self) {
        let next = self.stage.passage.next_event();
        if let Some(at) = next {
            self.moment = if at == self.moment.0 { (at, self.moment.1 + 1) } else { (at, 1) };
        }
        self.next = None;
        self.over |= !self.stage.passage.step_one();
        self.stage.note();
    }
}

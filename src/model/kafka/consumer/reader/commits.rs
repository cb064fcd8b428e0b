//! Commits: those that the application asks for, and those that the reader makes by itself.

use std::sync::Arc;

use crate::base::Span;
use crate::world::{Ctx, Hosts, TimerId};

use super::super::super::batch::Position;
use super::super::super::config::{Commit as Policy, Config};
use super::super::super::protocol::Body;
use super::super::super::protocol::group::GroupRequest;
use super::super::super::refusal::Refusal;
use super::super::marks;
use super::bond::{Meaning, Stage};
use super::wire::Ask;
use super::{Concern, Event, How, Phase, Reader, ReaderTimer, Reads};

/// `default.api.timeout.ms`.
const SYNC_PATIENCE: Span = Span::secs(60);

/// Commits that the reader makes by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Auto {
    /// `auto.commit.interval.ms`. `None`: it makes none.
    interval: Option<Span>,
    /// The interval is over: the next poll commits.
    pub(super) due: bool,
    /// Which interval is counted.
    pub(super) round: u64,
}

/// A commit that is not over yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Commit {
    /// The application's number; `None`: the reader made it by itself.
    token: Option<u64>,
    how: How,
    positions: Arc<[Position]>,
    sent: bool,
    /// When it was tried for long enough.
    late: Option<TimerId>,
}

impl Reader {
    /// The application commits positions; [`Event::Committed`] says what became of it. It does not poll meanwhile, if it waits for that.
    pub fn commit<W: Hosts<R>, R: Reads>(
        &mut self,
        token: u64,
        how: How,
        positions: Vec<Position>,
        ctx: &mut Ctx<'_, W, R>,
        events: &mut Vec<Event>,
    ) {
        if self.phase == Phase::Off {
            events.push(Event::Committed { token, result: Err(Refusal::UnknownMemberId) });
            return;
        }
        self.put_commit(Some(token), how, positions, ctx);
        self.drive(ctx);
        events.append(&mut self.events);
    }

    /// A commit begins. Gives its number.
    pub(super) fn put_commit<W: Hosts<R>, R: Reads>(
        &mut self,
        token: Option<u64>,
        how: How,
        positions: Vec<Position>,
        ctx: &mut Ctx<'_, W, R>,
    ) -> u64 {
        self.serial += 1;
        let number = self.serial;
        let late = (how == How::Sync).then(|| self.timer(SYNC_PATIENCE, ReaderTimer::CommitLate(number), ctx));
        if token.is_none() {
            // A later one supersedes what could not be sent yet.
            self.commits.retain(|_, commit| commit.sent || commit.token.is_some() || commit.how == How::Sync);
        }
        self.commits.insert(number, Commit { token, how, positions: positions.into(), sent: false, late });
        number
    }

    /// Sends what is to be committed.
    pub(super) fn send_commits<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        if self.commits.values().all(|commit| commit.sent) || self.resting.contains(&Concern::Commits) {
            return;
        }
        let waiting: Vec<u64> = self.commits.iter().filter(|(_, commit)| !commit.sent).map(|(number, _)| *number).collect();
        for number in waiting {
            if self.bond.stage != Stage::In || self.bond.generation == 0 {
                // Only a member of a settled group can commit.
                let rejoins = matches!(self.bond.stage, Stage::Joining | Stage::Syncing | Stage::Synced(_));
                let why = if rejoins { Refusal::RebalanceInProgress } else { Refusal::UnknownMemberId };
                self.commit_over(number, Err(why), ctx);
                continue;
            }
            let Some(node) = self.reach_coordinator(ctx) else { return };
            let from = self.membership(ctx);
            let Some(commit) = self.commits.get_mut(&number) else { continue };
            commit.sent = true;
            let positions = Arc::clone(&commit.positions);
            let own = self.own(ctx.config());
            let (group, patience) = (own.group, own.request_timeout);
            let body = Body::Group(Box::new(GroupRequest::Commit { group, from, positions }));
            self.group.ask(node, (body, Ask::Commit(number)), patience, ctx);
        }
    }

    /// The coordinator has answered.
    pub(super) fn commit_answered<W: Hosts<R>, R: Reads>(&mut self, number: u64, result: Result<(), Refusal>, ctx: &mut Ctx<'_, W, R>) {
        let Err(why) = result else { return self.commit_over(number, Ok(()), ctx) };
        // A member that the broker leads may have been led on meanwhile.
        let again = [Refusal::CoordinatorLoadInProgress, Refusal::UnknownTopicOrPartition, Refusal::StaleMemberEpoch];
        if again.contains(&why) {
            return self.commit_again(number, why, ctx);
        }
        let meaning = if why == Refusal::RequestTimedOut { Meaning::Moved } else { Meaning::of(why) };
        match meaning {
            Meaning::Moved => {
                self.commit_again(number, why, ctx);
                self.coordinator_lost(ctx);
            }
            Meaning::Rebalances => {
                self.bond.rejoin = true;
                self.commit_over(number, Err(why), ctx);
            }
            Meaning::Expelled(nameless) => {
                ctx.mark(marks::COMMIT_REFUSED);
                self.commit_over(number, Err(why), ctx);
                self.expelled(nameless, ctx);
            }
            Meaning::Never => self.stop(why, ctx),
            Meaning::Later => {
                ctx.mark(marks::COMMIT_REFUSED);
                self.commit_over(number, Err(why), ctx);
            }
        }
    }

    /// No answer will come: it may have happened.
    pub(super) fn commit_unanswered<W: Hosts<R>, R: Reads>(&mut self, number: u64, ctx: &mut Ctx<'_, W, R>) {
        self.commit_again(number, Refusal::RequestTimedOut, ctx);
    }

    /// Tries again what is to be tried again; gives up what was to be tried once.
    fn commit_again<W: Hosts<R>, R: Reads>(&mut self, number: u64, why: Refusal, ctx: &mut Ctx<'_, W, R>) {
        let Some(commit) = self.commits.get_mut(&number) else { return };
        match commit.how {
            How::Sync => {
                commit.sent = false;
                self.rest(Concern::Commits, ctx);
            }
            How::Async => {
                if commit.token.is_none() {
                    // The next one goes out soon and supersedes it.
                    let pause = self.own(ctx.config()).retry_backoff;
                    self.count_auto(pause, ctx);
                }
                self.commit_over(number, Err(why), ctx);
            }
        }
    }

    /// It was tried for long enough.
    pub(super) fn commit_is_late<W: Hosts<R>, R: Reads>(&mut self, number: u64, ctx: &mut Ctx<'_, W, R>) {
        self.commit_over(number, Err(Refusal::RequestTimedOut), ctx);
    }

    fn commit_over<W: Hosts<R>, R: Reads>(&mut self, number: u64, result: Result<(), Refusal>, ctx: &mut Ctx<'_, W, R>) {
        let Some(commit) = self.commits.remove(&number) else { return };
        if result == Err(Refusal::RequestTimedOut) {
            ctx.mark(marks::COMMIT_UNKNOWN);
        }
        if let Some(late) = commit.late {
            ctx.cancel(late);
        }
        self.bond.committed(number);
        if let Some(token) = commit.token {
            self.events.push(Event::Committed { token, result });
        }
    }

    /// The reader begins to count the time to its next commit.
    pub(super) fn begin_auto<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let Policy::Auto { interval } = self.own(ctx.config()).commit else { return };
        self.auto.interval = Some(interval);
        self.count_auto(interval, ctx);
    }

    fn count_auto<W: Hosts<R>, R: Reads>(&mut self, after: Span, ctx: &mut Ctx<'_, W, R>) {
        self.serial += 1;
        self.auto.round = self.serial;
        self.auto.due = false;
        self.timer(after, ReaderTimer::AutoCommit(self.serial), ctx);
    }

    /// Whether the reader commits by itself.
    pub(super) fn commits_itself(&self, config: &Config) -> bool {
        matches!(self.own(config).commit, Policy::Auto { .. })
    }

    /// In `poll()`: commits what earlier polls have returned, if the interval is over.
    pub(super) fn auto_commit<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let Some(interval) = self.auto.interval else { return };
        if !self.auto.due || !self.waiting || self.bond.stage != Stage::In || self.bond.generation == 0 || self.commits_ahead(ctx.config())
        {
            return;
        }
        self.count_auto(interval, ctx);
        let positions = self.positions(ctx.config());
        if !positions.is_empty() {
            self.put_commit(None, How::Async, positions, ctx);
        }
    }

    /// The mutant: commits what this poll is about to return.
    pub(super) fn commit_ahead<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        if let Some(interval) = self.auto.interval
            && self.auto.due
            && self.bond.stage == Stage::In
            && self.commits_ahead(ctx.config())
        {
            self.count_auto(interval, ctx);
            let positions = self.positions(ctx.config());
            self.put_commit(None, How::Async, positions, ctx);
            self.send_commits(ctx);
        }
    }

    fn commits_ahead(&self, config: &Config) -> bool {
        config.mutants.has(super::super::super::mutants::Mutant::CommitsAhead) && self.commits_itself(config)
    }

    /// A rebalance is over: the interval begins anew.
    pub(super) fn restart_auto<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        if let Some(interval) = self.auto.interval {
            self.count_auto(interval, ctx);
        }
    }

    /// The last commit before leaving, if the reader commits by itself.
    pub(super) fn last_commit<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let positions = self.positions(ctx.config());
        if self.commits_itself(ctx.config()) && self.bond.stage == Stage::In && self.bond.generation > 0 && !positions.is_empty() {
            self.put_commit(None, How::Sync, positions, ctx);
        }
    }
}

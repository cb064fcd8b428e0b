//! Why a message that was acknowledged is gone: who answered for it, what its disk held by then, and what took it away.

use crate::base::{NodeId, ObjectId};
use crate::record::{Entry, Note, Settlement, Step, TraceEntry, What};
use crate::run::causal::EventId;

use super::facts::{Facts, Write, next_at};
use super::ground::Ground;
use super::telling::{Point, span};

/// A step as a clause within a sentence; `None` for steps that nobody tells.
pub(super) fn clause(ground: &Ground<'_>, entry: &TraceEntry) -> Option<String> {
    match &entry.step {
        Step::Recorded(what) => ground.words.entry(&Entry { at: entry.at, node: entry.node, what: *what }),
        Step::Lost { to, tag, why, again, .. } => Some(ground.words.loses((entry.node, *to), *tag, (*why, *again))),
        Step::Sent { to, tag, .. } => Some(ground.words.sends((entry.node, *to), *tag)),
        Step::Received { from, tag } => Some(ground.words.receives((*from, entry.node), *tag)),
        Step::Carried { .. } | Step::Fired | Step::Syncing | Step::Wrote { .. } => None,
        Step::Struck { .. }
        | Step::Booted
        | Step::Down { .. }
        | Step::Paused(_)
        | Step::Synced { .. }
        | Step::LostWrites { .. }
        | Step::Disconnected { .. }
        | Step::Said { .. } => ground.words.machine(entry),
    }
}

/// The sentences about a message that was acknowledged and did not survive, or did not come to all that it was owed to.
pub(super) fn of(ground: &Ground<'_>, facts: &Facts) -> Vec<Point> {
    let damaged = |event: &EventId| matches!(ground.entry(*event).step, Step::Recorded(What::Note(Note::Deliver { intact: false, .. })));
    if facts.delivers.iter().any(|(event, _)| damaged(event)) {
        // It came, but not whole: that is told where it was damaged.
        return Vec::new();
    }
    let loss = Loss { ground, facts };
    if let Some(point) = loss.withdrawn() {
        return vec![point];
    }
    let mut points: Vec<Point> = loss.forgotten_group().into_iter().collect();
    if points.is_empty() {
        points.extend(loss.taken());
        points.extend(loss.others());
    }
    points
}

struct Loss<'c, 'g> {
    ground: &'c Ground<'g>,
    facts: &'c Facts,
}

impl Loss<'_, '_> {
    fn when(&self, event: EventId) -> String {
        self.ground.at(event).nearest_micro().to_string()
    }

    fn later(&self, from: EventId, until: EventId) -> String {
        span(self.ground.at(from), self.ground.at(until)).to_string()
    }

    /// How long after something, with the word that joins them.
    fn after(&self, from: EventId, until: EventId) -> String {
        let gap = span(self.ground.at(from), self.ground.at(until));
        if gap.is_zero() { "as soon as".to_owned() } else { format!("{gap} after") }
    }

    fn node(&self, node: NodeId) -> &str {
        self.ground.words.node(node)
    }

    /// It left its queue by a rule: expired, dropped, or acknowledged by somebody who did nothing with it.
    fn withdrawn(&self) -> Option<Point> {
        let (settled, how) = self.facts.settles.last().copied()?;
        let undelivered = match how {
            Settlement::Expired | Settlement::Dropped | Settlement::DeadLettered | Settlement::Superseded => true,
            Settlement::Acknowledged => self.facts.delivers.is_empty(),
            Settlement::Returned => false,
        };
        undelivered.then_some(())?;
        let text = format!("{} at {}.", clause(self.ground, self.ground.entry(settled))?, self.when(settled));
        Some((text, vec![settled]))
    }

    /// It came to some of those that it was owed to, and nobody tried to bring it to the others.
    fn forgotten_group(&self) -> Option<Point> {
        let ground = self.ground;
        let (_, asked) = self.facts.called?;
        let (holder, sent, _) = self.facts.answer(ground)?;
        let came = |group: &ObjectId| self.facts.delivers.iter().any(|(_, g)| g == group);
        let groups: Vec<ObjectId> = ground.sim.names().groups_of(asked.object()).collect();
        let missed = groups.iter().find(|group| !came(group))?;
        groups.iter().any(came).then_some(())?;
        let consumers = self.consumers(*missed);
        let tried = self.facts.sends.iter().find(|s| matches!(ground.entry(**s).step, Step::Sent { to, .. } if consumers.contains(&to)));
        if tried.is_some() {
            return None;
        }
        let came: Vec<String> =
            self.facts.delivers.iter().map(|(event, g)| format!("{} at {}", ground.words.object(*g), self.when(*event))).collect();
        let payload = self.facts.payload;
        let down = next_at(ground, (holder, sent), |step| matches!(step, Step::Down { .. }));
        let up = if down.is_none() { ", though it never went down" } else { "" };
        let text = format!(
            "{holder} told that it had {payload} at {}, and brought it to {}; to {} it never sent it{up}. No message about it was lost on the way there.",
            self.when(sent),
            came.join(", "),
            ground.words.object(*missed),
            holder = self.node(holder),
        );
        let shown = self.facts.delivers.iter().map(|(event, _)| *event).chain([sent]).collect();
        Some((text, shown))
    }

    /// The nodes that a group's messages are delivered on.
    fn consumers(&self, group: ObjectId) -> Vec<NodeId> {
        let is_there = |entry: &TraceEntry| matches!(entry.step, Step::Recorded(What::Note(Note::Deliver { group: g, .. })) if g == group);
        let mut nodes: Vec<NodeId> = self.ground.all().filter(|(_, entry)| is_there(entry)).map(|(_, entry)| entry.node).collect();
        nodes.sort();
        nodes.dedup();
        nodes
    }

    /// The order that mattered at the node that answered for it: told, written, durable, gone.
    fn taken(&self) -> Option<Point> {
        let ground = self.ground;
        let payload = self.facts.payload;
        let Some((holder, told, _)) = self.facts.answer(ground) else { return self.unanswered() };
        let name = self.node(holder);
        let write = self.facts.write_at(ground, holder);
        let down = next_at(ground, (holder, told), |step| matches!(step, Step::Down { .. }));
        let mut shown = vec![told];
        shown.extend(write.iter().flat_map(|write| [Some(write.wrote), write.durable]).flatten());
        shown.extend(self.facts.ended.map(|(ended, _)| ended));
        let order = self.order(told, write);
        let mut text = format!("{name} confirmed {payload} at {}, {order}", self.when(told));
        let Some(down) = down else {
            let last = self.facts.last_at(ground, holder).unwrap_or(told);
            text +=
                &format!("; it never went down, and nothing about {payload} happened there after {}: no fault took it.", self.when(last));
            shown.push(last);
            return Some((text, shown));
        };
        let blow = ground.words.blow(ground.entry(down));
        text += &format!("; {} later {blow}", self.later(told, down));
        shown.push(down);
        let lost =
            ground.handler(down).into_iter().find(|event| matches!(ground.entry(*event).step, Step::LostWrites { count } if count > 0));
        let durable = write.and_then(|write| write.durable).filter(|durable| *durable < down);
        if let Some(lost) = lost.filter(|_| durable.is_none()) {
            let Step::LostWrites { count } = ground.entry(lost).step else { return None };
            let writes = if count == 1 { "1 unsynced write".to_owned() } else { format!("{count} unsynced writes") };
            text += &format!(", and with it {writes}");
            shown.push(lost);
        }
        text += ".";
        let booted = next_at(ground, (holder, down), |step| matches!(step, Step::Booted));
        if let (Some(durable), Some(booted)) = (durable, booted) {
            let (synced, started) = (self.when(durable), self.when(booted));
            text += &format!(" Its disk had {payload} since {synced}: when {name} started at {started}, it did not look for it there.");
            shown.push(booted);
        }
        Some((text, shown))
    }

    /// What the disk knew of it when it was confirmed.
    fn order(&self, told: EventId, write: Option<Write>) -> String {
        match write {
            None => "before it had written anything of it: it was never stored".to_owned(),
            Some(write) if write.wrote > told => {
                format!("before it had stored it: it wrote it only {} later", self.later(told, write.wrote))
            }
            Some(Write { durable: Some(durable), .. }) if durable < told => format!("{} its disk had it", self.after(durable, told)),
            Some(write) => {
                let synced = write.durable.map_or("it never was".to_owned(), |d| format!("it was {} later", self.later(told, d)));
                format!("{} it had written it, when that was not yet durable ({synced})", self.after(write.wrote, told))
            }
        }
    }

    /// It was confirmed by nobody: it was handed to the network and counted as sent.
    fn unanswered(&self) -> Option<Point> {
        let ground = self.ground;
        let (ended, _) = self.facts.ended?;
        let payload = self.facts.payload;
        let client = self.node(ground.entry(ended).node);
        let text = format!("{client} counted {payload} as done at {} without an answer.", self.when(ended));
        let lost = self.facts.about.iter().copied().find(|event| matches!(ground.entry(*event).step, Step::Lost { again: false, .. }));
        let gone = lost.and_then(|lost| Some((format!(" At {} {}.", self.when(lost), clause(ground, ground.entry(lost))?), lost)));
        let (more, event) = gone.unzip();
        Some((text + &more.unwrap_or_default(), [ended].into_iter().chain(event).collect()))
    }

    /// Who else had it.
    fn others(&self) -> Option<Point> {
        let (holder, ..) = self.facts.answer(self.ground)?;
        let others: Vec<NodeId> = self.facts.holders(self.ground).into_iter().filter(|node| *node != holder).collect();
        let payload = self.facts.payload;
        if others.is_empty() {
            return Some((format!("Nobody else had {payload}."), Vec::new()));
        }
        let told = others.iter().map(|node| {
            let last = self.facts.last_at(self.ground, *node);
            let when = last.map_or(String::new(), |last| format!(" (until {})", self.when(last)));
            format!("{}{when}", self.node(*node))
        });
        Some((format!("Others had it too: {}.", told.collect::<Vec<_>>().join(", ")), Vec::new()))
    }
}

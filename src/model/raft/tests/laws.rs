//! What must hold in every run, checked on what the nodes write, hand out and claim.

use std::collections::BTreeMap;

use crate::base::NodeId;
use crate::model::raft::{Entry, Offset, Payload, Raft, Snapshot, Term, Weighed};

/// What the nodes agree on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Word(pub(super) u32);

impl Weighed for Word {
    fn bytes(&self) -> u32 {
        4
    }
}

/// What was seen of a run so far.
#[derive(Clone, Default, Debug)]
pub(super) struct Laws {
    leaders: BTreeMap<Term, NodeId>,
    /// Every entry that a node ever had, with the term of the one before it.
    seen: BTreeMap<(Offset, Term), (Payload<Word>, Option<Term>)>,
    /// What some node handed out, in order.
    pub(super) committed: Vec<Entry<Word>>,
    /// In which term each of them was handed out first.
    when: Vec<Term>,
    pub(super) broken: Option<String>,
}

impl Laws {
    pub(super) fn demand(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            self.broken = Some(what());
        }
    }

    /// Election safety and leader completeness: a leader has what was committed in earlier terms.
    pub(super) fn leads(&mut self, raft: &Raft<Word>) {
        let (me, term) = (raft.me(), raft.term());
        let known = *self.leaders.entry(term).or_insert(me);
        self.demand(known == me, || format!("{known} and {me} lead in term {term}"));
        let log = raft.log();
        let missing = (log.start().0..self.committed.len() as u64).map(Offset).find(|at| {
            let index = usize::try_from(at.0).unwrap();
            self.when[index] < term && log.get(*at) != Some(&self.committed[index])
        });
        self.demand(missing.is_none(), || format!("{me} leads in term {term} without what is committed at {missing:?}"));
    }

    /// Log matching: an entry's place and term say what it is and what comes before it.
    pub(super) fn holds(&mut self, raft: &Raft<Word>, first: Offset, entries: &[Entry<Word>]) {
        for (index, entry) in entries.iter().enumerate() {
            let at = first.plus(index);
            let before = raft.log().term_before(at);
            let now = (entry.payload.clone(), before);
            let then = self.seen.entry((at, entry.term)).or_insert_with(|| now.clone());
            let same = then.0 == now.0 && (then.1.is_none() || now.1.is_none() || then.1 == now.1);
            let then = then.clone();
            self.demand(same, || format!("at {at} in term {} stands {then:?} and, at {}, {now:?}", entry.term, raft.me()));
        }
    }

    /// State machine safety: all nodes hand out the same.
    pub(super) fn hands_out(&mut self, (me, term): (NodeId, Term), first: Offset, entries: &[Entry<Word>]) {
        for (index, entry) in entries.iter().enumerate() {
            let at = usize::try_from(first.0).unwrap() + index;
            let count = self.committed.len();
            match self.committed.get(at).cloned() {
                Some(known) => self.demand(known == *entry, || format!("{me} has {entry:?} committed at {at}, others {known:?}")),
                None if count == at => {
                    self.committed.push(entry.clone());
                    self.when.push(term);
                }
                None => self.demand(false, || format!("{me} hands out {at} before anything at {count}")),
            }
        }
    }

    /// A snapshot stands for what was committed.
    pub(super) fn restores(&mut self, me: NodeId, snapshot: &Snapshot<Word>) {
        let end = usize::try_from(snapshot.end.0).unwrap();
        let fits = self.committed.len() >= end && words(&self.committed[..end]).eq(snapshot.state.iter().copied());
        self.demand(fits, || format!("{me} has a snapshot up to {end} of something else"));
    }
}

/// The words in entries.
pub(super) fn words(entries: &[Entry<Word>]) -> impl Iterator<Item = Word> {
    entries.iter().filter_map(|entry| match &entry.payload {
        Payload::User(word) => Some(*word),
        Payload::LeaderChange { .. } | Payload::Voters(_) => None,
    })
}

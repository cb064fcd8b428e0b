//! Who reads what: the assignors. The leader of a classic group asks them, or the coordinator where the broker assigns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::NodeId;

use super::super::config::Assignor;
use super::super::ids::{MemberId, Part, TopicId};
use super::super::protocol::group::{Fellow, Generation, Strategy};

/// What an assignor is told of a member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// The member.
    pub member: MemberId,
    /// `group.instance.id`: members are sorted by it first.
    pub instance: Option<NodeId>,
    /// The topics it subscribes to.
    pub topics: Arc<[TopicId]>,
    /// What it has.
    pub owned: Arc<[Part]>,
    /// Of which generation that is. Of two who claim a partition the later one has it.
    pub generation: Generation,
}

/// A partition that there is, with its topic. In order of topics and numbers.
pub type Known = (TopicId, Part);

/// Who gets what: every member is named once, partitions in order.
pub type Assignment = BTreeMap<MemberId, Vec<Part>>;

impl From<&Fellow> for Wish {
    fn from(fellow: &Fellow) -> Wish {
        let Fellow { member, instance, subscription } = fellow;
        Wish {
            member: *member,
            instance: *instance,
            topics: Arc::clone(&subscription.topics),
            owned: Arc::clone(&subscription.owned),
            generation: subscription.generation,
        }
    }
}

impl Wish {
    fn wants(&self, topic: TopicId) -> bool {
        self.topics.contains(&topic)
    }
}

/// What the leader of a classic group assigns. In a cooperative group what moves is given to nobody until its owner has let go of it.
#[must_use]
pub fn by_leader(strategy: Strategy, wishes: &[Wish], known: &[Known]) -> Assignment {
    let mut assignment = assign(strategy.assignor, wishes, known);
    if strategy.cooperative {
        let owners = owners(wishes, known);
        for (member, parts) in &mut assignment {
            parts.retain(|part| owners.get(part).is_none_or(|owner| owner == member));
        }
    }
    assignment
}

/// Assigns every partition that somebody wants.
#[must_use]
pub fn assign(assignor: Assignor, wishes: &[Wish], known: &[Known]) -> Assignment {
    let mut sorted: Vec<&Wish> = wishes.iter().collect();
    // Static members first, by their instances; the others by their names.
    sorted.sort_by_key(|wish| (wish.instance.is_none(), wish.instance, wish.member));
    let mut assignment: Assignment = wishes.iter().map(|wish| (wish.member, Vec::new())).collect();
    match assignor {
        Assignor::Range => range(&sorted, known, &mut assignment),
        Assignor::RoundRobin => round_robin(&sorted, known, &mut assignment),
        Assignor::Sticky => sticky(&sorted, wishes, known, &mut assignment),
    }
    for parts in assignment.values_mut() {
        parts.sort_unstable();
    }
    assignment
}

fn give(assignment: &mut Assignment, member: MemberId, part: Part) {
    assignment.entry(member).or_default().push(part);
}

/// Each topic by itself: its partitions in ranges as equal as can be, the first members get one more.
fn range(sorted: &[&Wish], known: &[Known], assignment: &mut Assignment) {
    let topics: BTreeSet<TopicId> = known.iter().map(|(topic, _)| *topic).collect();
    for topic in topics {
        let parts: Vec<Part> = known.iter().filter(|(of, _)| *of == topic).map(|(_, part)| *part).collect();
        let members: Vec<MemberId> = sorted.iter().filter(|wish| wish.wants(topic)).map(|wish| wish.member).collect();
        if members.is_empty() {
            continue;
        }
        let (each, more) = (parts.len() / members.len(), parts.len() % members.len());
        let mut parts = parts.into_iter();
        for (at, member) in members.into_iter().enumerate() {
            for part in parts.by_ref().take(each + usize::from(at < more)) {
                give(assignment, member, part);
            }
        }
    }
}

/// All partitions of all topics one after the other to the members one after the other, those left out who do not want the topic.
fn round_robin(sorted: &[&Wish], known: &[Known], assignment: &mut Assignment) {
    let mut next = 0;
    for (topic, part) in known {
        if let Some(skip) = (0..sorted.len()).find(|skip| sorted[(next + skip) % sorted.len()].wants(*topic)) {
            let at = (next + skip) % sorted.len();
            give(assignment, sorted[at].member, *part);
            next = at + 1;
        }
    }
}

/// Who has which partition now. Where two say so, the one of the later generation; where both are of one generation, nobody.
fn owners(wishes: &[Wish], known: &[Known]) -> BTreeMap<Part, MemberId> {
    let topics: BTreeMap<Part, TopicId> = known.iter().map(|(topic, part)| (*part, *topic)).collect();
    let mut claims: BTreeMap<Part, (Generation, Option<MemberId>)> = BTreeMap::new();
    for wish in wishes {
        for part in wish.owned.iter().filter(|part| topics.get(part).is_some_and(|topic| wish.wants(*topic))) {
            let claim = claims.entry(*part).or_insert((wish.generation, Some(wish.member)));
            if wish.generation > claim.0 {
                *claim = (wish.generation, Some(wish.member));
            } else if wish.generation == claim.0 && claim.1 != Some(wish.member) {
                claim.1 = None;
            }
        }
    }
    claims.into_iter().filter_map(|(part, (_, owner))| owner.map(|owner| (part, owner))).collect()
}

/// Balanced; and of what members have as much as can stay. What is free goes to whoever has least; then single partitions move from
/// whoever has most to whoever has at least two less.
fn sticky(sorted: &[&Wish], wishes: &[Wish], known: &[Known], assignment: &mut Assignment) {
    let owners = owners(wishes, known);
    let rank: BTreeMap<MemberId, usize> = sorted.iter().enumerate().map(|(at, wish)| (wish.member, at)).collect();
    let mut held: Vec<Vec<Known>> = vec![Vec::new(); sorted.len()];
    let mut free: Vec<Known> = Vec::new();
    for one in known {
        match owners.get(&one.1) {
            Some(owner) => held[rank[owner]].push(*one),
            None => free.push(*one),
        }
    }
    // What few want first, so that it does not have to move.
    free.sort_by_key(|(topic, _)| sorted.iter().filter(|wish| wish.wants(*topic)).count());
    for one in free {
        if let Some(at) = (0..sorted.len()).filter(|at| sorted[*at].wants(one.0)).min_by_key(|at| held[*at].len()) {
            held[at].push(one);
        }
    }
    while let Some((from, at, to)) = unfair(sorted, &held) {
        let one = held[from].remove(at);
        held[to].push(one);
    }
    for (at, parts) in held.into_iter().enumerate() {
        assignment.insert(sorted[at].member, parts.into_iter().map(|(_, part)| part).collect());
    }
}

/// A partition (the last that can go) whose owner has at least two more than somebody else who wants it.
fn unfair(sorted: &[&Wish], held: &[Vec<Known>]) -> Option<(usize, usize, usize)> {
    let mut by_load: Vec<usize> = (0..sorted.len()).collect();
    by_load.sort_by_key(|at| (std::cmp::Reverse(held[*at].len()), *at));
    for from in by_load {
        for (at, (topic, _)) in held[from].iter().enumerate().rev() {
            let takers = (0..sorted.len()).filter(|to| sorted[*to].wants(*topic) && held[*to].len() + 2 <= held[from].len());
            if let Some(to) = takers.min_by_key(|to| held[*to].len()) {
                return Some((from, at, to));
            }
        }
    }
    None
}

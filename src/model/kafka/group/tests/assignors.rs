//! Who gets what.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use crate::base::NodeId;
use crate::model::kafka::config::Assignor;
use crate::model::kafka::group::assign::{Assignment, Known, Wish, assign, by_leader};
use crate::model::kafka::ids::{MemberId, Part, TopicId};
use crate::model::kafka::protocol::group::Strategy as Agreed;

/// Partitions of topics with so many each.
fn known(counts: &[u32]) -> Vec<Known> {
    let mut all = Vec::new();
    for (topic, count) in (0u16..).zip(counts) {
        for _ in 0..*count {
            all.push((TopicId(topic), Part(u32::try_from(all.len()).unwrap())));
        }
    }
    all
}

fn wish(member: u64, topics: &[u16], owned: &[u32], generation: u32) -> Wish {
    Wish {
        member: MemberId(member),
        instance: None,
        topics: topics.iter().map(|topic| TopicId(*topic)).collect(),
        owned: owned.iter().map(|part| Part(*part)).collect(),
        generation,
    }
}

fn plain(assignment: &Assignment) -> Vec<(u64, Vec<u32>)> {
    assignment.iter().map(|(member, parts)| (member.0, parts.iter().map(|part| part.0).collect())).collect()
}

#[test]
fn ranges_are_of_each_topic() {
    // Two members, two topics of three: the first member has two of each.
    let wishes = [wish(1, &[0, 1], &[], 0), wish(2, &[0, 1], &[], 0)];
    assert_eq!(plain(&assign(Assignor::Range, &wishes, &known(&[3, 3]))), [(1, vec![0, 1, 3, 4]), (2, vec![2, 5])]);
    // Who does not want a topic is passed over; who is left has it all.
    let wishes = [wish(1, &[0], &[], 0), wish(2, &[0, 1], &[], 0)];
    assert_eq!(plain(&assign(Assignor::Range, &wishes, &known(&[3, 2]))), [(1, vec![0, 1]), (2, vec![2, 3, 4])]);
}

#[test]
fn one_after_the_other_over_all_topics() {
    let wishes = [wish(1, &[0, 1], &[], 0), wish(2, &[0, 1], &[], 0)];
    assert_eq!(plain(&assign(Assignor::RoundRobin, &wishes, &known(&[3, 3]))), [(1, vec![0, 2, 4]), (2, vec![1, 3, 5])]);
    // Three members that want one, two and three topics of one, two and three partitions.
    let wishes = [wish(1, &[0], &[], 0), wish(2, &[0, 1], &[], 0), wish(3, &[0, 1, 2], &[], 0)];
    let expected = [(1, vec![0]), (2, vec![1]), (3, vec![2, 3, 4, 5])];
    assert_eq!(plain(&assign(Assignor::RoundRobin, &wishes, &known(&[1, 2, 3]))), expected);
}

#[test]
fn static_members_are_sorted_by_instance() {
    let mut wishes = [wish(9, &[0], &[], 0), wish(1, &[0], &[], 0)];
    wishes[0].instance = Some(NodeId(3));
    assert_eq!(plain(&assign(Assignor::Range, &wishes, &known(&[3]))), [(1, vec![2]), (9, vec![0, 1])]);
}

#[test]
fn sticky_moves_only_what_balance_demands() {
    // Somebody new: one of three goes.
    let wishes = [wish(1, &[0], &[0, 1, 2], 4), wish(2, &[0], &[], 0)];
    assert_eq!(plain(&assign(Assignor::Sticky, &wishes, &known(&[3]))), [(1, vec![0, 1]), (2, vec![2])]);
    // Somebody gone: what he had is spread, the rest stays.
    let wishes = [wish(1, &[0], &[0, 1], 4), wish(2, &[0], &[2, 3], 4)];
    assert_eq!(plain(&assign(Assignor::Sticky, &wishes, &known(&[6]))), [(1, vec![0, 1, 4]), (2, vec![2, 3, 5])]);
    // A claim of an earlier generation gives way.
    let wishes = [wish(1, &[0], &[0, 1], 4), wish(2, &[0], &[0, 2], 5)];
    assert_eq!(plain(&assign(Assignor::Sticky, &wishes, &known(&[4]))), [(1, vec![1, 3]), (2, vec![0, 2])]);
}

#[test]
fn what_moves_waits_for_its_owner_in_a_cooperative_group() {
    let strategy = Agreed { assignor: Assignor::Sticky, cooperative: true };
    let first = [wish(1, &[0], &[0, 1, 2, 3], 1), wish(2, &[0], &[], 0)];
    assert_eq!(plain(&by_leader(strategy, &first, &known(&[4]))), [(1, vec![0, 1]), (2, vec![])]);
    let second = [wish(1, &[0], &[0, 1], 2), wish(2, &[0], &[], 2)];
    assert_eq!(plain(&by_leader(strategy, &second, &known(&[4]))), [(1, vec![0, 1]), (2, vec![2, 3])]);
}

/// Members that want some of three topics and have some of what there is.
fn wishes() -> impl Strategy<Value = (Vec<Wish>, Vec<Known>)> {
    let members = prop::collection::vec((1u8..8, prop::collection::vec(0u32..18, 0..6), 0u32..3), 1..7);
    (members, prop::collection::vec(0u32..7, 3)).prop_map(|(members, counts)| {
        let of = |(at, (topics, owned, generation)): (usize, (u8, Vec<u32>, u32))| {
            let topics: Vec<u16> = (0..3).filter(|topic| topics >> topic & 1 == 1).collect();
            wish(at as u64 * 7 % 11, &topics, &owned, generation)
        };
        (members.into_iter().enumerate().map(of).collect(), known(&counts))
    })
}

fn check(assignor: Assignor, wishes: &[Wish], known: &[Known]) -> Result<BTreeMap<Part, MemberId>, TestCaseError> {
    let assignment = assign(assignor, wishes, known);
    prop_assert_eq!(assignment.len(), wishes.len());
    let mut owner = BTreeMap::new();
    for (member, parts) in &assignment {
        let wish = wishes.iter().find(|wish| wish.member == *member).unwrap();
        for part in parts {
            let (topic, _) = known.iter().find(|(_, known)| known == part).unwrap();
            prop_assert!(wish.topics.contains(topic), "{:?} was given what it does not want", member);
            prop_assert_eq!(owner.insert(*part, *member), None, "one owner each");
        }
    }
    for (topic, part) in known {
        let wanted = wishes.iter().any(|wish| wish.topics.contains(topic));
        prop_assert_eq!(owner.contains_key(part), wanted, "what somebody wants is given");
    }
    Ok(owner)
}

proptest! {
    #[test]
    fn everything_wanted_is_given_once((wishes, known) in wishes()) {
        for assignor in [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky] {
            check(assignor, &wishes, &known)?;
        }
    }

    /// Nobody has two more than somebody else who would take one of them.
    #[test]
    fn sticky_is_balanced((wishes, known) in wishes()) {
        let owner = check(Assignor::Sticky, &wishes, &known)?;
        let load = |member: MemberId| owner.values().filter(|owner| **owner == member).count();
        for (topic, part) in &known {
            let Some(has) = owner.get(part) else { continue };
            for other in wishes.iter().filter(|wish| wish.topics.contains(topic)) {
                prop_assert!(load(*has) <= load(other.member) + 1, "{:?} could go to {:?}", part, other.member);
            }
        }
    }

    /// Where all want the same, what is assigned stays when nothing changes, and when somebody leaves nothing moves but what he had.
    #[test]
    fn sticky_keeps(count in 2usize..7, parts in 1u32..20, leaves in 0usize..7) {
        let known = known(&[parts]);
        let fresh: Vec<Wish> = (0..count).map(|at| wish(at as u64, &[0], &[], 0)).collect();
        let first = assign(Assignor::Sticky, &fresh, &known);
        let again: Vec<Wish> = fresh.iter().map(|wish| Wish { owned: Arc::from(&first[&wish.member][..]), generation: 1, ..wish.clone() }).collect();
        prop_assert_eq!(&assign(Assignor::Sticky, &again, &known), &first);
        let rest: Vec<Wish> = again.iter().filter(|wish| wish.member.0 != leaves as u64).cloned().collect();
        let second = assign(Assignor::Sticky, &rest, &known);
        for wish in &rest {
            for part in wish.owned.iter() {
                prop_assert!(second[&wish.member].contains(part), "{:?} moved although its owner stayed", part);
            }
        }
    }
}

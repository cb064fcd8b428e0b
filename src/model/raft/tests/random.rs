//! Random trouble for every kind of quorum.

use crate::base::{SmallStream, Span, Words};
use crate::model::raft::{Durability, Mutants, Pull, Push, Replication, Settings};

use super::rig::{Rig, Scene};

/// The kinds of quorums that are tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Pull,
    Push,
    Lease,
}

const KINDS: [Kind; 3] = [Kind::Pull, Kind::Push, Kind::Lease];

/// A scene with everything that is left open chosen by the seed.
pub(super) fn scene(kind: Kind, seed: u64, mutants: Mutants) -> Scene {
    let mut words = SmallStream::named(seed, "scene", 0);
    let mut yes = || words.below(2) == 0;
    let election_timeout = Span::millis(if yes() { 100 } else { 200 });
    let replication = match kind {
        Kind::Pull => Replication::Pull(Pull {
            fetch_timeout: Span::millis(300),
            fetch_wait: Span::millis(50),
            request_timeout: Span::millis(120),
            retry_backoff: Span::millis(5),
            eager_commit: yes(),
        }),
        Kind::Push | Kind::Lease => {
            Replication::Push(Push { heartbeat: Span::millis(20), lease: (kind == Kind::Lease).then_some(election_timeout.scaled(9, 10)) })
        }
    };
    let members = yes();
    let settings = Settings {
        replication,
        election_timeout,
        election_backoff_max: yes().then_some(Span::millis(150)),
        // A voter that was removed and does not know it would depose every leader, unless it has to ask around before.
        pre_vote: yes() || members,
        check_quorum: yes().then_some(Span::millis(450)),
        durability: Durability::Synced,
        batch: if yes() { 3 } else { 100 },
        mutants,
    };
    let (compaction, five) = (yes(), yes());
    let (nodes, voters) = if five { (5, if yes() { 5 } else { 3 }) } else { (4, 3) };
    Scene { settings, nodes, voters, members, compaction, trouble: Span::secs(10) }
}

fn honest(kind: Kind, seeds: std::ops::Range<u64>) {
    let (mut events, mut reads, mut entries, mut terms) = (0, 0, 0, 0);
    for seed in seeds.clone() {
        let scene = scene(kind, seed, Mutants::none());
        let rig = Rig::new(scene, seed).run().unwrap_or_else(|broken| panic!("{kind:?} seed {seed}: {broken}\n{scene:?}"));
        events += rig.events;
        reads += rig.reads_answered;
        entries += rig.laws.committed.len() as u64;
        terms += u64::from(rig.terms);
    }
    println!("{kind:?}: seeds {seeds:?}, {events} events, {entries} entries, {reads} reads, {terms} terms");
    let seeds = seeds.end - seeds.start;
    assert!(entries > seeds * 100 && terms > seeds * 5, "something happened");
    assert!(kind == Kind::Pull || reads > seeds * 20, "reads were answered");
}

#[test]
fn a_pull_quorum_keeps_its_promises() {
    honest(Kind::Pull, 0..40);
}

#[test]
fn a_push_quorum_keeps_its_promises() {
    honest(Kind::Push, 0..40);
}

#[test]
fn leases_keep_their_promises() {
    honest(Kind::Lease, 0..40);
}

/// Far more seeds, for whoever changes the core: `cargo test --release -- --ignored many_seeds --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn many_seeds() {
    for kind in KINDS {
        honest(kind, 1000..3000);
    }
}

/// With entries that count before they are synced, a power failure of all takes what was committed; with syncs it takes nothing.
#[test]
fn a_blackout_takes_only_what_need_not_be_synced() {
    for durability in [Durability::Synced, Durability::Written] {
        let mut lost = 0;
        for seed in 0..10 {
            let mut scene = scene(Kind::Push, seed, Mutants::none());
            (scene.settings.durability, scene.trouble, scene.compaction) = (durability, Span::ZERO, false);
            let mut rig = Rig::new(scene, seed);
            rig.calm(Span::secs(3)).unwrap();
            let before = rig.laws.committed.clone();
            assert!(before.len() > 10, "something was committed");
            rig.blackout();
            rig.laws = Default::default();
            rig.calm(Span::secs(3)).unwrap();
            lost += usize::from(!rig.laws.committed.starts_with(&before));
        }
        assert!(if durability == Durability::Synced { lost == 0 } else { lost > 5 }, "{durability:?}: {lost} of 10");
    }
}

/// What happens is a function of the seed.
#[test]
fn the_same_seed_is_the_same_run() {
    for kind in KINDS {
        let run = |seed| Rig::new(scene(kind, seed, Mutants::none()), seed).run().map(|rig| (rig.events, rig.laws.committed)).unwrap();
        assert_eq!(run(5), run(5));
        assert_ne!(run(5), run(6));
    }
}

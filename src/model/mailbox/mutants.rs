//! Brokers, producers and consumers that are broken on purpose, to prove that the judges notice.
//!
//! They exist only with the cargo feature `mutants`; without it [`Mutants::has`] is constantly false and the compiler
//! removes every branch that asks.

/// One way to be broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// The broker confirms a message and stores it a while later.
    AcksBeforeStoring,
    /// The broker confirms before the disk has it, whatever `sync` says.
    AcksUnsynced,
    /// The broker remembers no idempotence key.
    ForgetsDedupe,
    /// The broker keeps idempotence keys in memory although they should be on disk.
    DedupeNotPersisted,
    /// What comes back waits behind everything fresh.
    RedeliversOutOfOrder,
    /// A broker that starts does not look at its disk.
    LosesOnRestart,
    /// Nobody looks at checksums.
    DeliversCorruptBodies,
    /// A producer reports as failed what it knows nothing of.
    UnknownAsFailed,
    /// What a consumer had is never given to another.
    VisibilityForgets,
    /// One message in eight is given out again after it was acknowledged.
    DeliversTwiceAfterAck,
    /// What should go to the dead letters vanishes.
    DropsPoison,
    /// A full queue drops what it should refuse, and confirms it.
    DropsOnFullButConfirms,
    /// A consumer that leaves goes on getting messages.
    IgnoresUnsubscribe,
    /// One message in eight does not reach a topic's last subscription.
    SkipsASubscriber,
    /// A consumer acknowledges when it gets a message, although it should when the effect is there.
    AcksBeforeEffect,
    /// A consumer commits its effect again and again, whatever its store says.
    IgnoresProcessedIds,
}

impl Mutant {
    /// All of them, each with its name in `mutant = "…"` and what it does.
    pub const ALL: &'static [(Mutant, &'static str, &'static str)] = &[
        (Mutant::AcksBeforeStoring, "acks_before_storing", "the broker confirms a message and stores it a while later"),
        (Mutant::AcksUnsynced, "acks_unsynced", "the broker confirms before the disk has the message"),
        (Mutant::ForgetsDedupe, "forgets_dedupe", "the broker remembers no idempotence key"),
        (Mutant::DedupeNotPersisted, "dedup_not_persisted", "the broker forgets idempotence keys when it restarts"),
        (Mutant::RedeliversOutOfOrder, "redelivers_out_of_order", "what comes back waits behind everything fresh"),
        (Mutant::LosesOnRestart, "loses_on_restart", "a broker that starts does not look at its disk"),
        (Mutant::DeliversCorruptBodies, "delivers_corrupt_bodies", "nobody looks at checksums"),
        (Mutant::UnknownAsFailed, "unknown_as_failed", "a producer reports as failed what it knows nothing of"),
        (Mutant::VisibilityForgets, "visibility_forgets", "what a consumer had is never given to another"),
        (Mutant::DeliversTwiceAfterAck, "delivers_twice_after_ack", "some messages are given out again after they were acknowledged"),
        (Mutant::DropsPoison, "silently_drops_poison", "what should go to the dead letters vanishes"),
        (Mutant::DropsOnFullButConfirms, "drops_on_full_but_confirms", "a full queue drops what it should refuse, and confirms it"),
        (Mutant::IgnoresUnsubscribe, "ignores_unsubscribe", "a consumer that leaves goes on getting messages"),
        (Mutant::SkipsASubscriber, "skips_a_subscriber", "some messages do not reach a topic's last subscription"),
        (Mutant::AcksBeforeEffect, "acks_before_effect", "a consumer acknowledges before the effect although it should after"),
        (Mutant::IgnoresProcessedIds, "ignores_processed_ids", "a consumer does not look up what it has processed"),
    ];

    /// The mutant with a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Mutant> {
        Mutant::ALL.iter().find(|(_, known, _)| *known == name).map(|(mutant, _, _)| *mutant)
    }
}

/// Which mutant a configuration asks for, if this build has any.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mutants {
    #[cfg(feature = "mutants")]
    chosen: Option<Mutant>,
}

impl Mutants {
    /// The honest model.
    #[must_use]
    pub fn none() -> Mutants {
        Mutants::default()
    }

    /// With one thing broken. `None` in a build that has no mutants.
    #[must_use]
    pub fn with(mutant: Mutant) -> Option<Mutants> {
        #[cfg(feature = "mutants")]
        return Some(Mutants { chosen: Some(mutant) });
        #[cfg(not(feature = "mutants"))]
        {
            let _ = mutant;
            None
        }
    }

    /// Whether this is broken.
    #[inline]
    #[must_use]
    pub fn has(self, mutant: Mutant) -> bool {
        #[cfg(feature = "mutants")]
        return self.chosen == Some(mutant);
        #[cfg(not(feature = "mutants"))]
        {
            let _ = mutant;
            false
        }
    }

    /// The name of what is broken, if anything is.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Mutant::ALL.iter().find(|(mutant, _, _)| self.has(*mutant)).map(|(_, name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_has_a_name_of_its_own() {
        for (mutant, name, about) in Mutant::ALL {
            assert_eq!(Mutant::find(name), Some(*mutant));
            assert!(about.len() > 20, "{name} is explained");
        }
        assert_eq!(Mutant::ALL.len(), 16);
    }

    #[test]
    fn only_builds_with_mutants_have_them() {
        let mutants = Mutants::with(Mutant::LosesOnRestart);
        assert_eq!(mutants.is_some(), cfg!(feature = "mutants"));
        assert_eq!(mutants.and_then(Mutants::name), cfg!(feature = "mutants").then_some("loses_on_restart"));
        assert!(!Mutants::none().has(Mutant::LosesOnRestart));
    }
}

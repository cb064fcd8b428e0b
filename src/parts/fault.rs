//! The closed vocabulary of faults: what goes wrong, whom it concerns, and when.

use crate::base::{Chance, Law, Time};

/// A declared fault.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// Its name in the report; given or made from its contents.
    pub name: String,
    /// What goes wrong.
    pub ill: Ill,
    /// When it strikes.
    pub when: When,
    /// How long it acts each time. `None`: until the heal phase (a crashed node stays down until then).
    pub lasts: Option<Law>,
}

/// When a fault strikes.
#[derive(Clone, PartialEq, Debug)]
pub enum When {
    /// At these moments, counted from time zero.
    At(Vec<Time>),
    /// Once, in the middle of a moment: at `at`, after so many events of that very moment.
    Behind {
        /// The moment.
        at: Time,
        /// How many events of it come first.
        events: u32,
    },
    /// Again and again: from `first` on, with intervals drawn from `gap`, until `until` or the end of chaos.
    Every {
        /// The first time.
        first: Time,
        /// From one strike to the next.
        gap: Law,
        /// No strike after this.
        until: Option<Time>,
    },
    /// A renewal process for each target on its own: up for `mtbf`, down for `mttr`, from the start of chaos to its end.
    Renewal {
        /// Time between a repair and the next failure.
        mtbf: Law,
        /// Time to repair.
        mttr: Law,
    },
}

/// Whom a fault concerns, as written; resolved when it strikes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selector {
    /// Every node.
    All,
    /// A node or a group of the roster, by name (`b1`, `brokers`, `consumers`).
    Named(String),
    /// The hosts of a zone, region or switch.
    Zone(String),
    /// So many of those selected, drawn from the fault's own stream.
    Random {
        /// How many.
        count: u32,
        /// Out of whom.
        of: Box<Selector>,
    },
    /// A role the protocol knows, such as `leader(orders/0)`.
    Role {
        /// `leader`.
        name: String,
        /// `orders/0`; empty when there is none.
        of: String,
    },
    /// All of several.
    Union(Vec<Selector>),
}

/// What goes wrong.
#[derive(Clone, PartialEq, Debug)]
pub enum Ill {
    /// The process dies; the page cache survives; its connections are reset.
    Kill(Selector),
    /// The host loses power: unsynced writes are lost, the last may be torn; peers hear nothing.
    PowerOff(Selector),
    /// As power_off, and the disk is lost too.
    Wipe(Selector),
    /// The process is stopped and later goes on; its clock has advanced meanwhile.
    Pause(Selector),
    /// The virtual machine is stopped, its clock too.
    Freeze(Selector),
    /// Everything takes longer, by a factor in thousandths (4000: four times).
    Slow {
        /// Who.
        who: Selector,
        /// 1000 is as usual.
        factor_milli: u32,
    },
    /// Messages between nodes are eaten.
    Cut(Cut),
    /// Messages take longer.
    Jam {
        /// From whom.
        from: Selector,
        /// To whom.
        to: Selector,
        /// By how much.
        extra: Law,
    },
    /// A share of messages is lost (on a stream: delayed by retransmission).
    Drop {
        /// From whom.
        from: Selector,
        /// To whom.
        to: Selector,
        /// Only messages of this kind, by the protocol's name for it.
        kind: Option<String>,
        /// Which share.
        chance: Chance,
    },
    /// Messages are held back and all let go at the end.
    Clog {
        /// From whom.
        from: Selector,
        /// To whom.
        to: Selector,
    },
    /// Syncs do not complete while it acts.
    DiskStall(Selector),
    /// Syncs fail, with a chance.
    SyncFails {
        /// Whose.
        who: Selector,
        /// Which share.
        chance: Chance,
    },
    /// The power fails in the middle of a write: like power_off, and the first unsynced write survives in part.
    TornWrite(Selector),
    /// Bits flip in what is durable.
    FlipBits {
        /// Whose disk.
        who: Selector,
        /// How many records are damaged.
        count: u32,
    },
    /// Writes are refused.
    DiskFull(Selector),
    /// The clock jumps, by nanoseconds; at the end it jumps back.
    ClockStep {
        /// Whose.
        who: Selector,
        /// Forward is positive.
        by: i64,
    },
    /// The clock runs at another speed while the fault acts.
    ClockDrift {
        /// Whose.
        who: Selector,
        /// Parts per million; fast is positive.
        ppm: i32,
    },
}

/// The shapes of a cut. Both directions, unless it says otherwise.
#[derive(Clone, PartialEq, Debug)]
pub struct Cut {
    /// Which pairs are cut.
    pub shape: CutShape,
    /// What happens to nodes that the shape does not name (clients, mostly).
    pub others: Others,
}

/// On which side the nodes stand that a cut does not name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Others {
    /// They reach everyone (only the named nodes are cut from one another).
    Untouched,
    /// They stand on the first side.
    First,
    /// They stand on the second side.
    Second,
    /// Each is put on a side by lot.
    Split,
}

/// Which pairs of nodes a cut separates.
#[derive(Clone, PartialEq, Debug)]
pub enum CutShape {
    /// The selected nodes from each other: split at random into a minority (first) and a majority (second).
    Halves(Selector),
    /// The selected nodes (first) from all other nodes of the roster that they are not cut from themselves.
    Isolate(Selector),
    /// Each selected node sees a majority, no two the same majority.
    MajoritiesRing(Selector),
    /// Two halves, with one node that reaches both.
    Bridge(Selector),
    /// These two groups from each other.
    Between {
        /// First side.
        a: Selector,
        /// Second side.
        b: Selector,
    },
    /// From the first to the second only; the way back works.
    OneWay {
        /// Whose messages are eaten.
        from: Selector,
        /// On the way to whom.
        to: Selector,
    },
    /// A link of the topology, by name: routes are found anew around it.
    Link(String),
    /// From each first to each second, one way each: a partition of any shape, as it came out of one of the others.
    Pairs(Vec<(Selector, Selector)>),
}

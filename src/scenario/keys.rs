//! Every key a scenario file may have, outside the model's own table.

use crate::base::value::{KeyKind, KeySpec, Variant};

/// A whole number that is at least one.
const SOME: KeyKind = KeyKind::Count { min: 1, max: u32::MAX as u64 };

const fn key(name: &'static str, kind: KeyKind, doc: &'static str) -> KeySpec {
    KeySpec::new(name, kind, doc)
}

/// The top of a file.
pub const FILE: &[KeySpec] = &[
    key("model", KeyKind::Any, "exactly one table `[model.NAME]` with the keys of the real system").required(),
    key(
        "load",
        KeyKind::AnyOf(&[KeyKind::Table(STREAM), KeyKind::List(&KeyKind::Table(STREAM))]),
        "what clients ask for; this or `operation` must be there",
    ),
    key("operation", KeyKind::List(&KeyKind::Table(OPERATION)), "what clients ask for, written out one by one, in the place of `load`"),
    key("network", KeyKind::Table(NETWORK), "delay, loss and topology").or("{}"),
    key("node", KeyKind::Map(&KeyKind::Table(MACHINE)), "the machines, by node, group or `all`"),
    key("phases", KeyKind::Table(PHASES), "how long each phase lasts").or("{}"),
    key("fault", KeyKind::List(&KeyKind::Table(FAULT)), "what goes wrong"),
    key("override", KeyKind::List(&KeyKind::Table(OVERRIDE)), "single transmissions whose fate is named instead of drawn"),
    key("expect", KeyKind::Table(EXPECT), "what is expected of every run, unless an arm says otherwise").or("{}"),
    key("arm", KeyKind::List(&KeyKind::Table(ARM)), "the same with a few settings changed"),
    key("seeds", KeyKind::Table(SEEDS), "which runs").or("{}"),
    key("capsule", KeyKind::Table(CAPSULE), "of a file that replays one run: what was found in it"),
];

/// `[load]`.
pub const STREAM: &[KeySpec] = &[
    key("to", KeyKind::Text, "the queue, topic or service").required(),
    key(
        "op",
        KeyKind::Choice(&[("publish", "hand a message over"), ("request", "call and wait for the reply")]),
        "what is asked; by default what the object takes",
    ),
    key("arrivals", KeyKind::Variants { tag: "law", of: ARRIVALS }, "when").required(),
    key("keys", KeyKind::Variants { tag: "law", of: KEYS }, "about which keys").or("{ law = \"uniform\", count = 100 }"),
    key("size", KeyKind::AnyOf(&[KeyKind::Bytes, KeyKind::Variants { tag: "law", of: SIZES }]), "with how many bytes").or("1KiB"),
    key(
        "clients",
        KeyKind::Choice(&[
            ("round_robin", "one client after the other"),
            ("by_key", "one client has all of a key"),
            ("random", "by lot, each alike"),
        ]),
        "of which client",
    )
    .or("round_robin"),
    key("limit", KeyKind::Count { min: 0, max: u64::MAX }, "stop after so many operations"),
];

/// The greatest number of a listed payload. Judges keep a bit for each number, also for those in gaps.
pub const MOST_PAYLOAD: u64 = 10_000_000;

/// `[[operation]]`.
pub const OPERATION: &[KeySpec] = &[
    key("payload", KeyKind::Count { min: 0, max: MOST_PAYLOAD }, "the number of its payload: 17 for p17; there may be gaps").required(),
    key("at", KeyKind::Span, "when it is issued, counted from time zero").required(),
    key("client", KeyKind::Text, "the node that is asked: one that takes load").required(),
    key("to", KeyKind::Text, "the queue, topic or service").required(),
    key("key", KeyKind::Count { min: 0, max: u32::MAX as u64 }, "about which key").or("0"),
    key("size", KeyKind::Bytes, "with how many bytes").or("1KiB"),
];

const fn rate(doc: &'static str) -> KeySpec {
    key("rate", KeyKind::Rate, doc).required()
}

const ARRIVALS: &[Variant] = &[
    Variant { name: "constant", doc: "evenly spaced", keys: &[rate("how often")] },
    Variant { name: "poisson", doc: "at random, independently", keys: &[rate("how often on average")] },
    Variant {
        name: "bursts",
        doc: "at random, with two rates by turns",
        keys: &[
            key("rate_high", KeyKind::Rate, "how often during a burst").required(),
            key("rate_low", KeyKind::Rate, "how often between bursts").or("0/s"),
            key("on", KeyKind::Law, "how long a burst lasts").required(),
            key("off", KeyKind::Law, "how long it is to the next burst").required(),
        ],
    },
    Variant {
        name: "diurnal",
        doc: "at random, with a rate that goes up and down once a period",
        keys: &[
            key("mean", KeyKind::Rate, "how often on average over a period").required(),
            key("amplitude", KeyKind::Chance, "how far the rate swings, as a share of the mean").required(),
            key("period", KeyKind::Span, "a day, if it is to be one").or("1d"),
            key("peak_at", KeyKind::Span, "a moment of highest rate").or("0s"),
        ],
    },
    Variant {
        name: "steps",
        doc: "at random, with a rate that changes at given moments; before the first nothing comes",
        keys: &[key(
            "steps",
            KeyKind::List(&KeyKind::Table(&[
                key("at", KeyKind::Span, "from this moment on").required(),
                key("rate", KeyKind::Rate, "at this rate").required(),
            ])),
            "the changes, in order of time",
        )
        .required()],
    },
    Variant {
        name: "trace",
        doc: "as recorded in a CSV file with the columns at, key, bytes, client",
        keys: &[key("file", KeyKind::Text, "its path, beside the scenario").required()],
    },
    Variant {
        name: "closed",
        doc: "users who wait for the end of one operation, think, and issue the next",
        keys: &[
            key("users", KeyKind::Count { min: 0, max: u32::MAX as u64 }, "how many, over all clients").required(),
            key("think", KeyKind::Law, "how long a user thinks").required(),
        ],
    },
];

const fn count(doc: &'static str) -> KeySpec {
    key("count", KeyKind::Count { min: 0, max: u32::MAX as u64 }, doc).required()
}

const KEYS: &[Variant] = &[
    Variant { name: "uniform", doc: "each of them alike", keys: &[count("how many")] },
    Variant {
        name: "zipf",
        doc: "the n-th key with a share in proportion to n^-exponent",
        keys: &[
            count("how many"),
            key("exponent", KeyKind::Thousandths { min: 0, max: u32::MAX as u64 }, "0 is uniform, 1.1 is usual").required(),
        ],
    },
    Variant {
        name: "hot",
        doc: "a few keys take a given share",
        keys: &[
            count("how many in all"),
            key("hot", KeyKind::Count { min: 0, max: u32::MAX as u64 }, "how many of them are hot").required(),
            key("share", KeyKind::Chance, "the hot keys' share together").required(),
        ],
    },
    Variant { name: "sequential", doc: "one after the other, and again from the first", keys: &[count("how many")] },
    Variant { name: "trace", doc: "as recorded in the trace of the arrivals", keys: &[] },
];

const SIZES: &[Variant] = &[
    Variant {
        name: "uniform",
        doc: "from one size to another, each alike",
        keys: &[
            key("low", KeyKind::Bytes, "fewest").required(), //
            key("high", KeyKind::Bytes, "most").required(),
        ],
    },
    Variant {
        name: "mix",
        doc: "some of several sizes",
        keys: &[key(
            "of",
            KeyKind::List(&KeyKind::Table(&[
                key("bytes", KeyKind::Bytes, "the size").required(),
                key("weight", KeyKind::Count { min: 0, max: u32::MAX as u64 }, "its share, in proportion").required(),
            ])),
            "the sizes with their weights",
        )
        .required()],
    },
    Variant { name: "trace", doc: "as recorded in the trace of the arrivals", keys: &[] },
];

/// The keys of one direction of a link, and more.
macro_rules! link_keys {
    ($($more:expr),* $(,)?) => {
        &[
            key("delay", KeyKind::Law, "how long a message takes from end to end, one way"),
            key("jitter", KeyKind::Law, "added to the delay, drawn apart from it"),
            key("loss", KeyKind::Chance, "share of messages lost, independently").or("0%"),
            key("burst", KeyKind::Table(BURST), "loss in bursts (Gilbert–Elliott), besides `loss`"),
            key("duplicate", KeyKind::Chance, "share of datagrams that arrive twice").or("0%"),
            key("reorder", KeyKind::Table(REORDER), "messages held back: later datagrams overtake them, a stream waits"),
            key("corrupt", KeyKind::Table(CORRUPT), "damage on the way"),
            key("bandwidth", KeyKind::AnyOf(&[KeyKind::ByteRate, KeyKind::Table(BANDWIDTH)]), "a link of finite speed"),
            $($more),*
        ]
    };
}

/// One direction of a link.
pub const LINK: &[KeySpec] = link_keys![];

const BURST: &[KeySpec] = &[
    key("good", KeyKind::Span, "mean length of a good period").required(),
    key("bad", KeyKind::Span, "mean length of a bad period").required(),
    key("loss_good", KeyKind::Chance, "loss in the good state").or("0%"),
    key("loss_bad", KeyKind::Chance, "loss in the bad state").or("100%"),
];
const REORDER: &[KeySpec] = &[
    key("chance", KeyKind::Chance, "share held back").required(),
    key("hold", KeyKind::Law, "for how long, on top of the delay").required(),
];
const CORRUPT: &[KeySpec] = &[
    key("chance", KeyKind::Chance, "share of messages damaged").required(),
    key("checksum", KeyKind::Flag, "whether a checksum catches it; otherwise it arrives damaged").or("true"),
];
const BANDWIDTH: &[KeySpec] = &[
    key("rate", KeyKind::ByteRate, "speed").required(),
    key("queue", KeyKind::Bytes, "what may wait; beyond it messages are lost; unbounded when it is left out"),
];

/// `[network]`.
pub const NETWORK: &[KeySpec] = link_keys![
    key("zone", KeyKind::Map(&KeyKind::Table(ZONE)), "the hosts behind one switch"),
    key("between_zones", KeyKind::Table(LINK), "between two zones of a region, one way, on top of the above"),
    key("between_regions", KeyKind::Table(LINK), "between two regions, one way, on top of that"),
    key("switches", KeyKind::List(&KeyKind::Text), "switches besides those of zones and regions"),
    key("link", KeyKind::List(&KeyKind::Table(NAMED_LINK)), "links besides those that zones and regions imply"),
    key("stream", KeyKind::Table(STREAMS), "retransmission and patience of stream connections").or("{}"),
];
const ZONE: &[KeySpec] = &[
    key("hosts", KeyKind::List(&KeyKind::Text), "its nodes, or groups of nodes").required(),
    key("region", KeyKind::Text, "the region it lies in"),
];
const NAMED_LINK: &[KeySpec] = link_keys![
    key("name", KeyKind::Text, "for faults and stories").required(),
    key("from", KeyKind::Text, "a node, zone, region or switch").required(),
    key("to", KeyKind::Text, "a node, zone, region or switch").required(),
    key("there", KeyKind::Table(LINK), "from `from` to `to`, where it differs"),
    key("back", KeyKind::Table(LINK), "from `to` to `from`, where it differs"),
];
const STREAMS: &[KeySpec] = &[
    key("retransmit_first", KeyKind::Span, "wait before the first retransmission; doubled each time").or("200ms"),
    key("retransmit_max", KeyKind::Span, "longest wait between retransmissions").or("120s"),
    key("give_up", KeyKind::Span, "after this long without an acknowledgement the connection is given up").or("924s"),
    key("connect_timeout", KeyKind::Span, "how long a connection attempt may take").or("30s"),
    key("window", KeyKind::Bytes, "bytes a sender may have unread at a stopped receiver").or("6MiB"),
];

/// `[node.NAME]`.
pub const MACHINE: &[KeySpec] = &[
    key(
        "cpu",
        KeyKind::AnyOf(&[KeyKind::Choice(&[("none", "handlers take no time")]), KeyKind::Table(CPU)]),
        "processors; without them handlers take no time",
    ),
    key("disk", KeyKind::Table(DISK), "the disk"),
    key("clock", KeyKind::Table(CLOCK), "the clock"),
    key("boot", KeyKind::Span, "from power-on or restart until the process runs").or("0s"),
];
const CPU: &[KeySpec] = &[
    key("servers", SOME, "how many handlers run at once").or("1"),
    key(
        "queue",
        KeyKind::AnyOf(&[KeyKind::Choice(&[("unbounded", "without limit")]), KeyKind::Count { min: 0, max: u32::MAX as u64 }]),
        "how many may wait; beyond it deliveries are refused",
    )
    .or("unbounded"),
    key("service", KeyKind::Law, "service time of one unit of a message's cost"),
];
const DISK: &[KeySpec] = &[
    key("sync", KeyKind::Law, "how long a sync takes").or("1ms"),
    key(
        "writeback",
        KeyKind::AnyOf(&[KeyKind::Choice(&[("never", "only a sync makes it durable")]), KeyKind::Span]),
        "after this long the operating system makes an unsynced write durable",
    )
    .or("30s"),
    key("capacity", KeyKind::AnyOf(&[KeyKind::Choice(&[("unbounded", "without limit")]), KeyKind::Bytes]), "bytes it holds")
        .or("unbounded"),
];
const CLOCK: &[KeySpec] = &[
    key("skew", KeyKind::SignedSpan, "ahead of (or, negative, behind) true time at the start").or("0s"),
    key("drift_ppm", KeyKind::Integer { min: -500_000, max: 500_000 }, "runs fast, or slow, in parts per million").or("0"),
];

/// `[phases]`.
pub const PHASES: &[KeySpec] = &[
    key("warm", KeyKind::Span, "load without faults; not counted in figures").or("5s"),
    key("chaos", KeyKind::Span, "load with faults").or("60s"),
    key("heal", KeyKind::Span, "load goes on, faults are lifted").or("10s"),
    key("drain", KeyKind::Span, "no new load").or("30s"),
];

/// `[[fault]]`: when, how long, and exactly one of the ills.
pub const FAULT: &[KeySpec] = &[
    key("name", KeyKind::Text, "its name in reports; made from its contents when it is left out"),
    key("at", KeyKind::AnyOf(&[KeyKind::Span, KeyKind::List(&KeyKind::Span)]), "at this moment, or at these, counted from time zero"),
    key("behind", KeyKind::Count { min: 0, max: u32::MAX as u64 }, "with `at`: after so many events of that very moment"),
    key("every", KeyKind::Law, "again and again, with such intervals"),
    key("first", KeyKind::Span, "with `every`: the first time; one interval after chaos begins when it is left out"),
    key("until", KeyKind::Span, "with `every`: no strike after this"),
    key("mtbf", KeyKind::Law, "mean time between a repair and the next failure (a span is an exponential law's mean)"),
    key("mttr", KeyKind::Law, "mean time to repair (a span is an exponential law's mean)"),
    key("lasts", KeyKind::Law, "how long it acts each time; until the heal phase when it is left out"),
    key("back_after", KeyKind::Law, "the same word for nodes that are down"),
    key("kill", KeyKind::Selector, "the process dies; the page cache survives"),
    key("power_off", KeyKind::Selector, "the host loses power: unsynced writes are lost"),
    key("wipe", KeyKind::Selector, "the host and its disk are lost"),
    key("pause", KeyKind::Selector, "the process is stopped and later goes on"),
    key("freeze", KeyKind::Selector, "the virtual machine is stopped, its clock too"),
    key("slow", KeyKind::Table(SLOW), "everything takes longer"),
    key("cut", KeyKind::Table(CUT), "messages between nodes are eaten"),
    key("jam", KeyKind::Table(JAM), "messages take longer"),
    key("drop", KeyKind::Table(DROP), "a share of messages is lost"),
    key("clog", KeyKind::Table(PAIR), "messages are held back and all let go at the end"),
    key("disk_stall", KeyKind::Selector, "syncs do not complete"),
    key("sync_fails", KeyKind::Table(SYNC_FAILS), "syncs fail"),
    key("torn_write", KeyKind::Selector, "the power fails in the middle of a write"),
    key("flip_bits", KeyKind::Table(FLIP_BITS), "bits flip in what is durable"),
    key("disk_full", KeyKind::Selector, "writes are refused"),
    key("clock_step", KeyKind::Table(CLOCK_STEP), "the clock jumps, and at the end jumps back"),
    key("clock_drift", KeyKind::Table(CLOCK_DRIFT), "the clock runs at another speed"),
];
/// `[[override]]`: a transmission by its name, and what becomes of it.
pub const OVERRIDE: &[KeySpec] = &[
    key("from", KeyKind::Text, "the node that sends").required(),
    key("to", KeyKind::Text, "the node that shall receive").required(),
    key("kind", KeyKind::Text, "the kind of message, by the protocol's name for it").required(),
    key(
        "about",
        KeyKind::AnyOf(&[KeyKind::Count { min: 0, max: i64::MAX as u64 }, KeyKind::Text]),
        "the number in its name: for a message that carries a payload, the payload's (17 for p17), while its sender has not restarted; from 2^63 on in quotes",
    )
    .required(),
    key("attempt", KeyKind::Count { min: 0, max: u32::MAX as u64 }, "which attempt of the sender").or("1"),
    key("resend", KeyKind::Count { min: 0, max: u32::MAX as u64 }, "on a stream: which retransmission; 0 is the first transmission")
        .or("0"),
    key("drop", KeyKind::Flag, "`true`: it is lost; `false`: chance does not lose it"),
    key("delay", KeyKind::Span, "how long it takes from end to end"),
    key("duplicate", KeyKind::Flag, "datagrams: whether it arrives twice"),
    key("damage", KeyKind::Flag, "`true`, for datagrams: it arrives damaged; `false`: chance does not damage it"),
];
/// The names of the ills in [`FAULT`].
pub const ILLS: [&str; 17] = [
    "kill",
    "power_off",
    "wipe",
    "pause",
    "freeze",
    "slow",
    "cut",
    "jam",
    "drop",
    "clog",
    "disk_stall",
    "sync_fails",
    "torn_write",
    "flip_bits",
    "disk_full",
    "clock_step",
    "clock_drift",
];
/// The shapes of a cut.
pub const SHAPES: [&str; 8] = ["halves", "isolate", "majorities_ring", "bridge", "between", "one_way", "link", "pairs"];

const fn who() -> KeySpec {
    key("who", KeyKind::Selector, "whom it concerns").required()
}
const FROM: KeySpec = key("from", KeyKind::Selector, "whose messages").or("all");
const TO: KeySpec = key("to", KeyKind::Selector, "on the way to whom").or("all");

const SLOW: &[KeySpec] =
    &[who(), key("factor", KeyKind::Thousandths { min: 1, max: 1_000_000_000 }, "so many times slower; 4 is four times").required()];
const CUT: &[KeySpec] = &[
    key("halves", KeyKind::Selector, "these from each other: a minority and a majority, by lot"),
    key("isolate", KeyKind::Selector, "these from the others of their groups, and from `others`"),
    key("majorities_ring", KeyKind::Selector, "each of these sees a majority, no two the same"),
    key("bridge", KeyKind::Selector, "two halves of these, with one node that reaches both"),
    key("between", KeyKind::Table(BETWEEN), "two groups from each other"),
    key("one_way", KeyKind::Table(PAIR), "from some to others; the way back works"),
    key("link", KeyKind::Text, "a link of the topology, by name"),
    key("pairs", KeyKind::List(&KeyKind::Table(PAIR)), "from some to others, one way each: any shape"),
    key(
        "others",
        KeyKind::Choice(&[
            ("untouched", "they reach everyone"),
            ("first", "they stand on the first side"),
            ("second", "they stand on the second side"),
            ("split", "each is put on a side by lot"),
        ]),
        "where the nodes stand that the shape does not name: `untouched` for halves and between; for isolate those of other groups, `second`",
    ),
];
const BETWEEN: &[KeySpec] = &[
    key("a", KeyKind::Selector, "the first side").required(), //
    key("b", KeyKind::Selector, "the second side").required(),
];
const PAIR: &[KeySpec] = &[FROM, TO];
const JAM: &[KeySpec] = &[FROM, TO, key("extra", KeyKind::Law, "by how much").required()];
const DROP: &[KeySpec] = &[
    FROM,
    TO,
    key("kind", KeyKind::Text, "only messages of this kind, by the model's name for it"),
    key("chance", KeyKind::Chance, "which share").or("100%"),
];
const SYNC_FAILS: &[KeySpec] = &[who(), key("chance", KeyKind::Chance, "which share").or("100%")];
const FLIP_BITS: &[KeySpec] = &[who(), key("count", SOME, "how many records are damaged").or("1")];
const CLOCK_STEP: &[KeySpec] = &[who(), key("by", KeyKind::SignedSpan, "forward, or, negative, back").required()];
const CLOCK_DRIFT: &[KeySpec] =
    &[who(), key("ppm", KeyKind::Integer { min: -500_000, max: 500_000 }, "parts per million; fast is positive").required()];

const fn latency(name: &'static str, doc: &'static str) -> KeySpec {
    key(name, KeyKind::Text, doc)
}

/// `[expect]`, and more.
macro_rules! expect_keys {
    ($($more:expr),* $(,)?) => {
        &[
            key("always", KeyKind::List(&KeyKind::Text), "properties that every run keeps"),
            key("broken", KeyKind::List(&KeyKind::Text), "properties that some run is expected to break"),
            key("sometimes", KeyKind::List(&KeyKind::Text), "marks or breaches that some run reaches; otherwise nothing is proved"),
            key("never", KeyKind::List(&KeyKind::Text), "marks or breaches that no run reaches"),
            key("violations", KeyKind::Choice(&[
                ("none", "what the configuration promises is judged, named here or not"),
                ("any", "promises that are not named here may break"),
            ]), "what becomes of promises that are not named here").or("none"),
            key("success_ratio", KeyKind::Text, "share of operations that end well, such as `>= 90%`"),
            key("throughput", KeyKind::Text, "acknowledged operations, such as `>= 400/s`"),
            latency("ack_p50", "time to the acknowledgement, such as `<= 50ms`"),
            latency("ack_p90", "the same, 90th percentile"),
            latency("ack_p99", "the same, 99th percentile"),
            latency("ack_p999", "the same, 99.9th percentile"),
            latency("ack_max", "the same, the longest"),
            latency("delivery_p50", "time to the first arrival"),
            latency("delivery_p90", "the same, 90th percentile"),
            latency("delivery_p99", "the same, 99th percentile"),
            latency("delivery_p999", "the same, 99.9th percentile"),
            latency("delivery_max", "the same, the longest"),
            latency("effect_p50", "time to the first effect"),
            latency("effect_p90", "the same, 90th percentile"),
            latency("effect_p99", "the same, 99th percentile"),
            latency("effect_p999", "the same, 99.9th percentile"),
            latency("effect_max", "the same, the longest"),
            key("share", KeyKind::ByName(&KeyKind::Text), "in what share of runs a breach or mark occurs, such as `>= 5% of runs`"),
            key("count", KeyKind::ByName(&KeyKind::Text), "in how many runs a breach or mark occurs, such as `>= 3 runs`"),
            key("eventually", KeyKind::ByName(&KeyKind::Text), "how soon after healing a property holds, such as `30s after heal`"),
            key("fault", KeyKind::ByName(&KeyKind::Choice(&[
                ("fired", "it strikes in some run"),
                ("touched", "it touches something in some run"),
                ("untouched", "it touches nothing in any run"),
            ])), "what becomes of a fault, by its name"),
            $($more),*
        ]
    };
}

/// `[expect]`.
pub const EXPECT: &[KeySpec] = expect_keys![];
/// `expect` of an arm.
pub const ARM_EXPECT: &[KeySpec] =
    expect_keys![key("inherit", KeyKind::Flag, "whether what the file expects is expected of the arm, too").or("true")];

/// `[[arm]]`.
pub const ARM: &[KeySpec] = &[
    key("name", KeyKind::Text, "its name in the report").required(),
    key("set", KeyKind::Any, "the settings that differ, by dotted key"),
    key("expect", KeyKind::Table(ARM_EXPECT), "what is expected of this arm; replaces what the file expects about the same thing").or("{}"),
];

/// `[seeds]`.
pub const SEEDS: &[KeySpec] = &[
    key("count", KeyKind::Count { min: 1, max: 100_000_000 }, "how many runs").or("20"),
    key("first", KeyKind::Count { min: 0, max: i64::MAX as u64 }, "the first seed").or("1"),
];

/// `[capsule]`.
pub const CAPSULE: &[KeySpec] = &[
    key("format", KeyKind::Count { min: 0, max: u32::MAX as u64 }, "the format of the capsule: 1").required(),
    key("version", KeyKind::Text, "the version of deadletter that wrote it"),
    key("digest", KeyKind::Text, "the digest of the run, 16 hexadecimal digits").required(),
    key(
        "verdict",
        KeyKind::Choice(&[("broken", "what it is about is broken in the run"), ("holds", "what it is about holds in the run")]),
        "what came out",
    )
    .or("broken"),
    key("of", KeyKind::Text, "what it is about: a property, `invariant` or `panic`").required(),
    key("plan", KeyKind::Text, "the hash of everything else in the file when it was written, 16 hexadecimal digits"),
    key("from", KeyKind::Text, "where it comes from, in free words"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_documented_and_every_default_is_a_value() {
        crate::base::value::prove(FILE);
        for ill in ILLS {
            assert!(FAULT.iter().any(|key| key.name == ill), "{ill}");
        }
        for shape in SHAPES {
            assert!(CUT.iter().any(|key| key.name == shape), "{shape}");
        }
    }
}

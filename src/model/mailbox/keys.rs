//! The keys of the table `[model.mailbox]`: names, kinds, defaults, and what each means.

use crate::base::value::{KeyKind, KeySpec};

const COUNT: KeyKind = KeyKind::Count { min: 1, max: 1_000_000 };
const FEW: KeyKind = KeyKind::Count { min: 1, max: 10_000 };

/// The broker's keys.
pub const BROKER: &[KeySpec] = &[
    KeySpec::new(
        "storage",
        KeyKind::Choice(&[("durable", "messages are on disk"), ("memory", "messages are gone when the process is")]),
        "where messages are kept",
    )
    .or("durable"),
    KeySpec::new(
        "sync",
        KeyKind::Choice(&[
            ("every_message", "before a message is confirmed or handed out; what arrives meanwhile shares the next sync"),
            ("every_n", "after `sync_n` writes; confirmations do not wait"),
            ("interval", "every `sync_interval`; confirmations do not wait"),
            ("never", "when the operating system likes"),
        ]),
        "when the disk is made to keep what was written; default: `every_message`",
    ),
    KeySpec::new("sync_n", COUNT, "with `sync = \"every_n\"`: after so many writes"),
    KeySpec::new("sync_interval", KeyKind::Span, "with `sync = \"interval\"`: so often"),
    KeySpec::new(
        "dedup_window",
        KeyKind::Span,
        "idempotence keys are remembered for so long at least; default: `10m` unless `dedup_count` is given",
    ),
    KeySpec::new("dedup_count", COUNT, "so many idempotence keys are remembered at most"),
    KeySpec::new(
        "dedup_table",
        KeyKind::Choice(&[("durable", "the keys are on disk, with the messages"), ("memory", "a restart forgets them")]),
        "where idempotence keys are kept; default: where messages are",
    ),
];

/// The keys of a queue and of a subscription.
const MAX_LENGTH: KeySpec =
    KeySpec::new("max_length", COUNT, "how many messages may wait (those out with consumers do not count); default: any number");
const OVERFLOW: KeySpec = KeySpec::new(
    "overflow",
    KeyKind::Choice(&[
        ("reject", "the message is refused and the producer told"),
        ("drop_newest", "the message is dropped and confirmed all the same"),
        ("drop_head", "the oldest waiting message is dropped"),
    ]),
    "what happens to a message that finds the queue full; default: `reject`",
);
const TTL: KeySpec =
    KeySpec::new("ttl", KeyKind::Span, "how long a message may wait after its arrival, by the broker's clock; default: for ever");
const VISIBILITY: KeySpec = KeySpec::new(
    "visibility_timeout",
    KeyKind::Span,
    "after so long without acknowledgement a delivered message waits again; default: never while its consumer is there",
);
const MAX_DELIVERIES: KeySpec = KeySpec::new(
    "max_deliveries",
    KeyKind::Count { min: 1, max: 255 },
    "after so many deliveries without acknowledgement a message goes to `dead_letters`; default: never",
);

/// The keys of a queue.
pub const QUEUE: &[KeySpec] = &[MAX_LENGTH, OVERFLOW, TTL, VISIBILITY, MAX_DELIVERIES];

/// The keys of a topic: it has none, what happens is up to its subscriptions.
pub const TOPIC: &[KeySpec] = &[];

/// The keys of a subscription.
pub const SUBSCRIPTION: &[KeySpec] = &[
    KeySpec::new("topic", KeyKind::Text, "the topic whose messages it collects").required(),
    KeySpec::new(
        "durable",
        KeyKind::Flag,
        "`true`: declared beforehand and stays; `false`: the broker learns of it when its consumer comes, and forgets it and its messages with it",
    )
    .or("true"),
    MAX_LENGTH,
    OVERFLOW,
    TTL,
    VISIBILITY,
    MAX_DELIVERIES,
];

/// The producers' keys.
pub const PRODUCER: &[KeySpec] = &[
    KeySpec::new("count", FEW, "how many producers there are").or("1"),
    KeySpec::new(
        "confirm",
        KeyKind::Choice(&[
            ("wait", "a message is done when the broker has confirmed it"),
            ("none", "a message is done when it was handed to the network"),
        ]),
        "what a producer waits for",
    )
    .or("wait"),
    KeySpec::new("timeout", KeyKind::Span, "how long it waits for the broker's word; default: `1s`"),
    KeySpec::new("retries", KeyKind::Count { min: 0, max: 63 }, "how often it tries again; default: 0"),
    KeySpec::new("backoff", KeyKind::Span, "the pause before the first retry, doubled each time; default: `100ms`"),
    KeySpec::new("backoff_max", KeyKind::Span, "the longest pause; default: `5s`"),
    KeySpec::new(
        "idempotence",
        KeyKind::Flag,
        "whether messages carry a key by which the broker knows a repetition (see `broker.dedup_window`)",
    )
    .or("false"),
    KeySpec::new(
        "ordered",
        KeyKind::Flag,
        "whether the broker refuses what a later message of the same producer has overtaken; with retries, producers then send one message at a time",
    )
    .or("false"),
    KeySpec::new("poison", KeyKind::Chance, "the share of messages that no consumer can digest").or("0%"),
];

/// When a consumer is there that is not always there.
pub const ATTACH: &[KeySpec] = &[
    KeySpec::new("from", KeyKind::Span, "when it comes for the first time, by its clock").or("0s"),
    KeySpec::new("every", KeyKind::Span, "from one coming to the next; default: it comes once"),
    KeySpec::new("for", KeyKind::Span, "how long it stays each time").required(),
];

/// A consumer's keys.
pub const CONSUMER: &[KeySpec] = &[
    KeySpec::new("count", FEW, "how many there are; the nodes are NAME-1, NAME-2, …").or("1"),
    KeySpec::new("from", KeyKind::Text, "the queue or subscription it reads").required(),
    KeySpec::new(
        "mode",
        KeyKind::Choice(&[("push", "the broker sends as soon as there is something"), ("pull", "the consumer asks")]),
        "how messages come",
    )
    .or("push"),
    KeySpec::new("prefetch", FEW, "with `mode = \"push\"`: so many ahead of acknowledgements; default: 10"),
    KeySpec::new("poll_interval", KeyKind::Span, "with `mode = \"pull\"`: the pause after an empty answer; default: `1s`"),
    KeySpec::new("batch", FEW, "with `mode = \"pull\"`: how many at a time; default: 10"),
    KeySpec::new(
        "poll_wait",
        KeyKind::Span,
        "with `mode = \"pull\"`: how long the broker waits for something before it says that there is nothing; default: `0s`",
    ),
    KeySpec::new(
        "ack",
        KeyKind::Choice(&[
            ("before", "before it looks at the message: it waits until the broker has let go of it"),
            ("after", "when the effect is there"),
            ("atomically", "the effect and the message's id are committed to the consumer's own store at once, then it acknowledges"),
        ]),
        "when it acknowledges",
    )
    .or("after"),
    KeySpec::new("processing", KeyKind::Law, "how long handling a message takes").or("1ms"),
    KeySpec::new("ack_delay", KeyKind::Span, "from the effect to the acknowledgement (bookkeeping, batching); default: `0s`"),
    KeySpec::new(
        "on_poison",
        KeyKind::Choice(&[("return", "it gives the message back"), ("crash", "its process dies and starts again after `restart_after`")]),
        "what it does with a message that it cannot digest; default: `return`",
    ),
    KeySpec::new("restart_after", KeyKind::Span, "with `on_poison = \"crash\"`: how long until the process is there again; default: `1s`"),
    KeySpec::new("attach", KeyKind::Table(ATTACH), "when it is there; default: always"),
];

/// The keys of the model.
pub const KEYS: &[KeySpec] = &[
    KeySpec::new(
        "transport",
        KeyKind::Choice(&[
            ("stream", "connections: in order, nothing twice, loss becomes delay"),
            ("datagram", "single packets: lost, repeated, reordered, damaged"),
        ]),
        "how messages travel",
    )
    .or("stream"),
    KeySpec::new("checksum", KeyKind::Flag, "whether broker and consumers check every body from end to end, and refuse damaged ones")
        .or("true"),
    KeySpec::new("heartbeat", KeyKind::Span, "how often consumers show that they are there; after three times without, their stay is over")
        .or("1s"),
    KeySpec::new("broker", KeyKind::Table(BROKER), "the broker").or("{}"),
    KeySpec::new("queue", KeyKind::Map(&KeyKind::Table(QUEUE)), "point-to-point queues, by name: each message goes to one consumer"),
    KeySpec::new("topic", KeyKind::Map(&KeyKind::Table(TOPIC)), "topics, by name: each message goes to every subscription"),
    KeySpec::new(
        "subscription",
        KeyKind::Map(&KeyKind::Table(SUBSCRIPTION)),
        "subscriptions to topics, by name: each has a queue of its own",
    ),
    KeySpec::new("producer", KeyKind::Table(PRODUCER), "the producers").or("{}"),
    KeySpec::new("consumer", KeyKind::Map(&KeyKind::Table(CONSUMER)), "kinds of consumers, by name"),
    KeySpec::new("mutant", KeyKind::Text, "breaks the model on purpose; only in builds with the cargo feature `mutants`"),
    KeySpec::not_modelled("priority", "messages leave a queue in the order in which they came"),
    KeySpec::not_modelled("transaction", "a message is published or not; several at once are not atomic"),
];

//! What goes over the wire between producers, the broker and consumers, and how each message is named.

use crate::base::{KeyId, NodeId, ObjectId, PayloadId, Span, Tag, Words};
use crate::world::Message;

/// Bytes of a message besides the body it carries: addresses, ids, framing.
pub const HEADER_BYTES: u32 = 64;

/// A queue of the broker, the queues of subscriptions and the dead letters included: a position in [`super::Config::queues`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueueId(pub u16);

impl QueueId {
    /// As an index into a vector.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The id at a position.
    ///
    /// # Panics
    /// When the position does not fit 16 bits; the configuration is checked for that.
    #[must_use]
    pub fn at(index: usize) -> QueueId {
        QueueId(u16::try_from(index).expect("fewer than 2^16 queues"))
    }
}

/// One message as its producer made it: what queues hold and deliveries carry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Parcel {
    /// What the load gave out. The idempotence key, too.
    pub payload: PayloadId,
    /// The message key.
    pub key: KeyId,
    /// Who made it.
    pub producer: NodeId,
    /// Size of the body in bytes.
    pub bytes: u32,
    /// Which of possibly several copies of the payload this is: the attempt that made it.
    pub copy: u32,
    /// Which bits of the body have flipped, as a fingerprint; zero: none. A checksum over the body finds out.
    pub damage: u32,
    /// No consumer can digest the body.
    pub poison: bool,
}

impl Parcel {
    /// Whether the body is what was sent.
    #[must_use]
    pub const fn is_intact(&self) -> bool {
        self.damage == 0
    }

    /// Flips bits of the body, chosen by `word`. Damage on top of damage stays damage.
    pub const fn harm(&mut self, word: u64) {
        let bits = u32::from_le_bytes([word.to_le_bytes()[4], word.to_le_bytes()[5], word.to_le_bytes()[6], word.to_le_bytes()[7]]);
        let mixed = self.damage.rotate_left(5) ^ bits;
        self.damage = if mixed == 0 { 1 } else { mixed };
    }
}

/// One delivery of one message of one queue, as consumers acknowledge it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DeliveryId {
    /// The queue.
    pub queue: QueueId,
    /// The message's place in it.
    pub seq: u64,
    /// Which delivery of this message, from 1.
    pub nth: u32,
    /// Which life of the broker: numbers start anew when what was counted is lost.
    pub life: u32,
}

/// How messages come to a consumer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Asked {
    /// The broker sends as soon as there is something, so many ahead of acknowledgements.
    Push {
        /// The most that may be unacknowledged.
        prefetch: u32,
    },
    /// The consumer asks each time.
    Pull,
}

/// Why the broker refused a message. Each is certain: nothing was stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Refusal {
    /// A bounded queue was full.
    Full,
    /// The disk was.
    DiskFull,
    /// The body arrived damaged.
    Damaged,
    /// A later message of the same producer was there already.
    Late,
    /// Nothing of this name takes messages.
    NoSuchDestination,
}

impl Refusal {
    /// The words for it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Refusal::Full => "queue full",
            Refusal::DiskFull => "disk full",
            Refusal::Damaged => "arrived damaged",
            Refusal::Late => "overtaken by a later message",
            Refusal::NoSuchDestination => "no such destination",
        }
    }
}

/// What a consumer says of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Done: let go of it.
    Acknowledge,
    /// Not done: give it to somebody again.
    Return,
}

/// What a message says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Body {
    /// Producer → broker: keep this.
    Publish {
        /// For this queue or topic.
        to: ObjectId,
        /// The message.
        parcel: Parcel,
        /// Which attempt, from 1.
        attempt: u32,
        /// Whether an answer is expected.
        confirm: bool,
    },
    /// Broker → producer: it is kept, as safely as the configuration says.
    Confirm {
        /// Which message.
        payload: PayloadId,
        /// Which attempt.
        attempt: u32,
    },
    /// Broker → producer: it is not kept and this attempt never will be.
    Refuse {
        /// Which message.
        payload: PayloadId,
        /// Which attempt.
        attempt: u32,
        /// Why.
        why: Refusal,
    },
    /// Consumer → broker: I am here, for this queue.
    Attach {
        /// A number of the consumer's for its stay.
        session: u64,
        /// The queue.
        queue: QueueId,
        /// How messages shall come.
        asked: Asked,
    },
    /// Broker → consumer: you are.
    Attached {
        /// The stay.
        session: u64,
    },
    /// Consumer → broker: I am still here.
    Beat {
        /// The stay.
        session: u64,
    },
    /// Broker → consumer: so am I.
    Beaten {
        /// The stay.
        session: u64,
    },
    /// Broker → consumer: I know nothing of your stay.
    Gone {
        /// The stay.
        session: u64,
    },
    /// Consumer → broker: what do you have for me?
    Poll {
        /// The stay.
        session: u64,
        /// Counts the questions of a stay.
        number: u32,
        /// At most so many.
        most: u32,
        /// If there is nothing, wait so long for something.
        wait: Span,
    },
    /// Broker → consumer: that was all.
    Polled {
        /// The stay.
        session: u64,
        /// Which question.
        number: u32,
        /// How many were sent.
        given: u32,
    },
    /// Broker → consumer: a message.
    Deliver {
        /// The stay.
        session: u64,
        /// What to acknowledge.
        id: DeliveryId,
        /// The message.
        parcel: Parcel,
    },
    /// Consumer → broker: what became of a delivery.
    Settle {
        /// Which delivery.
        id: DeliveryId,
        /// Its payload, for stories.
        payload: PayloadId,
        /// What became of it.
        verdict: Verdict,
        /// The number of the question, if an answer is expected.
        question: Option<u32>,
    },
    /// Broker → consumer: it has left the queue, or had left your hands before.
    Settled {
        /// Which delivery.
        id: DeliveryId,
        /// Its payload.
        payload: PayloadId,
        /// The question that this answers: of two copies of an answer, one belongs to a question that is over.
        question: u32,
        /// Whether your word counted.
        counted: bool,
    },
    /// Consumer → broker: I am leaving.
    Detach {
        /// The stay.
        session: u64,
    },
    /// A datagram without checksum whose header no longer makes sense: whoever gets it drops it.
    Garbled {
        /// The kind it had.
        kind: u16,
    },
}

/// The names of message kinds, in the order of [`Body`].
pub const KINDS: &[&str] = &[
    "publish", "confirm", "refuse", "attach", "attached", "beat", "beaten", "gone", "poll", "polled", "deliver", "settle", "settled",
    "detach",
];

/// The kinds that [`Namer::about`] always names.
const ABOUT_A_PAYLOAD: [&str; 6] = ["publish", "confirm", "refuse", "deliver", "settle", "settled"];

/// The payload that a message of this name is about.
#[must_use]
pub fn about(tag: Tag) -> Option<PayloadId> {
    let named = ABOUT_A_PAYLOAD.contains(&KINDS[usize::from(tag.kind)]);
    named.then(|| PayloadId(u32::try_from(tag.subject & u64::from(u32::MAX)).expect("the lower half")))
}

impl Body {
    /// Position in [`KINDS`].
    #[must_use]
    pub const fn kind(&self) -> u16 {
        match self {
            Body::Publish { .. } => 0,
            Body::Confirm { .. } => 1,
            Body::Refuse { .. } => 2,
            Body::Attach { .. } => 3,
            Body::Attached { .. } => 4,
            Body::Beat { .. } => 5,
            Body::Beaten { .. } => 6,
            Body::Gone { .. } => 7,
            Body::Poll { .. } => 8,
            Body::Polled { .. } => 9,
            Body::Deliver { .. } => 10,
            Body::Settle { .. } => 11,
            Body::Settled { .. } => 12,
            Body::Detach { .. } => 13,
            Body::Garbled { kind } => *kind,
        }
    }

    /// The message it carries, if it carries one.
    #[must_use]
    pub const fn parcel(&self) -> Option<&Parcel> {
        match self {
            Body::Publish { parcel, .. } | Body::Deliver { parcel, .. } => Some(parcel),
            Body::Confirm { .. }
            | Body::Refuse { .. }
            | Body::Attach { .. }
            | Body::Attached { .. }
            | Body::Beat { .. }
            | Body::Beaten { .. }
            | Body::Gone { .. }
            | Body::Poll { .. }
            | Body::Polled { .. }
            | Body::Settle { .. }
            | Body::Settled { .. }
            | Body::Detach { .. }
            | Body::Garbled { .. } => None,
        }
    }
}

/// A message with its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Msg {
    /// The name that decides its fate.
    pub tag: Tag,
    /// What it says.
    pub body: Body,
}

impl Message for Msg {
    fn tag(&self) -> Tag {
        self.tag
    }

    fn bytes(&self) -> u32 {
        HEADER_BYTES + self.body.parcel().map_or(0, |parcel| parcel.bytes)
    }

    /// Flips bits in the body that it carries; a message without one becomes unreadable.
    fn corrupt(&mut self, word: u64) {
        match &mut self.body {
            Body::Publish { parcel, .. } | Body::Deliver { parcel, .. } => parcel.harm(word),
            Body::Confirm { .. }
            | Body::Refuse { .. }
            | Body::Attach { .. }
            | Body::Attached { .. }
            | Body::Beat { .. }
            | Body::Beaten { .. }
            | Body::Gone { .. }
            | Body::Poll { .. }
            | Body::Polled { .. }
            | Body::Settle { .. }
            | Body::Settled { .. }
            | Body::Detach { .. }
            | Body::Garbled { .. } => self.body = Body::Garbled { kind: self.body.kind() },
        }
    }
}

/// Gives every message that one node sends a name of its own.
///
/// On streams nothing is sent twice unasked, so that "deliver p17, second time" is a name, and what befalls the message does
/// not depend on any other. On datagrams copies arise under way and each is answered: there a counter tells names apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Namer {
    datagrams: bool,
    /// Tells the lives of a node apart: drawn anew at each start. (A clock would not do: it may be stepped, or stand still.)
    life: u32,
    /// The same for the names of messages, counted from zero: only the laboratory sees them.
    start: u32,
    serial: u32,
}

const LIFE_BITS: u32 = 20;

impl Namer {
    /// For a process that starts for the so-manieth time, given the node's own random words.
    #[must_use]
    pub fn new(words: &mut impl Words, start: u32, datagrams: bool) -> Namer {
        let life = words.below(1 << LIFE_BITS);
        Namer { datagrams, life: u32::try_from(life).expect("20 bits"), start, serial: 0 }
    }

    /// Which life of the node this is.
    #[must_use]
    pub const fn life(&self) -> u32 {
        self.life
    }

    /// The next number of this life, from 1.
    pub fn number(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// Names a message about a payload: for the `attempt`-th time, about the copy it has of it.
    pub fn about(&mut self, (payload, copy): (PayloadId, u32), attempt: u32, body: Body) -> Msg {
        let attempt = if self.datagrams { self.number() } else { attempt };
        let copy = u64::from(copy) & 0xfff;
        let subject = u64::from(payload.0) | copy << 32 | u64::from(self.start) << (64 - LIFE_BITS);
        Msg { tag: Tag { kind: body.kind(), subject, attempt }, body }
    }

    /// Names what a consumer says of a delivery. After a restart the broker may count deliveries from one again: its life is
    /// part of the name.
    pub fn of_delivery(&mut self, about: (PayloadId, u32), id: DeliveryId, body: Body) -> Msg {
        let mut msg = self.about(about, id.nth, body);
        msg.tag.subject ^= u64::from(id.life) << (64 - LIFE_BITS);
        msg
    }

    /// Names a message that is about nothing but itself: by number.
    pub fn counted(&mut self, body: Body) -> Msg {
        let subject = u64::from(self.number()) | u64::from(self.start) << (64 - LIFE_BITS);
        Msg { tag: Tag { kind: body.kind(), subject, attempt: 1 }, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kinds_are_named_in_order() {
        let session = 1;
        let beat = Body::Beat { session };
        assert_eq!(KINDS[usize::from(beat.kind())], "beat");
        assert_eq!(KINDS[usize::from(Body::Detach { session }.kind())], "detach");
        assert_eq!(KINDS.len(), usize::from(Body::Detach { session }.kind()) + 1);
        assert_eq!(KINDS[usize::from(Body::Garbled { kind: beat.kind() }.kind())], "beat");
    }

    #[test]
    fn a_message_without_a_body_becomes_unreadable_but_keeps_its_name() {
        let mut namer = Namer::new(&mut crate::base::SmallStream::from_word(1), 0, false);
        let mut msg = namer.counted(Body::Beat { session: 3 });
        let tag = msg.tag();
        msg.corrupt(7);
        assert_eq!((msg.tag(), msg.body), (tag, Body::Garbled { kind: 5 }));
    }

    proptest! {
        #[test]
        fn harm_never_heals(words in proptest::collection::vec(any::<u64>(), 1..20)) {
            let mut parcel =
                Parcel { payload: PayloadId(1), key: KeyId(0), producer: NodeId(1), bytes: 9, copy: 1, damage: 0, poison: false };
            for word in words {
                parcel.harm(word);
                prop_assert!(!parcel.is_intact());
            }
        }
    }
}

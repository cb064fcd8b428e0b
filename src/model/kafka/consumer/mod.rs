//! A consumer: an application that polls, processes records, and commits.

pub mod reader;

use std::convert::Infallible;

use crate::base::{Digest, ObjectId, PayloadId, Time};
use crate::record::{Command, Place};
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink};

use super::config::Config;
use super::protocol::Msg;
pub use reader::{Event, How, Reader, ReaderTimer, Reads, Slice, Whose};

/// A consumer's timers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConsumerTimer {
    /// Its reader's.
    Reader(ReaderTimer),
    /// It is time to come.
    Come,
    /// It is time to leave.
    Leave,
}

impl From<ReaderTimer> for ConsumerTimer {
    fn from(timer: ReaderTimer) -> ConsumerTimer {
        ConsumerTimer::Reader(timer)
    }
}

/// What a consumer hands to the code around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The subscription.
    pub group: ObjectId,
    /// The message whose effect is there.
    pub payload: PayloadId,
    /// Where it stood.
    pub place: Option<Place>,
}

/// The process.
#[derive(Clone, Debug)]
pub struct Consumer {
    reader: Reader,
}

impl Consumer {
    /// Adds the state to a digest.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        self.reader.fingerprint(now, digest);
    }
}

impl Role for Consumer {
    type Config = Config;
    type Msg = Msg;
    type Timer = ConsumerTimer;
    type Disk = ();
    type Write = Infallible;
    type Up = Applied;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        Consumer { reader: Reader::new(Whose::Consumer(0), 0, ctx) }
    }

    /// The load has nothing to ask of a consumer.
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Applied>) {
        unreachable!("{} was given to a consumer; the roster takes no load for it", command.op);
    }

    fn on_message<W: Hosts<Self>>(&mut self, _: Peer, _: Msg, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Applied>) {}

    fn on_timer<W: Hosts<Self>>(&mut self, _: ConsumerTimer, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Applied>) {}

    fn on_disconnect<W: Hosts<Self>>(&mut self, _: Peer, _: Disconnect, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Applied>) {}
}

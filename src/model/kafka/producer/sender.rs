//! The sender and the world: connections, timers, history around the pure engine.

use std::sync::Arc;

use crate::base::{Digest, Time};
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role};

use super::super::config::{Config, ProducerConfig};
use super::super::ids::{GroupId, Offset, Part, TxnId};
use super::super::protocol::Msg;
use super::{Event, Outgoing};

/// Timers of a sender and of the role around it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ProducerTimer {
    /// The sender has something to do.
    Wake,
    /// A transaction has gathered records for long enough.
    Close {
        /// Which transaction, counted from the start of the process.
        number: u32,
    },
}

/// A role that a sender can be embedded in.
pub trait Client: Role<Config = Config, Msg = Msg, Timer: From<ProducerTimer>> {}

impl<R: Role<Config = Config, Msg = Msg, Timer: From<ProducerTimer>>> Client for R {}

/// What a sender works by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The producer's configuration.
    pub producer: Arc<ProducerConfig>,
    /// Its transactional id, if it is transactional.
    pub txn: Option<TxnId>,
    /// Which part of the process it is (below 8): connections of different parts have names of their own.
    pub part: u8,
    /// Whether the same payload may be handed in more than once in a life of the process.
    pub resends: bool,
}

/// The producer's client library.
#[derive(Clone, Debug)]
pub struct Sender {
    settings: Settings,
}

impl Sender {
    /// Starts, at the boot of a process.
    pub fn boot<W: Hosts<R>, R: Client>(settings: Settings, _: &mut Ctx<'_, W, R>, _: &mut Vec<Event>) -> Sender {
        Sender { settings }
    }

    /// Takes a record. Its fate comes as [`Event::Done`], perhaps at once.
    pub fn enqueue<W: Hosts<R>, R: Client>(&mut self, _: Outgoing, _: &mut Ctx<'_, W, R>, _: &mut Vec<Event>) {}

    /// Begins a transaction; only after [`Event::Ready`] or [`Event::Ended`].
    pub fn begin<W: Hosts<R>, R: Client>(&mut self, _: &mut Ctx<'_, W, R>) {}

    /// Adds the positions of a group to the transaction; [`Event::PositionsSent`] follows, or the transaction must be aborted.
    pub fn send_positions<W: Hosts<R>, R: Client>(
        &mut self,
        _: GroupId,
        _: Vec<(Part, Offset)>,
        _: &mut Ctx<'_, W, R>,
        _: &mut Vec<Event>,
    ) {
    }

    /// Commits the transaction when everything in it has been stored.
    pub fn commit<W: Hosts<R>, R: Client>(&mut self, _: &mut Ctx<'_, W, R>, _: &mut Vec<Event>) {}

    /// Aborts the transaction: what was not sent yet is not sent any more.
    pub fn abort<W: Hosts<R>, R: Client>(&mut self, _: &mut Ctx<'_, W, R>, _: &mut Vec<Event>) {}

    /// Sends everything that was taken so far without waiting for more.
    pub fn flush<W: Hosts<R>, R: Client>(&mut self, _: &mut Ctx<'_, W, R>, _: &mut Vec<Event>) {}

    /// A message. It comes back if it did not come over one of the sender's connections.
    pub fn on_message<W: Hosts<R>, R: Client>(&mut self, _: Peer, msg: Msg, _: &mut Ctx<'_, W, R>, _: &mut Vec<Event>) -> Option<Msg> {
        Some(msg)
    }

    /// [`ProducerTimer::Wake`] fired.
    pub fn on_wake<W: Hosts<R>, R: Client>(&mut self, _: &mut Ctx<'_, W, R>, _: &mut Vec<Event>) {}

    /// A connection ended: whether it was one of the sender's.
    pub fn on_disconnect<W: Hosts<R>, R: Client>(&mut self, _: Peer, _: Disconnect, _: &mut Ctx<'_, W, R>, _: &mut Vec<Event>) -> bool {
        false
    }

    /// How many records are not done yet.
    #[must_use]
    pub fn open(&self) -> usize {
        usize::from(self.settings.part) * 0
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, _: Time, _: &mut Digest) {}
}

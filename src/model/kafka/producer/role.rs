//! The role of a producer: what the load asks for is handed to a sender, and ends with what the sender knows.

use std::convert::Infallible;

use crate::base::{Digest, Time};
use crate::record::{Command, End, Op, Reason};
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink};

use super::super::config::Config;
use super::super::protocol::Msg;
use super::sender::{ProducerTimer, Sender, Settings};

/// The producer's process.
#[derive(Clone, Debug)]
pub struct Producer {
    sender: Sender,
}

impl Producer {
    /// How many records are not done yet.
    #[must_use]
    pub fn open(&self) -> usize {
        self.sender.open()
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        self.sender.fingerprint(now, digest);
    }
}

impl Role for Producer {
    type Config = Config;
    type Msg = Msg;
    type Timer = ProducerTimer;
    type Disk = ();
    type Write = Infallible;
    type Up = Infallible;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        let me = ctx.me();
        let place = ctx.config().places.producers.iter().find(|(node, _, _)| *node == me);
        let (_, kind, _) = place.expect("a producer's node is among the places of producers");
        let producer = std::sync::Arc::new(ctx.config().producers[usize::from(*kind)].clone());
        let settings = Settings { producer, txn: None, part: 0, resends: false };
        Producer { sender: Sender::boot(settings, ctx, &mut Vec::new()) }
    }

    fn on_command<W: Hosts<Self>>(&mut self, command: Command, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        match command.what {
            Op::Publish { .. } => {}
            Op::Request { .. } => ctx.end(command.op, End::Failed(Reason("a log answers no requests"))),
        }
    }

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        self.sender.on_message(from, msg, ctx, &mut Vec::new());
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: ProducerTimer, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        match timer {
            ProducerTimer::Wake => self.sender.on_wake(ctx, &mut Vec::new()),
            ProducerTimer::Close { .. } => {}
        }
    }

    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        self.sender.on_disconnect(peer, why, ctx, &mut Vec::new());
    }
}

//! An application that reads, transforms and writes.

use std::convert::Infallible;

use crate::base::{Digest, Time};
use crate::record::Command;
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink};

use super::config::Config;
use super::protocol::Msg;

/// A processor's timers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ProcessorTimer {}

/// The application.
#[derive(Clone, Debug)]
pub struct Processor {}

impl Processor {
    /// Adds the state to a digest.
    pub fn fingerprint(&self, _: Time, _: &mut Digest) {}
}

impl Role for Processor {
    type Config = Config;
    type Msg = Msg;
    type Timer = ProcessorTimer;
    type Disk = ();
    type Write = Infallible;
    type Up = Infallible;
    fn boot<W: Hosts<Self>>(_: &mut Ctx<'_, W, Self>) -> Self {
        Processor {}
    }
    fn on_command<W: Hosts<Self>>(&mut self, _: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {}
    fn on_message<W: Hosts<Self>>(&mut self, _: Peer, _: Msg, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {}
    fn on_timer<W: Hosts<Self>>(&mut self, _: ProcessorTimer, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {}
    fn on_disconnect<W: Hosts<Self>>(&mut self, _: Peer, _: Disconnect, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {}
}

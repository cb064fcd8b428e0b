//! The kernel: one generic world that runs a protocol on simulated machines and tells what happened.

pub mod config;
pub mod ctx;
pub mod protocol;
pub mod sim;

pub use config::{Strike, Surroundings};
pub use ctx::{Ctx, Itself, Scope, TimerId};
pub use protocol::{Breach, Discard, Hosts, Message, Peer, Protocol, Role, Roster, RosterNode, Sink};
pub use sim::Sim;

/// Why a stream ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Disconnect {
    /// The peer's process died or knows nothing of the stream.
    Reset,
    /// Nobody listened at the peer.
    Refused,
    /// The peer ended it in order.
    Closed,
    /// Nothing was heard for too long.
    TimedOut,
}

impl Disconnect {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Disconnect::Reset => "reset by the peer",
            Disconnect::Refused => "refused",
            Disconnect::Closed => "closed by the peer",
            Disconnect::TimedOut => "timed out",
        }
    }
}

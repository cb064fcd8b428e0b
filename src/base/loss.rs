//! What ate a message.

use super::FaultId;

/// Why a transmission did not arrive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LossReason {
    /// The link's ordinary loss.
    Chance,
    /// The link's bad state (Gilbert–Elliott).
    Burst,
    /// A fault (cut, drop).
    Fault(FaultId),
    /// There never was a route; what a cut link takes away is that cut's doing.
    NoRoute,
    /// The link's bounded queue was full.
    Overflow,
    /// Damaged on the way and caught by the checksum.
    Checksum,
    /// The receiver's process or host was down.
    NodeDown,
    /// The receiver's bounded run queue was full.
    RunQueueFull,
    /// A named override of the scenario or capsule.
    Override,
}

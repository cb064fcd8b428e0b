//! How machines and links behave: the checked numbers that the parts are built from.

use crate::base::{Chance, Law, Span};

/// One direction of one link.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkLaw {
    /// How long a message takes from end to end of the link.
    pub delay: Law,
    /// Added to the delay, drawn apart from it.
    pub jitter: Option<Law>,
    /// Share of messages lost, independently.
    pub loss: Chance,
    /// Loss in bursts, besides `loss`.
    pub burst: Option<Burst>,
    /// Share of the arriving datagrams that arrive twice, the copy with a delay of its own.
    pub duplicate: Chance,
    /// Messages held back: later datagrams overtake them, a stream waits.
    pub reorder: Option<Reorder>,
    /// Damage on the way.
    pub corrupt: Option<Corruption>,
    /// Serialisation delay and a bounded queue.
    pub bandwidth: Option<Bandwidth>,
}

impl LinkLaw {
    /// A link with a delay and no faults.
    #[must_use]
    pub fn healthy(delay: Law) -> LinkLaw {
        LinkLaw {
            delay,
            jitter: None,
            loss: Chance::NEVER,
            burst: None,
            duplicate: Chance::NEVER,
            reorder: None,
            corrupt: None,
            bandwidth: None,
        }
    }
}

/// Gilbert–Elliott in continuous time: a link alternates between a good and a bad state, each lasting an exponential time.
/// The share of lost messages is the time-weighted mean of the two losses.
#[derive(Clone, PartialEq, Debug)]
pub struct Burst {
    /// Mean length of a good period.
    pub good: Span,
    /// Mean length of a bad period.
    pub bad: Span,
    /// Loss in the good state.
    pub loss_good: Chance,
    /// Loss in the bad state.
    pub loss_bad: Chance,
}

/// Holding a share of the messages back. On a stream nothing overtakes: what is behind one that is held back waits with it.
#[derive(Clone, PartialEq, Debug)]
pub struct Reorder {
    /// Share held back.
    pub chance: Chance,
    /// For how long, on top of the delay.
    pub hold: Law,
}

/// Bits that flip on the way.
#[derive(Clone, PartialEq, Debug)]
pub struct Corruption {
    /// Share of messages damaged.
    pub chance: Chance,
    /// Whether a checksum catches it (then the message is lost, on a stream sent again) or it arrives damaged.
    pub checksum: bool,
}

/// A link of finite speed.
#[derive(Clone, PartialEq, Debug)]
pub struct Bandwidth {
    /// Speed.
    pub bytes_per_second: u64,
    /// What may wait (the rest of the message on the wire included); beyond it messages are lost. One that need not wait always
    /// passes. `None`: unbounded.
    pub queue_bytes: Option<u64>,
}

/// Both directions of a host's or switch's link, or of a link declared by name.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkConfig {
    /// The link's name, for faults (`link:NAME`) and stories.
    pub name: String,
    /// A host's, zone's, region's or switch's name.
    pub from: String,
    /// A host's, zone's, region's or switch's name.
    pub to: String,
    /// From `from` to `to`.
    pub there: LinkLaw,
    /// From `to` to `from`.
    pub back: LinkLaw,
}

/// A zone: the hosts behind one switch.
#[derive(Clone, PartialEq, Debug)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// The region it lies in.
    pub region: Option<String>,
    /// The names of its hosts.
    pub hosts: Vec<String>,
}

/// The whole network.
///
/// Each zone has a switch, and so has each region. Hosts that lie in no zone and have no declared link of their own share one
/// switch called `lan`. Zones in no region (`lan` is one of them, when there are others) are joined by a switch called `core`,
/// which stands beside the regions. Implied links lead from each host to its switch, from each zone to its region and
/// between any two regions; they are named after their ends (`b1-lan`, `zone-region`).
///
/// A message between two hosts of a zone crosses `within` once (on the sender's uplink; the receiver's downlink adds no
/// delay and no fault, but has the same bandwidth); to another zone it also crosses `between_zones` once (up to the region; the way
/// down is free again); to another region it crosses `within`, `between_zones` and `between_regions` once each.
///
/// A declared link between two ends that have an implied one replaces it. Any other is a further way. Of several ways the one with
/// the least mean delay is taken, then the one with the fewest links, then the one whose links come first (declared links in
/// order of declaration, before implied ones). Hosts never forward: two hosts with no way between them but over a third
/// cannot reach each other.
#[derive(Clone, PartialEq, Debug)]
pub struct NetworkConfig {
    /// Between two hosts at one switch, one way.
    pub within: LinkLaw,
    /// From one zone to another, one way, on top of `within`.
    pub between_zones: LinkLaw,
    /// From one region to another, one way, on top of `within` and `between_zones`.
    pub between_regions: LinkLaw,
    /// The zones.
    pub zones: Vec<Zone>,
    /// Switches besides those of zones and regions.
    pub switches: Vec<String>,
    /// Links besides those that zones and regions imply, or in place of them.
    pub links: Vec<LinkConfig>,
    /// How streams behave.
    pub stream: StreamConfig,
}

impl NetworkConfig {
    /// One switch, one law between any two hosts.
    #[must_use]
    pub fn flat(within: LinkLaw) -> NetworkConfig {
        let none = LinkLaw::healthy(Law::Constant(Span::ZERO));
        NetworkConfig {
            within,
            between_zones: none.clone(),
            between_regions: none,
            zones: Vec::new(),
            switches: Vec::new(),
            links: Vec::new(),
            stream: StreamConfig::default(),
        }
    }
}

/// Retransmission and patience of stream connections. Defaults are Linux's TCP: first retransmission after 200 ms
/// (minimum RTO), doubling up to 120 s, given up after 15 of them, about 15 minutes.
#[derive(Clone, PartialEq, Debug)]
pub struct StreamConfig {
    /// Wait before the first retransmission; doubled each time.
    pub retransmit_first: Span,
    /// Longest wait between retransmissions.
    pub retransmit_max: Span,
    /// After this long without an acknowledgement the connection is given up.
    pub give_up: Span,
    /// How long a connection attempt may take.
    pub connect_timeout: Span,
    /// Bytes a sender may have unread at a stopped receiver before it waits.
    pub window: u64,
}

impl Default for StreamConfig {
    fn default() -> Self {
        StreamConfig {
            retransmit_first: Span::millis(200),
            retransmit_max: Span::secs(120),
            give_up: Span::secs(924),
            connect_timeout: Span::secs(30),
            window: 6 * 1024 * 1024,
        }
    }
}

/// The processors of a node.
#[derive(Clone, PartialEq, Debug)]
pub struct CpuConfig {
    /// How many handlers run at once.
    pub servers: u32,
    /// How many may wait; beyond it deliveries are refused. `None`: unbounded.
    pub queue: Option<u32>,
    /// Service time of one unit of cost (see the protocol's `cost`).
    pub service: Law,
}

/// The disk of a node.
#[derive(Clone, PartialEq, Debug)]
pub struct DiskConfig {
    /// How long a sync takes.
    pub sync: Law,
    /// After this long an unsynced write is made durable by the operating system. Linux: 30 s. `None`: never.
    pub writeback: Option<Span>,
    /// Bytes it holds. `None`: unbounded.
    pub capacity: Option<u64>,
}

/// The clock of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClockConfig {
    /// Ahead of (positive) or behind true time at the start, in nanoseconds.
    pub skew: i64,
    /// Runs fast (positive) or slow, in parts per million.
    pub drift_ppm: i32,
}

/// One node's machine.
#[derive(Clone, PartialEq, Debug)]
pub struct MachineConfig {
    /// `None`: handlers take no time.
    pub cpu: Option<CpuConfig>,
    /// The disk.
    pub disk: DiskConfig,
    /// The clock.
    pub clock: ClockConfig,
    /// From power-on or restart until the process runs.
    pub boot: Span,
}

impl Default for MachineConfig {
    /// Handlers take no time, a sync takes 1 ms (an SSD without power-loss protection: 0.5–5 ms), the clock is right.
    fn default() -> Self {
        MachineConfig {
            cpu: None,
            disk: DiskConfig { sync: Law::Constant(Span::millis(1)), writeback: Some(Span::secs(30)), capacity: None },
            clock: ClockConfig::default(),
            boot: Span::ZERO,
        }
    }
}

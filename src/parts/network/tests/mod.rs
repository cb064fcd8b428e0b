//! Proofs about the network as a whole.

mod bandwidth;
mod chance;
mod faults;
mod overriding;
mod topology;

use crate::base::{Chance, Law, NodeId, Span, Tag, Time, WorldKey};
use crate::parts::config::{Bandwidth, Burst, Corruption, LinkConfig, LinkLaw, NetworkConfig, Reorder, Zone};

use super::*;

/// A millisecond's worth of constant delay, and no more.
fn constant(millis: u64) -> LinkLaw {
    LinkLaw::healthy(Law::Constant(Span::millis(millis)))
}

/// Uniformly 1 to 10 ms.
fn spread() -> LinkLaw {
    LinkLaw::healthy(Law::Uniform { low: Span::millis(1), high: Span::millis(10) })
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| String::from(*name)).collect()
}

/// So many hosts called h0, h1, …
fn hosts(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("h{i}")).collect()
}

fn flat(law: LinkLaw, count: usize) -> Network {
    Network::new(&NetworkConfig::flat(law), &hosts(count), 7).unwrap()
}

fn zone(name: &str, region: Option<&str>, hosts: &[&str]) -> Zone {
    Zone { name: name.into(), region: region.map(String::from), hosts: names(hosts) }
}

fn cable(name: &str, from: &str, to: &str, law: LinkLaw) -> LinkConfig {
    LinkConfig { name: name.into(), from: from.into(), to: to.into(), there: law.clone(), back: law }
}

/// The `subject`-th datagram from one node to another, of 1000 bytes.
fn datagram(from: u32, to: u32, subject: u64) -> Transmission {
    let (from, to) = (NodeId(from), NodeId(to));
    let decision = WorldKey::new(7).open(from, to, Tag { kind: 3, subject, attempt: 1 });
    Transmission { from, to, kind: 3, bytes: 1000, transport: Transport::Datagram, decision, resend: 0 }
}

/// When it arrives, if it does.
fn arrival(fate: Fate) -> Option<Time> {
    match fate {
        Fate::Deliver { at, .. } => Some(at),
        Fate::Held { .. } | Fate::Lost { .. } => None,
    }
}

fn percent(text: &str) -> Chance {
    text.parse().unwrap()
}

/// Whether a count out of `n` lies within five standard errors of a share, given as a fraction.
fn near(count: u64, n: u64, (top, bottom): (u64, u64)) -> bool {
    let [count, n, top, bottom] = [count, n, top, bottom].map(i128::from);
    let off = count * bottom - n * top;
    off * off <= 25 * n * top * (bottom - top)
}

//! Keys, sizes and clients: shares as configured, and independent of when operations come.
#![expect(clippy::float_arithmetic, reason = "statistics")]

use super::*;
use crate::base::{Chance, KeyId};
use crate::record::Op;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// So many operations of a stream, evenly spaced.
fn operations(count: u64, change: impl FnOnce(&mut LoadStream)) -> Vec<(NodeId, KeyId, u32)> {
    let mut stream = stream(Arrivals::Constant { rate: Rate::new(1, Span::nanos(1)) });
    stream.limit = Some(count);
    change(&mut stream);
    let found = all(load(vec![stream], Span::secs(10), 21));
    assert_eq!(found.len() as u64, count, "a limit is kept");
    let parts = found.into_iter().map(|a| match a.command.what {
        Op::Publish { key, bytes, .. } | Op::Request { key, bytes, .. } => (a.node, key, bytes),
    });
    parts.collect()
}

/// Whether values fall into their classes as often as they should; rare classes at the end are put together.
fn fits(what: &str, values: impl Iterator<Item = usize>, shares: &[f64]) {
    let mut counts = vec![0.0; shares.len()];
    values.for_each(|value| counts[value] += 1.0);
    let total: f64 = counts.iter().sum();
    let (mut classes, mut statistic, mut rest) = (0.0, 0.0, (0.0, 0.0));
    for (count, share) in counts.iter().zip(shares) {
        rest = (rest.0 + count, rest.1 + share * total);
        if rest.1 >= 20.0 {
            statistic += (rest.0 - rest.1) * (rest.0 - rest.1) / rest.1;
            (classes, rest) = (classes + 1.0, (0.0, 0.0));
        }
    }
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9 && classes > 1.0, "{what}: shares are shares");
    let limit = ChiSquared::new(classes - 1.0).unwrap().inverse_cdf(0.999);
    assert!(statistic < limit, "{what}: chi square {statistic:.1}, limit {limit:.1}");
}

fn keys(law: Keys, count: u64) -> impl Iterator<Item = usize> {
    operations(count, |stream| stream.keys = law).into_iter().map(|(_, key, _)| key.index())
}

#[test]
fn keys_have_their_shares() {
    fits("uniform", keys(Keys::Uniform { count: 97 }, 300_000), &[1.0 / 97.0; 97]);
    for exponent_milli in [0, 500, 1000, 1100, 2500] {
        let weights: Vec<f64> = (1..=1000).map(|n| libm::pow(f64::from(n), -f64::from(exponent_milli) / 1000.0)).collect();
        let total: f64 = weights.iter().sum();
        let shares: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        let count = if exponent_milli == 1100 { 1_000_000 } else { 200_000 };
        fits("zipf", keys(Keys::Zipf { count: 1000, exponent_milli }, count), &shares);
    }
    let mut shares = [0.2 / 90.0; 100];
    shares[..10].fill(0.08);
    fits("hot", keys(Keys::Hot { count: 100, hot: 10, share: "80%".parse().unwrap() }, 300_000), &shares);
    assert!(keys(Keys::Hot { count: 5, hot: 5, share: Chance::ALWAYS }, 1000).all(|key| key < 5));
    assert!(keys(Keys::Sequential { count: 7 }, 1000).enumerate().all(|(n, key)| key == n % 7));
}

#[test]
fn sizes_have_their_shares() {
    let sizes = |law: Sizes| operations(200_000, |stream| stream.size = law).into_iter().map(|(.., bytes)| bytes);
    fits("uniform", sizes(Sizes::Uniform { low: 100, high: 149 }).map(|b| b as usize - 100), &[0.02; 50]);
    assert!(sizes(Sizes::Uniform { low: u32::MAX, high: u32::MAX }).all(|bytes| bytes == u32::MAX));
    let mix = Sizes::Mix(vec![(1024, 90), (50, 0), (1 << 20, 10)]);
    fits("mix", sizes(mix).map(|b| usize::from(b == 1 << 20) + 2 * usize::from(b == 50)), &[0.9, 0.1, 0.0]);
    assert!(sizes(Sizes::Constant(3)).all(|bytes| bytes == 3));
}

#[test]
fn clients_are_chosen_as_asked() {
    let clients = [NodeId(5), NodeId(6), NodeId(9)];
    let asked = |choice| operations(90_000, |stream| stream.clients = choice);
    assert!(asked(ClientChoice::RoundRobin).iter().enumerate().all(|(n, (node, ..))| *node == clients[n % 3]));
    assert!(asked(ClientChoice::ByKey).iter().all(|(node, key, _)| *node == clients[key.index() % 3]));
    let place = |node: NodeId| clients.iter().position(|client| *client == node).unwrap();
    // Alike, and independent of the key's last digit: thirty classes of both together.
    let lots = asked(ClientChoice::Random);
    fits("client and key", lots.iter().map(|(node, key, _)| place(*node) * 10 + key.index() % 10), &[1.0 / 30.0; 30]);
}

#[test]
fn another_rate_asks_for_the_same_things() {
    let essence = |arrivals| {
        let mut stream = stream(arrivals);
        stream.keys = Keys::Zipf { count: 500, exponent_milli: 900 };
        stream.size = Sizes::Uniform { low: 1, high: 1000 };
        stream.clients = ClientChoice::Random;
        stream.limit = Some(2000);
        all(load(vec![stream], Span::secs(100), 9)).iter().map(|a| (a.node, a.command)).collect::<Vec<_>>()
    };
    let poisson = essence(Arrivals::Poisson { rate: Rate::new(100, Span::secs(1)) });
    assert_eq!(poisson.len(), 2000);
    assert_eq!(poisson, essence(Arrivals::Poisson { rate: Rate::new(999, Span::secs(1)) }));
    assert_eq!(poisson, essence(Arrivals::Constant { rate: Rate::new(50, Span::secs(1)) }));
}

#[test]
fn another_seed_asks_for_other_things() {
    let keys = |seed| {
        let stream = stream(Arrivals::Constant { rate: Rate::new(1, Span::millis(1)) });
        all(load(vec![stream.clone(), stream], Span::secs(1), seed)).iter().map(|a| a.command.what.key()).collect::<Vec<_>>()
    };
    let same = |a: &[KeyId], b: &[KeyId]| a.iter().zip(b).filter(|(a, b)| a == b).count();
    let (one, other) = (keys(1), keys(2));
    // A hundred keys: one in a hundred agrees by chance; of 1998, 20 ± 15.
    assert!(one.len() == 1998 && same(&one, &other) < 35);
    let (left, right): (Vec<_>, Vec<_>) = one.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
    assert!(same(&left, &right) < 25, "nor do two streams ask for the same");
}

//! What is configured is what is delivered, and no question's answer moves another's.

use super::*;

const MANY: u64 = 100_000;

/// Whether a count out of `n` lies within five standard errors of a share, given as a fraction.
fn near(count: u64, n: u64, (top, bottom): (u64, u64)) -> bool {
    let [count, n, top, bottom] = [count, n, top, bottom].map(i128::from);
    let off = count * bottom - n * top;
    off * off <= 25 * n * top * (bottom - top)
}

#[test]
fn loss_is_the_configured_share_and_the_delay_its_law() {
    let mut network = flat(LinkLaw { loss: percent("1%"), ..spread() }, 3);
    let (mut lost, mut sum) = (0, 0);
    for subject in 0..MANY {
        match network.route(Time::ZERO, &datagram(0, 1, subject)) {
            Fate::Deliver { at, damage, copy } => {
                assert!((1_000_000..=10_000_000).contains(&at.nanos()) && damage.is_none() && copy.is_none());
                sum += at.nanos();
            }
            Fate::Lost { why } => {
                assert_eq!(why, LossReason::Chance);
                lost += 1;
            }
            Fate::Held { .. } => panic!("nothing holds it"),
        }
    }
    assert!(near(lost, MANY, (1, 100)), "{lost}");
    // The standard error of the mean of uniform 1–10 ms over 99,000 is 8.3 µs.
    assert!((sum / (MANY - lost)).abs_diff(5_500_000) < 42_000, "{}", sum / (MANY - lost));
}

#[test]
fn loss_moves_no_delay() {
    let mut healthy = flat(spread(), 3);
    let mut lossy = flat(LinkLaw { loss: percent("20%"), ..spread() }, 3);
    let mut shared = 0;
    for subject in 0..10_000 {
        let message = datagram(0, 1, subject);
        let fate = lossy.route(Time::ZERO, &message);
        if arrival(fate).is_some() {
            assert_eq!(fate, healthy.route(Time::ZERO, &message));
            shared += 1;
        }
    }
    assert!(near(shared, 10_000, (8, 10)), "{shared}");
}

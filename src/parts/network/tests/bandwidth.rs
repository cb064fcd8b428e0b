//! Links of finite speed: first come, first served, never faster than they are, and lost only when there is no room.

use proptest::prelude::*;

use super::*;

/// 1 MB/s, so that a byte takes a microsecond.
fn slow(queue_bytes: Option<u64>) -> LinkLaw {
    LinkLaw { bandwidth: Some(Bandwidth { bytes_per_second: 1_000_000, queue_bytes }), ..constant(1) }
}

fn sized(from: u32, to: u32, bytes: u32) -> Transmission {
    Transmission { bytes, ..datagram(from, to, u64::from(bytes)) }
}

/// A moment so many microseconds after the start.
fn micros(n: u64) -> Time {
    Time::from_nanos(n * 1_000)
}

#[test]
fn an_idle_link_takes_the_time_of_the_bytes_and_the_delay() {
    let mut network = flat(slow(Some(0)), 2);
    // 500 µs up, 1 ms on the way, 500 µs down.
    assert_eq!(arrival(network.route(micros(0), &sized(0, 1, 500))), Some(micros(2_000)));
    assert_eq!(network.route(micros(499), &sized(0, 1, 1)), Fate::Lost { why: LossReason::Overflow }, "it would have to wait");
    assert_eq!(arrival(network.route(micros(500), &sized(0, 1, 600))), Some(micros(500 + 600 + 1_000 + 600)), "the link is free again");
}

#[test]
fn a_queue_holds_its_bytes_and_no_more() {
    let mut network = flat(slow(Some(1_000)), 2);
    let fates: Vec<bool> = (0..5).map(|_| arrival(network.route(micros(0), &sized(0, 1, 400))).is_some()).collect();
    assert_eq!(fates, [true, true, false, false, false], "400 on the wire and 400 waiting; a third 400 would make 1200");
    assert!(arrival(network.route(micros(200), &sized(0, 1, 400))).is_some(), "200 are through: 600 before it, 1000 with it");
    assert!(arrival(network.route(micros(200), &sized(0, 1, 1))).is_none());
    assert!(arrival(network.route(micros(300), &sized(0, 1, 100))).is_some());
}

#[test]
fn directions_and_hosts_do_not_share_their_speed() {
    let mut network = flat(slow(None), 4);
    let first = arrival(network.route(micros(0), &sized(0, 1, 800)));
    assert_eq!(arrival(network.route(micros(0), &sized(1, 0, 800))), first);
    assert_eq!(arrival(network.route(micros(0), &sized(2, 3, 800))), first);
    assert_eq!(arrival(network.route(micros(0), &sized(0, 3, 800))), Some(micros(800 + 800 + 1_000 + 800)), "one uplink");
}

#[test]
fn senders_share_the_way_down() {
    let mut network = flat(slow(None), 3);
    assert_eq!(arrival(network.route(micros(0), &sized(0, 2, 100))), Some(micros(1_200)));
    assert_eq!(arrival(network.route(micros(0), &sized(1, 2, 100))), Some(micros(1_300)), "waits for the other's bytes");
}

#[test]
fn one_that_comes_before_another_sent_earlier_gets_the_time_it_leaves() {
    let mut config = NetworkConfig::flat(slow(None));
    config.links = vec![cable("far", "h0", "lan", LinkLaw { bandwidth: None, ..constant(500) })];
    let mut network = Network::new(&config, &hosts(3), 1).unwrap();
    assert_eq!(arrival(network.route(micros(0), &sized(0, 2, 100))), Some(micros(500_100)));
    assert_eq!(arrival(network.route(micros(0), &sized(1, 2, 100))), Some(micros(1_200)), "long before the other comes");
    let late = micros(498_850);
    let split = arrival(network.route(late, &sized(1, 2, 100)));
    assert_eq!(split, Some(micros(500_150)), "half of it before the other, half after");
    assert_eq!(arrival(network.route(late, &sized(0, 2, 100))), Some(micros(998_950)));
}

#[test]
fn a_doubled_message_takes_two_turns_and_a_dropped_one_takes_its_own() {
    let mut network = flat(LinkLaw { duplicate: Chance::ALWAYS, ..slow(None) }, 2);
    let Fate::Deliver { at, copy, .. } = network.route(micros(0), &sized(0, 1, 100)) else { panic!("nothing eats it") };
    assert_eq!((at, copy), (micros(1_200), Some((micros(1_300), None))));
    let mut lossy = flat(LinkLaw { loss: Chance::ALWAYS, ..slow(None) }, 2);
    let free = lossy.clone();
    assert!(arrival(lossy.route(micros(0), &sized(0, 1, 100))).is_none());
    assert_ne!(lossy.queues, free.queues, "lost on the wire, after its turn");
}

proptest! {
    /// On the first link of a path a message waits as Lindley's recursion says.
    #[test]
    fn the_first_link_is_a_queue(gaps in prop::collection::vec((0u64..900, 1u32..1_500, any::<bool>()), 1..60), room in 0u64..4_000) {
        let law = LinkLaw { bandwidth: None, ..constant(1) };
        let mut config = NetworkConfig::flat(law);
        let direction = slow(Some(room));
        config.links = vec![LinkConfig { there: direction, ..cable("wire", "h0", "lan", constant(0)) }];
        let mut network = Network::new(&config, &hosts(3), 1).unwrap();
        let (mut now, mut free, mut last) = (0, 0, Time::ZERO);
        for (gap, bytes, left) in gaps {
            now += gap;
            let fate = network.route(micros(now), &sized(0, 1 + u32::from(left), bytes));
            let backlog = free.max(now) - now;
            if backlog > 0 && backlog + u64::from(bytes) > room {
                prop_assert_eq!(fate, Fate::Lost { why: LossReason::Overflow });
                continue;
            }
            free = now + backlog + u64::from(bytes);
            let at = arrival(fate).expect("there is room");
            prop_assert_eq!(at, micros(free + 1_000));
            prop_assert!(last < at, "first in, first out");
            last = at;
        }
    }

    /// On later links too, as long as messages come to them in the order in which they were sent.
    #[test]
    fn a_later_link_is_a_queue_when_order_is_kept(gaps in prop::collection::vec((0u64..900, 1u32..1_500, 0u32..3), 1..60)) {
        let mut config = NetworkConfig::flat(LinkLaw { bandwidth: None, ..constant(1) });
        config.links = vec![LinkConfig { back: slow(None), ..cable("wire", "h3", "lan", constant(0)) }];
        let mut network = Network::new(&config, &hosts(4), 1).unwrap();
        let (mut now, mut free) = (0, 0);
        for (gap, bytes, from) in gaps {
            now += gap;
            free = free.max(now + 1_000) + u64::from(bytes);
            let fate = network.route(micros(now), &sized(from, 3, bytes));
            prop_assert_eq!(arrival(fate), Some(micros(free + 1_000)));
        }
    }

    /// Whatever comes in whatever order over a link, it never carries more than its speed allows.
    #[test]
    fn no_link_is_faster_than_it_is(seed in any::<u64>(), count in 200u64..400) {
        let mut network = flat(LinkLaw { bandwidth: slow(None).bandwidth, ..spread() }, 5);
        let mut words = crate::base::SmallStream::from_word(seed);
        let mut now = 0;
        let (mut bytes_total, mut end) = (0, 0);
        for subject in 0..count {
            now += words.below(150);
            let bytes = u32::try_from(1 + words.below(1_000)).unwrap();
            let from = u32::try_from(words.below(4)).unwrap();
            let message = Transmission { bytes, ..datagram(from, 4, subject) };
            let at = arrival(network.route(micros(now), &message)).expect("unbounded");
            bytes_total += u64::from(bytes);
            end = at.nanos().max(end);
        }
        // The first can be there after 1 ms; from then on the receiver's way down gives out a byte each microsecond.
        prop_assert!(end >= 1_000_000 + bytes_total * 1_000, "{bytes_total} bytes by {end}");
        prop_assert!(end <= 12_000_000 + now * 1_000 + bytes_total * 1_000, "and it does not idle while there is work");
    }
}

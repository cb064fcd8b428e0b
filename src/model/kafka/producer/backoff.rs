//! How long to wait before the next try.

use crate::base::{SmallStream, Span, Words};

/// The pause before a try, after so many: doubled with each up to a bound, and a fifth more or less by chance. Where first pause and bound
/// are one, it is always that.
pub(super) fn pause((first, most): (Span, Span), tries: u32, words: &mut SmallStream) -> Span {
    if first >= most {
        return most;
    }
    let doubled = Span::nanos(first.as_nanos().saturating_mul(1 << tries.min(32))).min(most);
    words.span_between(doubled.scaled(4, 5), doubled.scaled(6, 5)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound_within_a_fifth() {
        let mut words = SmallStream::named(1, "pauses", 0);
        let bounds = (Span::millis(100), Span::millis(1000));
        let table = [(0, 80, 120), (1, 160, 240), (2, 320, 480), (3, 640, 960), (4, 800, 1000), (40, 800, 1000)];
        for (tries, low, high) in table {
            let all: Vec<Span> = (0..200).map(|_| pause(bounds, tries, &mut words)).collect();
            assert!(all.iter().all(|span| (Span::millis(low)..=Span::millis(high)).contains(span)), "{tries}: {all:?}");
            assert!(all.iter().max() > all.iter().min(), "{tries}: chance decides");
        }
        assert_eq!(pause((Span::millis(100), Span::millis(100)), 7, &mut words), Span::millis(100));
    }
}

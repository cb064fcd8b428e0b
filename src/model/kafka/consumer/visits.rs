//! When a client runs that does not run always, such as a daily batch job.

use crate::base::{Span, Time};

use super::super::config::Visits;

/// Where a moment lies among a client's visits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Schedule {
    /// Within one, which goes on for so long. `None`: for ever.
    There(Option<Span>),
    /// Before one, which begins in so long. `None`: there is none any more.
    NotThere(Option<Span>),
}

/// Where a moment lies.
pub(super) fn schedule(visits: Option<Visits>, now: Time) -> Schedule {
    let Some(visits) = visits else { return Schedule::There(None) };
    let since_start = Span::nanos(now.nanos());
    if since_start < visits.first {
        return Schedule::NotThere(Some(visits.first - since_start));
    }
    let since_first = since_start - visits.first;
    let (within, next) = match visits.every {
        None => (since_first, None),
        Some(every) => {
            let within = Span::nanos(since_first.as_nanos() % every.as_nanos());
            (within, Some(every - within))
        }
    };
    if within < visits.stay { Schedule::There(Some(visits.stay - within)) } else { Schedule::NotThere(next) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_by_the_clock() {
        let at = |secs| Time::ZERO + Span::secs(secs);
        let daily = Visits { first: Span::secs(10), every: Some(Span::secs(100)), stay: Span::secs(5) };
        let table = [
            (0, Schedule::NotThere(Some(Span::secs(10)))),
            (10, Schedule::There(Some(Span::secs(5)))),
            (14, Schedule::There(Some(Span::secs(1)))),
            (15, Schedule::NotThere(Some(Span::secs(95)))),
            (110, Schedule::There(Some(Span::secs(5)))),
        ];
        for (now, expected) in table {
            assert_eq!(schedule(Some(daily), at(now)), expected, "at {now} s");
        }
        let once = Visits { every: None, ..daily };
        assert_eq!(schedule(Some(once), at(12)), Schedule::There(Some(Span::secs(3))));
        assert_eq!(schedule(Some(once), at(110)), Schedule::NotThere(None));
        assert_eq!(schedule(None, at(3)), Schedule::There(None));
    }
}

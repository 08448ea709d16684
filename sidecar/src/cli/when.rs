//! A time as a person types it: how long ago, or when; and how long something lasts.

use std::time::Duration;

use jiff::civil::{DateTime, Time};
use jiff::fmt::friendly::SpanParser;
use jiff::tz::TimeZone;
use jiff::{SpanRelativeTo, Timestamp, Zoned};

/// What is said where a text is none.
const EXPECTED: &str = "a time belongs here: how long ago, such as 10m, 2h30m or 3d, or when, such \
                        as 06:03, \"2026-03-01 06:03\" or 2026-03-01T06:03:52Z";

/// The time that a text means, for clap.
///
/// # Errors
/// What would be right, with examples.
pub fn parse(text: &str) -> Result<Timestamp, &'static str> {
    at(text.trim(), &Zoned::now()).ok_or(EXPECTED)
}

/// How long a standby lasts, for clap: 1 s to 24 h.
///
/// # Errors
/// What would be right, with examples.
pub fn lasts(text: &str) -> Result<Duration, &'static str> {
    span(text).ok_or("a time of 1s to 24h belongs here, such as 15m, 2h or 1h30m")
}

fn span(text: &str) -> Option<Duration> {
    let span = SpanParser::new().parse_span(text.trim()).ok()?;
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    let span = Duration::try_from(span).ok()?;
    (Duration::from_secs(1)..=Duration::from_secs(24 * 3600)).contains(&span).then_some(span)
}

fn at(text: &str, now: &Zoned) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(ago) = SpanParser::new().parse_span(text) {
        let ago = ago.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        return now.timestamp().checked_sub(ago).ok().filter(|_| !ago.is_negative());
    }
    let zone: TimeZone = now.time_zone().clone();
    if text.contains('-') {
        return Some(text.parse::<DateTime>().ok()?.to_zoned(zone).ok()?.timestamp());
    }
    // A number alone would be an hour.
    if text.contains(':') {
        let time = text.parse::<Time>().ok()?;
        let today = now.date().to_datetime(time).to_zoned(zone.clone()).ok()?;
        // Not yet today: it was yesterday.
        let yesterday = now.date().yesterday().ok()?.to_datetime(time);
        let then = if today > *now { yesterday.to_zoned(zone).ok()? } else { today };
        return Some(then.timestamp());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(text: &str) -> Option<String> {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let now: Timestamp = "2026-03-01T05:30:00Z".parse().unwrap();
        at(text, &now.to_zoned(zone)).map(|time| time.to_string())
    }

    #[test]
    fn a_time_is_how_long_ago_or_when() {
        for (text, meant) in [
            ("10m", "2026-03-01T05:20:00Z"),
            ("2h30m", "2026-03-01T03:00:00Z"),
            ("3d", "2026-02-26T05:30:00Z"),
            ("06:03", "2026-03-01T05:03:00Z"),
            ("06:31", "2026-02-28T05:31:00Z"),
            ("2026-02-01 06:03", "2026-02-01T05:03:00Z"),
            ("2026-02-01", "2026-01-31T23:00:00Z"),
            ("2026-02-01T06:03:52Z", "2026-02-01T06:03:52Z"),
        ] {
            assert_eq!(means(text).as_deref(), Some(meant), "{text}");
        }
    }

    #[test]
    fn a_standby_lasts_a_second_to_a_day() {
        for (text, seconds) in [("1s", 1), ("15m", 900), ("1h30m", 5_400), ("24h", 86_400)] {
            assert_eq!(lasts(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "soon", "10", "-10m", "0s", "999ms", "25h", "1mo"] {
            assert!(lasts(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "soon", "10", "-10m", "25:00", "2026-13-01"] {
            assert_eq!(means(text), None, "{text}");
        }
    }
}

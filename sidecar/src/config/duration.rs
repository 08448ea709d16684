//! Times as a person writes them: "30s", "500ms", "15m", "1h30m", "30d".

use std::time::Duration;

use jiff::fmt::friendly::{SpanParser, SpanPrinter};
use jiff::{SignedDuration, SpanRelativeTo};

/// The time that a text means, if it means one. A bare number does not: its unit is missing. A day
/// has 24 hours.
pub(super) fn parse(text: &str) -> Option<Duration> {
    static PARSER: SpanParser = SpanParser::new();
    if text.len() > 100 {
        return None;
    }
    let span = PARSER.parse_span(text.trim()).ok()?;
    // Months have no length of their own.
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

const DAY: u64 = 24 * 3600;

/// A time as a person writes it.
pub(super) fn text(duration: Duration) -> String {
    static PRINTER: SpanPrinter = SpanPrinter::new();
    let seconds = duration.as_secs();
    if seconds >= 2 * DAY && seconds.is_multiple_of(DAY) {
        return format!("{}d", seconds / DAY);
    }
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    PRINTER.duration_to_string(&duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        for (text, millis) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("15m", 900_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("0s", 0),
            ("1.5s", 1_500),
            ("30d", 30 * 86_400_000),
            ("1d12h", 36 * 3_600_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in
            ["", "30", "-30s", "30s ago", "soon", "30 parsecs", "1mo", "1y", "s", "1h-30m", "∞"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"9".repeat(1_000_000)), None);
        assert_eq!(parse("99999999999999999999999999999h"), None);
    }

    #[test]
    fn a_time_is_shown_as_it_would_be_written() {
        assert_eq!(text(Duration::from_secs(3600)), "1h");
        assert_eq!(text(Duration::from_millis(100)), "100ms");
        assert_eq!(text(Duration::ZERO), "0s");
        assert_eq!(text(Duration::from_secs(24 * 3600)), "24h");
        assert_eq!(text(Duration::from_secs(3650 * 24 * 3600)), "3650d");
    }
}

//! How things look to this reader: colours, width, time zone, and what time it is now.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use vial_protocol::{Slot, Status};

/// How things look to this reader.
#[derive(Debug, Clone)]
pub struct Look {
    /// Whether colours may be used.
    pub colour: bool,
    /// How many columns there are; absent where nothing needs to be cut.
    pub width: Option<usize>,
    /// The reader's time zone.
    pub zone: TimeZone,
    /// The time.
    pub now: Timestamp,
}

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// A heading, or the one thing to read.
    Bold,
    /// Beside the point.
    Dim,
    /// As it should be.
    Good,
    /// Wrong.
    Bad,
    /// Under way, or worth a look.
    Warn,
    /// A slot's own colour.
    Blue,
}

impl Look {
    /// Text in a tone. The text must be clean already.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Bold => "1",
            Tone::Dim => "2",
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Warn => "33",
            Tone::Blue => "34",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A time of day; with the date where it was not today.
    #[must_use]
    pub fn clock(&self, at: Timestamp) -> String {
        let then = at.to_zoned(self.zone.clone());
        let now = self.now.to_zoned(self.zone.clone());
        let format = if then.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
        then.strftime(format).to_string()
    }

    /// The same in less room, for tables: no seconds, and the date without a year if it can be.
    #[must_use]
    pub fn short_clock(&self, at: Timestamp) -> String {
        let then = at.to_zoned(self.zone.clone());
        let now = self.now.to_zoned(self.zone.clone());
        let format = if then.date() == now.date() {
            "%H:%M"
        } else if then.year() == now.year() {
            "%b %d %H:%M"
        } else {
            "%Y-%m-%d"
        };
        then.strftime(format).to_string()
    }

    /// How long ago: "3 m ago".
    #[must_use]
    pub fn age(&self, at: Timestamp) -> String {
        let seconds = self.now.as_second() - at.as_second();
        if seconds <= 0 { "now".into() } else { format!("{} ago", span(seconds)) }
    }

    /// Milliseconds from then until now.
    #[must_use]
    pub fn millis_since(&self, at: Timestamp) -> i64 {
        (self.now.as_millisecond() - at.as_millisecond()).max(0)
    }
}

/// A long time in its largest unit: "45 s", "3 m", "2 h", "4 d".
#[must_use]
pub fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3_600 => format!("{} m", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A duration that is only known about: "90 ms", "0.9 s", "1 m 05 s".
#[must_use]
pub fn about(millis: i64) -> String {
    match millis {
        100..1_000 => format!("0.{} s", millis / 100),
        _ => took(millis),
    }
}

/// A duration as people say it: "850 ms", "1.6 s", "2 m 05 s", "1 h 02 m".
#[must_use]
pub fn took(millis: i64) -> String {
    let seconds = millis / 1000;
    match millis {
        ..1_000 => format!("{} ms", millis.max(0)),
        1_000..60_000 => format!("{}.{} s", seconds, millis % 1000 / 100),
        60_000..3_600_000 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The tone of a deployment's status.
#[must_use]
pub fn status_tone(status: Status) -> Tone {
    match status {
        Status::Succeeded => Tone::Good,
        Status::Failed => Tone::Bad,
        Status::RolledBack | Status::Cancelled => Tone::Warn,
        Status::Superseded => Tone::Dim,
        Status::Draining | Status::Baking => Tone::Good,
        _ => Tone::Warn,
    }
}

/// The tone of a slot's name.
#[must_use]
pub fn slot_tone(slot: Slot) -> Tone {
    match slot {
        Slot::Blue => Tone::Blue,
        Slot::Green => Tone::Good,
    }
}

/// How many columns clean text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Text that takes at most `columns`, cut with "…" where it is longer.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A fixed look: UTC, 2026-03-01 03:15:00, 80 columns, no colours.
    pub fn plain() -> Look {
        Look {
            colour: false,
            width: Some(80),
            zone: TimeZone::UTC,
            now: "2026-03-01T03:15:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn durations_read_as_people_say_them() {
        for (millis, text) in [
            (-5, "0 ms"),
            (999, "999 ms"),
            (1_640, "1.6 s"),
            (59_999, "59.9 s"),
            (125_000, "2 m 05 s"),
            (3_720_000, "1 h 02 m"),
        ] {
            assert_eq!(took(millis), text);
        }
    }

    #[test]
    fn times_are_short_where_they_can_be() {
        let look = plain();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(look.clock(at("2026-03-01T03:12:07Z")), "03:12:07");
        assert_eq!(look.clock(at("2026-02-28T23:59:59Z")), "2026-02-28 23:59:59");
        assert_eq!(look.short_clock(at("2026-02-28T23:59:59Z")), "Feb 28 23:59");
        assert_eq!(look.short_clock(at("2025-02-28T23:59:59Z")), "2025-02-28");
        assert_eq!(look.age(at("2026-03-01T03:12:07Z")), "2 m ago");
        assert_eq!(look.age(at("2026-03-01T03:15:09Z")), "now");
        assert_eq!(look.age(at("2026-02-20T03:15:00Z")), "9 d ago");
    }

    #[test]
    fn a_cut_never_takes_more_columns_than_there_are() {
        assert_eq!(cut("shop", 4), "shop");
        assert_eq!(cut("shopping", 4), "sho…");
        assert_eq!(cut("漢字漢字", 4), "漢…");
        assert_eq!(cut("shop", 0), "");
        for columns in 0..12 {
            assert!(width(&cut("a漢bé字 long text", columns)) <= columns);
        }
    }
}

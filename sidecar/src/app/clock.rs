//! The time that a deployment's rows bear.
//!
//! A host's clock is set: by NTP after the boot, by hand, back and forth. A deployment that lasts
//! meanwhile must not have taken -2 h, and its bake must end when it should. So its times are that
//! of its beginning and, from there on, what has passed on the clock that nobody can set: the one
//! that counts from the boot. What was read of both is kept in the journal for a daemon that comes
//! back; after another boot only the host's clock is left, and it is taken for no earlier than what
//! the deployment has seen already. While nothing is in progress the host's clock is asked.

use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

use crate::slot::identity::boot_id;
use crate::store::record::Anchor;

/// What an app's task reads its times from.
#[derive(Debug, Default)]
pub struct Clock {
    anchor: Option<Anchor>,
    kept: bool,
}

/// What the host's clocks say at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reading {
    wall: Timestamp,
    boot_id: String,
    since_boot: Duration,
}

impl Clock {
    /// For a daemon that comes back in the middle of a deployment: what the one before it kept,
    /// and the latest time that is known of the deployment. Otherwise as the host's clock is.
    #[must_use]
    pub fn resumed(kept: Option<Anchor>, latest: Option<Timestamp>) -> Clock {
        let anchor = latest.map(|latest| carry_on(kept.clone(), latest, Reading::take()));
        Clock { kept: anchor.is_some() && anchor == kept, anchor }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let reading = Reading::take();
        self.anchor.as_ref().and_then(|it| on(it, &reading)).unwrap_or(reading.wall)
    }

    /// From now on the host's clock may be set without being followed. Returns what is to be kept
    /// in the journal and is not yet.
    pub fn hold(&mut self) -> Option<Anchor> {
        let anchor = self.anchor.get_or_insert_with(|| Reading::take().into());
        (!self.kept).then(|| anchor.clone())
    }

    /// The journal has what [`Clock::hold`] returned. Where nothing is in progress any more the
    /// host's clock counts again.
    pub fn committed(&mut self, in_progress: bool) {
        self.kept = in_progress && self.anchor.is_some();
        if !in_progress {
            self.anchor = None;
        }
    }
}

impl Reading {
    fn take() -> Reading {
        let since_boot = clock_gettime(ClockId::Boottime);
        Reading {
            wall: Timestamp::now(),
            // Where it cannot be read, every daemon is taken for one of another boot.
            boot_id: boot_id().map(str::to_owned).unwrap_or_default(),
            since_boot: Duration::new(
                u64::try_from(since_boot.tv_sec).unwrap_or_default(),
                u32::try_from(since_boot.tv_nsec).unwrap_or_default(),
            ),
        }
    }
}

impl From<Reading> for Anchor {
    fn from(reading: Reading) -> Anchor {
        let Reading { wall, boot_id, since_boot } = reading;
        Anchor { wall, boot_id, since_boot }
    }
}

/// The time of a reading, by an anchor of the same boot.
fn on(anchor: &Anchor, reading: &Reading) -> Option<Timestamp> {
    let same = anchor.boot_id == reading.boot_id && !reading.boot_id.is_empty();
    let passed = reading.since_boot.checked_sub(anchor.since_boot).filter(|_| same)?;
    anchor.wall.checked_add(passed).ok()
}

/// The anchor to go on with.
fn carry_on(kept: Option<Anchor>, latest: Timestamp, reading: Reading) -> Anchor {
    if let Some(kept) = kept.filter(|it| on(it, &reading).is_some_and(|now| now >= latest)) {
        return kept;
    }
    if reading.wall < latest {
        tracing::warn!(
            clock = %reading.wall,
            seen = %latest,
            "the host's clock was set back: the deployment's times go on from the latest"
        );
    }
    let wall = reading.wall.max(latest);
    Anchor { wall, ..reading.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(wall: &str, boot: &str, seconds: u64) -> Reading {
        Reading {
            wall: wall.parse().unwrap(),
            boot_id: boot.into(),
            since_boot: Duration::from_secs(seconds),
        }
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_that_is_set_back_or_forth_moves_no_time_of_a_deployment() {
        let anchor = Anchor::from(reading("2026-03-01T12:00:00Z", "a", 100));
        for wall in ["2026-03-01T10:00:30Z", "2026-03-01T14:00:30Z"] {
            let now = on(&anchor, &reading(wall, "a", 130));
            assert_eq!(now, Some(time("2026-03-01T12:00:30Z")), "{wall}");
        }
    }

    #[test]
    fn a_daemon_that_comes_back_goes_on_with_what_was_kept() {
        let kept = Anchor::from(reading("2026-03-01T12:00:00Z", "a", 100));
        let now = reading("2026-03-01T10:01:00Z", "a", 160);
        let latest = time("2026-03-01T12:00:20Z");
        assert_eq!(carry_on(Some(kept.clone()), latest, now), kept);
    }

    #[test]
    fn after_another_boot_time_goes_on_from_the_latest_that_was_seen() {
        let kept = Anchor::from(reading("2026-03-01T12:00:00Z", "a", 100));
        let latest = time("2026-03-01T12:00:20Z");
        for (wall, from) in [
            ("2026-03-01T10:00:00Z", "2026-03-01T12:00:20Z"),
            ("2026-03-01T12:05:00Z", "2026-03-01T12:05:00Z"),
        ] {
            for kept in [Some(kept.clone()), None] {
                let anchor = carry_on(kept, latest, reading(wall, "b", 7));
                assert_eq!((anchor.wall, anchor.boot_id.as_str()), (time(from), "b"));
                let later = on(&anchor, &reading(wall, "b", 12)).unwrap();
                assert_eq!(later.duration_since(time(from)).as_secs(), 5);
            }
        }
    }

    #[test]
    fn the_hosts_clock_counts_while_nothing_is_in_progress() {
        let mut clock = Clock::resumed(None, None);
        assert!(clock.now().duration_since(Timestamp::now()).abs().as_secs() < 5);
        let first = clock.hold();
        assert!(first.is_some());
        assert_eq!(clock.hold(), first, "until it is kept");
        clock.committed(true);
        assert_eq!(clock.hold(), None, "it is kept once");
        clock.committed(false);
        assert_ne!(clock.hold(), first);
    }
}

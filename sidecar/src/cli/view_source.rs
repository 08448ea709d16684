//! Where an app's commits come from, at a glance.

use vial_protocol::AutoDeploy;

use super::look::{Look, Tone};
use super::text;

/// "on; abc1234 was rolled back, so it waits for the next commit"
#[must_use]
pub fn words(auto: &AutoDeploy, look: &Look) -> String {
    if !auto.on {
        return "off".into();
    }
    let mut said = format!("on, from {}", text::word(&auto.branch));
    if let Some(failing) = &auto.failing {
        let mark = look.paint(Tone::Bad, "the repository cannot be asked");
        said.push_str(&format!(
            "; {mark} since {} ({} attempts): {}",
            look.clock(failing.since),
            failing.attempts,
            text::word(&failing.error)
        ));
    } else if let Some(note) = &auto.note {
        said.push_str(&format!("; {}", text::word(note)));
    } else if let Some(at) = auto.looked_at {
        said.push_str(&format!("; looked at {}", look.age(at)));
    }
    said
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use vial_protocol::source::Failing;

    use super::*;

    fn look() -> Look {
        let now = Timestamp::from_second(1_772_345_040).unwrap();
        Look { now, zone: TimeZone::UTC, colour: false, width: None }
    }

    fn auto() -> AutoDeploy {
        AutoDeploy {
            on: true,
            branch: "main".into(),
            set_by: None,
            poll_ms: None,
            tip: None,
            looked_at: Some(Timestamp::from_second(1_772_345_000).unwrap()),
            note: None,
            failing: None,
        }
    }

    #[test]
    fn it_says_what_it_waits_for() {
        assert_eq!(words(&AutoDeploy { on: false, ..auto() }, &look()), "off");
        assert_eq!(words(&auto(), &look()), "on, from main; looked at 40 s ago");
        let note = Some("abc1234 was rolled back (#7), so it waits for the next commit".into());
        assert_eq!(
            words(&AutoDeploy { note, ..auto() }, &look()),
            "on, from main; abc1234 was rolled back (#7), so it waits for the next commit"
        );
    }

    #[test]
    fn a_repository_that_cannot_be_asked_is_named_with_what_git_says() {
        let at = Timestamp::from_second(1_772_344_980).unwrap();
        let error = "fatal:\u{1b}[2J no such host".into();
        let failing = Some(Failing { since: at, attempts: 3, error, next_at: at });
        let said = words(&AutoDeploy { failing, ..auto() }, &look());
        assert!(
            said.contains("the repository cannot be asked since 06:03:00 (3 attempts)"),
            "{said}"
        );
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
}

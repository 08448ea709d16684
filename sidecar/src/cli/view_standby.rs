//! What an idle slot is kept as, and how quick a rollback to it is.

use vial_protocol::{AppStatus, Plan, Slot, SlotState, SlotStatus, Standby};

use super::look::{Look, about};
use super::text;

/// "ready in about 30 ms"
#[must_use]
pub fn ready(millis: Option<u64>) -> String {
    millis.map_or_else(|| "ready at once".into(), |it| format!("ready in {}", roughly(it)))
}

/// "about 1.2 s"
#[must_use]
pub fn roughly(millis: u64) -> String {
    format!("about {}", about(i64::try_from(millis).unwrap_or(i64::MAX)))
}

/// What stands in the status of a slot that does not serve: "frozen since 14:02, until 14:17: ready in
/// about 30 ms".
#[must_use]
pub fn kept(status: &SlotStatus, look: &Look) -> Option<String> {
    let standby = status.standby.as_ref()?;
    let until = look.short_clock(standby.until);
    if standby.ready {
        let since = look.short_clock(standby.since);
        let ready = ready(standby.expected_ms);
        return Some(format!("{} since {since}, until {until}: {ready}", standby.mode));
    }
    let since = look.age(standby.since);
    Some(match status.state {
        SlotState::Resting => format!("comes to rest since {since}, to be frozen"),
        SlotState::Starting | SlotState::Backoff => {
            format!("starts, to be kept {} until {until}", standby.mode)
        }
        _ => format!("not {} yet: on its way since {since}", standby.mode),
    })
}

/// What a plan says of the time that it takes; absent where nobody knows.
#[must_use]
pub fn takes(plan: &Plan, look: &Look) -> Option<String> {
    if let Some(Standby { mode, since, until, expected_ms, .. }) = &plan.standby {
        let ready = ready(plan.expected_ms.or(*expected_ms));
        let (since, until) = (look.short_clock(*since), look.short_clock(*until));
        return Some(format!("{ready}: {mode} since {since}, until {until}"));
    }
    let takes = roughly(plan.expected_ms?);
    Some(if plan.hot { takes } else { format!("starts anew: {takes}") })
}

/// What the slot that was left has to do with the queues of the one that serves; absent where that
/// one works them.
#[must_use]
pub fn waits(app: &AppStatus) -> Option<String> {
    let active = app.active.filter(|_| app.works.is_none())?;
    // Where nothing serves, nothing waits.
    let serves = app.slot(active).is_some_and(|it| it.state == SlotState::Running);
    let left = active.other();
    serves.then(|| {
        let named = |slot: Slot| {
            let release = app.slot(slot).and_then(|it| it.release.as_ref());
            release.map_or_else(|| slot.to_string(), |it| text::word(&it.label()))
        };
        format!(
            "{}'s queues and timers wait until {}, left in {left}, has come to rest",
            named(active),
            named(left)
        )
    })
}

//! The apps in a line, for `systemctl status` and the journal. Pure.
//!
//! It shows names, versions and states, and nothing that an app wrote. Versions come from an app's
//! own manifest all the same: whatever could end the line is left out, because the lines behind it
//! would be the daemon's word to systemd.

use vial_protocol::{AppStatus, Desired, Slot, SlotState, SlotStatus};

/// More do not fit beside one another: those that need a look come first.
const SHOWN: usize = 6;
/// A version that is longer is cut.
const WORD: usize = 40;

/// All apps: `2 apps: api v1.0.0 (blue) is down: exited with status 1 · shop v3.0.0 (green) serves`.
#[must_use]
pub fn apps(all: &[AppStatus]) -> String {
    if all.is_empty() {
        return "no app is configured: `vial init NAME`, then `vial reload`".into();
    }
    let mut lines: Vec<(bool, String)> = all.iter().map(app).collect();
    // Stable: by name among those that are well, and among those that are not.
    lines.sort_by_key(|(well, _)| *well);
    let count = if all.len() == 1 { "1 app".into() } else { format!("{} apps", all.len()) };
    let shown: Vec<&str> = lines.iter().take(SHOWN).map(|(_, line)| line.as_str()).collect();
    let more = match all.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" · and {more} more"),
    };
    format!("{count}: {}{more}", shown.join(" · "))
}

/// One app, and whether it is well.
fn app(status: &AppStatus) -> (bool, String) {
    let name = word(&status.name);
    let (well, mut line) = match status.active.and_then(|slot| status.slot(slot)) {
        _ if status.desired == Desired::Stopped => (true, format!("{name} is stopped")),
        None => (true, format!("{name} has no release yet")),
        Some(slot) => {
            let who = format!("{name} {} ({})", version(slot), slot.slot);
            match doing(slot) {
                Ok(does) => (true, format!("{who} {does}")),
                Err(fails) => (false, format!("{who} {fails}")),
            }
        }
    };
    if let Some(it) = &status.deployment {
        line.push_str(&format!(", #{} {}", it.number, it.status.as_str()));
    }
    (well, line)
}

fn doing(slot: &SlotStatus) -> Result<String, String> {
    match slot.state {
        SlotState::Running if slot.health.as_ref().is_some_and(|it| !it.healthy) => {
            Err("serves and fails its health check".into())
        }
        SlotState::Running => Ok("serves".into()),
        SlotState::Starting => Err("starts".into()),
        SlotState::Resting => Err("comes to rest".into()),
        SlotState::Frozen => Err("is frozen".into()),
        SlotState::Stopping => Err("stops".into()),
        SlotState::Backoff | SlotState::Stopped => Err(match &slot.last_exit {
            Some(how) => format!("is down: {}", word(how)),
            None => "is down".into(),
        }),
    }
}

/// The slots that have a process: `shop blue (pid 123, v3.0.0)`.
#[must_use]
pub fn slots(all: &[AppStatus]) -> Vec<String> {
    let of = |status: &AppStatus| {
        let name = word(&status.name);
        let running = Slot::BOTH.iter().filter_map(|slot| status.slot(*slot)).filter_map(|slot| {
            Some(format!("{name} {} (pid {}, {})", slot.slot, slot.pid?, version(slot)))
        });
        running.collect::<Vec<_>>()
    };
    all.iter().flat_map(of).collect()
}

/// What is left when the daemon has stopped.
#[must_use]
pub fn stopped(slots: &[String]) -> String {
    match slots {
        [] => "stopped; no slot ran".into(),
        _ => format!("stopped; its slots run on: {}", slots.join(", ")),
    }
}

fn version(slot: &SlotStatus) -> String {
    slot.release.as_ref().map_or_else(|| "no release".into(), |it| word(&it.label()))
}

fn word(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(WORD).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use vial_protocol::{Health, Release, RollbackOffer};

    use super::*;

    fn release(version: &str) -> Release {
        Release {
            number: 1,
            name: "shop".into(),
            version: version.into(),
            sha256: String::new(),
            size: 0,
            erts: None,
            elixir: None,
            migrations: Vec::new(),
            unpacked_at: Timestamp::UNIX_EPOCH,
            commit: None,
        }
    }

    fn slot(slot: Slot, state: SlotState, version: &str, pid: Option<u32>) -> SlotStatus {
        SlotStatus {
            slot,
            state,
            release: Some(release(version)),
            port: None,
            node: String::new(),
            pid,
            since: None,
            restarts: 0,
            health: None,
            last_exit: None,
            standby: None,
        }
    }

    fn status(name: &str, slots: Vec<SlotStatus>) -> AppStatus {
        AppStatus {
            name: name.into(),
            revision: 1,
            desired: Desired::Running,
            active: slots.first().map(|it| it.slot),
            serving: None,
            works: None,
            serving_since: None,
            slots,
            deployment: None,
            queued: None,
            last: None,
            rollback: RollbackOffer { target: None, refusal: None },
            route: None,
            auto_deploy: None,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn what_is_down_comes_first_and_says_why() {
        let shop = status("shop", vec![slot(Slot::Blue, SlotState::Running, "3.0.0", Some(7))]);
        let mut down = slot(Slot::Green, SlotState::Backoff, "1.0.0", None);
        down.last_exit = Some("exited with status 1".into());
        let store = status("store", vec![down]);
        assert_eq!(
            apps(&[shop.clone(), store]),
            "2 apps: store v1.0.0 (green) is down: exited with status 1 · shop v3.0.0 (blue) serves"
        );
        assert_eq!(apps(&[shop]), "1 app: shop v3.0.0 (blue) serves");
    }

    #[test]
    fn what_an_app_says_of_itself_is_not_shown_and_a_version_ends_no_line() {
        let mut sick = slot(Slot::Blue, SlotState::Running, "1\nMAINPID=1\n", Some(7));
        let detail = "password=hunter2".to_owned();
        sick.health = Some(Health { healthy: false, detail, since: Timestamp::UNIX_EPOCH });
        let line = apps(&[status("shop", vec![sick])]);
        assert_eq!(line, "1 app: shop v1MAINPID=1 (blue) serves and fails its health check");
    }

    #[test]
    fn many_apps_stay_one_line() {
        let all: Vec<AppStatus> = (0..9).map(|it| status(&format!("app{it}"), vec![])).collect();
        let line = apps(&all);
        assert!(line.starts_with("9 apps: app0 has no release yet · app1"), "{line}");
        assert!(line.ends_with(" · app5 has no release yet · and 3 more"), "{line}");
    }

    #[test]
    fn the_slots_that_run_on_are_named_with_their_pids() {
        let slots = slots(&[status(
            "shop",
            vec![
                slot(Slot::Blue, SlotState::Running, "3.0.0", Some(123)),
                slot(Slot::Green, SlotState::Stopped, "2.0.0", None),
            ],
        )]);
        assert_eq!(stopped(&slots), "stopped; its slots run on: shop blue (pid 123, v3.0.0)");
        assert_eq!(stopped(&[]), "stopped; no slot ran");
    }
}

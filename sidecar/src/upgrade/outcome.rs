//! What the slots did while the daemon changed.

use std::collections::BTreeMap;

use vial_protocol::{DaemonStatus, Slot};

/// In a sentence: `0.1.0 → 0.2.0, 3 slots ran on.`
pub(super) fn told(before: &DaemonStatus, after: &DaemonStatus) -> String {
    let (old, new) = (pids(before), pids(after));
    let mut others = Vec::new();
    let mut ran_on = 0;
    for ((app, slot), pid) in &old {
        match new.get(&(*app, *slot)) {
            Some(now) if now == pid => ran_on += 1,
            Some(_) => others.push(format!("{app} {slot} was started again")),
            None => others.push(format!("{app} {slot} runs no more")),
        }
    }
    let slots = match ran_on {
        0 if old.is_empty() => "no slot ran".into(),
        1 => "1 slot ran on".into(),
        count => format!("{count} slots ran on"),
    };
    let others = match others.as_slice() {
        [] => String::new(),
        others => format!(" But {}: `vial status`.", others.join(", ")),
    };
    format!("vial {} → {}, {slots}.{others}", before.version, after.version)
}

fn pids(status: &DaemonStatus) -> BTreeMap<(&str, &'static str), u32> {
    let slots = status.apps.iter().flat_map(|app| {
        Slot::BOTH.iter().filter_map(|slot| {
            let pid = app.slot(*slot)?.pid?;
            Some(((app.name.as_str(), slot.as_str()), pid))
        })
    });
    slots.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(version: &str, pids: &[(&str, u32)]) -> DaemonStatus {
        let slots: Vec<_> = pids
            .iter()
            .map(|(slot, pid)| {
                serde_json::json!({
                    "slot": slot, "state": "running", "node": "n", "pid": pid, "restarts": 0,
                })
            })
            .collect();
        let app = serde_json::json!({
            "name": "shop", "revision": 1, "desired": "running", "slots": slots,
            "rollback": {}, "warnings": [],
        });
        let daemon = serde_json::json!({
            "version": version, "pid": 1, "started_at": "2026-01-01T00:00:00Z",
            "apps": [app], "problems": [],
        });
        serde_json::from_value(daemon).unwrap()
    }

    #[test]
    fn the_slots_that_ran_on_are_counted_and_the_others_named() {
        let before = status("0.1.0", &[("blue", 7), ("green", 8)]);
        assert_eq!(told(&before, &before), "vial 0.1.0 → 0.1.0, 2 slots ran on.");
        let after = status("0.2.0", &[("blue", 7), ("green", 9)]);
        assert_eq!(
            told(&before, &after),
            "vial 0.1.0 → 0.2.0, 1 slot ran on. But shop green was started again: `vial status`."
        );
        let none = status("0.1.0", &[]);
        assert_eq!(told(&none, &none), "vial 0.1.0 → 0.1.0, no slot ran.");
    }
}

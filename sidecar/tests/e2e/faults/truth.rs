//! What must hold whenever all has come to rest, whatever happened before.

use std::time::{Duration, Instant};

use vial_protocol::{AppStatus, Desired, Slot, Status};

use super::stage::Stage;
use crate::support::processes;

/// How long a release that was just started may take to answer.
const ANSWERS: Duration = Duration::from_secs(10);

/// Asserts it. `at` says what happened.
pub async fn holds(stage: &Stage, status: &AppStatus, at: &str) {
    let host = &stage.host;
    let history = stage.history().await;
    let told = || format!("{at}\n{status:#?}\n{history:#?}");

    // Nothing is in progress without a task that works on it, and nothing is missing in between.
    for (index, it) in history.iter().enumerate() {
        assert!(!it.status.in_progress(), "#{} is in progress: {}", it.number, told());
        let number = history.len() - index;
        assert_eq!(it.number, number as u64, "a number is missing: {}", told());
        assert!(it.status != Status::Failed || it.error.is_some(), "no reason: {}", told());
    }
    let succeeded = history.iter().filter(|it| it.status == Status::Succeeded);
    let releases: Vec<u64> =
        succeeded.filter_map(|it| it.release.as_ref()).map(|it| it.number).collect();
    let serving: Vec<u64> = status.serving.iter().map(|it| it.number).collect();
    assert_eq!(releases, serving, "one is live: {}", told());

    // One active slot; the route names it; it answers.
    if let Some(active) = status.active {
        let flag = host.state.join("route/shop/green").exists();
        assert_eq!(flag, active == Slot::Green, "the flag: {}", told());
        if status.desired == Desired::Running {
            let release = status.serving.as_ref().unwrap();
            // One that was started a moment ago may still be on its way: the load, where there is
            // one, tells whether anybody noticed.
            let deadline = Instant::now() + ANSWERS;
            let mut page = host.get("shop", "/").await;
            while page.status == 502 && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(20)).await;
                page = host.get("shop", "/").await;
            }
            assert_eq!(
                (page.status, page.version.as_str(), page.slot.as_str()),
                (200, release.version.as_str(), active.as_str()),
                "{}",
                told()
            );
        }
    }

    // No process but those of the active slot, and nothing half-received.
    let mut strays = Vec::new();
    for _ in 0..50 {
        // As it is now: what was found again may have ended since, and been started again.
        let status = host.status("shop").await;
        let running: Vec<u32> =
            status.slots.iter().filter_map(|it| it.pid).flat_map(processes::family).collect();
        let stray = |pid: &u32| !running.contains(pid) && processes::name(*pid) != "epmd";
        strays = host.processes();
        strays.retain(|pid| processes::is_alive(*pid) && stray(pid));
        if strays.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(strays.is_empty(), "{strays:?} run on: {}", told());
    let incoming = host.listing(&host.state.join("apps/shop/incoming"));
    assert!(incoming.is_empty(), "{incoming:?}: {}", told());

    // Nothing half-built: what is kept for the next build, and no more.
    let mut built = Vec::new();
    for _ in 0..50 {
        built = host.listing(&host.state.join("apps/shop/build"));
        built.retain(|it| it != "cache" && it != "git");
        if built.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(built.is_empty(), "{built:?}: {}", told());

    // What can be restored is there, and nothing that nobody knows.
    let kept = host.listing(&host.state.join("apps/shop/releases"));
    if let Ok(plan) = host.client.plan("shop", &Default::default()).await {
        assert!(kept.contains(&plan.to.number.to_string()), "{kept:?} {}", told());
    }
    assert!(serving.iter().all(|it| kept.contains(&it.to_string())), "{kept:?} {}", told());
    for number in kept {
        let number: u64 = number.parse().unwrap();
        assert!(history.iter().any(|it| it.number == number), "{number}: {}", told());
    }
}

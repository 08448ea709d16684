//! What the daemon costs while nothing happens.
//!
//! The promised figures are a release build's: name one in VIAL_RELEASE_BIN (`bin/test` does).
//! Without it the tested binary is measured, and may be larger.

use std::fs;
use std::time::Duration;

use super::QUICK;
use crate::figure;
use crate::support::releases::text;
use crate::support::{Setup, archive, daemon};

const MEASURED: Duration = Duration::from_secs(30);
const WINDOW: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn with_two_idle_apps_the_daemon_is_small_and_asleep() {
    let release = std::env::var_os("VIAL_RELEASE_BIN").map(std::path::PathBuf::from);
    let (binary, limit) = match &release {
        Some(binary) => (binary.clone(), 15 << 10),
        None => (daemon::VIAL.into(), 40 << 10),
    };
    let setup = Setup::new().app("shop", QUICK).app("store", QUICK).binary(binary).alone();
    let host = setup.start().await;
    for app in ["shop", "store"] {
        for version in [1, 2] {
            host.vial(&["deploy", app, text(&archive(version))]).await.ends(0);
        }
    }
    let pid = host.daemon_pid();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (cpu, began) = (cpu_nanos(pid), std::time::Instant::now());
    let (mut busy, mut windows, mut before) = (0_u32, 0_u32, switches(pid));
    let first = before;
    while began.elapsed() < MEASURED {
        tokio::time::sleep(WINDOW).await;
        let now = switches(pid);
        windows += 1;
        busy += u32::from(now != before);
        before = now;
    }
    let seconds = began.elapsed().as_secs_f64();
    let share = (cpu_nanos(pid) - cpu) as f64 / 1e9 / seconds * 100.0;
    let resident = resident_kib(pid);
    figure!(
        "idle with two apps ({} build): {:.1} MiB resident, {share:.3} % of a core, awake in {busy} \
         of {windows} windows of 100 ms, {:.1} switches a second",
        if release.is_some() { "release" } else { "debug" },
        f64::from(resident) / 1024.0,
        (before - first) as f64 / seconds
    );
    assert!(resident < limit, "{resident} KiB are resident");
    if release.is_some() {
        assert!(share < 0.2, "{share} % of a core");
    }
    // Each app is asked for its health every 2 s; a loop faster than one a second would be awake in
    // one window more a second.
    let seconds = u32::try_from(MEASURED.as_secs()).unwrap();
    assert!(busy <= seconds * 3 / 2, "awake in {busy} of {windows} windows");
}

fn status(pid: u32, task: &str, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}{task}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("0");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn resident_kib(pid: u32) -> u32 {
    u32::try_from(status(pid, "", "VmRSS:")).unwrap()
}

fn tasks(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    tasks.map(|task| format!("/task/{}", task.file_name().to_string_lossy())).collect()
}

/// How often the daemon's threads went to sleep.
fn switches(pid: u32) -> u64 {
    tasks(pid).iter().map(|task| status(pid, task, "voluntary_ctxt_switches:")).sum()
}

fn cpu_nanos(pid: u32) -> u64 {
    let spent = |task: &String| {
        let text = fs::read_to_string(format!("/proc/{pid}{task}/schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0)
    };
    tasks(pid).iter().map(spent).sum()
}

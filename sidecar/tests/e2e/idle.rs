//! What the daemon costs while nothing happens.
//!
//! The promised figures are a release build's: name one in VIAL_RELEASE_BIN (`bin/bench-idle` does).
//! Without it the tested binary is looked at for a shorter time, beside other tests, and may be larger:
//! most of what it takes is its code.

use std::fs;
use std::time::{Duration, Instant};

use super::QUICK;
use crate::figure;
use crate::support::releases::text;
use crate::support::{Setup, archive};

const WINDOW: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn with_two_idle_apps_the_daemon_is_small_and_asleep() {
    let release = std::env::var_os("VIAL_RELEASE_BIN").map(std::path::PathBuf::from);
    let mut setup = Setup::new().app("shop", QUICK).app("store", QUICK);
    let (mut limit, mut seconds) = (40 << 10, 8);
    if let Some(binary) = &release {
        setup = setup.binary(binary.clone()).alone();
        (limit, seconds) = (15 << 10, 30);
    }
    let measured = Duration::from_secs(seconds);
    let mut host = setup.start().await;
    for app in ["shop", "store"] {
        for version in [1, 2] {
            host.vial(&["deploy", app, text(&archive(version))]).await.ends(0);
        }
    }
    let pid = host.daemon_pid();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let cpu = cpu_ticks(pid);
    let usual = watch(pid, measured).await;
    let share = (cpu_ticks(pid) - cpu) as f64 / measured.as_secs_f64();
    let resident = kib(pid, "VmRSS:");
    figure!(
        "idle with two apps ({} build): {:.1} MiB resident ({:.1} of its own, {:.1} of files), \
         {share:.3} % of a core, awake in {} of {} windows of 100 ms",
        if release.is_some() { "release" } else { "debug" },
        f64::from(resident) / 1024.0,
        f64::from(kib(pid, "RssAnon:")) / 1024.0,
        f64::from(kib(pid, "RssFile:")) / 1024.0,
        usual.busy,
        usual.windows
    );
    assert!(resident < limit, "{resident} KiB are resident");
    if release.is_some() {
        assert!(share < 0.2, "{share} % of a core");
    }
    // Where it asks each app for its health only every 10 s, nothing else keeps it awake.
    let lines = format!("{QUICK}\nhealth = {{ interval = \"10s\" }}");
    for app in host.apps.clone() {
        host.write_app(app, &lines);
    }
    host.vial(&["reload"]).await.ends(0);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let rarely = watch(pid, measured).await;
    figure!("asked every 10 s: awake in {} of {} windows", rarely.busy, rarely.windows);
    assert!(u64::from(rarely.busy) < seconds, "more than once a second: {}", rarely.busy);
}

/// How many windows of 100 ms there were, and in how many a thread of the daemon ran.
struct Watched {
    busy: u32,
    windows: u32,
}

async fn watch(pid: u32, time: Duration) -> Watched {
    let began = Instant::now();
    let mut watched = Watched { busy: 0, windows: 0 };
    let mut before = switches(pid);
    while began.elapsed() < time {
        tokio::time::sleep(WINDOW).await;
        let now = switches(pid);
        watched.windows += 1;
        watched.busy += u32::from(now != before);
        before = now;
    }
    watched
}

fn status(pid: u32, task: &str, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}{task}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("0");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

pub fn kib(pid: u32, field: &str) -> u32 {
    u32::try_from(status(pid, "", field)).unwrap()
}

fn tasks(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    tasks.map(|task| format!("/task/{}", task.file_name().to_string_lossy())).collect()
}

/// How often the daemon's threads went to sleep.
fn switches(pid: u32) -> u64 {
    tasks(pid).iter().map(|task| status(pid, task, "voluntary_ctxt_switches:")).sum()
}

/// The time that all its threads took, also those that are gone: in hundredths of a second.
pub fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<u64> =
        stat.rsplit(") ").next().unwrap().split(' ').map(|it| it.parse().unwrap_or(0)).collect();
    fields[11] + fields[12]
}

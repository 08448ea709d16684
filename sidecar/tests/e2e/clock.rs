//! A host whose clock is set, back and forth, in the middle of things. The daemon alone sees it:
//! Debian's libfaketime moves what it reads, and leaves the clock that nobody can set.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use vial_protocol::request::Accepted;
use vial_protocol::{Deployment, Status};

use super::QUICK;
use super::rollback::raw;
use crate::figure;
use crate::support::{Host, Setup};

const BAKE: Duration = Duration::from_secs(6);

/// A host whose daemon's clock is as much ahead as a file says: "+0", "-2h", "+2d".
fn host(lines: &str) -> Host {
    let mut host = Setup::new().app("shop", lines).write();
    let library = library();
    set(&host, "+0");
    host.env = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", host.path("clock").to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    host
}

fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
        .find(|path| path.exists())
        .expect("libfaketime is missing. Install it: apt-get install faketime")
}

/// Sets the daemon's clock.
fn set(host: &Host, offset: &str) {
    let aside = host.path("clock.new");
    std::fs::write(&aside, format!("{offset}\n")).unwrap();
    std::fs::rename(aside, host.path("clock")).unwrap();
}

/// No time of a deployment is before the one that it follows; how long it baked.
fn times_are_in_order(deployment: &Deployment) -> Duration {
    let mut times = vec![deployment.queued_at];
    for step in &deployment.steps {
        times.extend([step.started_at, step.ended_at.unwrap()]);
    }
    times.push(deployment.ended_at.unwrap());
    assert!(times.is_sorted(), "{deployment:#?}");
    let live_at = deployment.live_at.unwrap();
    assert!(times.first() <= Some(&live_at) && Some(&live_at) <= times.last(), "{deployment:#?}");
    let baked = deployment.steps.iter().find(|it| it.status == Status::Baking).unwrap();
    Duration::from_millis(baked.millis(baked.ended_at.unwrap()).try_into().unwrap())
}

async fn bake_while_the_clock_is_set(offset: &str) -> Host {
    let mut host = host(QUICK);
    host.start_daemon().await;
    host.start_caddy().await;
    host.deploy(1).await;
    let lines = format!("bake = \"{}s\"\nstop = {{ timeout = \"5s\" }}", BAKE.as_secs());
    host.reconfigure(&lines).await;
    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Baking).await;
    let began = Instant::now();
    set(&host, offset);
    sleep(BAKE / 2).await;
    // The next daemon knows of the bake what the journal says, and of the time what the host does.
    host.kill_daemon();
    host.start_daemon().await;
    let going = host.deployment(number).await;
    assert_eq!(going.status, Status::Baking, "{offset}: {going:#?}");
    let deployed = host.until_ended(number).await;
    let lasted = began.elapsed();
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    figure!("a bake of {BAKE:?} lasted {lasted:?} while the clock was set {offset}");
    assert!(lasted > BAKE - Duration::from_millis(500), "{offset}: {lasted:?}");
    assert!(lasted < BAKE + Duration::from_millis(2500), "{offset}: {lasted:?}");
    let told = times_are_in_order(&deployed);
    assert!(told.abs_diff(lasted) < Duration::from_millis(1500), "{told:?} and {lasted:?}");
    host.vial(&["history", "shop"]).await.ends(0).never_says(&["-2 h", "2 h 0"]);
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bake_is_as_long_as_it_should_be_whatever_the_clock_says_and_whoever_comes_back() {
    let (_back, forth) =
        tokio::join!(bake_while_the_clock_is_set("-2h"), bake_while_the_clock_is_set("+2h"));
    // What begins now bears the time that the host says now.
    let next = forth.deploy_until_live(1).await;
    let ahead = next.queued_at.duration_since(jiff::Timestamp::now());
    assert!(ahead.as_secs() > 7000, "{ahead:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_forgotten_where_the_clock_leaps() {
    let host = {
        let mut host = host(QUICK);
        host.start_daemon().await;
        host.start_caddy().await;
        host
    };
    host.deploy(1).await;
    host.deploy(2).await;
    let number = |text: &str| serde_json::from_str::<Accepted>(text).unwrap().deployment;
    let first = raw(&host, "a-tap", "{}").await;
    assert_eq!(first.0, 202, "{}", first.1);
    host.until_ended(3).await;
    for offset in ["+2d", "-2d"] {
        set(&host, offset);
        // Whoever asks next has old answers removed.
        host.vial(&["restart", "shop"]).await.ends(0);
        let again = raw(&host, "a-tap", "{}").await;
        assert_eq!((again.0, number(&again.1)), (202, number(&first.1)), "{offset}: {}", again.1);
    }
}

//! What the demo shows: three deploys and a rollback under load.

use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;
use vial_load::{Load, Report, Running, Target};
use vial_protocol::{Deployment, SlotState};

use crate::ground::{Ground, STEP};
use crate::place::{APP, HOST};
use crate::timeline::{self, Timeline};
use crate::trouble::Trouble;
use crate::verdict::{Evidence, Numbers};
use crate::versions::{BAD, GOOD};

/// Why the rollback is asked for, as the history keeps it.
const REASON: &str = "the home page answers 500";

/// How visitors behave.
#[derive(Debug, Clone, Copy)]
pub struct Visitors {
    /// Requests a second.
    pub rate: u32,
    /// WebSockets.
    pub websockets: u32,
}

/// Visitors who come for so long before and after each change.
const WHILE: Duration = Duration::from_millis(1500);

/// Plays it to its end.
///
/// # Errors
/// Where it cannot go on. What went on but not as expected is in the numbers.
pub async fn play(
    ground: &Ground,
    shop: &Path,
    visitors: Visitors,
    cold: bool,
) -> Result<Numbers, Trouble> {
    let timeline = Timeline::default();
    let archive = |version: u32| shop.join(format!("shop-{version}.tar.gz"));

    timeline.now("vial deploy shop shop-1.tar.gz");
    let first = ground.deploy(&archive(1)).await?;
    ground.settled().await?;
    tell(&timeline, &ground.client.deployment(APP, first).await?);

    timeline.now(&format!(
        "Visitors come: {} requests a second, {} WebSockets",
        visitors.rate, visitors.websockets
    ));
    let load = send(ground, visitors);
    sleep(WHILE).await;

    timeline.now("vial deploy shop shop-2.tar.gz");
    let second = ground.deploy(&archive(2)).await?;
    ground.settled().await?;
    tell(&timeline, &ground.client.deployment(APP, second).await?);
    timeline.more(&so_far(&load.snapshot()));

    timeline.now("vial deploy shop shop-3.tar.gz    (healthy, but its home page answers 500)");
    let third = ground.deploy(&archive(3)).await?;
    if cold {
        ground.settled().await?;
    } else {
        load.wait_until(STEP, |report| report.first_seen(BAD).is_some()).await;
        sleep(WHILE).await;
    }
    tell(&timeline, &ground.client.deployment(APP, third).await?);
    timeline.more(&so_far(&load.snapshot()));

    timeline.now(&format!("vial rollback shop --yes --reason '{REASON}'"));
    let hot = runs_beside(ground);
    let rollback_at_ms = millis(load.started().elapsed());
    let said = ground.vial(&["rollback", APP, "--yes", "--reason", REASON]).await?;
    timeline.more(&said);
    load.wait_until(Duration::from_secs(5), |report| {
        report.changes.iter().any(|it| it.version == GOOD && it.at_ms >= rollback_at_ms)
    })
    .await;
    ground.settled().await?;
    sleep(WHILE).await;

    let load_began = load.started();
    let report = load.stop().await;
    timeline.now("Visitors left.");
    timeline.more(&timeline::traffic(&report));
    let numbers = Evidence {
        report: &report,
        deployments: history(ground).await?,
        status: &ground.client.app(APP).await?,
        load_began,
        stops: ground.watch.stops(),
        rollback_at_ms,
        hot,
    }
    .judge();
    timeline.more(&sockets(&report, &numbers));
    conclude(&numbers, &report);
    Ok(numbers)
}

/// What visitors do, mixed as `vial-load` mixes it.
fn send(ground: &Ground, visitors: Visitors) -> Running {
    let percent = |share: u32| visitors.rate * share / 100;
    Load::new(Target { address: ground.place.address(), host: HOST.into() })
        .keep_alive(percent(60), 24)
        .fresh(percent(20))
        .post(percent(15))
        .slow(percent(5), 300)
        .websockets(visitors.websockets, Duration::from_secs(1))
        .reopen_websockets()
        .start()
}

/// Whether the previous release still runs in the idle slot.
fn runs_beside(ground: &Ground) -> bool {
    ground.watch.now().is_some_and(|status| {
        let idle = status.active.and_then(|active| status.slot(active.other()));
        idle.is_some_and(|slot| slot.state == SlotState::Running)
    })
}

async fn history(ground: &Ground) -> Result<Vec<Deployment>, Trouble> {
    let mut numbers: Vec<u64> =
        ground.client.deployments(APP, None, None).await?.iter().map(|it| it.number).collect();
    numbers.sort_unstable();
    let mut whole = Vec::new();
    for number in numbers {
        whole.push(ground.client.deployment(APP, number).await?);
    }
    Ok(whole)
}

fn tell(timeline: &Timeline, deployment: &Deployment) {
    let release = deployment.release.as_ref().map_or_else(String::new, |it| it.label());
    let slot = deployment.slot.map_or("no slot", vial_protocol::Slot::as_str);
    timeline.more(&format!("#{} {release} in {slot}, {}", deployment.number, deployment.status));
    timeline.more(&timeline::steps(deployment));
}

fn so_far(report: &Report) -> String {
    format!(
        "{} requests so far: {} lost, {} answered 500 by v{BAD}",
        report.sent(),
        timeline::lost(report),
        timeline::own_errors(report)
    )
}

fn sockets(report: &Report, numbers: &Numbers) -> String {
    format!(
        "WebSockets  {} opened, {} closed before their slot was told to stop",
        report.websockets.opened, numbers.websockets_dropped
    )
}

fn conclude(numbers: &Numbers, report: &Report) {
    println!();
    match (numbers.rollback_ms, numbers.switch_ms) {
        (Some(rollback), Some(switch)) => println!(
            "Rolled back in {rollback} ms, from the command to the first answer of v{GOOD} that a \
             visitor saw\n(the switch itself: {switch} ms; {}).",
            if numbers.hot { "v2.0.0 still ran" } else { "v2.0.0 had to be started" }
        ),
        _ => println!("Not rolled back."),
    }
    for it in &numbers.expectations {
        println!("  {}  {}: {}", if it.held { "ok    " } else { "FAILED" }, it.expected, it.seen);
    }
    for failure in report.failures.iter().filter(|it| it.version.as_deref() != Some(BAD)).take(20) {
        println!("  at {} ms, {:?}: {}", failure.at_ms, failure.class, failure.what);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

//! What a hundred rollbacks lose under load, by the way in which the traffic is switched.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use vial_demo::place::{APP, HOST};
use vial_demo::trouble::Trouble;
use vial_demo::verdict::ended_early;
use vial_demo::watch::Watch;
use vial_load::{Class, Load, Report, Running, Target};
use vial_protocol::Slot;

use crate::apps::{millis, spread};
use crate::host::{Host, Setup, Tools};
use crate::results::{Losses, Lost};
use crate::script::{self, Colour};
use crate::stub;

/// A way to switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Vial, by a file that Caddy looks for.
    File,
    /// Vial, by Caddy's admin API.
    Admin,
    /// The shell script, by `caddy reload`.
    Reload,
}

impl Way {
    /// All of them.
    pub const ALL: [Way; 3] = [Way::File, Way::Admin, Way::Reload];

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Way::File => "Vial, by a file (the default)",
            Way::Admin => "Vial, by Caddy's admin API",
            Way::Reload => "a shell script, by `caddy reload`",
        }
    }
}

/// Requests in flight have so long to end before their release is told to, here in the script's
/// words: the same for all ways.
const DRAIN: &str = "0.4";
/// How long a slow request takes.
const SLOW_MS: u32 = 100;

/// Measures one way.
///
/// # Errors
/// Where it cannot be measured.
pub async fn measure(tools: &Tools, way: Way) -> Result<Losses, Trouble> {
    let rollbacks = tools.times(100, 3);
    match way {
        Way::Reload => by_script(tools, way, rollbacks).await,
        _ => by_vial(tools, way, rollbacks).await,
    }
}

async fn by_vial(tools: &Tools, way: Way, rollbacks: usize) -> Result<Losses, Trouble> {
    let lines = "bake = \"0s\"\ndrain = { timeout = \"400ms\" }".into();
    let caddy = if way == Way::Admin { "mode = \"admin\"" } else { "" };
    let host = Host::start(tools, &Setup { apps: 1, release: "stub", lines, caddy }).await?;
    let measured = async {
        let watch = Watch::start(&host.client).await?;
        let mut numbers = Vec::new();
        for version in [1, 2] {
            let archive = stub::archive(&host.stub, "stub", version, host.root())?;
            numbers.push(host.deploy(APP, &archive).await?.to_string());
        }
        let load = visitors(host.address());
        let mut took = Vec::new();
        sleep(Duration::from_secs(1)).await;
        for number in numbers.iter().cycle().take(rollbacks) {
            let command = ["rollback", APP, "--to", number, "--yes", "--quiet"];
            took.push(millis(host.vial(&command).await?.1));
            host.settled(APP).await?;
        }
        let (began, report) = (load.started(), ended(load).await);
        let since = |at: Instant| u64::try_from(at.saturating_duration_since(began).as_millis());
        let stops = watch.stops().into_iter().map(|(at, slot)| (since(at).unwrap_or(0), slot));
        judged(way, &report, &stops.collect::<Vec<_>>(), &took)
    };
    let measured = measured.await;
    let end = host.end().await;
    let measured = measured?;
    end.map(|()| measured)
}

async fn by_script(tools: &Tools, way: Way, rollbacks: usize) -> Result<Losses, Trouble> {
    let script = tools.root.join("bench/script/rollback.sh");
    let user = tools.user.as_deref();
    let ground = script::Ground::start(&script, user, DRAIN, |folder, _| {
        let program = folder.join("vial-bench-stub");
        std::fs::copy(&tools.stub, &program).map_err(vial_demo::trouble::trying("the stub"))?;
        let colour = |version| {
            let root = stub::release(&program, "stub", version, folder)?;
            Ok::<_, Trouble>(Colour { program: root.join("bin/stub"), env: BTreeMap::new() })
        };
        Ok([colour(1)?, colour(2)?])
    })
    .await?;
    let measured = async {
        let load = visitors(ground.address());
        let mut took = Vec::new();
        sleep(Duration::from_secs(1)).await;
        for _ in 0..rollbacks {
            let began = Instant::now();
            ground.roll_back(Duration::from_millis(20)).await?;
            took.push(millis(began.elapsed()));
        }
        let report = ended(load).await;
        let since = |at: u64| at.saturating_sub(report.started_unix_ms);
        let stops = ground.stops().into_iter().map(|(at, slot)| (since(at), slot));
        judged(way, &report, &stops.collect::<Vec<_>>(), &took)
    };
    let measured = measured.await;
    let end = ground.end().await;
    let measured = measured?;
    end.map(|()| measured)
}

/// The visitors: 320 requests a second of all kinds, and 20 WebSockets that come back.
fn visitors(address: std::net::SocketAddr) -> Running {
    Load::new(Target { address, host: HOST.into() })
        .keep_alive(200, 24)
        .fresh(60)
        .post(40)
        .slow(20, SLOW_MS)
        .websockets(20, Duration::from_millis(200))
        .reopen_websockets()
        .start()
}

async fn ended(load: Running) -> Report {
    sleep(Duration::from_secs(1)).await;
    load.stop().await
}

fn judged(
    way: Way,
    report: &Report,
    stops: &[(u64, Slot)],
    took: &[f64],
) -> Result<Losses, Trouble> {
    // Those that are slow by themselves say nothing of a switch.
    let classes = || {
        let quick = |class: &&Class| **class != Class::Slow;
        report.classes.iter().filter(move |(class, _)| quick(class)).map(|(_, it)| it)
    };
    Ok(Losses {
        way: way.name().into(),
        rollbacks: took.len(),
        lost: lost(report, stops),
        p99_ms: classes().map(|it| it.latency_p99_ms).fold(0.0, f64::max),
        max_ms: classes().map(|it| it.latency_max_ms).fold(0.0, f64::max),
        rollback_ms: spread(took)?,
    })
}

/// What a load says was lost; `stops` are when which slot was told to end, in the load's time.
#[must_use]
pub fn lost(report: &Report, stops: &[(u64, Slot)]) -> Lost {
    let sockets = &report.websockets;
    let (early, told): (Vec<_>, Vec<_>) =
        sockets.dropped.iter().partition(|it| ended_early(it, stops));
    let with_their_release: u64 = told.iter().map(|it| it.lost).sum();
    Lost {
        requests: report.sent(),
        failed: report.failed() + sockets.failed,
        closed_connections: report.classes.values().map(|it| it.reconnects).sum(),
        websockets: sockets.opened,
        dropped_websockets: early.len() as u64,
        messages: sockets.messages_sent,
        lost_messages: sockets.lost.saturating_sub(with_their_release),
    }
}

//! What the daemon costs with 1, 10 and 100 apps, at rest and under deploys, and how long a status
//! takes then.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use serde::Deserialize;
use tokio::time::{Instant, sleep};
use vial_demo::trouble::{Trouble, trying};
use vial_protocol::AppStatus;

use crate::figures::Figures;
use crate::host::{Host, Setup, Tools};
use crate::process::{Idle, Looked, Memory};
use crate::results::Apps;
use crate::stub;

/// How many deploys at once: as many as a busy build machine sends.
const AT_ONCE: usize = 4;
/// Deploys that are measured: more say nothing new.
const DEPLOYS: usize = 20;
/// Real releases take some hundred MiB each.
pub const REAL: usize = 5;

/// Measures with so many apps, whose releases are stubs, or the shop.
///
/// # Errors
/// Where it cannot be measured.
pub async fn measure(tools: &Tools, apps: usize, real: bool) -> Result<Apps, Trouble> {
    let release = if real { "shop" } else { "stub" };
    let lines = "bake = \"0s\"\ndrain = { timeout = \"1s\" }".into();
    let host = Host::start(tools, &Setup { apps, release, lines, caddy: "" }).await?;
    let measured = tokio::select! {
        measured = on(tools, &host, release) => measured,
        _ = tokio::signal::ctrl_c() => Err(Trouble::Waited { what: "the end".into(), seconds: 0 }),
    };
    let ended = host.end().await;
    let measured = measured?;
    ended.map(|()| measured)
}

async fn on(tools: &Tools, host: &Host, release: &str) -> Result<Apps, Trouble> {
    let archives = [archive(tools, host, release, 1)?, archive(tools, host, release, 2)?];
    let daemon = Looked(host.pid());
    let deploy = async |archive: &Path, apps: &[String]| {
        let deploys = apps.iter().map(|app| async move {
            let began = Instant::now();
            host.deploy(app, archive).await.map(|_| began.elapsed().as_secs_f64() * 1000.0)
        });
        let all: Vec<_> = stream::iter(deploys).buffer_unordered(AT_ONCE).collect().await;
        all.into_iter().collect::<Result<Vec<f64>, Trouble>>()
    };
    deploy(&archives[0], &host.apps).await?;
    all_healthy(host).await?;
    sleep(Duration::from_secs(if tools.quick { 1 } else { 5 })).await;

    let memory = daemon.memory();
    let idle = daemon.idle(Duration::from_secs(if tools.quick { 3 } else { 30 })).await;
    let (status_ms, missing) = statuses(tools, host).await?;

    daemon.forget_peak();
    let cpu = daemon.cpu();
    let some = host.apps.get(..host.apps.len().min(DEPLOYS)).unwrap_or_default();
    let mut took = Vec::new();
    // One app alone says little in one deploy.
    for round in 0..(DEPLOYS / some.len().max(1)).clamp(1, tools.times(10, 1)) {
        took.extend(deploy(&archives[(round + 1) % 2], some).await?);
    }
    let cpu = daemon.cpu() - cpu;
    Ok(Apps {
        apps: host.apps.len(),
        release: release.into(),
        memory,
        memory_after: daemon.memory(),
        peak: daemon.peak(),
        threads: daemon.threads(),
        idle,
        deploy_cpu_ms: cpu * 1000.0 / f64::from(u32::try_from(took.len()).unwrap_or(1)),
        deploys: took.len(),
        deploy_ms: spread(&took)?,
        status_ms,
        missing,
    })
}

fn archive(tools: &Tools, host: &Host, release: &str, version: u32) -> Result<PathBuf, Trouble> {
    match release {
        "shop" => Ok(tools.shop.join(format!("shop-{version}.tar.gz"))),
        stub => stub::archive(&host.stub, stub, version, host.root()),
    }
}

async fn all_healthy(host: &Host) -> Result<(), Trouble> {
    let healthy = |app: &AppStatus| {
        let active = app.active.and_then(|active| app.slot(active));
        active.and_then(|it| it.health.as_ref()).is_some_and(|it| it.healthy)
    };
    for app in &host.apps {
        host.until(app, "the first health check", healthy).await?;
    }
    Ok(())
}

type Statuses = (BTreeMap<String, Figures>, BTreeMap<String, String>);

async fn statuses(tools: &Tools, host: &Host) -> Result<Statuses, Trouble> {
    let mut all = BTreeMap::new();
    let app = host.apps.last().map_or("", String::as_str);
    let (mut of_app, mut of_host) = (Vec::new(), Vec::new());
    for _ in 0..tools.times(300, 20) {
        let began = Instant::now();
        host.client.app(app).await?;
        of_app.push(millis(began.elapsed()));
        let began = Instant::now();
        host.client.status().await?;
        of_host.push(millis(began.elapsed()));
    }
    all.insert("socket app".into(), spread(&of_app)?);
    all.insert("socket host".into(), spread(&of_host)?);
    let (mut of_app, mut of_host) = (Vec::new(), Vec::new());
    for _ in 0..tools.times(30, 3) {
        of_app.push(millis(host.vial(&["status", app]).await?.1));
        of_host.push(millis(host.vial(&["status"]).await?.1));
    }
    all.insert("command app".into(), spread(&of_app)?);
    all.insert("command host".into(), spread(&of_host)?);
    let mut missing = BTreeMap::new();
    match by_nif(tools, host, app).await {
        Ok(figures) => drop(all.insert("nif app".into(), figures)),
        Err(why) => drop(missing.insert("nif app".into(), why)),
    }
    Ok((all, missing))
}

#[derive(Deserialize)]
struct FromNif {
    ms: Vec<f64>,
}

/// From inside a BEAM, through the library's NIF.
async fn by_nif(tools: &Tools, host: &Host, app: &str) -> Result<Figures, String> {
    let calls = tools.times(1000, 20).to_string();
    let output = tokio::process::Command::new("mix")
        .args([
            "run",
            "--no-compile",
            "--no-start",
            "bench/nif/latency.exs",
            "--app",
            app,
            "--calls",
            &calls,
        ])
        .arg("--socket")
        .arg(host.client.path())
        .current_dir(&tools.root)
        // Built before by bin/bench: nothing may compile while something is measured.
        .env("MIX_ENV", "prod")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("mix cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let told = said.lines().rev().find(|line| line.starts_with('{'));
    let told: Option<FromNif> = told.and_then(|line| serde_json::from_str(line).ok());
    told.and_then(|it| Figures::of(&it.ms)).ok_or_else(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        format!("the NIF did not answer: {}{}", said.trim(), errors.trim())
    })
}

/// The figures of what was measured at least once.
pub(crate) fn spread(values: &[f64]) -> Result<Figures, Trouble> {
    Figures::of(values).ok_or_else(|| trying("measuring")(std::io::Error::other("nothing was")))
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// What each app more costs, from the smaller measurement to the larger one: MiB of memory and
/// per cent of a core.
#[must_use]
pub fn growth(smaller: &Apps, larger: &Apps) -> Option<(f64, f64)> {
    let more = u32::try_from(larger.apps.checked_sub(smaller.apps)?).ok().filter(|it| *it > 0)?;
    let Apps { memory: Memory { resident, .. }, idle: Idle { core_percent, .. }, .. } = larger;
    Some((
        (resident - smaller.memory.resident) / f64::from(more),
        (core_percent - smaller.idle.core_percent) / f64::from(more),
    ))
}

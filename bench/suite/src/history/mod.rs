//! What the daemon costs after 10, 1,000 and 100,000 deployments: pages, plans, its start, its memory.

mod fill;

use std::time::Duration;

use tokio::time::Instant;
use vial::app::paths::Layout;
use vial_demo::place::APP;
use vial_demo::trouble::{Trouble, trying};
use vial_protocol::request::Rollback;

use crate::apps::{millis, spread};
use crate::figures::Figures;
use crate::host::{Host, Setup, Tools};
use crate::process::Looked;
use crate::results::History;
use crate::stub;

/// A page as the dashboard asks for one.
const PAGE: u32 = 50;

/// Measures after so many deployments.
///
/// # Errors
/// Where it cannot be measured.
pub async fn measure(tools: &Tools, deployments: u64) -> Result<History, Trouble> {
    let lines = "bake = \"0s\"\ndrain = { timeout = \"1s\" }".into();
    let setup = Setup { apps: 1, release: "stub", lines, caddy: "" };
    let fill = async |state: &std::path::Path| {
        fill::fill(&Layout::new(state).database(), APP, deployments).await
    };
    let mut host = Host::start_after(tools, &setup, fill).await?;
    let measured = on(tools, &mut host, deployments).await;
    let ended = host.end().await;
    let measured = measured?;
    ended.map(|()| measured)
}

async fn on(tools: &Tools, host: &mut Host, deployments: u64) -> Result<History, Trouble> {
    for version in [1, 2] {
        let archive = stub::archive(&host.stub, "stub", version, host.root())?;
        host.deploy(APP, &archive).await?;
    }
    let times = tools.times(100, 5);
    let client = host.client.clone();
    let middle = deployments / 2 + 1;
    let page = timed(times, async || client.deployments(APP, None, Some(PAGE)).await).await?;
    let in_middle =
        timed(times, async || client.deployments(APP, Some(middle), Some(PAGE)).await).await?;
    let one = timed(times, async || client.deployment(APP, middle).await).await?;
    let plan = timed(times, async || client.plan(APP, &Rollback::default()).await).await?;
    let status = timed(times, async || client.app(APP).await).await?;
    let memory = Looked(host.pid()).memory();
    let mut starts = Vec::new();
    for _ in 0..tools.times(15, 2) {
        host.stop_daemon().await?;
        let began = Instant::now();
        host.start_daemon().await?;
        starts.push(millis(began.elapsed()));
    }
    let file = std::fs::metadata(Layout::new(&host.state()).database())
        .map_err(trying("the history's file"))?;
    #[allow(clippy::cast_precision_loss, reason = "for a person to read")]
    let file = file.len() as f64 / f64::from(1 << 20);
    Ok(History {
        deployments,
        file,
        page_ms: page,
        middle_ms: in_middle,
        one_ms: one,
        plan_ms: plan,
        status_ms: status,
        start_ms: spread(&starts)?,
        memory,
    })
}

async fn timed<T, E>(
    times: usize,
    asked: impl AsyncFn() -> Result<T, E>,
) -> Result<Figures, Trouble>
where
    Trouble: From<E>,
{
    let mut took: Vec<f64> = Vec::new();
    for _ in 0..times {
        let began = Instant::now();
        asked().await?;
        let one: Duration = began.elapsed();
        took.push(millis(one));
    }
    spread(&took)
}

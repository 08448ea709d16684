//! How many lines a second a slot may write, and what they cost the daemon.
//!
//! The kernel writes a slot's log, not the daemon: what is measured is whether the daemon keeps up with
//! compressing and freeing it, and with telling those who follow.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use vial::app::paths::Layout;
use vial::client::{LogAsk, Told};
use vial_demo::place::APP;
use vial_demo::trouble::{Trouble, trying};
use vial_protocol::{Event, Slot};

use crate::host::{Host, Setup, Tools};
use crate::process::Looked;
use crate::results::Logs;
use crate::stub;

/// What of a log is not compressed yet: small, so that compressing is among what is measured.
const LIVE: u64 = 4 << 20;
/// What the log may take beyond that while a segment is made.
const SLACK: u64 = LIVE / 2;
/// How often lines are written.
const TICK: Duration = Duration::from_millis(10);
/// Lines that are written at once where as many as can be are.
const BURST: u64 = 2_000;
/// How long the daemon may take to catch up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures at these rates; absent is as many as can be written.
///
/// # Errors
/// Where it cannot be measured.
pub async fn measure(tools: &Tools, rate: Option<u64>, followed: bool) -> Result<Logs, Trouble> {
    let lines = String::from("bake = \"0s\"\nlogs = { live = \"4MiB\", keep = \"1GiB\" }");
    let setup = Setup { apps: 1, release: "stub", lines, caddy: "" };
    let host = Host::start(tools, &setup).await?;
    let measured = on(tools, &host, rate, followed).await;
    let ended = host.end().await;
    let measured = measured?;
    ended.map(|()| measured)
}

async fn on(
    tools: &Tools,
    host: &Host,
    rate: Option<u64>,
    followed: bool,
) -> Result<Logs, Trouble> {
    let archive = stub::archive(&host.stub, "stub", 1, host.root())?;
    host.deploy(APP, &archive).await?;
    let path = Layout::new(&host.state()).app(APP).log(Slot::Blue);
    let mut file = OpenOptions::new().append(true).open(&path).map_err(trying("the slot's log"))?;
    let follower = match followed {
        true => Some(Follower::start(host).await?),
        false => None,
    };
    sleep(Duration::from_secs(1)).await;
    let daemon = Looked(host.pid());
    daemon.forget_peak();
    // As many as can be soon take all of the page cache.
    let seconds = if rate.is_some() { tools.times(20, 3) } else { 3 };
    let time = Duration::from_secs(seconds as u64);
    let (cpu, began) = (daemon.cpu(), Instant::now());
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut number, mut most, mut ticked) = (0_u64, 0_u64, 0_u64);
    while began.elapsed() < time {
        match rate {
            Some(rate) => {
                ticks.tick().await;
                ticked += 1;
                let due = rate * ticked / 100;
                write(&mut file, number..due)?;
                number = due;
            }
            None => {
                write(&mut file, number..number + BURST)?;
                number += BURST;
                tokio::task::yield_now().await;
            }
        }
        most = most.max(on_disk(&path));
    }
    let seconds = began.elapsed().as_secs_f64();
    let ended = Instant::now();
    while ended.elapsed() < PATIENCE && behind(&path, follower.as_ref(), number) {
        sleep(Duration::from_millis(20)).await;
        most = most.max(on_disk(&path));
    }
    let caught_up = ended.elapsed().as_secs_f64();
    let cpu = daemon.cpu() - cpu;
    #[allow(clippy::cast_precision_loss, reason = "for a person to read")]
    let per_second = number as f64 / seconds;
    #[allow(clippy::cast_precision_loss, reason = "for a person to read")]
    let live = most as f64 / f64::from(1 << 20);
    Ok(Logs {
        asked: rate,
        lines_per_second: per_second,
        kept_up_with: per_second * seconds / (seconds + caught_up),
        seconds,
        followed,
        core_percent: cpu / (seconds + caught_up) * 100.0,
        peak: daemon.peak(),
        live,
        behind: caught_up,
        told: follower.as_ref().map_or(0, |it| it.next.load(Ordering::Relaxed)),
        wrong: follower.as_ref().map_or(0, |it| it.wrong.load(Ordering::Relaxed)),
    })
}

fn behind(path: &Path, follower: Option<&Follower>, written: u64) -> bool {
    let untold = |it: &Follower| it.next.load(Ordering::Relaxed) < written;
    on_disk(path) > LIVE + SLACK || follower.is_some_and(untold)
}

/// What the log takes on the disk.
fn on_disk(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |it| it.blocks() * 512)
}

fn write(file: &mut File, numbers: std::ops::Range<u64>) -> Result<(), Trouble> {
    let line = |number| {
        format!("{number:09} [info] GET /carts/{} sent 200 in {} ms\n", number % 977, number % 41)
    };
    let text: String = numbers.map(line).collect();
    file.write_all(text.as_bytes()).map_err(trying("the slot's log"))
}

/// Follows the log, and counts what it is told.
struct Follower {
    /// The line that comes next, where none is missed.
    next: Arc<AtomicU64>,
    wrong: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Follower {
    async fn start(host: &Host) -> Result<Follower, Trouble> {
        let ask = LogAsk { slot: Some(Slot::Blue), ..LogAsk::default() };
        let mut events = host.client.follow_log(APP, ask).await?;
        let (next, wrong) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let (next_line, wrong_lines) = (next.clone(), wrong.clone());
        let task = tokio::spawn(async move {
            while let Some(told) = events.next().await {
                let Told::Event(Event::Log(chunk)) = told else { continue };
                for line in &chunk.lines {
                    let number = line.text.split_once(" [info] GET /carts/");
                    let Some(number) = number.and_then(|(it, _)| it.parse::<u64>().ok()) else {
                        continue;
                    };
                    if next_line.swap(number + 1, Ordering::Relaxed) != number {
                        wrong_lines.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        Ok(Follower { next, wrong, task: task.abort_handle() })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

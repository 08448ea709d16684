//! The ways to bring the previous release back, each measured once.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use vial_demo::by_hand::{self, With};
use vial_demo::ground::STEP;
use vial_demo::place::{APP, HOST};
use vial_demo::trouble::Trouble;
use vial_load::{Load, Report, Running, Target};
use vial_protocol::{Slot, SlotState};

use super::stage::Stage;
use crate::apps::millis;

/// How often the address is asked whether the previous release answers: the precision. Where a release
/// starts it takes its part of the machine, so that it is asked less often; the floor too.
const OFTEN: Duration = Duration::from_millis(1);
const SELDOM: Duration = Duration::from_millis(5);

/// A way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The release started by hand, until it is healthy, and a rename.
    Floor,
    /// The same in interactive mode.
    FloorInteractive,
    /// Vial, the release not running.
    Cold,
    /// The same, the release started without its script.
    ColdDirect,
    /// The same, in interactive mode.
    ColdInteractive,
    /// Both of these.
    ColdDirectInteractive,
    /// Vial, the release running without traffic.
    Warm,
    /// Vial, the release stopped by SIGSTOP.
    Frozen,
    /// The shell script.
    Script,
}

/// What one turn brought.
pub(super) struct Turn {
    /// From the command to the first answer.
    pub(super) ms: f64,
    /// Of that, the daemon's: from the request to the switch.
    pub(super) daemon_ms: Option<f64>,
    /// What visitors saw, and when which slot was told to end, in the load's milliseconds.
    pub(super) visitors: Option<(Report, Vec<(u64, Slot)>)>,
}

impl Way {
    pub(super) const ALL: [Way; 9] = [
        Way::Floor,
        Way::Cold,
        Way::ColdDirect,
        Way::FloorInteractive,
        Way::ColdInteractive,
        Way::ColdDirectInteractive,
        Way::Script,
        Way::Warm,
        Way::Frozen,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Way::Floor => "floor",
            Way::FloorInteractive => "floor interactive",
            Way::Cold => "cold",
            Way::ColdDirect => "cold direct",
            Way::ColdInteractive => "cold interactive",
            Way::ColdDirectInteractive => "cold direct interactive",
            Way::Warm => "warm",
            Way::Frozen => "frozen",
            Way::Script => "script",
        }
    }

    /// What of the app's file makes a rollback go this way: it may be that this Vial does not know
    /// it, or that the release is no such one.
    pub(super) fn line(self) -> &'static str {
        match self {
            Way::Floor | Way::FloorInteractive | Way::Cold | Way::Script => "",
            Way::ColdDirect => "start = \"direct\"",
            Way::ColdInteractive => "mode = \"interactive\"",
            Way::ColdDirectInteractive => "start = \"direct\"\nmode = \"interactive\"",
            Way::Warm => "standby = { mode = \"warm\", for = \"10m\" }",
            Way::Frozen => "standby = { mode = \"frozen\", for = \"10m\" }",
        }
    }
}

impl Stage {
    /// Goes one way, once.
    pub(super) async fn take(&mut self, way: Way) -> Result<Turn, Trouble> {
        let line = way.line();
        if !line.is_empty() {
            self.configure(line).await?;
        }
        let turn = match way {
            Way::Floor => self.floor(&self.with).await,
            Way::FloorInteractive => {
                let mut with = self.with.clone();
                with.env_file.push(("RELEASE_MODE".into(), "interactive".into()));
                self.floor(&with).await
            }
            Way::Script => self.by_script().await,
            Way::Warm => self.from_standby("warm").await,
            Way::Frozen => self.from_standby("frozen").await,
            _ => {
                let to = self.numbers[self.other()].to_string();
                let arguments = ["rollback", APP, "--to", &to, "--yes", "--quiet"];
                let turn = self.roll_back(&arguments, SELDOM).await?;
                self.serving = self.other();
                Ok(turn)
            }
        }?;
        if !line.is_empty() {
            self.configure("").await?;
        }
        Ok(turn)
    }

    async fn floor(&self, with: &With) -> Result<Turn, Trouble> {
        let (number, home) = (self.numbers[self.other()], self.ground.home());
        let load = visitors(self.ground.place.address());
        let took = by_hand::start(&self.ground.place, with, self.idle(), number, &home).await?;
        drop(load.stop().await);
        Ok(Turn { ms: millis(took), daemon_ms: None, visitors: None })
    }

    async fn by_script(&self) -> Result<Turn, Trouble> {
        let load = visitors(self.script.address());
        let took = self.script.roll_back(SELDOM).await?;
        let report = load.stop().await;
        let since = |(at, slot): (u64, Slot)| Some((at.checked_sub(report.started_unix_ms)?, slot));
        let stops = self.script.stops().into_iter().filter_map(since).collect();
        Ok(Turn { ms: millis(took), daemon_ms: None, visitors: Some((report, stops)) })
    }

    /// Deploys the other release over the one that serves, which is kept, and goes back to it.
    async fn from_standby(&mut self, mode: &str) -> Result<Turn, Trouble> {
        let other = self.other();
        self.numbers[other] = self.ground.deploy(&self.archives[other]).await?;
        self.kept(mode).await?;
        if mode == "frozen" {
            sleep(self.frozen_for).await;
        }
        self.roll_back(&["rollback", APP, "--yes", "--quiet"], OFTEN).await
    }

    /// Waits until the idle slot is ready.
    async fn kept(&self, mode: &str) -> Result<(), Trouble> {
        let decided = |status: &vial_protocol::AppStatus| {
            let idle = status.active.and_then(|active| status.slot(active.other()));
            status.deployment.is_none()
                && idle.is_some_and(|it| {
                    it.state == SlotState::Stopped || it.standby.as_ref().is_some_and(|it| it.ready)
                })
        };
        let what = format!("a slot that is kept {mode}");
        let status = self.ground.watch.until(&what, STEP, decided).await?;
        let idle = status.active.and_then(|active| status.slot(active.other()));
        let kept = idle.and_then(|it| it.standby.as_ref()).map(|it| it.mode.as_str());
        if kept == Some(mode) {
            return Ok(());
        }
        let last = self.last().await?;
        let why = last.and_then(|it| it.steps.last().and_then(|it| it.outcome.clone()));
        let why = why.unwrap_or_else(|| "the history does not say why".into());
        Err(Trouble::Missing(format!("the slot was not kept {mode}: {why}")))
    }

    async fn roll_back(&self, arguments: &[&str], every: Duration) -> Result<Turn, Trouble> {
        let (home, to) = (self.ground.home(), self.idle());
        let load = visitors(self.ground.place.address());
        // They have come, and their WebSockets are open.
        sleep(Duration::from_millis(300)).await;
        let began = Instant::now();
        let (ended, answered) = tokio::join!(
            self.ground.vial(arguments),
            home.first_every(every, STEP, |it| it.slot.as_deref() == Some(to.as_str())),
        );
        ended?;
        self.ground.settled().await?;
        let (load_began, report) = (load.started(), load.stop().await);
        let answered = answered.ok_or_else(|| Trouble::Waited {
            what: format!("an answer of {to}"),
            seconds: STEP.as_secs(),
        })?;
        let last = self.last().await?;
        let daemon = last.and_then(|it| Some(it.live_at?.duration_since(it.queued_at)));
        let since = |(at, slot): (Instant, Slot)| {
            let millis = at.checked_duration_since(load_began)?.as_millis();
            Some((u64::try_from(millis).ok()?, slot))
        };
        let stops = self.ground.watch.stops().into_iter().filter_map(since);
        Ok(Turn {
            ms: millis(answered - began),
            daemon_ms: daemon.map(|it| it.as_secs_f64() * 1000.0),
            visitors: Some((report, stops.collect())),
        })
    }
}

/// A few visitors: what they lose is counted, and they take little of the machine.
fn visitors(address: std::net::SocketAddr) -> Running {
    Load::new(Target { address, host: HOST.into() })
        .keep_alive(40, 4)
        .fresh(10)
        .websockets(5, Duration::from_millis(100))
        .reopen_websockets()
        .start()
}

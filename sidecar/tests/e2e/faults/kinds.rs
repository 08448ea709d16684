//! Everything that a deployment can be, and what may come of it when the daemon dies on its way.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use vial_protocol::request::{Build, Restart, Rollback};
use vial_protocol::standby::KeepStandby;
use vial_protocol::{AppStatus, Desired, MigrationChoice, SlotState, StandbyMode, Status};

use super::stage::{Beam, Stage};
use crate::support::stub::Stub;
use crate::support::{archive, processes};

const NO_BAKE: &str = "bake = \"0s\"\n";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The next release.
    Deploy,
    /// The next release, built from a commit.
    Build,
    /// One whose health check fails.
    DeployUnhealthy,
    /// One that dies while it bakes, and is taken back.
    DeployDying,
    /// The previous release, which was stopped.
    RollBack,
    /// The previous release, which still runs.
    RollBackWithinTheBake,
    /// The previous release, and what it does not know is reverted.
    RollBackReverting,
    /// The same, and then its health check fails.
    RollBackRestoring,
    /// The release that serves, in the other slot.
    Restart,
    /// The next release, cancelled while it starts.
    Cancel,
    /// The app is stopped, and started again.
    StopAndStart,
    /// The active release dies.
    Crash,
    /// The previous release, which was stopped, is started to be kept frozen.
    Freeze,
    /// The previous release, which is frozen.
    RollBackFrozen,
}

/// How far it had come when the daemon died.
#[derive(Debug, Clone, Copy)]
pub struct Come {
    /// It was written down.
    pub begun: bool,
    /// It had come to its start.
    pub starting: bool,
}

impl Kind {
    /// Every kind, but those for which a release needs a library.
    pub const ALL: [Kind; 12] = [
        Kind::Deploy,
        Kind::Build,
        Kind::DeployUnhealthy,
        Kind::DeployDying,
        Kind::RollBack,
        Kind::RollBackWithinTheBake,
        Kind::RollBackReverting,
        Kind::RollBackRestoring,
        Kind::Restart,
        Kind::Cancel,
        Kind::StopAndStart,
        Kind::Crash,
    ];

    /// What the app's file says at first.
    pub fn lines(self, beam: Beam) -> &'static str {
        match (self, beam) {
            (Kind::DeployUnhealthy | Kind::RollBackRestoring, Beam::Stub) => {
                "bake = \"0s\"\nhealth = { deadline = \"1s\" }\n"
            }
            (Kind::DeployUnhealthy | Kind::RollBackRestoring, Beam::Shop) => {
                "bake = \"0s\"\nhealth = { deadline = \"4s\" }\n"
            }
            _ => NO_BAKE,
        }
    }

    /// What the app's file says always.
    pub fn usual(self, beam: Beam) -> &'static str {
        match (self, beam) {
            (_, Beam::Stub) => {
                "migrate = \"Stub.migrate()\"\nrepos = [\"Stub.Repo\"]\n\
                 drain = { timeout = \"2s\" }\nstop = { timeout = \"2s\" }\n"
            }
            // The shops whose health check fails for ever have no database.
            (Kind::DeployUnhealthy, Beam::Shop) => {
                "drain = { timeout = \"5s\" }\nstop = { timeout = \"10s\" }\n"
            }
            (_, Beam::Shop) => {
                "migrate = \"Shop.Release.migrate()\"\nrepos = [\"Shop.Repo\"]\n\
                 drain = { timeout = \"5s\" }\nstop = { timeout = \"10s\" }\n"
            }
        }
    }

    /// Whether the old slot has to run on for it.
    fn bakes(self) -> bool {
        matches!(self, Kind::DeployDying | Kind::RollBackWithinTheBake)
    }

    /// Whether every request must be answered: a release that dies takes its requests along.
    pub fn loses_nothing(self) -> bool {
        !matches!(self, Kind::DeployDying | Kind::StopAndStart | Kind::Crash)
    }

    /// The first status that counts as a failure. The older shop itself answers 500 while it meets the
    /// newer one's schema; what Caddy answers for want of a slot begins at 502.
    pub fn fails(self, beam: Beam) -> u16 {
        let meets = matches!(self, Kind::RollBackReverting | Kind::RollBackRestoring);
        if meets && beam == Beam::Shop { 501 } else { 500 }
    }

    /// Sees to it that the second release serves and the first served before it, and does what must
    /// be done before this can be asked for.
    pub async fn prepare(self, stage: &Stage) {
        let _ = std::fs::remove_file(unhealthy(stage));
        let _ = std::fs::remove_file(deadly(stage));
        if self.bakes() {
            stage.configure(NO_BAKE).await;
        }
        let status = stage.rest().await;
        let serves = status.serving.map(|it| it.version);
        let plan = stage.host.client.plan("shop", &Rollback::default()).await;
        let back_to = plan.ok().map(|it| it.to.version);
        let [first, second] = self.before(stage);
        let database = stage.beam == Beam::Shop || stage.applied() == [1, 2];
        if !(is(serves, second.0) && is(back_to, first.0) && database) {
            stage.deployed(&first.1).await;
            stage.deployed(&second.1).await;
        }
        if self.bakes() {
            stage.configure("bake = \"10s\"\n").await;
        }
        match self {
            Kind::RollBackWithinTheBake => {
                let number = stage.deploy(&self.next(stage)).await.unwrap();
                stage.host.until_deployment(number, |it| it.is_live()).await;
            }
            Kind::RollBackRestoring => std::fs::write(unhealthy(stage), "").unwrap(),
            Kind::Freeze => keep(stage, StandbyMode::Cold).await,
            Kind::RollBackFrozen => {
                keep(stage, StandbyMode::Frozen).await;
                stage.host.until("shop", |it| idle(it, SlotState::Frozen)).await;
            }
            _ => {}
        }
        if self == Kind::Freeze {
            stage.host.until("shop", |it| idle(it, SlotState::Stopped)).await;
        }
    }

    /// The release that served before and the one that serves: which versions, and their archives.
    fn before(self, stage: &Stage) -> [(u32, PathBuf); 2] {
        if stage.beam == Beam::Shop {
            return match self {
                Kind::DeployUnhealthy => [1, 2],
                Kind::RollBackReverting => [12, 8],
                Kind::RollBackRestoring => [11, 8],
                _ => [12, 13],
            }
            .map(|it| (it, archive(it)));
        }
        let mut first = Stub::new(1).migrations(1);
        if self == Kind::RollBackRestoring {
            first = first.option("--unhealthy-while", unhealthy(stage).display());
        }
        let mut second = Stub::new(2).migrations(2);
        if matches!(self, Kind::Freeze | Kind::RollBackFrozen) {
            let journal = stage.host.path("database/queue");
            [first, second] = [first, second]
                .map(|it| it.option("--library", journal.display()).option("--job", 20));
        }
        [(1, stage.stub(&first)), (2, stage.stub(&second))]
    }

    /// The release after them.
    fn next(self, stage: &Stage) -> PathBuf {
        if stage.beam == Beam::Shop {
            return archive(match self {
                Kind::DeployUnhealthy => 4,
                // One that knows what the release before it knows: the way back applies nothing.
                Kind::RollBackWithinTheBake => 13,
                _ => 12,
            });
        }
        let stub = Stub::new(3).migrations(2);
        stage.stub(&match self {
            Kind::Deploy | Kind::Build => stub.migrations(3),
            Kind::DeployUnhealthy => {
                std::fs::write(unhealthy(stage), "").unwrap();
                stub.option("--unhealthy-while", unhealthy(stage).display())
            }
            Kind::DeployDying => stub.option("--dies-at", deadly(stage).display()),
            Kind::Cancel => stub.option("--slow", 400),
            _ => stub,
        })
    }

    /// Asks for it. The daemon may die meanwhile, so that no answer counts.
    pub async fn ask(self, stage: &Stage) {
        let client = &stage.host.client;
        if self == Kind::Build && stage.beam == Beam::Stub {
            stage.commit(&Stub::new(3).migrations(3));
            let _ = client.build("shop", &Build::default()).await;
            return;
        }
        let back = |migrations| Rollback { migrations, ..Rollback::default() };
        match self {
            // The shop's builds have tests of their own.
            Kind::Deploy | Kind::Build | Kind::DeployUnhealthy => {
                let _ = stage.deploy(&self.next(stage)).await;
            }
            Kind::DeployDying => {
                let old = stage.host.processes();
                let _ = stage.deploy(&self.next(stage)).await;
                stage.until_or_gone(|it| step(it) == Some(Status::Baking)).await;
                std::fs::write(deadly(stage), "").unwrap();
                if stage.beam == Beam::Shop {
                    let mut new = stage.host.processes();
                    new.retain(|it| !old.contains(it) && processes::name(*it) == "beam.smp");
                    new.iter().for_each(|it| processes::signal(*it, Signal::SIGKILL));
                }
            }
            Kind::Freeze => {
                let asked = KeepStandby { mode: StandbyMode::Frozen, for_ms: None };
                let _ = client.standby("shop", &asked).await;
                stage.until_or_gone(|it| idle(it, SlotState::Frozen)).await;
            }
            Kind::RollBack | Kind::RollBackWithinTheBake | Kind::RollBackFrozen => {
                let _ = client.rollback("shop", &back(None)).await;
            }
            Kind::RollBackReverting | Kind::RollBackRestoring => {
                let revert = back(Some(MigrationChoice::Revert));
                let _ = client.rollback("shop", &revert).await;
            }
            Kind::Restart => {
                let _ = client.restart("shop", &Restart::default()).await;
            }
            Kind::Cancel => {
                let _ = stage.deploy(&self.next(stage)).await;
                stage.until_or_gone(|it| step(it) == Some(Status::Starting)).await;
                let _ = client.cancel("shop").await;
            }
            Kind::StopAndStart => {
                let _ = client.stop("shop").await;
                stage.until_or_gone(|it| it.slots.iter().all(|it| it.pid.is_none())).await;
                let _ = client.start("shop").await;
            }
            Kind::Crash => {
                let Ok(status) = client.app("shop").await else { return };
                let Some(pid) = status.slots.iter().find_map(|it| it.pid) else { return };
                processes::signal(pid, Signal::SIGKILL);
                while processes::is_alive(pid) {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                let another = |it: Option<u32>| it.is_some_and(|it| it != pid);
                stage.until_or_gone(|it| it.slots.iter().any(|it| another(it.pid))).await;
            }
        }
    }

    /// Brings an app to its feet that was left stopped.
    pub async fn mend(self, stage: &Stage) {
        if stage.host.status("shop").await.desired == Desired::Stopped {
            stage.host.client.start("shop").await.unwrap();
        }
    }

    /// Whether this may have come of it: the deployments since, oldest first, as `kind status`.
    pub fn allows(self, since: &[String], come: Come) -> bool {
        let since: Vec<&str> = since.iter().map(String::as_str).collect();
        if since.is_empty() {
            return !come.begun || matches!(self, Kind::StopAndStart | Kind::Crash | Kind::Freeze);
        }
        match self {
            Kind::Deploy | Kind::Build => {
                since == ["deploy succeeded"] || !come.starting && since == ["deploy failed"]
            }
            Kind::DeployUnhealthy => since == ["deploy failed"],
            Kind::DeployDying => {
                since == ["deploy rolled_back", "rollback succeeded"] || since == ["deploy failed"]
            }
            Kind::RollBack
            | Kind::RollBackWithinTheBake
            | Kind::RollBackReverting
            | Kind::RollBackFrozen => since == ["rollback succeeded"],
            Kind::RollBackRestoring => since == ["rollback failed"],
            Kind::Restart => since == ["restart succeeded"],
            // Where the daemon died before it heard of it, the deploy goes on.
            Kind::Cancel => {
                since == ["deploy cancelled"]
                    || since == ["deploy succeeded"]
                    || !come.starting && since == ["deploy failed"]
            }
            Kind::StopAndStart | Kind::Crash | Kind::Freeze => false,
        }
    }

    /// Whether these may be applied to the stub's database then.
    pub fn fits(self, since: &[String], applied: &[u64]) -> bool {
        let went = since.last().map(String::as_str);
        match self {
            Kind::Deploy | Kind::Build if went == Some("deploy succeeded") => applied == [1, 2, 3],
            // What a migration does that runs when the daemon dies, nobody can say.
            Kind::Deploy | Kind::Build => applied == [1, 2] || applied == [1, 2, 3],
            Kind::RollBackReverting if went == Some("rollback succeeded") => applied == [1],
            _ => applied == [1, 2],
        }
    }
}

/// Has the idle slot kept as this from now on.
async fn keep(stage: &Stage, mode: StandbyMode) {
    stage.host.client.standby("shop", &KeepStandby { mode, for_ms: None }).await.unwrap();
}

/// Whether the idle slot does this.
fn idle(status: &AppStatus, state: SlotState) -> bool {
    status.slots.iter().any(|it| Some(it.slot) != status.active && it.state == state)
}

fn is(version: Option<String>, wanted: u32) -> bool {
    version.is_some_and(|it| it == format!("{wanted}.0.0"))
}

fn step(status: &AppStatus) -> Option<Status> {
    status.deployment.as_ref().map(|it| it.status)
}

/// When this file is there, those who look at it die.
fn deadly(stage: &Stage) -> PathBuf {
    stage.host.path("deadly")
}

/// While this file is there, those who look at it are not healthy.
fn unhealthy(stage: &Stage) -> PathBuf {
    stage.host.path("unhealthy")
}

//! Everything that a deployment can be, and what may come of it when the daemon dies on its way.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use vial_protocol::request::{Restart, Rollback};
use vial_protocol::{Desired, MigrationChoice, Status};

use crate::stage::Stage;
use crate::support::processes;
use crate::support::stub::Stub;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The next release.
    Deploy,
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
    /// What the app's file says for it.
    pub fn lines(self) -> &'static str {
        match self {
            Kind::DeployUnhealthy | Kind::RollBackRestoring => {
                "bake = \"0s\"\nhealth = { deadline = \"700ms\" }\n"
            }
            Kind::DeployDying => "bake = \"500ms\"\n",
            Kind::RollBackWithinTheBake => "bake = \"900ms\"\n",
            _ => "bake = \"0s\"\n",
        }
    }

    /// Whether every request must be answered.
    pub fn loses_nothing(self) -> bool {
        !matches!(self, Kind::StopAndStart | Kind::Crash)
    }

    /// Sees to it that v2 serves and v1 served before it, and does what must be done before this
    /// can be asked for.
    pub async fn prepare(self, stage: &Stage) {
        let _ = std::fs::remove_file(unhealthy(stage));
        let status = stage.rest().await;
        let serves = |version: &str| status.serving.as_ref().is_some_and(|it| it.version == version);
        let plan = stage.host.client.plan("shop", &Rollback::default()).await;
        let back_to_v1 = plan.is_ok_and(|it| it.to.version == "1.0.0");
        if !(serves("2.0.0") && back_to_v1 && stage.applied() == [1, 2]) {
            let mut v1 = Stub::new(1).migrations(1);
            if self == Kind::RollBackRestoring {
                v1 = v1.option("--unhealthy-while", unhealthy(stage).display());
            }
            stage.deployed(&stage.archive(&v1)).await;
            stage.deployed(&stage.archive(&Stub::new(2).migrations(2))).await;
        }
        match self {
            Kind::RollBackWithinTheBake => {
                let number = stage.deploy(&self.next(stage)).await.unwrap();
                stage.host.until_deployment(number, |it| it.is_live()).await;
            }
            Kind::RollBackRestoring => std::fs::write(unhealthy(stage), "").unwrap(),
            _ => {}
        }
    }

    /// The next release.
    fn next(self, stage: &Stage) -> PathBuf {
        let stub = Stub::new(3).migrations(2);
        stage.archive(&match self {
            Kind::Deploy => stub.migrations(3),
            Kind::DeployUnhealthy => {
                std::fs::write(unhealthy(stage), "").unwrap();
                stub.option("--unhealthy-while", unhealthy(stage).display())
            }
            Kind::DeployDying => stub.option("--dies-after", 200),
            Kind::Cancel => stub.option("--slow", 400),
            _ => stub,
        })
    }

    /// Asks for it. The daemon may die meanwhile, so that no answer counts.
    pub async fn ask(self, stage: &Stage) {
        let client = &stage.host.client;
        let back = |migrations| Rollback { migrations, ..Rollback::default() };
        match self {
            Kind::Deploy | Kind::DeployUnhealthy | Kind::DeployDying => {
                let _ = stage.deploy(&self.next(stage)).await;
            }
            Kind::RollBack | Kind::RollBackWithinTheBake => {
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
                let starts = |status: Option<Status>| status == Some(Status::Starting);
                stage.until_or_gone(|it| starts(it.deployment.as_ref().map(|it| it.status))).await;
                let _ = client.cancel("shop").await;
            }
            Kind::StopAndStart => {
                let _ = client.stop("shop").await;
                let stopped = |it: &vial_protocol::AppStatus| it.slots.iter().all(|it| it.pid.is_none());
                stage.until_or_gone(stopped).await;
                let _ = client.start("shop").await;
            }
            Kind::Crash => {
                let Ok(status) = client.app("shop").await else { return };
                let Some(pid) = status.slots.iter().find_map(|it| it.pid) else { return };
                processes::signal(pid, Signal::SIGKILL);
                while processes::is_alive(pid) {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                let again = |it: &vial_protocol::AppStatus| {
                    it.slots.iter().any(|it| it.pid.is_some_and(|it| it != pid))
                };
                stage.until_or_gone(again).await;
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
            return !come.begun || matches!(self, Kind::StopAndStart | Kind::Crash);
        }
        match self {
            Kind::Deploy => {
                since == ["deploy succeeded"] || !come.starting && since == ["deploy failed"]
            }
            Kind::DeployUnhealthy => since == ["deploy failed"],
            Kind::DeployDying => {
                since == ["deploy rolled_back", "rollback succeeded"] || since == ["deploy failed"]
            }
            Kind::RollBack | Kind::RollBackWithinTheBake | Kind::RollBackReverting => {
                since == ["rollback succeeded"]
            }
            Kind::RollBackRestoring => since == ["rollback failed"],
            Kind::Restart => since == ["restart succeeded"],
            // Where the daemon died before it heard of it, the deploy goes on.
            Kind::Cancel => {
                since == ["deploy cancelled"]
                    || since == ["deploy succeeded"]
                    || !come.starting && since == ["deploy failed"]
            }
            Kind::StopAndStart | Kind::Crash => false,
        }
    }

    /// Whether these may be applied to the database then.
    pub fn fits(self, since: &[String], applied: &[u64]) -> bool {
        let went = since.last().map(String::as_str);
        match self {
            Kind::Deploy if went == Some("deploy succeeded") => applied == [1, 2, 3],
            // What a migration does that runs when the daemon dies, nobody can say.
            Kind::Deploy => applied == [1, 2] || applied == [1, 2, 3],
            Kind::RollBackReverting if went == Some("rollback succeeded") => applied == [1],
            _ => applied == [1, 2],
        }
    }
}

/// While this file is there, those who look at it are not healthy.
fn unhealthy(stage: &Stage) -> PathBuf {
    stage.host.path("unhealthy")
}

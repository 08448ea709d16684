//! A host with two releases, of which the first is kept when the second has come.

use std::path::PathBuf;

use vial_protocol::{AppStatus, Deployment, Plan, Slot, SlotState, Standby, Status};

use crate::support::processes;
use crate::support::releases::text;
use crate::support::stub::Stub;
use crate::support::{Host, Setup};

/// The host.
pub struct Stage {
    pub host: Host,
}

impl Stage {
    /// A host with an app, of whose file this is a part; no bake, so that standby begins at once.
    pub async fn new(standby: &str) -> Stage {
        let host = Setup::new()
            .app(
                "shop",
                &format!(
                    "bake = \"0s\"\ndrain = {{ timeout = \"2s\" }}\nstop = {{ timeout = \"5s\" }}\n\
                     standby = {standby}"
                ),
            )
            .start()
            .await;
        // The app's user writes it.
        let folder = host.path("written");
        std::fs::create_dir(&folder).unwrap();
        std::fs::create_dir(host.path("made")).unwrap();
        std::process::Command::new("chmod").arg("777").arg(&folder).status().unwrap();
        Stage { host }
    }

    /// The queues' journal.
    pub fn journal(&self) -> PathBuf {
        self.host.path("written/journal")
    }

    /// While it is there, no release with a library comes to rest.
    pub fn restless(&self) -> PathBuf {
        self.host.path("written/restless")
    }

    /// A release with a library.
    pub fn with_library(&self, version: u32) -> Stub {
        Stub::new(version)
            .option("--library", self.journal().display())
            .option("--job", 40)
            .option("--restless-while", self.restless().display())
    }

    /// Deploys a release to its end.
    pub async fn deploy(&self, stub: &Stub) -> Deployment {
        let archive = stub.archive(&self.host.path("made"));
        self.host.vial(&["deploy", "shop", text(&archive), "--json"]).await.ends(0).json()
    }

    /// Deploys two releases with libraries: the first is in blue, the second serves from green.
    pub async fn both(&self) {
        for version in [1, 2] {
            self.deploy(&self.with_library(version)).await;
        }
    }

    /// Waits until blue is kept and ready.
    pub async fn kept(&self) -> (AppStatus, Standby) {
        let ready = |it: &AppStatus| blue(it).is_some_and(|it| it.ready);
        let status = self.host.until("shop", ready).await;
        let standby = blue(&status).unwrap();
        (status, standby)
    }

    /// Waits until blue is not kept any more, and nothing runs in it.
    pub async fn gone(&self) -> AppStatus {
        let gone = |it: &AppStatus| {
            let slot = it.slot(Slot::Blue).unwrap();
            slot.standby.is_none() && slot.state == SlotState::Stopped
        };
        self.host.until("shop", gone).await
    }

    pub async fn blue_pid(&self) -> u32 {
        self.host.pid("shop", Slot::Blue).await.unwrap()
    }

    pub async fn plan(&self) -> Plan {
        self.host.vial(&["rollback", "shop", "--plan", "--json"]).await.ends(0).json()
    }

    /// Rolls back to its end: the deployment.
    pub async fn roll_back(&self) -> Deployment {
        let number = self.host.roll_back_detached(None).await;
        let rollback = self.host.until_ended(number).await;
        assert_eq!(rollback.status, Status::Succeeded, "{rollback:#?}");
        rollback
    }

    /// What the last step of a deployment says.
    pub async fn said_of(&self, number: u64) -> String {
        let deployment = self.host.deployment(number).await;
        deployment.steps.last().and_then(|it| it.outcome.clone()).unwrap_or_default()
    }
}

fn blue(status: &AppStatus) -> Option<Standby> {
    status.slot(Slot::Blue).unwrap().standby.clone()
}

/// Waits until a process is stopped by a signal, or is not.
pub async fn stopped(pid: u32, is: bool) {
    for _ in 0..400 {
        if processes::is_stopped(pid) == is {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{pid} is {}stopped", if is { "not " } else { "" });
}

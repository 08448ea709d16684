//! A daemon and a Caddy of our own, and the end of all that was started.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use vial::client::Client;
use vial::slot::{Identity, Process, User, port};
use vial_protocol::request::Accepted;
use vial_protocol::{Deployment, SlotState, Status};

use crate::place::{APP, HOST, Place, Settings};
use crate::probe::Question;
use crate::program::{Program, end};
use crate::trouble::{Trouble, trying};
use crate::watch::Watch;

/// How long a program of ours may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a step of a deployment may take before the demo gives up.
pub const STEP: Duration = Duration::from_secs(90);
/// How long the slots may take to end: as long as the app may, and some more.
const SLOTS: Duration = Duration::from_secs(70);

/// All that runs.
pub struct Ground {
    /// The folder.
    pub place: Place,
    /// The daemon's API.
    pub client: Client,
    /// What the daemon says of the app.
    pub watch: Watch,
    vial: PathBuf,
    programs: Programs,
}

/// What was started, so far.
#[derive(Default)]
struct Programs {
    daemon: Option<Program>,
    caddy: Option<Program>,
}

impl Ground {
    /// Starts a daemon, and then a Caddy that imports what the daemon wrote for it.
    ///
    /// # Errors
    /// Where one of them does not come to serve. Then nothing of it is left.
    pub async fn prepare(vial: &Path, settings: &Settings) -> Result<Ground, Trouble> {
        let place = Place::make(settings)?;
        let client = Client::new(place.socket());
        let mut programs = Programs::default();
        match start(vial, &place, &client, &mut programs).await {
            Ok(watch) => Ok(Ground { place, client, watch, vial: vial.to_owned(), programs }),
            Err(trouble) => {
                let _ = programs.end().await;
                Err(trouble)
            }
        }
    }

    /// The daemon's and Caddy's pids.
    #[must_use]
    pub fn pids(&self) -> (u32, u32) {
        let pid = |program: &Option<Program>| program.as_ref().map_or(0, Program::pid);
        (pid(&self.programs.daemon), pid(&self.programs.caddy))
    }

    /// What visitors ask for.
    #[must_use]
    pub fn home(&self) -> Question {
        Question { address: self.place.address(), host: HOST.into(), path: "/" }
    }

    /// Runs a command of the command line, to its end.
    ///
    /// # Errors
    /// Where it fails.
    pub async fn vial(&self, arguments: &[&str]) -> Result<String, Trouble> {
        let mut command = command(&self.vial, &self.place);
        command.args(arguments).stdin(Stdio::null());
        let Output { status, stdout, stderr } = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .output()
            .await
            .map_err(trying(self.vial.display().to_string()))?;
        let text = String::from_utf8_lossy(&stdout).into_owned();
        if status.success() {
            return Ok(text);
        }
        Err(Trouble::Command {
            command: arguments.join(" "),
            status: status.code().map_or_else(|| "a signal".into(), |code| code.to_string()),
            output: text + &String::from_utf8_lossy(&stderr),
        })
    }

    /// Deploys an archive and waits until it is live. Its number.
    ///
    /// # Errors
    /// Where it does not go live.
    pub async fn deploy(&self, archive: &Path) -> Result<u64, Trouble> {
        let path = archive.to_string_lossy();
        let said = self.vial(&["deploy", APP, &path, "--detach", "--json"]).await?;
        let accepted: Accepted = serde_json::from_str(&said)?;
        let number = accepted.deployment.unwrap_or_default();
        let live = |it: &Deployment| it.number == number && it.status >= Status::Draining;
        self.watch
            .until("the deploy's switch", STEP, |status| {
                status.deployment.iter().chain(&status.last).any(|it| live(it))
            })
            .await?;
        let deployment = self.client.deployment(APP, number).await?;
        match deployment.error {
            Some(problem) if deployment.live_at.is_none() => {
                Err(Trouble::Failed { problem: Box::new(problem) })
            }
            _ => Ok(number),
        }
    }

    /// Waits until nothing is in progress and one slot runs alone.
    ///
    /// # Errors
    /// Where that does not come.
    pub async fn settled(&self) -> Result<(), Trouble> {
        let alone = self.watch.until("the end of the deployment", STEP, |status| {
            let idle = status.active.and_then(|active| status.slot(active.other()));
            status.deployment.is_none() && idle.is_none_or(|slot| slot.state == SlotState::Stopped)
        });
        alone.await.map(drop)
    }

    /// Ends all that was started, slots included, and removes the folder.
    ///
    /// # Errors
    /// What could not be ended, or removed.
    pub async fn end(self) -> Result<(), Trouble> {
        let Ground { place, client, watch, mut programs, .. } = self;
        let slots = stop_app(&client, &watch).await;
        let epmd = port::listener(place.epmd).ok().flatten();
        let ended = programs.end().await;
        // What the daemon did not end, and what it never ends: its slots' epmd.
        let epmd = epmd.filter(|it| it.name.as_deref() == Some("epmd")).and_then(|it| it.pid);
        let epmd = epmd.and_then(|pid| Identity::of(pid).ok().flatten());
        for (name, identity) in
            slots.into_iter().map(|it| ("a slot", it)).chain(epmd.map(|it| ("epmd", it)))
        {
            if let Ok(Some(process)) = Process::adopt(&identity) {
                end(name, &process, PATIENCE).await?;
            }
        }
        ended?;
        place.remove()
    }
}

impl Programs {
    async fn end(&mut self) -> Result<(), Trouble> {
        let mut ended = Ok(());
        for program in [self.daemon.take(), self.caddy.take()].into_iter().flatten() {
            ended = ended.and(program.end(PATIENCE).await);
        }
        ended
    }
}

async fn start(
    vial: &Path,
    place: &Place,
    client: &Client,
    programs: &mut Programs,
) -> Result<Watch, Trouble> {
    let mut serve = command(vial, place);
    serve.arg("serve");
    let daemon = Program::start("the daemon", serve, None, &place.root().join("daemon.log"))?;
    let daemon = programs.daemon.insert(daemon);
    daemon.until(PATIENCE, async || client.status().await.ok()).await?;

    let user = caddy_user();
    let home = place.folder_of("caddy", user.as_ref())?;
    let mut run = Command::new("caddy");
    run.args(["run", "--adapter", "caddyfile", "--config"]).arg(place.caddyfile());
    run.current_dir(&home);
    for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
        run.env(name, &home);
    }
    let caddy = Program::start("Caddy", run, user.as_ref(), &place.root().join("caddy.log"))?;
    let caddy = programs.caddy.insert(caddy);
    caddy.until(PATIENCE, async || TcpStream::connect(place.address()).await.ok()).await?;
    Watch::start(client).await
}

/// As on a real host Caddy is no root, where its package has made a user for it.
fn caddy_user() -> Option<User> {
    let own = User::current().ok().flatten()?;
    (own.uid == 0).then(|| User::find("caddy").ok().flatten()).flatten()
}

/// The command line, talking to our daemon and to no other.
fn command(vial: &Path, place: &Place) -> Command {
    let mut command = Command::new(vial);
    command.env("VIAL_CONFIG", place.config()).env_remove("VIAL_SOCKET");
    command
}

/// Stops the app, whatever it is doing. Every process that a slot had: they should be gone.
async fn stop_app(client: &Client, watch: &Watch) -> Vec<Identity> {
    let deadline = Instant::now() + PATIENCE;
    let stopped = |status: &vial_protocol::AppStatus| {
        status.slots.iter().all(|slot| slot.state == SlotState::Stopped)
    };
    while Instant::now() < deadline && !watch.now().is_none_or(|status| stopped(&status)) {
        // A deployment that is not live yet stands in the way of stopping.
        let _ = client.cancel(APP).await;
        if client.stop(APP).await.is_ok() {
            let _ = watch.until("the end of the slots", SLOTS, stopped).await;
            break;
        }
        sleep(Duration::from_millis(200)).await;
    }
    watch.slots()
}

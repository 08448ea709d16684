//! A daemon, a Caddy and apps in a folder of their own, and the end of all that was started.
//!
//! Where we are root, the daemon and the apps run as a user that is not: an app of root's daemon
//! needs a user of its own, and no host has a hundred of them to spare.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use vial::client::{Client, Upload};
use vial::slot::{Identity, Process, User, port};
use vial_demo::place::free_ports;
use vial_demo::program::{Program, end};
use vial_demo::trouble::{Trouble, trying};
use vial_protocol::request::Deploy;
use vial_protocol::{AppStatus, SlotState};

/// How long a program of ours may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a deployment, or the end of all apps, may take.
const STEP: Duration = Duration::from_secs(120);

/// The binaries and the user that everything runs with.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The `vial` that is measured.
    pub vial: PathBuf,
    /// The stub release's program.
    pub stub: PathBuf,
    /// The folder of the shop's releases.
    pub shop: PathBuf,
    /// The root of the repository.
    pub root: PathBuf,
    /// Whom the apps run as; needed where we are root.
    pub user: Option<String>,
    /// Whether to measure little, only to see that it works.
    pub quick: bool,
    /// With how many stub apps to measure, in place of the usual counts.
    pub apps: Vec<usize>,
}

impl Tools {
    /// So many, or a few where little is to be measured.
    #[must_use]
    pub fn times(&self, usual: usize, quick: usize) -> usize {
        if self.quick { quick } else { usual }
    }
}

/// What is on it.
#[derive(Debug, Clone)]
pub struct Setup {
    /// How many apps.
    pub apps: usize,
    /// The name of their release.
    pub release: &'static str,
    /// What their files say beside that.
    pub lines: String,
    /// What the host's file says under `[caddy]`.
    pub caddy: &'static str,
}

/// All that runs.
pub struct Host {
    /// The daemon's API.
    pub client: Client,
    /// The names of the apps.
    pub apps: Vec<String>,
    /// The binary of the daemon and the command line: where its user can run it.
    pub vial: PathBuf,
    /// The stub release's program, likewise.
    pub stub: PathBuf,
    folder: TempDir,
    user: Option<User>,
    http: u16,
    epmd: u16,
    daemon: Option<Program>,
    caddy: Option<Program>,
}

impl Host {
    /// Writes the configuration, and starts a daemon and a Caddy.
    ///
    /// # Errors
    /// Where one of them does not come to serve. Then nothing of it is left.
    pub async fn start(tools: &Tools, setup: &Setup) -> Result<Host, Trouble> {
        Host::write(tools, setup)?.run().await
    }

    /// The same, once `before` has done something to the state folder.
    ///
    /// # Errors
    /// As [`Host::start`].
    pub async fn start_after(
        tools: &Tools,
        setup: &Setup,
        before: impl AsyncFnOnce(&Path) -> Result<(), Trouble>,
    ) -> Result<Host, Trouble> {
        let host = Host::write(tools, setup)?;
        fs::create_dir_all(host.state()).map_err(trying("the state folder"))?;
        before(&host.state()).await?;
        host.give(&host.state())?;
        for file in fs::read_dir(host.state()).map_err(trying("the state folder"))?.flatten() {
            host.give(&file.path())?;
        }
        host.run().await
    }

    async fn run(mut self) -> Result<Host, Trouble> {
        let started = async {
            self.start_daemon().await?;
            self.start_caddy().await
        };
        match started.await {
            Ok(()) => Ok(self),
            Err(trouble) => {
                let _ = self.end().await;
                Err(trouble)
            }
        }
    }

    fn write(tools: &Tools, setup: &Setup) -> Result<Host, Trouble> {
        let user = match &tools.user {
            Some(name) => User::find(name).map_err(trying("the user of the apps"))?,
            None => None,
        };
        let folder = tempfile::Builder::new()
            .prefix("vial-bench-")
            // Caddy passes through.
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .map_err(trying("a temporary folder"))?;
        let ports = free_ports(setup.apps * 2 + 3)?;
        let [http, admin, epmd, slots @ ..] = ports.as_slice() else {
            return Err(Trouble::Waited { what: "finding free ports".into(), seconds: 1 });
        };
        let root = folder.path();
        let mut host = Host {
            client: Client::new(root.join("run/vial.sock")),
            apps: (1..=setup.apps).map(|it| format!("app{it}")).collect(),
            vial: root.join("vial"),
            stub: root.join("vial-bench-stub"),
            http: *http,
            epmd: *epmd,
            daemon: None,
            caddy: None,
            user,
            folder,
        };
        if let [only] = host.apps.as_mut_slice() {
            *only = vial_demo::place::APP.into();
        }
        let written = host.write_files(tools, setup, *admin, slots);
        written.map_err(trying(host.root().display().to_string()))?;
        host.give(host.root())?;
        Ok(host)
    }

    fn write_files(
        &self,
        tools: &Tools,
        setup: &Setup,
        admin: u16,
        slots: &[u16],
    ) -> std::io::Result<()> {
        // Where we were built, others may not be let in.
        fs::copy(&tools.vial, &self.vial)?;
        fs::copy(&tools.stub, &self.stub)?;
        let Setup { release, lines, caddy, .. } = setup;
        fs::write(
            self.config(),
            format!(
                "state_dir = \"state\"\nrun_dir = \"run\"\nepmd_port = {}\n\n\
                 [caddy]\nadmin = \"127.0.0.1:{admin}\"\n{caddy}\n",
                self.epmd
            ),
        )?;
        fs::create_dir(self.root().join("apps"))?;
        let mut sites = format!("{{\n\tadmin 127.0.0.1:{admin}\n\tauto_https off\n}}\n");
        for (name, ports) in self.apps.iter().zip(slots.chunks_exact(2)) {
            let [blue, green] = ports else { continue };
            let file = self.root().join("apps").join(format!("{name}.toml"));
            fs::write(
                file,
                format!(
                    "name = \"{name}\"\nrelease = \"{release}\"\n\
                     ports = {{ blue = {blue}, green = {green} }}\n\
                     hosts = [\"{name}.localhost\"]\n{lines}\n"
                ),
            )?;
            let snippet = self.state().join("route").join(name).join("Caddyfile");
            let _ = write!(
                sites,
                "\nhttp://{name}.localhost:{} {{\n\tbind 127.0.0.1\n\timport {}\n}}\n",
                self.http,
                snippet.display()
            );
        }
        fs::write(self.root().join("Caddyfile"), sites)
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The daemon's state folder.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root().join("state")
    }

    /// What Caddy listens on for visitors.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        (std::net::Ipv4Addr::LOCALHOST, self.http).into()
    }

    /// The daemon's process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().map_or(0, Program::pid)
    }

    /// The daemon's configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root().join("vial.toml")
    }

    fn give(&self, path: &Path) -> Result<(), Trouble> {
        let Some(user) = &self.user else { return Ok(()) };
        chown(path, Some(user.uid), Some(user.gid)).map_err(trying(path.display().to_string()))
    }

    /// A command of the command line, talking to our daemon and to no other.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.vial);
        command.args(arguments).env("VIAL_CONFIG", self.config()).env_remove("VIAL_SOCKET");
        command.stdin(Stdio::null());
        command
    }

    /// Runs it to its end, and says how long that took.
    ///
    /// # Errors
    /// Where it fails.
    pub async fn vial(&self, arguments: &[&str]) -> Result<(String, Duration), Trouble> {
        let mut command = tokio::process::Command::from(self.command(arguments));
        let began = Instant::now();
        let output = command.kill_on_drop(true).output().await;
        let (output, took) = (output.map_err(trying("the command line"))?, began.elapsed());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok((text, took));
        }
        Err(Trouble::Command {
            command: arguments.join(" "),
            status: output.status.code().map_or_else(|| "a signal".into(), |it| it.to_string()),
            output: text + &String::from_utf8_lossy(&output.stderr),
        })
    }

    /// Starts the daemon, and waits until it answers.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn start_daemon(&mut self) -> Result<(), Trouble> {
        let log = self.root().join("daemon.log");
        let mut command = self.command(&["serve"]);
        // As its unit has it.
        command.env("MALLOC_ARENA_MAX", "2");
        let daemon = Program::start("the daemon", command, self.user.as_ref(), &log)?;
        let daemon = self.daemon.insert(daemon);
        let client = &self.client;
        daemon.until(PATIENCE, async || client.status().await.ok()).await.map(drop)
    }

    /// Stops the daemon; its slots run on.
    ///
    /// # Errors
    /// Where it does not end.
    pub async fn stop_daemon(&mut self) -> Result<(), Trouble> {
        match self.daemon.take() {
            Some(daemon) => daemon.end(PATIENCE).await,
            None => Ok(()),
        }
    }

    async fn start_caddy(&mut self) -> Result<(), Trouble> {
        let home = self.root().join("caddy");
        fs::create_dir_all(&home).map_err(trying("Caddy's folder"))?;
        self.give(&home)?;
        let mut run = Command::new("caddy");
        run.args(["run", "--adapter", "caddyfile", "--config"]).arg(self.root().join("Caddyfile"));
        run.current_dir(&home);
        for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            run.env(name, &home);
        }
        let log = self.root().join("caddy.log");
        let caddy = Program::start("Caddy", run, self.user.as_ref(), &log)?;
        let caddy = self.caddy.insert(caddy);
        let address = (std::net::Ipv4Addr::LOCALHOST, self.http);
        caddy.until(PATIENCE, async || TcpStream::connect(address).await.ok()).await.map(drop)
    }

    /// Deploys an archive to an app, and waits until nothing is in progress there.
    ///
    /// # Errors
    /// Where it does not go live.
    pub async fn deploy(&self, app: &str, archive: &Path) -> Result<u64, Trouble> {
        let archive = archive.to_owned();
        let upload =
            Upload::new(move |out| std::io::copy(&mut fs::File::open(&archive)?, out).map(drop));
        let accepted = self.client.deploy(app, &Deploy::default(), upload).await?;
        let status = self.settled(app).await?;
        match status.last.and_then(|it| it.error) {
            Some(problem) => Err(Trouble::Failed { problem: Box::new(problem) }),
            None => Ok(accepted.deployment.unwrap_or_default()),
        }
    }

    /// Waits until nothing is in progress and the idle slot is empty.
    ///
    /// # Errors
    /// Where that does not come.
    pub async fn settled(&self, app: &str) -> Result<AppStatus, Trouble> {
        let alone = |status: &AppStatus| {
            let idle = status.active.and_then(|active| status.slot(active.other()));
            status.deployment.is_none() && idle.is_none_or(|it| it.state == SlotState::Stopped)
        };
        self.until(app, "the end of the deployment", alone).await
    }

    /// Waits until an app's status is as wished.
    ///
    /// # Errors
    /// Where that does not come.
    pub async fn until(
        &self,
        app: &str,
        what: &str,
        wished: impl Fn(&AppStatus) -> bool,
    ) -> Result<AppStatus, Trouble> {
        let deadline = Instant::now() + STEP;
        loop {
            let status = self.client.app(app).await?;
            if wished(&status) {
                return Ok(status);
            }
            if Instant::now() > deadline {
                let what = format!("{what} of {app}");
                return Err(Trouble::Waited { what, seconds: STEP.as_secs() });
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends all that was started, slots included, and removes the folder.
    ///
    /// # Errors
    /// What could not be ended, or removed.
    pub async fn end(mut self) -> Result<(), Trouble> {
        let mut left = self.stop_apps().await;
        let epmd = port::listener(self.epmd).ok().flatten();
        let epmd = epmd.filter(|it| it.name.as_deref() == Some("epmd")).and_then(|it| it.pid);
        left.extend(epmd.and_then(|pid| Identity::of(pid).ok().flatten()));
        let mut ended = Ok(());
        for program in [self.daemon.take(), self.caddy.take()].into_iter().flatten() {
            ended = ended.and(program.end(PATIENCE).await);
        }
        for identity in left {
            if let Ok(Some(process)) = Process::adopt(&identity) {
                ended = ended.and(end("a slot or its epmd", &process, PATIENCE).await);
            }
        }
        let path = self.root().display().to_string();
        ended.and(self.folder.close().map_err(trying(path)))
    }

    /// Stops every app. The processes that slots had: they should be gone.
    async fn stop_apps(&self) -> Vec<Identity> {
        let statuses = async || match self.client.status().await {
            Ok(status) => status.apps,
            Err(_) => Vec::new(),
        };
        let pids: Vec<u32> = statuses()
            .await
            .iter()
            .flat_map(|app| app.slots.iter().filter_map(|slot| slot.pid).collect::<Vec<_>>())
            .collect();
        let slots = pids.iter().filter_map(|pid| Identity::of(*pid).ok().flatten()).collect();
        let deadline = Instant::now() + STEP;
        let _ = self.client.down().await;
        let runs = |app: &AppStatus| app.slots.iter().any(|it| it.state != SlotState::Stopped);
        while Instant::now() < deadline && statuses().await.iter().any(runs) {
            sleep(Duration::from_millis(50)).await;
        }
        slots
    }
}

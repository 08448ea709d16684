//! A host while it runs.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::Signal;
use tempfile::TempDir;
use vial::client::Client;
use vial_protocol::Slot;

use super::caddy::Caddy;
use super::daemon::{self, Daemon};
use super::said::Said;
use super::setup::{self, Site};
use super::turn::Turn;
use super::{processes, web};

/// An app's ports.
#[derive(Debug, Clone)]
pub struct AppPorts {
    pub name: String,
    pub blue: u16,
    pub green: u16,
    /// Whether Caddy knows it; a worker has no use for its ports.
    pub routed: bool,
}

/// A host while it runs.
pub struct Host {
    pub folder: TempDir,
    pub state: PathBuf,
    pub binary: PathBuf,
    pub apps: Vec<AppPorts>,
    /// Caddy's admin port.
    pub admin: u16,
    /// Where Caddy serves every app's site.
    pub web: u16,
    /// Where the daemon serves the dashboard, which Caddy passes on.
    pub dashboard: Option<u16>,
    /// What the daemon's environment has beside the usual, from its next start on.
    pub env: Vec<(String, String)>,
    /// Speaks to the daemon.
    pub client: Client,
    site: Site,
    daemon: Option<Daemon>,
    caddy: Option<Caddy>,
    _turn: Turn,
}

impl Host {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn new(
        folder: TempDir,
        state: PathBuf,
        binary: PathBuf,
        apps: Vec<AppPorts>,
        admin: u16,
        web: u16,
        site: Site,
        turn: Turn,
    ) -> Host {
        let client = Client::new(folder.path().join("run/vial.sock"));
        let (daemon, caddy) = (None, None);
        let env = Vec::new();
        Host {
            folder,
            state,
            binary,
            apps,
            admin,
            web,
            dashboard: None,
            env,
            client,
            site,
            daemon,
            caddy,
            _turn: turn,
        }
    }

    /// A daemon, a Caddy, and the app `shop` with what else its file says.
    pub async fn shop(lines: &str) -> Host {
        super::Setup::new().app("shop", lines).start().await
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn config(&self) -> PathBuf {
        self.path("vial.toml")
    }

    pub fn socket(&self) -> PathBuf {
        self.path("run/vial.sock")
    }

    /// What the daemon logged.
    pub fn daemon_log(&self) -> String {
        std::fs::read_to_string(self.path("daemon.log")).unwrap_or_default()
    }

    // The daemon and Caddy

    pub async fn start_daemon(&mut self) {
        assert!(self.daemon.is_none(), "it runs already");
        let log = self.path("daemon.log");
        let (config, socket) = (self.config(), self.socket());
        let started = Daemon::start(&self.binary, &config, &socket, &log, &self.env).await;
        self.daemon = Some(started);
    }

    /// Starts a daemon that may be gone before it serves.
    pub async fn start_daemon_that_may_die(&mut self) {
        assert!(self.daemon.is_none(), "it runs already");
        let log = self.path("daemon.log");
        self.daemon = Some(Daemon::begin(&self.binary, &self.config(), &log));
    }

    /// Starts the daemon by a command of the test's own.
    pub async fn start_daemon_by(&mut self, command: std::process::Command) {
        assert!(self.daemon.is_none(), "it runs already");
        let log = self.path("daemon.log");
        self.daemon = Some(Daemon::start_by(command, &self.socket(), &log).await);
    }

    /// A command of the binary, as [`Host::vial`] runs it.
    pub fn command(&self) -> std::process::Command {
        daemon::command(&self.binary, &self.config())
    }

    pub fn daemon_pid(&self) -> u32 {
        self.daemon.as_ref().unwrap().pid()
    }

    /// `kill -9`
    pub fn kill_daemon(&mut self) {
        self.daemon.take().unwrap().kill();
    }

    /// Waits for a daemon that ends by itself. Whether it did, within `patience`.
    pub async fn daemon_ends(&mut self, patience: std::time::Duration) -> bool {
        let ended = self.daemon.as_mut().unwrap().ends(patience).await;
        if ended {
            self.daemon = None;
        }
        ended
    }

    /// Ends the daemon with a signal; how it ended.
    pub async fn end_daemon(&mut self, signal: Signal) -> std::process::ExitStatus {
        self.daemon.take().unwrap().end(signal).await
    }

    /// Lets the daemon stop itself at a point, as if by SIGSTOP.
    #[cfg(feature = "faults")]
    pub fn stop_daemon_at(&self, point: &str) {
        std::fs::create_dir_all(self.path("faults")).unwrap();
        std::fs::write(self.path("faults/stops"), point).unwrap();
    }

    /// Waits until it has.
    #[cfg(feature = "faults")]
    pub async fn until_daemon_is_stopped(&self) {
        let pid = self.daemon_pid();
        let stopped = async {
            while !processes::is_stopped(pid) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, stopped).await.expect("the daemon comes to its point");
    }

    /// Starts Caddy, unless the host has none.
    pub async fn start_caddy(&mut self) {
        if self.site != Site::NoCaddy {
            self.write_caddyfile();
            self.caddy = Some(Caddy::start(self.folder.path()).await);
        }
    }

    pub fn write_caddyfile(&self) {
        let mut text = setup::caddyfile(self.admin, self.web, &self.state, &self.apps, self.site);
        if let Some(port) = self.dashboard {
            let site = format!("{}:{}", setup::DASHBOARD, self.web);
            text.push_str(&format!("http://{site} {{\nreverse_proxy 127.0.0.1:{port}\n}}\n"));
        }
        std::fs::write(self.path("Caddyfile"), text).unwrap();
    }

    /// Changes what Caddy's file says, and makes Caddy read it.
    pub fn change_site(&mut self, site: Site) {
        self.site = site;
        self.write_caddyfile();
        self.caddy.as_ref().unwrap().reload(self.admin);
    }

    /// `kill -9`
    pub fn stop_caddy(&mut self) {
        self.caddy = None;
    }

    /// Kills Caddy, and starts it with a file that says something else.
    pub async fn restart_caddy_with(&mut self, site: Site) {
        self.stop_caddy();
        self.site = site;
        self.start_caddy().await;
    }

    pub fn caddy_pid(&self) -> u32 {
        self.caddy.as_ref().unwrap().pid()
    }

    /// Writes an app's file anew; the daemon is not told.
    pub fn write_app(&mut self, app: AppPorts, lines: &str) {
        let index = self.apps.iter().position(|it| it.name == app.name);
        let index = index.unwrap_or_else(|| {
            self.apps.push(app.clone());
            self.apps.len() - 1
        });
        setup::write_app(&self.folder, &app, setup::user(index), lines);
    }

    /// Changes what the file of `shop` says, and makes the daemon read it.
    pub async fn reconfigure(&mut self, lines: &str) {
        self.write_app(self.apps[0].clone(), lines);
        self.vial(&["reload"]).await.ends(0);
    }

    // Asking

    /// Runs the command line to its end.
    pub async fn vial(&self, args: &[&str]) -> Said {
        self.vial_with_input(args, Stdio::null()).await
    }

    /// The same as another user, which takes root.
    pub async fn vial_as(&self, user: &str, args: &[&str]) -> Said {
        let user = nix::unistd::User::from_name(user).unwrap().unwrap();
        // Where everybody can reach it.
        let binary = self.path("vial");
        if !binary.exists() {
            // By a program: a file that this process has open for writing, also in a child that
            // another test forks meanwhile, cannot be executed.
            let copied = std::process::Command::new("cp").arg(&self.binary).arg(&binary).status();
            assert!(copied.unwrap().success());
        }
        let mut command = daemon::command(&binary, &self.config());
        command.args(args).stdin(Stdio::null()).current_dir("/");
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        let output = tokio::process::Command::from(command).kill_on_drop(true).output().await;
        Said::new(args, &output.unwrap())
    }

    pub async fn vial_with_input(&self, args: &[&str], input: impl Into<Stdio>) -> Said {
        let mut command = daemon::command(&self.binary, &self.config());
        command.args(args).stdin(input);
        let output = tokio::process::Command::from(command).kill_on_drop(true).output();
        let output = tokio::time::timeout(std::time::Duration::from_secs(90), output).await;
        let Ok(output) = output else { panic!("`vial {}` does not end", args.join(" ")) };
        Said::new(args, &output.unwrap())
    }

    /// A page of an app through Caddy.
    pub async fn get(&self, app: &str, path: &str) -> web::Page {
        web::get(self.web, &format!("{app}.localhost"), path).await.unwrap()
    }

    /// A page of a slot, past Caddy.
    pub async fn get_slot(&self, app: &str, slot: Slot, path: &str) -> Option<web::Page> {
        web::get(self.port(app, slot), &format!("{app}.localhost"), path).await.ok()
    }

    pub fn port(&self, app: &str, slot: Slot) -> u16 {
        let app = self.apps.iter().find(|it| it.name == app).unwrap();
        match slot {
            Slot::Blue => app.blue,
            Slot::Green => app.green,
        }
    }

    /// The processes of the host, but for its daemon and Caddy.
    pub fn processes(&self) -> Vec<u32> {
        let known = [self.daemon.as_ref().map(Daemon::pid)];
        let mut pids = processes::in_folder(self.folder.path());
        pids.retain(|pid| !known.contains(&Some(*pid)) && processes::name(*pid) != "caddy");
        pids
    }

    /// Everything below a folder, by name.
    pub fn listing(&self, below: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(below).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.daemon_log();
            let from = log.len().saturating_sub(6000);
            eprintln!("--- the daemon's log\n{}", log.get(from..).unwrap_or(&log));
        }
        // The daemon first: it would start again what is ended under it.
        self.daemon = None;
        self.caddy = None;
        processes::end_all(self.folder.path());
        // Where the state is elsewhere, epmd is known by its log there.
        processes::end_all(&self.state);
    }
}

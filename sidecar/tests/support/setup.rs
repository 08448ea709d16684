//! What is on a host before it starts.

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::host::{AppPorts, Host};
use super::turn::{self, Turn};
use super::{daemon, is_root, ports};

/// System users that every Debian has, so that root's apps have one each.
const USERS: [&str; 3] = ["games", "list", "irc"];

/// The host name of the dashboard, where there is one.
pub const DASHBOARD: &str = "vial.localhost";

/// What Caddy's file says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// Each app's site imports Vial's snippet.
    Imported,
    /// The sites are there, and import nothing.
    NotImported,
    /// No Caddy runs.
    NoCaddy,
}

/// What is on a host before it starts.
pub struct Setup {
    apps: Vec<(String, String, bool)>,
    host: String,
    caddy: String,
    site: Site,
    binary: PathBuf,
    state: Option<PathBuf>,
    dashboard: bool,
    turn: Option<Turn>,
}

impl Setup {
    /// A Caddy and no app.
    pub fn new() -> Setup {
        Setup {
            apps: Vec::new(),
            host: String::new(),
            caddy: String::new(),
            site: Site::Imported,
            binary: daemon::VIAL.into(),
            state: None,
            dashboard: false,
            turn: None,
        }
    }

    /// An app with a site, and what else its file says.
    pub fn app(mut self, name: &str, lines: &str) -> Setup {
        self.apps.push((name.into(), lines.into(), true));
        self
    }

    /// An app without a site.
    pub fn worker(mut self, name: &str, lines: &str) -> Setup {
        self.apps.push((name.into(), lines.into(), false));
        self
    }

    /// What the host's file says after `[caddy]`.
    pub fn host(mut self, lines: &str) -> Setup {
        self.host.push_str(lines);
        self
    }

    /// A dashboard on loopback, with no Caddy before it.
    pub fn plain_dashboard(self, port: u16) -> Setup {
        self.host(&format!("[dashboard]\nlisten = \"127.0.0.1:{port}\"\n"))
    }

    /// What the host's file says under `[caddy]`.
    pub fn caddy(mut self, lines: &str) -> Setup {
        self.caddy.push_str(lines);
        self
    }

    /// What Caddy's file says.
    pub fn site(mut self, site: Site) -> Setup {
        self.site = site;
        self
    }

    /// Another binary than the one that is tested: a release build.
    pub fn binary(mut self, binary: PathBuf) -> Setup {
        self.binary = binary;
        self
    }

    /// A state folder elsewhere.
    pub fn state(mut self, folder: PathBuf) -> Setup {
        self.state = Some(folder);
        self
    }

    /// A dashboard behind Caddy, at a host of its own.
    pub fn dashboard(mut self) -> Setup {
        self.dashboard = true;
        self
    }

    /// No other test runs meanwhile.
    pub fn alone(mut self) -> Setup {
        self.turn = Some(turn::alone());
        self
    }

    /// Starts the daemon, then Caddy.
    pub async fn start(self) -> Host {
        let mut host = self.write();
        host.start_daemon().await;
        host.start_caddy().await;
        host
    }

    /// Writes the configuration, and starts nothing.
    pub fn write(self) -> Host {
        let turn = self.turn.unwrap_or_else(turn::shared);
        let folder = tempfile::Builder::new().prefix("vial-e2e-").tempdir().unwrap();
        // The app's user passes through it.
        open(folder.path());
        let (admin, web) = (ports::free(), ports::free());
        let state = self.state.unwrap_or_else(|| folder.path().join("state"));
        let dashboard = self.dashboard.then(ports::free);
        let section = dashboard.map_or_else(String::new, |port| {
            format!("[dashboard]\nlisten = \"127.0.0.1:{port}\"\nhosts = [\"{DASHBOARD}\"]\n")
        });
        let text = format!(
            "state_dir = {state:?}\nrun_dir = \"run\"\n[caddy]\nadmin = \"127.0.0.1:{admin}\"\n{}\n{}\n{section}",
            self.caddy, self.host
        );
        std::fs::write(folder.path().join("vial.toml"), text).unwrap();
        std::fs::create_dir(folder.path().join("apps")).unwrap();
        let mut apps = Vec::new();
        for (index, (name, lines, routed)) in self.apps.iter().enumerate() {
            let app = AppPorts {
                name: name.clone(),
                blue: ports::free(),
                green: ports::free(),
                routed: *routed,
            };
            write_app(&folder, &app, USERS[index], lines);
            apps.push(app);
        }
        let mut host = Host::new(folder, state, self.binary, apps, admin, web, self.site, turn);
        host.dashboard = dashboard;
        host
    }
}

/// Writes an app's file.
pub fn write_app(folder: &TempDir, app: &AppPorts, user: &str, lines: &str) {
    let mut text = format!("name = \"{}\"\nrelease = \"shop\"\n", app.name);
    if is_root() {
        writeln!(text, "user = \"{user}\"").unwrap();
    }
    let AppPorts { name, blue, green, routed } = app;
    if *routed {
        writeln!(text, "ports = {{ blue = {blue}, green = {green} }}").unwrap();
        writeln!(text, "hosts = [\"{name}.localhost\"]").unwrap();
    } else {
        // The shop listens somewhere in any case.
        let file = folder.path().join(format!("{name}.env"));
        std::fs::write(&file, "PORT=0\n").unwrap();
        writeln!(text, "env_file = {file:?}").unwrap();
    }
    text.push_str(lines);
    text.push('\n');
    std::fs::write(folder.path().join("apps").join(format!("{}.toml", app.name)), text).unwrap();
}

/// Caddy's file: a site for each app.
pub fn caddyfile(admin: u16, web: u16, state: &Path, apps: &[AppPorts], site: Site) -> String {
    let mut text = format!("{{\nadmin 127.0.0.1:{admin}\nskip_install_trust\nauto_https off\n}}\n");
    for app in apps.iter().filter(|app| app.routed) {
        let name = &app.name;
        let inside = match site {
            Site::Imported => format!("import {}/route/{name}/Caddyfile", state.display()),
            _ => "respond 200".into(),
        };
        writeln!(text, "http://{name}.localhost:{web} {{\n{inside}\n}}").unwrap();
    }
    text
}

/// Lets everybody pass through a folder.
pub fn open(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The user of the app with that index, where the daemon is root.
pub fn user(index: usize) -> &'static str {
    USERS[index]
}

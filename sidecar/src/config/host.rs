//! What the host file says, checked and with everything that is usual filled in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Address, Targets};

/// The host: where things are, and what holds for every app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// The file that this was read from; absolute.
    pub file: PathBuf,
    /// Releases, slots, history. Absolute; it can stand in a Caddyfile as it is.
    pub state_dir: PathBuf,
    /// What does not outlive the host's next boot; absolute.
    pub run_dir: PathBuf,
    /// The API's socket, where it is not [`HostConfig::socket`]'s usual one; absolute.
    pub socket: Option<PathBuf>,
    /// The folder of the apps' files; absolute.
    pub apps_dir: PathBuf,
    /// Members of this group may do everything, like root.
    pub operators_group: String,
    /// The port of this daemon's epmd; absent: the daemon chooses.
    pub epmd_port: Option<u16>,
    /// How Caddy is told and asked.
    pub caddy: Caddy,
    /// What a caller may send at most.
    pub limits: Limits,
    /// How many builds may go on at once on this host: 1 to 64.
    pub builds: u32,
    /// What the daemon itself logs.
    pub log: Log,
    /// Where webhooks are taken; absent: nowhere.
    pub hooks: Option<SocketAddr>,
    /// Where the dashboard is; absent: nowhere.
    pub dashboard: Option<Dashboard>,
    /// Who is told of every app.
    pub notify: Targets,
}

impl HostConfig {
    /// The API's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.socket.clone().unwrap_or_else(|| self.run_dir.join("vial.sock"))
    }

    /// What an empty host file at an absolute path means.
    #[must_use]
    pub fn usual(file: &Path) -> HostConfig {
        HostConfig {
            file: file.to_owned(),
            state_dir: "/var/lib/vial".into(),
            run_dir: "/run/vial".into(),
            socket: None,
            apps_dir: file.with_file_name("apps"),
            operators_group: "vial".into(),
            epmd_port: None,
            caddy: Caddy::default(),
            limits: Limits::default(),
            builds: 1,
            log: Log::default(),
            hooks: None,
            dashboard: None,
            notify: Targets::new(),
        }
    }
}

/// Where the dashboard is, and for whom it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The names that it is asked by, in small letters; none: this host's own alone.
    pub hosts: Vec<String>,
    /// The proxies that say truly for whom they ask, and how.
    pub proxies: Vec<IpAddr>,
}

impl Dashboard {
    /// What an address alone means.
    #[must_use]
    pub fn at(listen: SocketAddr) -> Dashboard {
        let proxies = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        Dashboard { listen, hosts: Vec::new(), proxies }
    }

    /// Where a browser finds it.
    #[must_use]
    pub fn url(&self) -> String {
        match self.hosts.first() {
            Some(host) => format!("https://{host}"),
            // Nothing but this host's own names is answered without any other.
            None if self.listen.is_ipv6() => format!("http://[::1]:{}", self.listen.port()),
            None => format!("http://127.0.0.1:{}", self.listen.port()),
        }
    }
}

/// How Caddy is told and asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caddy {
    /// Its admin address; absent where it is off.
    pub admin: Option<Address>,
    /// How a switch is made.
    pub mode: RouteMode,
    /// Where to ask through Caddy which slot answers, where that is not its own address.
    pub probe: Option<Address>,
}

impl Default for Caddy {
    fn default() -> Self {
        Caddy {
            admin: Some(Address::Tcp { host: "127.0.0.1".into(), port: 2019 }),
            mode: RouteMode::File,
            probe: None,
        }
    }
}

/// How a switch is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteMode {
    /// By a file that Caddy looks for at each request.
    File,
    /// By a change through Caddy's admin address.
    Admin,
}

/// What a caller may send at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a release when it is unpacked.
    pub release_bytes: u64,
    /// Files, folders and links in a release.
    pub release_entries: u64,
    /// Unpacked bytes for each byte of the archive.
    pub release_ratio: u64,
    /// How long an upload may send nothing.
    pub upload_idle: Duration,
    /// Bytes of a request that is not an upload.
    pub request_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            release_bytes: 2 << 30,
            release_entries: 100_000,
            release_ratio: 200,
            upload_idle: Duration::from_secs(60),
            request_bytes: 1 << 20,
        }
    }
}

/// What the daemon itself logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// The least important that is logged.
    pub level: LogLevel,
    /// How a line looks.
    pub format: LogFormat,
}

/// How important a line of the log is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something will fail, or went another way than was asked.
    Warn,
    /// What the daemon does.
    #[default]
    Info,
    /// Why it does it.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word, as in the file and in a filter of `tracing`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// The journal where standard error leads there, for people on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// systemd's journal, in its own protocol.
    Journal,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

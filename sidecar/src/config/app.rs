//! What an app's file says, checked and with everything that is usual filled in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use vial_protocol::{Slot, StandbyMode};

use super::{Health, Source, Targets, UserIds};

/// One app. Two that are equal need no change when the configuration is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppConfig {
    /// Its name, as in commands, paths and node names: `[a-z][a-z0-9_]{0,31}`.
    pub name: String,
    /// The release's name: its script is `bin/<release>`.
    pub release: String,
    /// Who its releases run as; absent where they run as the daemon does. Always present, never
    /// root and never shared where the daemon is root.
    pub user: Option<UserIds>,
    /// The slots' ports. Always present where there are `hosts`.
    pub ports: Option<Ports>,
    /// The host names that Caddy serves it under, in lower case; the first label may be `*`.
    /// Empty: a worker, without a route.
    pub hosts: Vec<String>,
    /// A file of `NAME=value` lines that is read at each start; absolute, and not opened yet.
    pub env_file: Option<PathBuf>,
    /// Further variables, by slot.
    pub slot_env: SlotEnv,
    /// The host in the node's name, `shop_blue@` this.
    pub node_host: String,
    /// How a slot's health is known.
    pub health: Health,
    /// Paths that must each answer below 400 once before a switch.
    pub verify: Vec<String>,
    /// How long requests in flight may take to end: up to 1 h.
    pub drain_timeout: Duration,
    /// How long a release may take to end after SIGTERM, before SIGKILL: up to 1 h.
    pub stop_timeout: Duration,
    /// How long after a switch a crash or failing health takes a deploy back: up to 24 h; zero:
    /// never by itself.
    pub bake: Duration,
    /// What an idle slot does.
    pub standby: Standby,
    /// What starts a release.
    pub start: Start,
    /// When a release loads its modules; as it says itself where absent.
    pub mode: Option<Mode>,
    /// How many releases are kept on disk: 2 to 100.
    pub keep_releases: u32,
    /// How much is kept of each slot's log.
    pub logs: Logs,
    /// Who may reach the node by Erlang distribution.
    pub distribution: Distribution,
    /// An Elixir expression that is evaluated in the new release before it starts.
    pub migrate: Option<String>,
    /// The Ecto repositories whose migrations count; each a module's name.
    pub repos: Vec<String>,
    /// Where its code comes from.
    pub source: Option<Source>,
    /// Who is told of it, beside those whom the host names; one of the same name counts instead.
    pub notify: Targets,
}

impl AppConfig {
    /// Whether it has no route.
    #[must_use]
    pub fn is_worker(&self) -> bool {
        self.hosts.is_empty()
    }

    /// The port of a slot.
    #[must_use]
    pub fn port(&self, slot: Slot) -> Option<u16> {
        self.ports.map(|ports| ports.of(slot))
    }

    /// The Erlang node's name of a slot: `shop_blue@127.0.0.1`.
    #[must_use]
    pub fn node(&self, slot: Slot) -> String {
        format!("{}_{slot}@{}", self.name, self.node_host)
    }
}

/// The TCP ports of both slots; they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// The blue slot's.
    pub blue: u16,
    /// The green slot's.
    pub green: u16,
}

impl Ports {
    /// The port of a slot.
    #[must_use]
    pub fn of(self, slot: Slot) -> u16 {
        match slot {
            Slot::Blue => self.blue,
            Slot::Green => self.green,
        }
    }
}

/// Environment variables by slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotEnv {
    /// The blue slot's.
    pub blue: EnvVars,
    /// The green slot's.
    pub green: EnvVars,
}

impl SlotEnv {
    /// The variables of a slot.
    #[must_use]
    pub fn of(&self, slot: Slot) -> &EnvVars {
        match slot {
            Slot::Blue => &self.blue,
            Slot::Green => &self.green,
        }
    }
}

/// Environment variables. Their values may be secrets: `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EnvVars(pub(super) BTreeMap<String, String>);

impl EnvVars {
    /// Each name with its value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for EnvVars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What an idle slot does after it was drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standby {
    /// What it does.
    pub mode: StandbyMode,
    /// How long, before it is stopped: 1 s to 24 h. Cold slots are stopped at once.
    pub lasts: Duration,
    /// How long a release may take to come to rest, once its slot has lost the traffic: 100 ms to
    /// 10 min. So long the release that took the traffic waits before it works queues and timers.
    pub rest: Duration,
    /// What becomes of a slot that shall be frozen and does not come to rest in that time: warm or
    /// cold.
    pub otherwise: StandbyMode,
}

/// What starts a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Its own script, `bin/NAME start`.
    Script,
    /// Vial, with what the script would have computed; the script, where the release is another
    /// than Vial knows.
    Direct,
}

impl Start {
    /// As in the app's file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Start::Script => "script",
            Start::Direct => "direct",
        }
    }
}

/// When a release loads its modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All of them, before it starts.
    Embedded,
    /// Each when it is called first; the rest in the background, once the release has the traffic.
    Interactive,
}

impl Mode {
    /// As in the app's file, and in `RELEASE_MODE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Embedded => "embedded",
            Mode::Interactive => "interactive",
        }
    }
}

/// How much is kept of a slot's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logs {
    /// How many bytes of it are not compressed: 1 MiB to 16 GiB.
    pub live: u64,
    /// How many bytes the compressed rest may take: up to 1 TiB.
    pub keep: u64,
    /// How long a line is kept: 1 h to 3650 d.
    pub lasts: Duration,
}

/// Who may reach an app's nodes by Erlang distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// This host only: epmd and distribution listen on 127.0.0.1.
    Loopback,
    /// Other hosts as well.
    Cluster,
}

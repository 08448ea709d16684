//! What an app's jobs work with: its configuration and the tools that go with it.

use std::path::PathBuf;
use std::sync::Arc;

use vial_protocol::Slot;

use super::machine::Settings;
use super::paths::AppLayout;
use crate::build::Line;
use crate::config::{AppConfig, HostConfig, Standby};
use crate::route::Route;
use crate::store::Store;
use crate::vault::{Key, Vault};

/// What is the same for every app of the daemon.
#[derive(Debug, Clone)]
pub struct Daemon {
    /// The host's configuration.
    pub host: Arc<HostConfig>,
    /// The journal and the history.
    pub store: Store,
    /// This daemon's own epmd listens there.
    pub epmd_port: u16,
    /// Names this daemon's state folder in the marks of its processes.
    pub id: Arc<str>,
    /// Opens the values of the apps' environments; absent where it is gone.
    pub key: Option<Arc<Key>>,
    /// The program that is run to start others: the daemon's own.
    pub binary: PathBuf,
    /// The line in which the builds of all apps wait.
    pub builds: Arc<Line>,
}

/// One app, as it is configured now. Replaced whole when the configuration changes.
pub struct Context {
    /// The daemon's.
    pub daemon: Daemon,
    /// The app's configuration.
    pub config: AppConfig,
    /// Where its things are.
    pub layout: AppLayout,
    /// The secret of its Erlang nodes.
    pub cookie: String,
    /// The values of its environment.
    pub vault: Arc<Vault>,
    /// How traffic is sent to a slot; absent for a worker.
    pub route: Option<Arc<Route>>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("app", &self.config.name).finish_non_exhaustive()
    }
}

impl Context {
    /// The app's name.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.config.name
    }

    /// What the state machine needs of the configuration.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let Standby { mode: standby, otherwise, lasts, .. } = self.config.standby;
        Settings {
            migrates: self.config.migrate.is_some(),
            bakes: !self.config.bake.is_zero(),
            standby,
            otherwise,
            lasts,
        }
    }

    /// The mark that everything of a run bears in its environment.
    #[must_use]
    pub fn marker(&self, run: u64) -> String {
        format!("{}{run}", self.markers())
    }

    /// What all marks of the app begin with.
    #[must_use]
    pub fn markers(&self) -> String {
        format!("{}.{}.", self.daemon.id, self.app())
    }

    /// Whether a change to `other` can be made while the app runs.
    #[must_use]
    pub fn keeps_identity(&self, other: &AppConfig) -> bool {
        let now = &self.config;
        now.release == other.release
            && now.user == other.user
            && now.ports == other.ports
            && now.node_host == other.node_host
            && now.is_worker() == other.is_worker()
    }

    /// How the route is told, in one word.
    #[must_use]
    pub fn route_mode(&self) -> &'static str {
        match self.daemon.host.caddy.mode {
            crate::config::RouteMode::File => "file",
            crate::config::RouteMode::Admin => "admin",
        }
    }

    /// The release's script of a release.
    #[must_use]
    pub fn script(&self, release: u64) -> PathBuf {
        self.layout.release(release).join("bin").join(&self.config.release)
    }

    /// The address that a slot's release listens on, for people.
    #[must_use]
    pub fn address(&self, slot: Slot) -> String {
        self.config.port(slot).map_or_else(|| "no port".into(), |port| format!("127.0.0.1:{port}"))
    }
}

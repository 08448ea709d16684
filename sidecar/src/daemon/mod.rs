//! The daemon: `vial serve`.
//!
//! [`run`] reads the configuration, takes the state folder ([`place`]), opens the store, brings
//! every app to life ([`apps`]) and serves the API until it is told to stop. Its slots run on.
//! [`logging`] says what it does, [`routing`] how its configuration describes an app's route.
//!
//! The signals and the end come in as arguments, so that a test owns them.

pub mod apps;
pub mod logging;
pub mod routing;

mod place;
mod socket;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::api;
use crate::app::context::Daemon;
use crate::app::paths::Layout;
use crate::config::{Config, ConfigError};
use crate::slot::cgroup;
use crate::store::ballast::Ballast;
use crate::store::{OpenError, Store};

/// Why the daemon cannot start. The operator reads it, and systemd's journal keeps it.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The host's configuration is broken.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A folder of ours cannot be made or used.
    #[error("{path}: {why}. Vial needs this to keep its state; check the owner and the mode.")]
    Place {
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// Another daemon has the state folder.
    #[error(
        "another vial daemon uses {path}: two of them on one state folder would fight over the \
         slots. Stop that one, or give this one a `state_dir` of its own."
    )]
    Taken {
        /// The lock file.
        path: PathBuf,
    },
    /// The history cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The history cannot be read.
    #[error(transparent)]
    Read(#[from] crate::store::StoreError),
    /// The API's socket cannot be opened.
    #[error("the socket {path} cannot be opened: {why}")]
    Socket {
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
}

/// What is told to a daemon while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Read the configuration again.
    Reload,
    /// Stop; the slots run on.
    Stop,
}

/// Runs a daemon until it is told to stop. `ready` is called once it serves.
///
/// # Errors
/// Where it cannot start. No slot was touched then.
pub async fn run(
    config: Config,
    binary: &Path,
    mut signals: mpsc::Receiver<Signal>,
    ready: impl FnOnce(),
) -> Result<(), ServeError> {
    let started_at = Timestamp::now();
    let layout = Layout::new(&config.host.state_dir);
    let _lock = place::take(&layout)?;
    let store = Store::open_with(&layout.database(), Ballast::at(&layout.ballast()))?;
    let daemon = Daemon {
        host: Arc::new(config.host.clone()),
        id: place::id(&store).await?.into(),
        epmd_port: place::epmd_port(&store, config.host.epmd_port).await?,
        store,
        binary: binary.to_owned(),
    };
    cgroup::tidy(&daemon.id);
    let path = daemon.host.socket();
    let listener = socket::listen(&path)?;
    let apps = apps::Apps::open(daemon.clone(), layout, config).await;
    let (reload, mut reloads) = mpsc::channel::<api::Reload>(4);
    let shared = api::Shared {
        apps: apps.reader(),
        store: daemon.store.clone(),
        host: daemon.host.clone(),
        reload,
        started_at,
    };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let server = tokio::spawn(api::serve(listener, shared, stopped));
    tracing::info!(socket = %path.display(), apps = apps.count(), "serving");
    ready();
    loop {
        tokio::select! {
            signal = signals.recv() => match signal {
                Some(Signal::Reload) => { apps.reload().await; }
                Some(Signal::Stop) | None => break,
            },
            Some(tell) = reloads.recv() => {
                let _ = tell.send(apps.reload().await);
            }
        }
    }
    tracing::info!("stopping; the slots run on");
    stop.send_replace(true);
    apps.release().await;
    let _ = server.await;
    socket::remove(&path);
    Ok(())
}

//! The daemon: `vial serve`.
//!
//! [`run`] takes the state folder ([`place`]), opens the store, brings every app to life ([`apps`])
//! and serves the API until it is told to stop. Its slots run on, unless the host itself stops
//! ([`shutdown`]): then they are ended in order. [`logging`] says what it does, in the [`journal`]
//! where that is there; [`routing`] how its configuration describes an app's route; [`manager`] is
//! what systemd is told, with [`words`] for its status line and a [`watchdog`] that lets the loop
//! say that it lives; [`together`] stops and starts all apps at once. [`check`] tells whether a
//! daemon would start, without being one.
//!
//! The listener, the service manager, the signals and the end come in as arguments, so that a test
//! owns them.

pub mod apps;
pub mod check;
pub mod logging;
pub mod manager;
pub mod routing;
pub mod words;

mod journal;
mod place;
mod shutdown;
mod socket;
mod status;
mod together;
mod watchdog;

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use tokio::sync::mpsc;

use self::apps::Apps;
use self::manager::Manager;
use self::watchdog::Watchdog;
use crate::api::audit::Trail;
use crate::api::{self, Order};
use crate::app::context::Daemon;
use crate::app::paths::Layout;
use crate::app::values;
use crate::build::Line;
use crate::config::{Config, ConfigError};
use crate::console::Consoles;
use crate::gate::Gate;
use crate::hooks;
use crate::metrics::Metrics;
use crate::notify;
use crate::slot::cgroup;
use crate::store::ballast::Ballast;
use crate::store::{OpenError, Store};

/// How long orders that were begun may take to end when the daemon stops.
const LAST_ORDERS: Duration = Duration::from_secs(10);

/// How long consoles may take to end when the daemon stops; then they are killed.
const LAST_CONSOLES: Duration = Duration::from_secs(5);

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
    /// A part of it ended that must not.
    #[error("the daemon could not start: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

/// What is told to a daemon while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Read the configuration again.
    Reload,
    /// Stop; the slots run on, unless the host stops.
    Stop,
}

/// What a daemon is started with.
#[derive(Debug)]
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// The program that is run to start others: the daemon's own.
    pub binary: PathBuf,
    /// The API's socket, where somebody holds it open for the daemon.
    pub listener: Option<UnixListener>,
    /// What it is told.
    pub signals: mpsc::Receiver<Signal>,
    /// Whom it tells how it is.
    pub manager: Manager,
}

/// Runs a daemon until it is told to stop.
///
/// # Errors
/// Where it cannot start. No slot was touched then.
pub async fn run(start: Start) -> Result<(), ServeError> {
    let started_at = Timestamp::now();
    let Start { config, binary, listener, mut signals, manager } = start;
    let layout = Layout::new(&config.host.state_dir);
    let _lock = place::take(&layout)?;
    let (database, ballast) = (layout.database(), layout.ballast());
    let opening =
        tokio::task::spawn_blocking(move || Store::open_with(&database, Ballast::at(&ballast)));
    // It may have to be copied and brought up to date first.
    let store = manager.patiently(opening).await??;
    let daemon = Daemon {
        host: Arc::new(config.host.clone()),
        id: place::id(&store).await?.into(),
        epmd_port: place::epmd_port(&store, config.host.epmd_port).await?,
        key: values::key(&layout, &store).await?,
        store,
        binary,
        builds: Arc::new(Line::new(config.host.builds)),
    };
    cgroup::tidy(&daemon.id);
    let path = daemon.host.socket();
    let adopted = listener.is_some();
    let listener = match listener {
        Some(listener) => socket::adopt(listener, &path)?,
        None => socket::listen(&path)?,
    };
    let apps = manager.patiently(Apps::open(daemon.clone(), layout, config)).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let consoles = Consoles::new(stopped.clone());
    let (tell, orders) = mpsc::channel::<Order>(4);
    let shared = api::Shared {
        apps: apps.reader(),
        store: daemon.store.clone(),
        host: daemon.host.clone(),
        orders: tell,
        consoles: consoles.clone(),
        streams: api::Streams::new(stopped.clone()),
        gate: Gate::new(daemon.store.clone()),
        audit: Trail::new(daemon.store.clone()),
        metrics: Metrics::start(apps.reader()),
        started_at,
    };
    let hooks = daemon.host.hooks.map(|address| {
        let shared = hooks::Shared {
            apps: apps.reader(),
            store: daemon.store.clone(),
            layout: Layout::new(&daemon.host.state_dir),
        };
        tokio::spawn(hooks::serve(address, shared, stopped.clone()))
    });
    let telling = notify::keep_delivering(daemon.store.clone(), daemon.host.clone(), apps.reader());
    let telling = tokio::spawn(telling);
    let dashboard =
        daemon.host.dashboard.as_ref().map(|it| {
            tokio::spawn(api::serve_dashboard(it.listen, shared.clone(), stopped.clone()))
        });
    let server = tokio::spawn(api::serve(listener, shared, stopped));
    tracing::info!(socket = %path.display(), apps = apps.count(), "serving");
    manager.ready(&words::apps(&apps.statuses())).await;
    let status = tokio::spawn(status::keep_telling(apps.reader(), manager.clone()));

    work(&apps, &daemon.store, &manager, orders, &mut signals).await;

    status.abort();
    manager.stopping().await;
    stop.send_replace(true);
    leave(&apps, &manager).await;
    telling.abort();
    let _ = tokio::time::timeout(LAST_CONSOLES, consoles.ended()).await;
    let _ = server.await;
    for other in [hooks, dashboard].into_iter().flatten() {
        let _ = other.await;
    }
    if !adopted {
        socket::remove(&path);
    }
    Ok(())
}

/// The main loop. Nothing in it waits for anything but all of it: what takes its time is an order
/// that is worked on beside, so that a hang of the loop is one of the daemon.
async fn work(
    apps: &Apps,
    store: &Store,
    manager: &Manager,
    mut orders: mpsc::Receiver<Order>,
    signals: &mut mpsc::Receiver<Signal>,
) {
    let registry = apps.reader();
    let mut watchdog = Watchdog::new(manager);
    let mut begun = FuturesUnordered::new();
    loop {
        tokio::select! {
            signal = signals.recv() => match signal {
                Some(Signal::Reload) => {
                    let (tell, _) = tokio::sync::oneshot::channel();
                    begun.push(obey(apps, store, manager, Order::Reload(tell), true));
                }
                Some(Signal::Stop) | None => break,
            },
            Some(order) = orders.recv() => begun.push(obey(apps, store, manager, order, false)),
            Some(()) = begun.next(), if !begun.is_empty() => {}
            () = watchdog.due() => {
                let registry = registry.borrow().clone();
                watchdog.look(manager, store, &registry).await;
            }
        }
    }
    let rest = async { while begun.next().await.is_some() {} };
    if tokio::time::timeout(LAST_ORDERS, rest).await.is_err() {
        tracing::warn!("stopping although the configuration is still being read");
    }
}

/// Does what was ordered. `told` is whether the service manager ordered it and waits to hear of it.
async fn obey(apps: &Apps, store: &Store, manager: &Manager, order: Order, told: bool) {
    // Whoever asked may be gone; what was begun is done all the same.
    match order {
        Order::Reload(tell) => {
            if told {
                manager.reloading().await;
            }
            let _ = tell.send(apps.reload().await);
            if told {
                manager.reloaded().await;
            }
        }
        Order::Down(actor, tell) => {
            let _ = tell.send(together::down(apps, store, actor).await);
        }
        Order::Up(actor, tell) => {
            let _ = tell.send(together::up(apps, store, actor).await);
        }
    }
}

/// Gives every app up, and says what becomes of the slots.
async fn leave(apps: &Apps, manager: &Manager) {
    let slots = words::slots(&apps.statuses());
    if shutdown::host_stops(manager).await {
        let text = match slots.as_slice() {
            [] => "the host stops; no slot runs".into(),
            _ => format!("the host stops; ending the slots: {}", slots.join(", ")),
        };
        tracing::info!("{text}");
        manager.status(&text).await;
        manager.patiently(apps.end()).await;
        tracing::info!("stopped; the slots have ended");
        manager.status("stopped; the slots have ended").await;
        return;
    }
    apps.release().await;
    let text = words::stopped(&slots);
    tracing::info!("{text}");
    manager.status(&text).await;
}

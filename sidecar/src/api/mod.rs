//! The one API: HTTP/1.1 and JSON on the Unix socket.
//!
//! [`server`] takes connections and learns who is behind each ([`peer`]); [`router`] says which
//! path is what, [`caller`] which app a request is about and whether its peer may. A handler checks,
//! converts and delegates to the app's handle: [`read`] for what
//! only looks, [`change`] for what changes, [`deploy`] for archives, [`events`] and [`logs`] for
//! streams, [`console`] for what runs in a release, [`migrations`] for the
//! database. [`answer`] turns every problem into a response.
//!
//! This folder knows `app` by its handle and nothing of its inside.

mod answer;
mod caller;
mod change;
mod console;
mod deploy;
mod events;
mod logs;
mod migrations;
mod peer;
mod read;
mod router;
mod server;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use crate::app::registry::{Registry, Report};
use crate::config::HostConfig;
use crate::store::Store;

pub use server::serve;

/// A request to read the configuration again.
pub type Reload = oneshot::Sender<Report>;

/// What every handler may use.
#[derive(Clone)]
pub struct Shared {
    /// Every app.
    pub apps: watch::Receiver<Arc<Registry>>,
    /// The history.
    pub store: Store,
    /// The host's configuration.
    pub host: Arc<HostConfig>,
    /// Asks the daemon to read the configuration again.
    pub reload: mpsc::Sender<Reload>,
    /// When the daemon started.
    pub started_at: Timestamp,
}

//! The one API: HTTP/1.1 and JSON on the Unix socket.
//!
//! [`server`] takes connections and learns who is behind each ([`peer`]); [`router`] says which
//! path is what, [`caller`] which app a request is about and whether its peer may. A handler checks,
//! converts and delegates to the app's handle: [`read`] for what
//! only looks, [`change`] for what changes, [`deploy`] for archives, [`events`], [`logs`] and
//! [`build_log`] for streams, [`console`] for what runs in a release, [`migrations`] for the
//! database, [`environment`] for what releases start with, [`source`] for where commits come from.
//! [`answer`] turns every problem into a response, [`openapi`] is the API's description.
//!
//! This folder knows `app` by its handle and nothing of its inside.

mod answer;
mod build_log;
mod caller;
mod change;
mod console;
mod declared;
mod deploy;
mod environment;
mod events;
mod logs;
mod migrations;
pub mod openapi;
mod peer;
mod read;
mod router;
mod server;
mod source;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use vial_protocol::Problem;
use vial_protocol::request::Together;

use crate::app::registry::{Registry, Report};
use crate::app::request::Actor;
use crate::config::HostConfig;
use crate::store::Store;

pub use server::serve;

/// What concerns every app, and is done by the daemon's own loop. Who asks may do so: the handlers
/// have seen to that.
#[derive(Debug)]
pub enum Order {
    /// Read the configuration again.
    Reload(oneshot::Sender<Report>),
    /// Stop every app, until they are started again together.
    Down(Actor, oneshot::Sender<Result<Together, Problem>>),
    /// Start those again.
    Up(Actor, oneshot::Sender<Result<Together, Problem>>),
}

/// What every handler may use.
#[derive(Clone)]
pub struct Shared {
    /// Every app.
    pub apps: watch::Receiver<Arc<Registry>>,
    /// The history.
    pub store: Store,
    /// The host's configuration.
    pub host: Arc<HostConfig>,
    /// Asks for what concerns every app.
    pub orders: mpsc::Sender<Order>,
    /// When the daemon started.
    pub started_at: Timestamp,
}

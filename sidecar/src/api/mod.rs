//! The one API: HTTP/1.1 and JSON on the Unix socket, and on the dashboard's address.
//!
//! [`server`] takes connections and learns who is behind each ([`peer`]); [`door`] lets a request in
//! by the table in [`access`], once it came the right [`way`] and whoever asks is known by a [`cookie`]
//! or a token, and [`record`]s in the [`audit`] log what came of it; what it opened has an [`ending`].
//! [`router`] says which
//! path is what, [`caller`] which app a request is about and whether its peer may. A handler checks,
//! converts and delegates to the app's handle: [`read`] for what
//! only looks, [`change`] for what changes, [`deploy`] for archives, [`events`], [`logs`] and
//! [`build_log`] for streams (with [`log_reader`] and [`build_reader`], which follow what grows), [`stream`] for
//! all of it in one, [`search`] for what is in a log, [`console`] for what runs in a release and
//! [`consoles`] for that in a browser (both speak a WebSocket through [`bridge`]), [`migrations`] for the
//! database, [`metrics`] for what slots use, [`settings`] for what an app's file says,
//! [`environment`] for what releases start with, [`source`] for where commits come from.
//! [`session`], [`users`] and [`tokens`] are who gets in. [`pages`] are what a browser shows,
//! [`answer`] turns every problem into a response, [`openapi`] is the API's
//! description, which [`document`] writes down.
//!
//! This folder knows `app` by its handle and nothing of its inside.

pub mod access;
pub mod audit;
pub mod document;

mod answer;
mod bridge;
mod build_log;
mod build_reader;
mod caller;
mod change;
mod console;
mod consoles;
mod cookie;
mod deploy;
mod door;
mod ending;
mod environment;
mod events;
mod log_reader;
mod logs;
mod metrics;
mod migrations;
mod openapi;
mod pages;
mod peer;
mod read;
mod record;
mod rest;
mod router;
mod search;
mod server;
mod session;
mod settings;
mod source;
mod stream;
mod tokens;
mod users;
mod way;

use std::sync::Arc;

use self::audit::Trail;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use vial_protocol::Problem;
use vial_protocol::request::Together;

use crate::app::registry::{Registry, Report};
use crate::app::request::Actor;
use crate::config::HostConfig;
use crate::console::Consoles;
use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::store::Store;

pub use server::{serve, serve_dashboard};
pub use stream::Streams;

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
    /// The consoles in browsers.
    pub consoles: Consoles,
    /// The streams that are open.
    pub streams: Streams,
    /// Who gets in by the dashboard's address.
    pub gate: Gate,
    /// Who did what.
    pub audit: Trail,
    /// What the slots use.
    pub metrics: Metrics,
    /// When the daemon started.
    pub started_at: Timestamp,
}

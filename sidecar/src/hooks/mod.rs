//! Webhooks: where a forge tells of a push.
//!
//! A server of its own on a TCP address of its own, behind Caddy: it has one path, `POST
//! /hooks/{app}`, and nothing of the API. [`server`] takes connections, `limits` says how many
//! requests, `receive` answers one: it reads it by [`crate::forge`], writes down that the branch was
//! pushed to, and lets the app look. Nothing is built by what a request says.
//!
//! ```text
//! a request ─▶ is there room? ─▶ the body, up to 8 MiB ─▶ is it genuine? ─▶ which branch? ─▶ new? ─▶ store
//!               429                 413                    401               200: ignored    200      202
//! ```
//!
//! It stands beside `api`, and knows the app by its handle.

mod limits;
mod receive;
mod server;

use std::sync::Arc;

use tokio::sync::watch;

use crate::app::paths::Layout;
use crate::app::registry::Registry;
use crate::store::Store;

pub use server::serve;

/// What answering a webhook needs.
#[derive(Clone)]
pub struct Shared {
    /// Every app.
    pub apps: watch::Receiver<Arc<Registry>>,
    /// The history.
    pub store: Store,
    /// Where the secrets are.
    pub layout: Layout,
}

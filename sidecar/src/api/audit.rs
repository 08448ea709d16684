//! Writing down who did what, and telling those who watch.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::broadcast;
use utoipa::IntoParams;
use vial_protocol::audit::Audit;

use super::Shared;
use super::answer::{Failure, bad};
use super::openapi::Refusals;
use super::peer::Peer;
use crate::store::Store;
use crate::store::audit::Entry;

/// So many rows wait for a watcher that is slow; it learns that it missed some.
const WAITING: usize = 256;
/// Of what somebody else wrote, so much is kept.
const SHOWN: usize = 200;

/// The audit log; clones are the same one.
#[derive(Debug, Clone)]
pub struct Trail {
    store: Store,
    tell: broadcast::Sender<Audit>,
}

impl Trail {
    /// The one that the store keeps.
    #[must_use]
    pub fn new(store: Store) -> Trail {
        Trail { store, tell: broadcast::channel(WAITING).0 }
    }

    /// Every row from now on, as it is written.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Audit> {
        self.tell.subscribe()
    }

    /// Writes a row. What was done is done: where it cannot be written, the log says so.
    pub async fn write(&self, entry: Entry) {
        let (action, actor) = (entry.action.clone(), shown(&entry.actor));
        match self.store.add_audit(entry, Timestamp::now()).await {
            // Nobody may be watching.
            Ok(row) => drop(self.tell.send(row)),
            Err(error) => tracing::error!(%error, action, actor, "an audit row was not written"),
        }
    }
}

/// What a handler adds to the row of its request.
#[derive(Debug, Clone, Default)]
pub(super) struct Note(Arc<Mutex<Noted>>);

#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    /// What else it was about. Never a value.
    pub(super) detail: Option<String>,
    /// Who it was, where nobody was known before.
    pub(super) actor: Option<String>,
    /// Whether there shall be no row.
    pub(super) silent: bool,
}

impl Note {
    /// What else the request was about. Never a value.
    pub(super) fn detail(&self, detail: impl AsRef<str>) {
        self.with(|it| it.detail = Some(shown(detail.as_ref())));
    }

    /// Who it was, or said to be, where nobody was known before.
    pub(super) fn actor(&self, actor: &str) {
        self.with(|it| it.actor = Some(shown(actor)));
    }

    /// There shall be no row: what is refused for coming too often would fill the log.
    pub(super) fn silent(&self) {
        self.with(|it| it.silent = true);
    }

    pub(super) fn taken(&self) -> Noted {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with(&self, change: impl FnOnce(&mut Noted)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A text of somebody else's, as it is kept.
fn shown(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(SHOWN).collect()
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Only rows about this app.
    app: Option<String>,
    /// Only rows before this one.
    before: Option<u64>,
    /// How many: 50 where absent, at most 1,000.
    limit: Option<usize>,
}

/// Who did what.
#[utoipa::path(
    get,
    path = "/v1/audit",
    operation_id = "audit",
    params(Page),
    responses((status = 200, description = "Newest first", body = Vec<Audit>), Refusals)
)]
pub(super) async fn audit(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Vec<Audit>>, Failure> {
    peer.operates()?;
    let Query(Page { app, before, limit }) = page.map_err(|error| bad(error.body_text()))?;
    Ok(Json(shared.store.audit(app, before, limit.unwrap_or(50).min(1000)).await?))
}

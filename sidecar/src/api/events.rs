//! The stream of what changes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::Stream;
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use utoipa::IntoParams;
use vial_protocol::{AppStatus, Event};

use super::Shared;
use super::answer::{Failure, bad};
use super::openapi::Refusals;
use super::peer::Peer;
use crate::app::handle::App;

/// A comment is sent this often, so that both ends notice when the other is gone.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// Only this app.
    app: Option<String>,
}

pub(super) type Events = Sse<sse::KeepAliveStream<Receiving>>;

/// Every app's status, now and whenever it changes.
#[utoipa::path(
    get,
    path = "/v1/events",
    operation_id = "events",
    params(Filter),
    responses(
        (
            status = 200,
            description = "Server-sent events",
            body = Event,
            content_type = "text/event-stream",
        ),
        Refusals,
    )
)]
pub(super) async fn events(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Events, Failure> {
    let Query(Filter { app }) = filter.map_err(|error| bad(error.body_text()))?;
    if let Some(name) = &app {
        shared.app(name, &peer)?;
    }
    let (tell, told) = mpsc::channel(16);
    tokio::spawn(follow(shared.apps.clone(), peer, app, tell));
    Ok(stream(told))
}

/// A stream of events from a channel.
pub(super) fn stream(told: mpsc::Receiver<sse::Event>) -> Events {
    Sse::new(Receiving(told)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

pub(super) struct Receiving(mpsc::Receiver<sse::Event>);

impl Stream for Receiving {
    type Item = Result<sse::Event, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

/// An event as it is sent.
pub(super) fn encode(event: &Event, id: u64) -> Option<sse::Event> {
    match sse::Event::default().id(id.to_string()).json_data(event) {
        Ok(event) => Some(event),
        Err(error) => {
            tracing::error!(%error, "an event could not be written");
            None
        }
    }
}

/// Follows the registry, with a follower for each app of it.
async fn follow(
    mut registry: watch::Receiver<Arc<crate::app::registry::Registry>>,
    peer: Peer,
    only: Option<String>,
    tell: mpsc::Sender<sse::Event>,
) {
    let mut followed: BTreeMap<String, tokio::task::AbortHandle> = BTreeMap::new();
    let mut followers = tokio::task::JoinSet::new();
    loop {
        let apps = registry.borrow_and_update().apps.clone();
        for (name, app) in &apps {
            let wanted = only.as_ref().is_none_or(|only| only == name) && peer.sees(app);
            if wanted && !followed.contains_key(name) {
                let follower = followers.spawn(follow_app(app.clone(), tell.clone()));
                followed.insert(name.clone(), follower);
            }
        }
        let gone: Vec<String> =
            followed.keys().filter(|name| !apps.contains_key(*name)).cloned().collect();
        for name in gone {
            if let Some(follower) = followed.remove(&name) {
                follower.abort();
            }
            if let Some(event) = encode(&Event::AppRemoved { name }, 0)
                && tell.send(event).await.is_err()
            {
                return;
            }
        }
        tokio::select! {
            changed = registry.changed() => if changed.is_err() { return },
            () = tell.closed() => return,
        }
    }
}

async fn follow_app(app: App, tell: mpsc::Sender<sse::Event>) {
    let mut status = app.subscribe();
    loop {
        let now = AppStatus::clone(&status.borrow_and_update());
        let id = now.revision;
        if let Some(event) = encode(&Event::App(Box::new(now)), id)
            && tell.send(event).await.is_err()
        {
            return;
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

//! An archive that is sent.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use vial_protocol::request::{Accepted, Deploy};
use vial_protocol::{Code, Deployment, Problem, Status};

use super::Shared;
use super::answer::{Failure, bad};
use super::caller::Caller;
use super::openapi::{OfApp, Once, Refusals};
use crate::app::handle::App;
use crate::app::request::{Part, What};
use crate::patience::within;

/// How many pieces of the body may wait for the disk.
const WAITING: usize = 16;

/// Deploys the release in the archive that is sent.
///
/// Answers when the archive was received whole and is a release that can run here; the deployment
/// goes on.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/deployments",
    operation_id = "deploy",
    params(OfApp, Once, Deploy),
    request_body(content_type = "application/x-tar", description = "A release as a tar archive, gzipped or plain"),
    responses((status = 202, description = "It was accepted", body = Accepted), Refusals)
)]
pub(super) async fn deploy(
    State(shared): State<Shared>,
    caller: Caller,
    query: Result<Query<Deploy>, QueryRejection>,
    body: Body,
) -> Result<(StatusCode, Json<Accepted>), Failure> {
    let Query(asked) = query.map_err(|error| bad(error.body_text()))?;
    let (parts, upload) = mpsc::channel(WAITING);
    let app = caller.app.clone();
    let what = What::Deploy { upload, allow_destructive: asked.allow_destructive };
    let accepted = caller.ask(asked.reason, what).await?;
    let Some(number) = accepted.deployment else {
        return Ok((StatusCode::ACCEPTED, Json(accepted)));
    };
    receive(body, parts, shared.host.limits.upload_idle).await;
    match unpacked(&app, &shared, number).await? {
        Some(problem) => Err(Failure(problem)),
        None => Ok((StatusCode::ACCEPTED, Json(accepted))),
    }
}

/// Passes the body on, for as long as somebody takes it.
async fn receive(mut body: Body, parts: mpsc::Sender<Part>, idle: Duration) {
    loop {
        let part = match within(idle, body.frame()).await {
            Some(Some(Ok(frame))) => match frame.into_data() {
                Ok(bytes) => Part::Bytes(bytes),
                Err(_) => continue,
            },
            Some(Some(Err(error))) => Part::Broken(format!("the upload broke off: {error}")),
            Some(None) => Part::End,
            None => Part::Broken(format!("the upload sent nothing for {} s", idle.as_secs())),
        };
        let more = matches!(part, Part::Bytes(_));
        // Nobody takes it where the archive was refused, the deployment was cancelled, or the same
        // request was answered before.
        if parts.send(part).await.is_err() || !more {
            return;
        }
    }
}

/// Waits until a deployment has its release; why not, where it ended before.
async fn unpacked(app: &App, shared: &Shared, number: u64) -> Result<Option<Problem>, Failure> {
    let mut status = app.subscribe();
    loop {
        {
            let now = status.borrow_and_update();
            let going = now.deployment.iter().chain(&now.queued).find(|it| it.number == number);
            match going {
                Some(it) if it.status > Status::Unpacking => return Ok(None),
                Some(_) => {}
                None => break,
            }
        }
        if status.changed().await.is_err() {
            break;
        }
    }
    let ended = shared.store.deployment(app.name(), number).await?;
    Ok(ended.and_then(|it: Deployment| match (it.status, it.release, it.error) {
        (Status::Failed, None, error) => error,
        (Status::Cancelled, Some(_), Some(error)) if error.code == Code::Destructive => Some(error),
        (Status::Cancelled, None, error) => Some(error.unwrap_or_else(|| {
            Problem::new(
                Code::Cancelled,
                format!("#{number} was cancelled while its archive was received."),
            )
        })),
        _ => None,
    }))
}

//! What changes something, but for a deploy.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use tokio::sync::oneshot;
use vial_protocol::request::{Accepted, Build, Restart, Rollback, Together};
use vial_protocol::standby::KeepStandby;
use vial_protocol::{Code, Problem, Trigger};

use super::answer::{Failure, bad, body, required};
use super::caller::Caller;
use super::openapi::{OfApp, Once, Refusals};
use super::peer::Peer;
use super::{Order, Shared};
use crate::app::registry::Report;
use crate::app::request::{BuildAsk, BuildSource, RollbackAsk, What};

type Answered = Result<(StatusCode, Json<Accepted>), Failure>;

fn accepted(answer: Result<Accepted, Failure>) -> Answered {
    Ok((StatusCode::ACCEPTED, Json(answer?)))
}

/// Takes an app back to an earlier release.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/rollback",
    operation_id = "rollback",
    params(OfApp, Once),
    request_body = Rollback,
    responses((status = 202, description = "It was accepted", body = Accepted), Refusals)
)]
pub(super) async fn rollback(caller: Caller, bytes: Bytes) -> Answered {
    let Rollback { to, reason, cancel, digest, migrations, env, force } = body(&bytes)?;
    let what = What::Rollback(RollbackAsk { to, cancel, digest, migrations, env, force });
    accepted(caller.ask(reason, what).await)
}

/// Builds a commit and deploys it: a deploy, or a redeploy.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/builds",
    operation_id = "build",
    params(OfApp, Once),
    request_body = Build,
    responses((status = 202, description = "It was accepted", body = Accepted), Refusals)
)]
pub(super) async fn build(caller: Caller, bytes: Bytes) -> Answered {
    let Build { reference, deployment, allow_destructive, reason, push } = body(&bytes)?;
    let trigger = if push { Trigger::Push } else { Trigger::ByHand };
    let source = match (reference, deployment) {
        (None, None) => BuildSource::Branch,
        (Some(reference), None) => BuildSource::Ref(reference),
        (None, Some(number)) => BuildSource::Deployment(number),
        (Some(_), Some(_)) => {
            return Err(bad("Either `ref` or `deployment` says what is built, not both."));
        }
    };
    let ask = BuildAsk { source, allow_destructive, trigger };
    accepted(caller.ask(reason, What::Build(ask)).await)
}

/// Starts the active release again.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/restart",
    operation_id = "restart",
    params(OfApp, Once),
    request_body = Restart,
    responses((status = 202, description = "It was accepted", body = Accepted), Refusals)
)]
pub(super) async fn restart(caller: Caller, bytes: Bytes) -> Answered {
    let Restart { in_place, reason } = body(&bytes)?;
    accepted(caller.ask(reason, What::Restart { in_place }).await)
}

/// Cancels the deployment in progress.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/cancel",
    operation_id = "cancel",
    params(OfApp, Once),
    responses((status = 202, description = "It was accepted", body = Accepted), Refusals)
)]
pub(super) async fn cancel(caller: Caller) -> Answered {
    accepted(caller.ask(None, What::Cancel).await)
}

/// Stops an app until it is started again.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/stop",
    operation_id = "stop",
    params(OfApp, Once),
    responses((status = 202, description = "It was accepted", body = Accepted), Refusals)
)]
pub(super) async fn stop(caller: Caller) -> Answered {
    accepted(caller.ask(None, What::Stop).await)
}

/// Starts an app that was stopped.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/start",
    operation_id = "start",
    params(OfApp, Once),
    responses((status = 202, description = "It was accepted", body = Accepted), Refusals)
)]
pub(super) async fn start(caller: Caller) -> Answered {
    accepted(caller.ask(None, What::Start).await)
}

/// How long a standby may last.
const LASTS: RangeInclusive<u64> = 1_000..=24 * 3_600_000;

/// Changes what the idle slot does until the next deployment uses it.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/standby",
    operation_id = "standby",
    params(OfApp, Once),
    request_body = KeepStandby,
    responses((status = 202, description = "It was accepted", body = Accepted), Refusals)
)]
pub(super) async fn standby(caller: Caller, bytes: Bytes) -> Answered {
    let KeepStandby { mode, for_ms } = required(&bytes)?;
    if for_ms.is_some_and(|it| !LASTS.contains(&it)) {
        return Err(bad("A standby lasts 1 s to 24 h: `for_ms` is 1000 to 86400000."));
    }
    let lasts = for_ms.map(Duration::from_millis);
    caller.note.detail(match lasts {
        Some(lasts) => format!("{mode} for {} s", lasts.as_secs()),
        None => mode.to_string(),
    });
    accepted(caller.ask(None, What::Standby { mode, lasts }).await)
}

/// Reads the configuration again.
#[utoipa::path(
    post,
    path = "/v1/reload",
    operation_id = "reload",
    responses((status = 200, description = "What was found", body = Report), Refusals)
)]
pub(super) async fn reload(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Report>, Failure> {
    peer.operates()?;
    Ok(Json(shared.order(Order::Reload).await?))
}

/// Stops every app, until they are started again together.
#[utoipa::path(
    post,
    path = "/v1/down",
    operation_id = "down",
    responses((status = 200, description = "What became of the apps", body = Together), Refusals)
)]
pub(super) async fn down(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Together>, Failure> {
    let actor = peer.operates()?;
    Ok(Json(shared.order(|tell| Order::Down(actor, tell)).await??))
}

/// Starts what was stopped together.
#[utoipa::path(
    post,
    path = "/v1/up",
    operation_id = "up",
    responses((status = 200, description = "What became of the apps", body = Together), Refusals)
)]
pub(super) async fn up(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Together>, Failure> {
    let actor = peer.operates()?;
    Ok(Json(shared.order(|tell| Order::Up(actor, tell)).await??))
}

impl Shared {
    async fn order<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<T>) -> Order,
    ) -> Result<T, Problem> {
        let (tell, told) = oneshot::channel();
        let stopping = || Problem::new(Code::ShuttingDown, "The daemon is stopping.");
        self.orders.send(order(tell)).await.map_err(|_| stopping())?;
        told.await.map_err(|_| stopping())
    }
}

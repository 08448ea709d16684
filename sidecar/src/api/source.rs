//! Where an app's commits come from: auto-deploy, its webhooks' secret, the repository to push to.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use vial_protocol::request::Accepted;
use vial_protocol::source::{AskSecret, HookSecret, Repository, Switch};
use vial_protocol::{Code, Problem};

use super::Shared;
use super::answer::{Failure, body, required};
use super::caller::Caller;
use super::openapi::{OfApp, Refusals};
use super::peer::Peer;
use crate::app::auto::repository;
use crate::app::auto::secret::{read_secret, rotate_secret};
use crate::config::Source;

/// Switches auto-deploy on or off.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/auto-deploy",
    operation_id = "auto_deploy",
    params(OfApp),
    request_body = Switch,
    responses((status = 200, description = "It is switched", body = Accepted), Refusals)
)]
pub(super) async fn switch(
    State(shared): State<Shared>,
    caller: Caller,
    bytes: Bytes,
) -> Result<Json<Accepted>, Failure> {
    let Switch { on } = required(&bytes)?;
    let app = &caller.app;
    let source = source(&caller)?;
    caller.note.detail(if on { "on" } else { "off" });
    shared.store.want_auto_deploy(app.name(), on, &caller.actor.display()).await?;
    tracing::info!(app = app.name(), on, actor = caller.actor.display(), "auto-deploy");
    app.look();
    let message = if on {
        format!(
            "Auto-deploy is on: the tip of {} is deployed to {} whenever it is new.",
            source.branch,
            app.name()
        )
    } else {
        format!("Auto-deploy is off: {} is deployed when somebody asks for it.", app.name())
    };
    Ok(Json(Accepted { deployment: None, message }))
}

/// What a forge has to know to tell of pushes.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/auto-deploy/secret",
    operation_id = "hook_secret",
    params(OfApp),
    request_body = AskSecret,
    responses((status = 200, description = "What a forge has to know", body = HookSecret), Refusals)
)]
pub(super) async fn secret(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    caller: Caller,
    bytes: Bytes,
) -> Result<Json<HookSecret>, Failure> {
    let actor = peer.operates()?;
    source(&caller)?;
    let AskSecret { rotate } = body(&bytes)?;
    let path = caller.app.context().layout.hook_secret();
    let shown = path.display().to_string();
    let made =
        tokio::task::spawn_blocking(
            move || {
                if rotate { rotate_secret(&path) } else { read_secret(&path) }
            },
        );
    let secret = made.await.map_err(std::io::Error::other).and_then(|it| it).map_err(|error| {
        Problem::new(Code::Internal, format!("The secret {shown} cannot be used: {error}."))
            .next("check the owner and the mode of the state folder")
    })?;
    if rotate {
        caller.note.detail("another one");
        let app = caller.app.name();
        tracing::info!(app, actor = actor.name, "the webhooks have another secret");
    }
    Ok(Json(HookSecret {
        secret,
        path: format!("/hooks/{}", caller.app.name()),
        listen: shared.host.hooks.map(|it| it.to_string()),
    }))
}

/// Makes a repository on the host to push to, or finds it.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/repository",
    operation_id = "repository",
    params(OfApp),
    responses((status = 200, description = "It is there", body = Repository), Refusals)
)]
pub(super) async fn repository(
    Extension(peer): Extension<Peer>,
    caller: Caller,
) -> Result<Json<Repository>, Failure> {
    peer.operates()?;
    let source = source(&caller)?;
    Ok(Json(repository::make(&caller.app.context(), &source).await?))
}

fn source(caller: &Caller) -> Result<Source, Failure> {
    let app = caller.app.name();
    caller.app.context().config.source.clone().ok_or_else(|| {
        Failure(
            Problem::new(
                Code::Configuration,
                format!(
                    "Nothing was changed: {app} has no `[source]`, so that Vial does not know what \
                     to build."
                ),
            )
            .next("add `[source]` to its file, then `vial reload`"),
        )
    })
}

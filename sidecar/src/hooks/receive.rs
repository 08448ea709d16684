//! Answering one webhook.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Bytes;
use jiff::Timestamp;
use tokio::time::timeout;

use super::Shared;
use super::limits::{self, Limits};
use crate::app::auto::secret;
use crate::app::handle::App;
use crate::forge::{self, Event, Refusal};

/// More than a push says, however large.
const LARGEST: usize = 8 << 20;
/// How long its body may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Names of others are cut to this where they are told again.
const SHOWN: usize = 80;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// What every request uses.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) shared: Shared,
    pub(super) limits: Arc<Limits>,
}

/// What came of a request, for whoever looks into the forge's list of deliveries.
struct Told {
    status: StatusCode,
    message: String,
    wait: Option<Duration>,
}

fn told(status: StatusCode, message: impl Into<String>) -> Told {
    Told { status, message: message.into(), wait: None }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let body = Json(serde_json::json!({ "message": self.message }));
        let mut response = (self.status, body).into_response();
        if let Some(wait) = self.wait {
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

pub(super) async fn receive(
    State(desk): State<Desk>,
    Extension(peer): Extension<Peer>,
    Path(app): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let from = limits::asks(peer.0, &headers);
    let told = desk.answer(from, &app, &headers, body).await.unwrap_or_else(|told| told);
    let app = shown(&app);
    let (status, message) = (told.status.as_u16(), told.message.as_str());
    if told.status.is_success() {
        tracing::info!(app, %from, status, message, "webhook");
    } else {
        tracing::warn!(app, %from, status, message, "webhook");
    }
    told.into_response()
}

impl Desk {
    /// What came of it, be that good or bad.
    async fn answer(
        &self,
        from: IpAddr,
        name: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Told, Told> {
        self.limits.address(from).map_err(too_many)?;
        let body = read(headers, body).await?;
        let delivery = self.prove(name, headers, &body)?;
        self.limits.app(name).map_err(too_many)?;
        let registry = self.shared.apps.borrow().clone();
        // It was there a moment ago, when its secret was looked for.
        let app = registry.apps.get(name).ok_or_else(nobody)?;
        let context = app.context();
        let Some(source) = &context.config.source else {
            return Err(told(
                StatusCode::CONFLICT,
                format!("Nothing was done: {name} has no `[source]` in its file."),
            ));
        };
        let branch = &source.branch;
        let nothing = |why: String| told(StatusCode::OK, format!("Nothing was done: {why}."));
        let ignored = match delivery.event {
            Event::Push { branch: pushed, .. } if pushed == *branch => None,
            Event::Push { branch: pushed, .. } => {
                Some(format!("{} was pushed, and {name} is deployed from {branch}", shown(&pushed)))
            }
            Event::Deleted { branch } => Some(format!("the branch {} is gone", shown(&branch))),
            Event::Tag { name: tag } => {
                Some(format!("{} is a tag, and {name} is deployed from {branch}", shown(&tag)))
            }
            Event::Ping => {
                Some(format!("this was a ping. A push to {branch} of {name} arrives here"))
            }
            Event::Other(event) => Some(format!("`{}` is no push", shown(&event))),
        };
        match ignored {
            Some(why) => Ok(nothing(why)),
            None => self.pushed(app, source.auto_deploy, branch, delivery.marks).await,
        }
    }

    /// Who cannot prove to know the secret is not told whether there is such an app.
    fn prove(&self, name: &str, headers: &HeaderMap, body: &[u8]) -> Result<forge::Delivery, Told> {
        let known = self.shared.apps.borrow().apps.contains_key(name);
        let secret = match known {
            true => secret::existing(&self.shared.layout.app(name).hook_secret()),
            false => Ok(None),
        };
        let secret = secret.map_err(|error| {
            tracing::error!(app = name, %error, "the secret of the webhooks cannot be read");
            broken()
        })?;
        if known && secret.is_none() {
            tracing::warn!(
                app = name,
                "a webhook came, and there is no secret: `vial auto-deploy {name} secret` makes one"
            );
        }
        let read = forge::read(headers, body, secret.as_deref().unwrap_or_default());
        read.map_err(|refusal| {
            let status = match refusal {
                Refusal::NoForge | Refusal::Unreadable(..) => StatusCode::BAD_REQUEST,
                Refusal::Unproved(..) | Refusal::Wrong(..) => StatusCode::UNAUTHORIZED,
            };
            told(status, refusal.to_string())
        })
    }

    async fn pushed(
        &self,
        app: &App,
        usually: bool,
        branch: &str,
        marks: Vec<String>,
    ) -> Result<Told, Told> {
        let name = app.name();
        let store = &self.shared.store;
        let failed = |error: crate::store::StoreError| {
            tracing::error!(app = name, %error, "a push is not known");
            broken()
        };
        let kept = store.auto_deploy(name).await.map_err(failed)?;
        if !kept.wanted.unwrap_or(usually) {
            return Ok(told(
                StatusCode::OK,
                format!("Nothing was done: auto-deploy of {name} is off."),
            ));
        }
        if !store.pushed(name, marks, Timestamp::now()).await.map_err(failed)? {
            return Ok(told(
                StatusCode::OK,
                "Nothing was done: this delivery came before.".to_owned(),
            ));
        }
        app.look();
        Ok(told(
            StatusCode::ACCEPTED,
            format!("{branch} is fetched now, and deployed to {name} if its tip is new there."),
        ))
    }
}

/// The body, of which no more is read than may come.
async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Told> {
    let too_large = || {
        told(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("A webhook may have {} MiB at most.", LARGEST >> 20),
        )
    };
    let length = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    let length = length.and_then(|it| it.parse::<usize>().ok());
    if length.is_some_and(|length| length > LARGEST) {
        return Err(too_large());
    }
    let collected = timeout(PATIENCE, Limited::new(body, LARGEST).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(told(StatusCode::BAD_REQUEST, "The webhook broke off.")),
        Err(_) => Err(told(
            StatusCode::REQUEST_TIMEOUT,
            format!("The webhook was not there within {} s.", PATIENCE.as_secs()),
        )),
    }
}

fn too_many(wait: Duration) -> Told {
    let message = "Too many webhooks: nothing was done.".into();
    Told { status: StatusCode::TOO_MANY_REQUESTS, message, wait: Some(wait) }
}

fn nobody() -> Told {
    told(StatusCode::NOT_FOUND, "There is nothing here.")
}

fn broken() -> Told {
    told(
        StatusCode::SERVICE_UNAVAILABLE,
        "Nothing was done: Vial could not read or write what it keeps. Send it again later.",
    )
}

/// A name of somebody else's, as it may stand in a sentence and in a log.
fn shown(name: &str) -> String {
    let plain = name.chars().filter(|c| !c.is_control());
    plain.take(SHOWN).collect()
}

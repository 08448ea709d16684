//! Who calls about which app: the one place where a path's app becomes a handle.

use axum::extract::{Extension, FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use vial_protocol::request::{Accepted, IDEMPOTENCY_KEY, ORIGIN};
use vial_protocol::{Code, Problem};

use super::Shared;
use super::answer::{Failure, bad};
use super::audit::Note;
use super::peer::Peer;
use crate::app::handle::App;
use crate::app::request::{Actor, Request, What, is_guest};

/// A reason is for the history, not for essays.
const REASON: usize = 1000;
/// A node's name has its place in a table.
const ORIGIN_SHOWN: usize = 100;

/// A caller of one app, who may act on it.
#[derive(Debug)]
pub(super) struct Caller {
    /// The app.
    pub(super) app: App,
    /// As whom.
    pub(super) actor: Actor,
    /// What the audit log is told of beside that.
    pub(super) note: Note,
    key: Option<String>,
}

impl Caller {
    /// Asks for a change.
    pub(super) async fn ask(self, why: Option<String>, what: What) -> Result<Accepted, Failure> {
        let request = Request { actor: self.actor, reason: reason(why)?, key: self.key, what };
        let accepted = self.app.ask(request).await?;
        if let Some(number) = accepted.deployment {
            self.note.detail(format!("#{number}"));
        }
        Ok(accepted)
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Failure> {
        let missing = || bad("The request names no app.");
        let Extension(peer) = Extension::<Peer>::from_request_parts(parts, shared)
            .await
            .map_err(|_| Problem::new(Code::Internal, "The peer is not known."))?;
        let params =
            RawPathParams::from_request_parts(parts, shared).await.map_err(|_| missing())?;
        let name = params.iter().find(|(name, _)| *name == "app").ok_or_else(missing)?.1;
        let (app, mut actor) = shared.app(name, &peer)?;
        if peer.guest().is_none() {
            actor.origin = origin(&parts.headers);
        }
        let note = parts.extensions.get::<Note>().cloned().unwrap_or_default();
        Ok(Caller { app, actor, key: key(&parts.headers)?, note })
    }
}

impl Shared {
    /// An app that the peer may act on, and as whom.
    pub(super) fn app(&self, name: &str, peer: &Peer) -> Result<(App, Actor), Failure> {
        let registry = self.apps.borrow().clone();
        let Some(app) = registry.apps.get(name) else { return Err(self.unknown(name, peer)) };
        let actor = peer.acts_on(app)?;
        Ok((app.clone(), actor))
    }

    fn unknown(&self, name: &str, peer: &Peer) -> Failure {
        let registry = self.apps.borrow().clone();
        let seen: Vec<&str> =
            registry.apps.values().filter(|app| peer.sees(app)).map(App::name).collect();
        let near = seen.iter().find(|known| strsim::damerau_levenshtein(known, name) <= 2);
        let next = match (near, seen.is_empty()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, true) => {
                "no app is configured: `vial init NAME` writes its file, `vial reload` reads it"
                    .into()
            }
            (None, false) => format!("there is: {}", seen.join(", ")),
        };
        // What was asked for is the caller's own text: shortened, it is safe to say again.
        let name: String = name.chars().filter(|it| !it.is_control()).take(40).collect();
        Failure(Problem::new(Code::UnknownApp, format!("No app is called `{name}`.")).next(next))
    }
}

/// Where a request says it comes from. It is shown beside the actor, so what could be mistaken for
/// something else there is left out.
fn origin(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(ORIGIN)?.to_str().ok()?;
    let shown: String = text.chars().filter(char::is_ascii_graphic).take(ORIGIN_SHOWN).collect();
    // The dashboard's own words are for its guests alone.
    (!shown.is_empty() && !is_guest(&shown)).then_some(shown)
}

/// The idempotency key of a request.
fn key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    value
        .to_str()
        .ok()
        .filter(|key| (1..=64).contains(&key.len()) && key.bytes().all(|it| it.is_ascii_graphic()))
        .map(|key| Some(key.to_owned()))
        .ok_or_else(|| bad("The idempotency key must be 1 to 64 printable ASCII characters."))
}

/// A reason, as far as it is kept.
fn reason(text: Option<String>) -> Result<Option<String>, Failure> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match &text {
        Some(text) if text.chars().count() > REASON => {
            Err(bad(format!("A reason may have {REASON} characters at most.")))
        }
        _ => Ok(text),
    }
}

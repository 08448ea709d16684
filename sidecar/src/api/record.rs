//! The audit row of one request: opened before its handler, closed with what came of it.

use axum::RequestExt;
use axum::extract::{RawPathParams, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use vial_protocol::request::ORIGIN;
use vial_protocol::{Code, Problem};

use super::Shared;
use super::access::Rule;
use super::audit::{Note, Trail};
use super::peer::Peer;
use super::way::Way;
use crate::store::audit::Entry;

/// What is written where the caller left before the answer: what was begun may go on.
const UNKNOWN: &str = "unknown";

/// The row of a request under way.
pub(super) struct Record {
    trail: Trail,
    note: Note,
    /// Absent once it was written.
    entry: Option<Entry>,
}

impl Record {
    /// The row of a request, where its rule wants one.
    pub(super) async fn open(
        shared: &Shared,
        rule: &Rule,
        request: &mut Request,
        peer: Option<&Peer>,
        way: Option<&Way>,
    ) -> Option<Record> {
        // On the socket, values are shown by the same path as names are.
        let reveals = rule.id == "environment" && reveals(request);
        if !rule.audited && !reveals {
            return None;
        }
        let note = Note::default();
        request.extensions_mut().insert(note.clone());
        let said = request.headers().get(ORIGIN).and_then(|it| it.to_str().ok());
        let from = match way {
            Some(way) => Some(way.address.to_string()),
            None => said.map(|it| it.chars().filter(char::is_ascii_graphic).take(100).collect()),
        };
        let entry = Entry {
            actor: peer.map(Peer::name).unwrap_or_default().to_owned(),
            by: peer.map(Peer::by),
            from: from.filter(|it: &String| !it.is_empty()),
            action: if reveals { "reveal" } else { rule.id }.to_owned(),
            app: named(request).await,
            detail: None,
            outcome: UNKNOWN.to_owned(),
        };
        Some(Record { trail: shared.audit.clone(), note, entry: Some(entry) })
    }

    /// Writes what came of it.
    pub(super) async fn close(mut self, response: Response) -> Response {
        let outcome = outcome(&response);
        if let Some(entry) = self.take(outcome) {
            self.trail.write(entry).await;
        }
        response
    }

    /// Writes why it was refused.
    pub(super) async fn refused(mut self, problem: &Problem) {
        if let Some(entry) = self.take(word(problem.code)) {
            self.trail.write(entry).await;
        }
    }

    fn take(&mut self, outcome: String) -> Option<Entry> {
        let mut entry = self.entry.take()?;
        let noted = self.note.taken();
        entry.outcome = outcome;
        entry.detail = noted.detail;
        if let Some(actor) = noted.actor.filter(|_| entry.actor.is_empty()) {
            entry.actor = actor;
        }
        (!noted.silent).then_some(entry)
    }
}

impl Drop for Record {
    /// The caller left before the answer, and the handler with it.
    fn drop(&mut self) {
        let Some(entry) = self.take(UNKNOWN.to_owned()) else { return };
        let trail = self.trail.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { trail.write(entry).await });
        }
    }
}

fn reveals(request: &Request) -> bool {
    request.uri().query().is_some_and(|it| it.split('&').any(|it| it == "reveal=true"))
}

/// `ok`, or the code of the problem.
fn outcome(response: &Response) -> String {
    let status = response.status();
    if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
        return "ok".to_owned();
    }
    let code = response.extensions().get::<Code>().copied();
    word(code.unwrap_or(if status.is_server_error() { Code::Internal } else { Code::BadRequest }))
}

fn word(code: Code) -> String {
    match serde_json::to_value(code) {
        Ok(Value::String(word)) => word,
        _ => UNKNOWN.to_owned(),
    }
}

/// The app that a path names.
pub(super) async fn named(request: &mut Request) -> Option<String> {
    let params = request.extract_parts::<RawPathParams>().await.ok()?;
    params.iter().find(|(name, _)| *name == "app").map(|(_, app)| app.to_owned())
}

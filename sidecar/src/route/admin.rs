//! The client of Caddy's admin API.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, ETAG, HOST, IF_MATCH};
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::address::Address;
use super::asked::Asked;
use super::http::{self, Answer, HttpError};
use super::problem::RouteProblem;
use crate::patience::within;

/// A configuration of thousands of sites is some megabytes.
const LIMIT: usize = 64 << 20;
/// A loaded Caddy answers its admin API late; one that takes longer is not usable.
const PATIENCE: Duration = Duration::from_secs(2);
/// A change is answered when the new configuration runs: 0.4 s with 3,000 sites.
const PATIENCE_TO_CHANGE: Duration = Duration::from_secs(10);

/// Caddy's admin endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Admin {
    address: Address,
}

/// Requests in flight to one upstream address, as Caddy counts them.
#[derive(Debug, Deserialize)]
pub(super) struct Upstream {
    pub(super) address: String,
    pub(super) num_requests: u64,
}

/// What came of a change.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Patched {
    Done,
    /// The configuration is no longer the one that the change was meant for.
    Changed,
}

/// Why the admin API could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AdminError {
    /// Nobody listens.
    Down(String),
    /// Somebody listens and lets us do nothing.
    Denied(String),
    /// It answered something else than it should, or too late.
    Broken(String),
}

impl Admin {
    pub(super) fn new(address: Address) -> Self {
        Admin { address }
    }

    /// The whole running configuration, with the tag that a change to it must carry.
    pub(super) async fn config(&self) -> Result<(Value, Option<String>), AdminError> {
        let answer = self.send(Method::GET, "/config/", None, Bytes::new()).await?;
        let answer = expect_ok(answer)?;
        let tag = answer.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        Ok((decode(&answer.body)?, tag))
    }

    /// The requests in flight, an entry an upstream address.
    pub(super) async fn upstreams(&self) -> Result<Vec<Upstream>, AdminError> {
        let told = self.ask_upstreams().await;
        let outcome = told.as_ref().map(|_| ()).map_err(AdminError::clone);
        asked(&self.address).note(outcome);
        told
    }

    async fn ask_upstreams(&self) -> Result<Vec<Upstream>, AdminError> {
        let answer = self.send(Method::GET, "/reverse_proxy/upstreams", None, Bytes::new()).await?;
        let entries: Option<_> = decode(&expect_ok(answer)?.body)?;
        Ok(entries.unwrap_or_default())
    }

    /// Whether it tells its upstreams, now or a moment ago.
    pub(super) async fn tells(&self) -> Result<(), AdminError> {
        let asked = asked(&self.address);
        asked.unless_recently(async || self.upstreams().await.map(drop)).await
    }

    /// Replaces the value at a path below `/config`, if the configuration is still the tagged one.
    pub(super) async fn patch(
        &self,
        path: &str,
        tag: Option<&str>,
        value: &Value,
    ) -> Result<Patched, AdminError> {
        let body = Bytes::from(value.to_string());
        let answer = self.send(Method::PATCH, path, tag, body).await?;
        if answer.status == StatusCode::PRECONDITION_FAILED {
            return Ok(Patched::Changed);
        }
        expect_ok(answer).map(|_| Patched::Done)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        tag: Option<&str>,
        body: Bytes,
    ) -> Result<Answer, AdminError> {
        // Caddy refuses every name on a Unix socket, and takes none for one.
        let host = match &self.address {
            Address::Tcp(address) => address.to_string(),
            Address::Unix(_) => String::new(),
        };
        let patience = if method == Method::GET { PATIENCE } else { PATIENCE_TO_CHANGE };
        let mut request = Request::builder().method(method).uri(path).header(HOST, host);
        if let Some(tag) = tag {
            request = request.header(IF_MATCH, tag);
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| AdminError::Broken(format!("the request is wrong: {error}")))?;
        match within(patience, http::ask(&self.address, None, request, LIMIT)).await {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(HttpError::Connect(error))) => Err(match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    AdminError::Denied("the socket is closed to the daemon's user".into())
                }
                _ => AdminError::Down(HttpError::Connect(error).to_string()),
            }),
            Some(Err(error)) => Err(AdminError::Broken(error.to_string())),
            None => Err(AdminError::Broken(format!("no answer within {patience:?}"))),
        }
    }

    /// An error as the problem that a person reads.
    pub(super) fn problem(&self, error: AdminError) -> RouteProblem {
        let admin = self.address.to_string();
        match error {
            AdminError::Down(detail) => {
                RouteProblem::NoCaddy { at: format!("its admin endpoint {admin}"), detail }
            }
            error => self.unreachable(error),
        }
    }

    /// An error as a problem of the endpoint alone, where Caddy itself is known to run.
    pub(super) fn unreachable(&self, error: AdminError) -> RouteProblem {
        let (detail, next) = match error {
            AdminError::Down(detail) => (
                detail,
                "Set `admin` under [caddy] in vial.toml to the address that the Caddyfile's \
                 global option `admin` names (localhost:2019 where it names none).",
            ),
            AdminError::Denied(detail) => (
                detail,
                "Let the daemon run as root or as Caddy's user, or give the socket a group \
                 (`admin unix//run/caddy/admin.sock|0660`, Caddy 2.7.3 and later).",
            ),
            AdminError::Broken(detail) => (
                detail,
                "Check that `admin` under [caddy] in vial.toml is Caddy's admin endpoint, and \
                 that its `origins` allow this address.",
            ),
        };
        let admin = self.address.to_string();
        RouteProblem::AdminUnreachable { admin, detail, next: next.into() }
    }
}

type Known = Vec<(Address, Arc<Asked<AdminError>>)>;

/// The endpoints that were asked. The apps of a host share one, and each of them wants to know at the same
/// moment whether it tells its upstreams. What it tells grows with their number, and so would what each
/// of a hundred costs.
static KNOWN: Mutex<Known> = Mutex::new(Vec::new());

fn asked(address: &Address) -> Arc<Asked<AdminError>> {
    let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, asked)) = all.iter().find(|(known, _)| known == address) {
        return asked.clone();
    }
    let asked = Arc::new(Asked::new());
    all.push((address.clone(), asked.clone()));
    asked
}

fn expect_ok(answer: Answer) -> Result<Answer, AdminError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let said = String::from_utf8_lossy(&answer.body);
    let said: String =
        said.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    Err(AdminError::Broken(format!("it answered {} {said}", answer.status.as_u16()).trim().into()))
}

fn decode<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, AdminError> {
    serde_json::from_slice(body)
        .map_err(|error| AdminError::Broken(format!("its answer is not Caddy's: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_an_endpoint_is_known_to_all_who_ask_it() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let one = asked(&address("127.0.0.1:1"));
        assert!(Arc::ptr_eq(&one, &asked(&address("127.0.0.1:1"))));
        assert!(!Arc::ptr_eq(&one, &asked(&address("127.0.0.1:2"))));
    }
}

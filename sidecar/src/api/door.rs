//! The door: what every request passes before a handler hears of it.
//!
//! ```text
//! the dashboard's address:  its own host? ─▶ its own origin? ─▶ who? ─▶ the table ─▶ handler ─▶ audit
//!                                421               403           401     403, 404
//! the socket:                                                  (known) ─▶ the table ─▶ handler ─▶ audit
//! ```
//!
//! What a guest's session or token opened ends with it: [`super::ending`] cuts the answer off.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;
use vial_protocol::access::{Known, Role};
use vial_protocol::{Code, Problem};

use super::Shared;
use super::access::{self, Rule, Socket, Tcp};
use super::answer::{Failure, bad};
use super::peer::Peer;
use super::record::{Record, named};
use super::way::{self, Way};
use super::{cookie, ending};

/// More than a name, a token and a password.
const PUBLIC_BYTES: usize = 16 << 10;
/// How long somebody whom nobody knows may take to send that.
const PUBLIC_TIME: Duration = Duration::from_secs(10);

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What a connection came by.
#[derive(Debug, Clone)]
pub(super) enum Line {
    /// The socket; the kernel named the peer.
    Socket(Peer),
    /// The dashboard's address.
    Tcp(IpAddr),
}

/// Lets a request in, or refuses it.
pub(super) async fn door(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let line = request.extensions_mut().remove::<Line>();
    let entered = match line {
        Some(Line::Socket(peer)) => socket(&shared, request, peer).await,
        Some(Line::Tcp(address)) => tcp(&shared, request, address).await,
        None => Err(Failure(Problem::new(Code::Internal, "The peer is not known."))),
    };
    match entered {
        Ok(Entered { request, peer, record, unkept }) => {
            let guest = peer.as_ref().and_then(Peer::guest);
            let ended = guest.map(|it| it.ended.clone());
            let response = next.run(request).await;
            let mut response = match record {
                Some(record) => record.close(response).await,
                None => response,
            };
            if unkept {
                let headers = response.headers_mut();
                headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
            }
            match ended {
                Some(ended) => ending::with(response, ended),
                None => response,
            }
        }
        Err(failure) => failure.into_response(),
    }
}

/// A request that may go on.
struct Entered {
    request: Request,
    peer: Option<Peer>,
    record: Option<Record>,
    /// Whether the answer is for whoever asked alone, and no browser shall keep it.
    unkept: bool,
}

async fn socket(shared: &Shared, mut request: Request, peer: Peer) -> Result<Entered, Failure> {
    let Some(rule) = declared(&request)? else {
        request.extensions_mut().insert(peer.clone());
        return Ok(Entered { request, peer: Some(peer), record: None, unkept: false });
    };
    match rule.socket {
        Socket::Anyone => {}
        Socket::Owner => {
            if let Some(app) = named(&mut request).await {
                shared.app(&app, &peer)?;
            }
        }
        Socket::Operator => drop(peer.operates()?),
        Socket::Nobody => {
            let message = "This is for the dashboard: on the socket, the host says who you are.";
            let next = match rule.path.contains("console") {
                true => "`vial console APP`",
                false => "`vial user --help`",
            };
            return Err(Failure(Problem::new(Code::Forbidden, message).next(next)));
        }
    }
    let record = Record::open(shared, rule, &mut request, Some(&peer), None).await;
    request.extensions_mut().insert(peer.clone());
    Ok(Entered { request, peer: Some(peer), record, unkept: false })
}

async fn tcp(shared: &Shared, mut request: Request, address: IpAddr) -> Result<Entered, Failure> {
    let Some(dashboard) = &shared.host.dashboard else {
        return Err(Failure(Problem::new(Code::Misdirected, "There is no dashboard here.")));
    };
    let headers = request.headers();
    let way = Way::of(dashboard, address, request.uri(), headers)?;
    let bearer = bearer(headers);
    let by_token_alone = bearer.is_some() && !headers.contains_key(header::COOKIE);
    if way::must_be_same_origin(request.method(), headers) && !by_token_alone {
        way.same_origin(headers)?;
    }
    let Some(rule) = declared(&request)? else {
        request.extensions_mut().insert(way);
        return Ok(Entered { request, peer: None, record: None, unkept: false });
    };
    if rule.tcp == Tcp::Public {
        request = quickly(request).await?;
        let record = Record::open(shared, rule, &mut request, None, Some(&way)).await;
        request.extensions_mut().insert(way);
        return Ok(Entered { request, peer: None, record, unkept: true });
    }
    let guest = match bearer {
        Some(token) => shared.gate.by_token(token, way.address).await?,
        None => match cookie::read(headers, way.secure) {
            Some(cookie) => shared.gate.by_cookie(cookie, way.address).await?,
            None => None,
        },
    };
    let Some(guest) = guest else {
        let message = "Nobody is logged in, or the session or the token has ended.";
        return Err(Failure(Problem::new(Code::LoginNeeded, message).next("log in")));
    };
    let peer = Peer::from(guest);
    let mut record = Record::open(shared, rule, &mut request, Some(&peer), Some(&way)).await;
    if let Err(problem) = allowed(rule, &peer) {
        if let Some(record) = record.take() {
            record.refused(&problem).await;
        }
        return Err(Failure(problem));
    }
    request.extensions_mut().insert(way);
    request.extensions_mut().insert(peer.clone());
    Ok(Entered { request, peer: Some(peer), record, unkept: true })
}

/// The row of a request that has a route; none for one that has no route, which is answered by the
/// fallback.
fn declared(request: &Request) -> Result<Option<&'static Rule>, Failure> {
    let Some(path) = request.extensions().get::<MatchedPath>() else { return Ok(None) };
    let (method, path) = (request.method().as_str(), path.as_str());
    match access::rule(method, path) {
        Some(rule) => Ok(Some(rule)),
        None if access::is_path(path) => {
            let path = request.uri().path();
            Err(bad(format!("{method} is not answered at {path}.")))
        }
        // A route without a row: nobody said who may.
        None => {
            let message = format!("There is nothing at {}.", request.uri().path());
            Err(Failure(Problem::new(Code::NotFound, message)))
        }
    }
}

/// Whether a guest fits a row.
fn allowed(rule: &Rule, peer: &Peer) -> Result<(), Problem> {
    let Some(guest) = peer.guest() else { return Ok(()) };
    let name = &guest.name;
    let role = |least: Role| {
        if guest.role >= least {
            return Ok(());
        }
        let message = format!("{name} may not do this: it takes the role {least} or more.");
        Err(Problem::new(Code::Forbidden, message).next("ask an admin"))
    };
    match rule.tcp {
        Tcp::Public => Ok(()),
        Tcp::Needs(least) => role(least),
        Tcp::Session if guest.by == Known::Session => Ok(()),
        Tcp::Session => {
            let message = "This is for a person who has logged in: an API token has no session.";
            Err(Problem::new(Code::Forbidden, message).next("log in to the dashboard"))
        }
        Tcp::Fresh(least) => {
            role(least)?;
            let (message, next) = match guest.by {
                Known::Token => (
                    "This takes a person and their password: no API token may do it.",
                    "log in to the dashboard, or use the command line on the host",
                ),
                _ if guest.is_fresh() => return Ok(()),
                _ => (
                    "This takes your password once more: it was not given in the last 10 minutes.",
                    "give your password",
                ),
            };
            Err(Problem::new(Code::PasswordNeeded, message).next(next))
        }
        Tcp::Nobody => {
            let message = "This is done on the host alone.";
            Err(Problem::new(Code::Forbidden, message).next("`vial login-link NAME` on the host"))
        }
    }
}

/// The token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A request of nobody that is known, read whole: it has little time, and is small.
async fn quickly(request: Request) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    match timeout(PUBLIC_TIME, Limited::new(body, PUBLIC_BYTES).collect()).await {
        Ok(Ok(read)) => Ok(Request::from_parts(parts, Body::from(read.to_bytes()))),
        Ok(Err(_)) => Err(bad("The request broke off, or is larger than a login can be.")),
        Err(_) => Err(bad("The request was not there in time.")),
    }
}

#[cfg(test)]
#[path = "door_tests.rs"]
mod tests;

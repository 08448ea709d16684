//! One connection a request: connect, ask, and turn what is not a success into an error.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio_util::task::AbortOnDropHandle;
use vial_link::Link;
use vial_protocol::Problem;
use vial_protocol::request::IDEMPOTENCY_KEY;

use super::error::{ClientError, Why};

/// What a request's body can be.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// How long a question that needs no work may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// After that long whoever waits is told so: a daemon that starts answers when it has looked at
/// every app, and its socket may be there before it.
const WORD: Duration = Duration::from_secs(2);
/// Between the attempts at a question whose answer was lost: the daemon is being restarted.
const PAUSES: [u64; 3] = [100, 400, 1500];
/// More than any answer that is read whole.
const LARGEST_ANSWER: usize = 64 << 20;
/// Bytes that stand for themselves in a path's segment and in a query's value.
const PLAIN: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// A caller of one daemon. Holds no connection: each request makes its own.
#[derive(Debug, Clone)]
pub struct Client {
    path: PathBuf,
    waits: Option<fn()>,
}

/// An answer, and the task that moves its bytes; the connection closes when this is dropped.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    pub(super) task: AbortOnDropHandle<()>,
}

impl Client {
    /// A client of the daemon that listens at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Client { path: path.into(), waits: None }
    }

    /// Calls `told` where an answer lets itself be waited for.
    #[must_use]
    pub fn telling_of_waits(mut self, told: fn()) -> Self {
        self.waits = Some(told);
        self
    }

    /// The socket that it calls.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn unreachable(&self, why: Why) -> ClientError {
        ClientError::Unreachable { path: self.path.clone(), why }
    }

    /// Asks, and reads the answer's JSON.
    pub(super) async fn get<T: DeserializeOwned>(&self, target: &str) -> Result<T, ClientError> {
        decode(&self.get_bytes(target).await?)
    }

    /// Asks, and reads the answer as it comes.
    pub(super) async fn get_bytes(&self, target: &str) -> Result<Bytes, ClientError> {
        let asked = self.ask_until_answered(target);
        let mut asked = std::pin::pin!(asked);
        let word = async {
            tokio::time::sleep(WORD).await;
            if let Some(told) = self.waits {
                told();
            }
            tokio::time::sleep(PATIENCE.saturating_sub(WORD)).await;
        };
        tokio::select! {
            answered = &mut asked => answered,
            () = word => Err(self.unreachable(Why::Silent(PATIENCE.as_secs()))),
        }
    }

    /// Asks again where the answer was lost: a daemon that stops takes no answer along, and a
    /// question changes nothing. It was there a moment ago, so that it may be away for a moment.
    async fn ask_until_answered(&self, target: &str) -> Result<Bytes, ClientError> {
        let mut pauses = PAUSES.into_iter().map(Duration::from_millis);
        let mut was_there = false;
        loop {
            let asked = async {
                let answer = self.send(request(Method::GET, target, None, empty())?).await?;
                self.read(answer).await
            };
            let error = match asked.await {
                Err(error) => error,
                answered => return answered,
            };
            was_there |= matches!(error, ClientError::Unreachable { why: Why::Lost, .. });
            let away = matches!(
                error,
                ClientError::Unreachable { why: Why::Lost | Why::Missing | Why::Stale, .. }
            );
            match pauses.next() {
                Some(pause) if was_there && away => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
    }

    /// Asks for a change. `key` makes a repetition of it harmless, so a lost answer is asked for
    /// again, briefly; without one it is not repeated.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        target: &str,
        body: Option<&impl Serialize>,
        key: Option<&str>,
    ) -> Result<T, ClientError> {
        let json = match body {
            Some(body) => serde_json::to_vec(body)
                .map_err(|error| ClientError::Protocol(format!("the request: {error}")))?,
            None => Vec::new(),
        };
        decode(&self.change(Method::POST, target, json, key).await?)
    }

    /// The same by another method, without a key.
    pub(super) async fn change_by<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let json = serde_json::to_vec(body)
            .map_err(|error| ClientError::Protocol(format!("the request: {error}")))?;
        decode(&self.change(method, target, json, None).await?)
    }

    /// The same where the answer is that it was done, and nothing more.
    pub(super) async fn tell(
        &self,
        method: Method,
        target: &str,
        body: Option<&impl Serialize>,
    ) -> Result<(), ClientError> {
        let json = match body {
            Some(body) => serde_json::to_vec(body)
                .map_err(|error| ClientError::Protocol(format!("the request: {error}")))?,
            None => Vec::new(),
        };
        self.change(method, target, json, None).await.map(drop)
    }

    async fn change(
        &self,
        method: Method,
        target: &str,
        json: Vec<u8>,
        key: Option<&str>,
    ) -> Result<Bytes, ClientError> {
        let mut pauses = PAUSES.into_iter().map(Duration::from_millis);
        loop {
            let body = if json.is_empty() { empty() } else { full(json.clone()) };
            let mut request = request(method.clone(), target, key, body)?;
            if !json.is_empty() {
                request.headers_mut().insert(
                    header::CONTENT_TYPE,
                    header::HeaderValue::from_static("application/json"),
                );
            }
            let asked = async { self.read(self.send(request).await?).await }.await;
            match asked {
                Err(ClientError::Unreachable { why: Why::Lost, .. }) if key.is_some() => {
                    match pauses.next() {
                        Some(pause) => tokio::time::sleep(pause).await,
                        None => return Err(self.unreachable(Why::Lost)),
                    }
                }
                other => return other,
            }
        }
    }

    /// Sends one request on a connection of its own and waits for the head of the answer.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Answer, ClientError> {
        let stream = self.connect().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(Link::new(stream)))
            .await
            .map_err(|error| self.translate(&error))?;
        // How the connection ended is told again by the request or by the answer's body.
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            drop(connection.with_upgrades().await);
        }));
        let response =
            sender.send_request(request).await.map_err(|error| self.translate(&error))?;
        Ok(Answer { response, task })
    }

    async fn connect(&self) -> Result<UnixStream, ClientError> {
        let mut pauses = [1, 10, 50, 200, 500].into_iter().map(Duration::from_millis);
        loop {
            let error = match UnixStream::connect(&self.path).await {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            let why = match error.kind() {
                io::ErrorKind::NotFound => Why::Missing,
                io::ErrorKind::PermissionDenied => Why::Denied,
                io::ErrorKind::ConnectionRefused => Why::Stale,
                // The daemon's queue of callers is full: it is there, and busy.
                io::ErrorKind::WouldBlock => match pauses.next() {
                    Some(pause) => {
                        tokio::time::sleep(pause).await;
                        continue;
                    }
                    None => Why::System(error),
                },
                _ => Why::System(error),
            };
            return Err(self.unreachable(why));
        }
    }

    /// Reads a whole answer; one that is not a success becomes the daemon's [`Problem`].
    pub(super) async fn read(&self, answer: Answer) -> Result<Bytes, ClientError> {
        let Answer { response, task } = answer;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
        drop(task);
        let bytes = match body {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                return Err(match error.downcast::<hyper::Error>() {
                    Ok(error) => self.translate(&error),
                    Err(error) => ClientError::Protocol(error.to_string()),
                });
            }
        };
        if status.is_success() { Ok(bytes) } else { Err(refusal(status, &bytes)) }
    }

    pub(super) fn translate(&self, error: &hyper::Error) -> ClientError {
        if error.is_parse() {
            return ClientError::Protocol(format!("its answer is not HTTP ({error})"));
        }
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            return self.unreachable(Why::Lost);
        }
        match std::error::Error::source(error).and_then(|e| e.downcast_ref::<io::Error>()) {
            Some(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.unreachable(Why::Lost)
            }
            Some(error) => {
                self.unreachable(Why::System(io::Error::new(error.kind(), error.to_string())))
            }
            None => ClientError::Protocol(error.to_string()),
        }
    }
}

fn refusal(status: StatusCode, bytes: &[u8]) -> ClientError {
    match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => ClientError::Refused(Box::new(problem)),
        Err(_) => ClientError::Protocol(format!("status {status} without a reason")),
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(|error| ClientError::Protocol(error.to_string()))
}

/// Builds a request to `target`, a path with its query.
pub(super) fn request(
    method: Method,
    target: &str,
    key: Option<&str>,
    body: Body,
) -> Result<Request<Body>, ClientError> {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, "vial")
        .header(header::USER_AGENT, concat!("vial/", env!("CARGO_PKG_VERSION")));
    if let Some(key) = key {
        request = request.header(IDEMPOTENCY_KEY, key);
    }
    request.body(body).map_err(|error| ClientError::Protocol(format!("the request: {error}")))
}

pub(super) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

fn full(bytes: Vec<u8>) -> Body {
    Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed_unsync()
}

/// The path of one of several, by its name.
pub(super) fn one_of(path: &str, name: &str) -> String {
    format!("{path}/{}", utf8_percent_encode(name, &PLAIN))
}

/// The path of something that concerns one app.
pub(super) fn app_path(app: &str, rest: &str) -> String {
    format!("/v1/apps/{}{rest}", utf8_percent_encode(app, &PLAIN))
}

/// Appends the parameters that are there.
pub(super) fn with_query(path: String, parameters: &[(&str, Option<String>)]) -> String {
    let mut target = path;
    let mut mark = '?';
    for (name, value) in parameters {
        if let Some(value) = value {
            target.push(mark);
            target.push_str(name);
            target.push('=');
            target.extend(utf8_percent_encode(value, &PLAIN));
            mark = '&';
        }
    }
    target
}

/// A key for one thing that a person asks for.
///
/// # Errors
/// The system has no random numbers.
pub fn new_key() -> Result<String, ClientError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| ClientError::Protocol(format!("no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_what_a_person_wrote() {
        let target = with_query(
            app_path("my shop", "/deployments"),
            &[("reason", Some("a&b=c #1 é".into())), ("to", None), ("limit", Some("3".into()))],
        );
        assert_eq!(
            target,
            "/v1/apps/my%20shop/deployments?reason=a%26b%3Dc%20%231%20%C3%A9&limit=3"
        );
        assert!(target.parse::<hyper::Uri>().is_ok());
    }

    #[test]
    fn an_app_name_cannot_leave_its_segment() {
        assert_eq!(app_path("../status?x", "/stop"), "/v1/apps/..%2Fstatus%3Fx/stop");
    }

    #[test]
    fn keys_differ() {
        assert_ne!(new_key().unwrap(), new_key().unwrap());
    }
}

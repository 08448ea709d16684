//! One HTTP request to the release in a slot, as Caddy would make it.

use std::io;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Bytes};
use hyper::client::conn::http1;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Answer, is_own};
use crate::patience::within;

/// As much of an answer as is read: its health is in its status.
const BODY: usize = 64 << 10;

/// The most that the head of an answer may take.
const HEAD: usize = 64 << 10;
const HEADERS: usize = 100;

/// How long a path of `verify` may take.
const VERIFY: Duration = Duration::from_secs(10);

/// How much of a failing answer is shown, in characters.
const EXCERPT: usize = 200;

/// What is asked for, and what a healthy release answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The slot's port.
    pub port: u16,
    /// The path, with its query.
    pub path: String,
    /// The status that means healthy.
    pub status: u16,
    /// The host that is asked for: the app's own, because a release may refuse others.
    pub host: String,
}

/// Why a path of `verify` was not answered as it must be; for the deployment's error.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFailure {
    /// It answered 400 or above.
    #[error("{path} answered {status}, and must answer below 400.")]
    Status {
        /// The path.
        path: String,
        /// Its status.
        status: u16,
        /// The beginning of what it answered, on one line: untrusted text.
        excerpt: String,
    },
    /// It did not answer.
    #[error("{path} was not answered: {detail}.")]
    NoAnswer {
        /// The path.
        path: String,
        /// What happened instead: "connection refused".
        detail: String,
    },
}

/// Asks once.
pub(super) async fn once(check: &Check, timeout: Duration) -> Answer {
    let began = Instant::now();
    match get(check.port, &check.path, &check.host, timeout).await {
        Ok(answer) if answer.status == check.status => {
            Answer::Healthy { millis: began.elapsed().as_millis().try_into().unwrap_or(u64::MAX) }
        }
        Ok(answer) => Answer::NotYet { detail: answer.status.to_string() },
        Err(NoAnswer::Refused) => Answer::Refused,
        Err(NoAnswer::Other(detail)) => Answer::NotYet { detail },
    }
}

/// Asks for a path that must answer below 400, once, and returns its status.
///
/// # Errors
/// Where it does not.
pub async fn verify(port: u16, path: &str, host: &str) -> Result<u16, VerifyFailure> {
    match get(port, path, host, VERIFY).await {
        Ok(answer) if answer.status < 400 => Ok(answer.status),
        Ok(answer) => Err(VerifyFailure::Status {
            path: path.to_owned(),
            status: answer.status,
            excerpt: excerpt(&answer.body),
        }),
        Err(why) => Err(VerifyFailure::NoAnswer { path: path.to_owned(), detail: why.to_string() }),
    }
}

struct Response {
    status: u16,
    body: Vec<u8>,
}

/// Why nothing was answered, as a person reads it.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    /// Nobody listens.
    #[error("{REFUSED}")]
    Refused,
    #[error("{0}")]
    Other(String),
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> NoAnswer {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => NoAnswer::Refused,
            _ => NoAnswer::Other(name(&error)),
        }
    }
}

impl From<hyper::Error> for NoAnswer {
    fn from(error: hyper::Error) -> NoAnswer {
        NoAnswer::Other(describe(&error))
    }
}

/// Gets a path, or says why not as a person reads it.
async fn get(port: u16, path: &str, host: &str, timeout: Duration) -> Result<Response, NoAnswer> {
    let late = || match timeout.as_secs() {
        0 => NoAnswer::Other(format!("timed out after {} ms", timeout.as_millis())),
        seconds => NoAnswer::Other(format!("timed out after {seconds} s")),
    };
    within(timeout, exchange(port, path, host)).await.unwrap_or_else(|| Err(late()))
}

async fn exchange(port: u16, path: &str, host: &str) -> Result<Response, NoAnswer> {
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, concat!("Vial/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        // Otherwise a release that insists on TLS would answer with a redirect to it, and that
        // would be all that was checked.
        .header("x-forwarded-proto", "https")
        .body(Empty::<Bytes>::new())
        .map_err(|error| NoAnswer::Other(format!("{path:?} cannot be asked for: {error}")))?;
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    if is_own(&stream) {
        return Err(NoAnswer::Refused);
    }
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD)
        .max_headers(HEADERS)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
        .await?;
    let asked = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = beginning(answer.into_body()).await?;
        Ok(Response { status, body })
    };
    // The connection only moves bytes: whatever goes wrong with it, the request is told.
    let moved = async {
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::select! { answer = asked => answer, answer = moved => answer }
}

async fn beginning<B: Body<Data = Bytes, Error = hyper::Error> + Unpin>(
    mut body: B,
) -> Result<Vec<u8>, NoAnswer> {
    let mut bytes = Vec::new();
    while bytes.len() < BODY
        && let Some(frame) = body.frame().await
    {
        let frame = frame?;
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(&data[..data.len().min(BODY - bytes.len())]);
        }
    }
    Ok(bytes)
}

pub(super) const REFUSED: &str = "connection refused";
const CUT: &str = "the connection was closed before the answer ended";

fn describe(error: &hyper::Error) -> String {
    let system = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    match system {
        Some(error) => name(error),
        None if error.is_incomplete_message() => CUT.to_owned(),
        None if error.is_parse() || error.is_parse_too_large() => {
            "the answer is not HTTP".to_owned()
        }
        None => error.to_string(),
    }
}

fn name(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => REFUSED.to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::UnexpectedEof => CUT.to_owned(),
        _ => error.to_string(),
    }
}

/// The beginning of a body on one line: what a terminal would act on is left out.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let visible = text.split_whitespace().map(|word| word.replace(char::is_control, ""));
    let line = visible.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(EXCERPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_on_one_line_and_without_control_characters() {
        assert_eq!(excerpt(b"<h1>\r\n  Oh \x1b[31mno\x07</h1>\n"), "<h1> Oh [31mno</h1>");
        assert_eq!(excerpt("é".repeat(500).as_bytes()).chars().count(), EXCERPT);
        assert_eq!(excerpt(b"\xff"), "\u{fffd}");
    }
}

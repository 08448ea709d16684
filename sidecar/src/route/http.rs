//! One HTTP/1.1 request on a connection of its own, over TCP, a Unix socket or TLS.

use std::io;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_rustls::rustls::pki_types::ServerName;

use super::address::{Address, Stream};
use super::tls;

/// What was answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Headers, and trailers after them.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// The connection was not made.
    #[error("{}", plain(.0))]
    Connect(#[source] io::Error),
    /// The connection was made, and no TLS on it.
    #[error("no TLS was agreed on ({})", plain(.0))]
    Tls(#[source] io::Error),
    /// What came was not an answer.
    #[error("no HTTP answer came ({0})")]
    Talk(#[from] hyper::Error),
    /// The answer was larger than it could reasonably be.
    #[error("the answer was larger than {0} bytes")]
    TooLarge(usize),
    /// The request could not be written.
    #[error("the request could not be made ({0})")]
    Request(String),
}

/// The system's words without "(os error 111)".
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// Sends one request, over TLS where a name is given, and reads the answer up to `limit` bytes.
/// Has no deadline of its own. Dropping it closes the connection.
pub(super) async fn ask(
    address: &Address,
    tls: Option<&str>,
    request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<Answer, HttpError> {
    let stream = address.connect().await.map_err(HttpError::Connect)?;
    let stream: Box<dyn Stream> = match tls {
        None => stream,
        Some(name) => {
            let name = ServerName::try_from(name.to_owned())
                .map_err(|error| HttpError::Request(format!("{name}: {error}")))?;
            let connector = tls::connector().map_err(HttpError::Tls)?;
            Box::new(connector.connect(name, stream).await.map_err(HttpError::Tls)?)
        }
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async move {
        let response = sender.send_request(request).await?;
        let (parts, mut body) = response.into_parts();
        let mut headers = parts.headers;
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame?.into_data() {
                Ok(data) if bytes.len() + data.len() > limit => {
                    return Err(HttpError::TooLarge(limit));
                }
                Ok(data) => bytes.extend_from_slice(&data),
                Err(frame) => headers.extend(frame.into_trailers().unwrap_or_default()),
            }
        }
        Ok(Answer { status: parts.status, headers, body: bytes.into() })
    };
    // The connection ends once the exchange has dropped its sender; what it says then is moot.
    let (answer, _) = tokio::join!(exchange, connection);
    answer
}

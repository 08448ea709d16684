//! One connection and one request on it: who answered, or how it was lost.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderValue};
use hyper::http::HeaderMap;
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::loss::Loss;
use crate::target::Target;

/// The sending half of a connection.
pub type Sender = SendRequest<Full<Bytes>>;

/// Who answered, as the response's headers say.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// `x-shop-version`
    pub version: Option<String>,
    /// `x-shop-slot`
    pub slot: Option<String>,
}

impl Origin {
    /// Reads the two headers; they are another's text, so only a short word counts.
    pub fn of(headers: &HeaderMap) -> Self {
        let word = |name| {
            let text = headers.get(name)?.to_str().ok()?;
            (text.len() <= 64).then(|| text.to_owned())
        };
        Self { version: word("x-shop-version"), slot: word("x-shop-slot") }
    }
}

/// How one request ended.
#[derive(Debug)]
pub struct Outcome {
    /// When it was handed to a connection, or the connection to the network.
    pub sent: Instant,
    /// Who answered, where a response began.
    pub origin: Option<Origin>,
    /// Whether a whole and good response came.
    pub result: Result<(), Loss>,
}

impl Outcome {
    /// A request that no response began to.
    pub fn lost(sent: Instant, loss: Loss) -> Self {
        Self { sent, origin: None, result: Err(loss) }
    }
}

/// What a request asks, and what makes its answer good.
#[derive(Debug, Clone)]
pub struct Question {
    /// The path and query.
    pub uri: Uri,
    /// A body to POST, which must come back as it was sent.
    pub body: Option<Bytes>,
    /// The first status that counts as failed.
    pub status_below: u16,
}

impl Question {
    /// The request that asks it.
    pub fn request(&self, target: &Target) -> Result<Request<Full<Bytes>>, Loss> {
        let host = HeaderValue::from_str(&target.host)
            .map_err(|_| Loss::Other(format!("{:?} cannot be a Host header", target.host)))?;
        let mut request = Request::new(Full::new(self.body.clone().unwrap_or_default()));
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(HOST, host);
        if self.body.is_some() {
            *request.method_mut() = Method::POST;
        }
        Ok(request)
    }

    /// Reads the response to its end and judges it.
    pub async fn judge(&self, sent: Instant, response: Response<Incoming>) -> Outcome {
        let origin = Some(Origin::of(response.headers()));
        let status = response.status().as_u16();
        let mut body = response.into_body();
        let mut received = 0;
        let mut kept = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = match frame {
                Ok(frame) => frame.into_data().unwrap_or_default(),
                Err(error) => {
                    return Outcome { sent, origin, result: Err(Loss::in_body(&error, received)) };
                }
            };
            received += data.len() as u64;
            if self.body.is_some() {
                kept.extend_from_slice(&data);
            }
        }
        let result = match &self.body {
            _ if status >= self.status_below => Err(Loss::Status(status)),
            Some(body) if kept != *body => Err(Loss::WrongAnswer(kept.len())),
            _ => Ok(()),
        };
        Outcome { sent, origin, result }
    }
}

/// Opens a connection.
pub async fn connect(target: &Target) -> Result<Sender, Loss> {
    let stream = TcpStream::connect(target.address).await.map_err(Loss::connecting)?;
    stream.set_nodelay(true).map_err(Loss::connecting)?;
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|error| Loss::before_response(&error))?;
    // Ends with the sender, or with the other side. How it ended, the request's own error says.
    tokio::spawn(connection);
    Ok(sender)
}

//! Asking an app through Caddy.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub status: u16,
    /// The release that answered: "1.0.0".
    pub version: String,
    /// The slot that answered.
    pub slot: String,
    pub body: String,
}

/// A GET on a connection of its own.
pub async fn get(port: u16, host: &str, path: &str) -> Result<Page, Failure> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = Request::get(path).header("host", host).body(Full::<Bytes>::default())?;
    let response = sender.send_request(request).await?;
    let header = |name: &str| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (status, version, slot) =
        (response.status().as_u16(), header("x-shop-version"), header("x-shop-slot"));
    let body = String::from_utf8(response.into_body().collect().await?.to_bytes().into())?;
    driver.abort();
    Ok(Page { status, version, slot, body })
}

/// Writes bytes to a Unix socket, and reads all that comes back: the status, 0 where there is
/// none, and what stands behind the head.
pub async fn unix(socket: &std::path::Path, request: &str) -> (u16, String) {
    let mut stream = tokio::net::UnixStream::connect(socket).await.unwrap();
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    // A server that has said no may end the connection under what is still written.
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}

//! One HTTP request to a target.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::task::AbortOnDropHandle;

use super::request::Outgoing;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// So much of an answer is read, so that the connection ends well.
const ANSWER: usize = 64 << 10;

/// Why a target did not take what it was sent. Who asks how it is doing reads it. The address
/// stands in none of them.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    /// The address is none.
    #[error("its address is not one that can be called")]
    Address,
    /// There is no such host, or none can be asked.
    #[error("its host cannot be reached: {0}")]
    Connect(io::Error),
    /// It is not who it should be, or this host trusts nobody.
    #[error("TLS with it failed: {0}")]
    Tls(io::Error),
    /// The connection broke.
    #[error("the connection to it broke: {0}")]
    Http(hyper::Error),
    /// It let itself be waited for.
    #[error("it did not answer within {} s", PATIENCE.as_secs())]
    Silent,
    /// It answered with something else than a success.
    #[error("it answered with status {0}")]
    Refused(StatusCode),
}

/// Sends it. What is not a success is an error; nobody is followed elsewhere.
pub(super) async fn post(url: &str, outgoing: Outgoing) -> Result<(), PostError> {
    timeout(PATIENCE, send(url, outgoing)).await.map_err(|_| PostError::Silent)?
}

async fn send(url: &str, outgoing: Outgoing) -> Result<(), PostError> {
    let uri: Uri = url.parse().map_err(|_| PostError::Address)?;
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(PostError::Address),
    };
    let host = uri.host().ok_or(PostError::Address)?;
    // An IPv6 address has no brackets where it is looked up.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((bare, port)).await.map_err(PostError::Connect)?;
    if secure {
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| PostError::Address)?;
        let tls = connector().map_err(PostError::Tls)?;
        let stream = tls.connect(name, stream).await.map_err(PostError::Tls)?;
        exchange(stream, &uri, outgoing).await
    } else {
        exchange(stream, &uri, outgoing).await
    }
}

async fn exchange<S>(stream: S, uri: &Uri, outgoing: Outgoing) -> Result<(), PostError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(PostError::Http)?;
    let _task = AbortOnDropHandle::new(tokio::spawn(async move {
        // What breaks here, the answer's reader is told.
        let _ = connection.await;
    }));
    let target = uri.path_and_query().map_or("/", |it| it.as_str());
    let host = uri.authority().map_or("", |it| it.as_str());
    let mut request = Request::post(target)
        .header(header::HOST, host)
        .header(header::USER_AGENT, concat!("vial/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close");
    for (name, value) in outgoing.headers {
        request = request.header(name, value);
    }
    let body = Full::new(Bytes::from(outgoing.body));
    let request = request.body(body).map_err(|_| PostError::Address)?;
    let answer = sender.send_request(request).await.map_err(PostError::Http)?;
    let status = answer.status();
    let _ = Limited::new(answer.into_body(), ANSWER).collect().await;
    if status.is_success() { Ok(()) } else { Err(PostError::Refused(status)) }
}

/// Made once, from what the host trusts then.
fn connector() -> io::Result<TlsConnector> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone().into());
    }
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(io::Error::other(
            "this host trusts no certificate authority: install `ca-certificates`",
        ));
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(CONFIG.get_or_init(|| Arc::new(config)).clone().into())
}

//! Clients of the site: one request, a load, a stream, a WebSocket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

type Failure = Box<dyn std::error::Error + Send + Sync>;

pub async fn connect(port: u16) -> Result<SendRequest<Empty<Bytes>>, Failure> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

pub fn request(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path).header("host", "localhost").body(Empty::new()).unwrap()
}

/// Any request, with its whole answer's headers.
pub async fn send(
    port: u16,
    request: Request<Empty<Bytes>>,
) -> Result<Response<Incoming>, Failure> {
    Ok(connect(port).await?.send_request(request).await?)
}

/// The body of a good answer.
pub async fn get(port: u16, path: &str) -> Result<String, Failure> {
    body(send(port, request(path)).await?).await
}

async fn body(response: Response<Incoming>) -> Result<String, Failure> {
    let status = response.status();
    let body = String::from_utf8(response.into_body().collect().await?.to_bytes().into())?;
    if status == 200 { Ok(body) } else { Err(format!("{status} {body}").into()) }
}

/// A load of some clients, half of them on kept connections.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Tally>>,
}

/// What a load saw.
#[derive(Default, Debug)]
pub struct Tally {
    pub answered: BTreeMap<String, usize>,
    pub failed: Vec<String>,
}

impl Load {
    pub fn start(port: u16) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = (0..6).map(|n| tokio::spawn(run(port, n % 2 == 0, stop.clone()))).collect();
        Load { stop, clients }
    }

    pub async fn stop(self) -> Tally {
        self.stop.store(true, Ordering::SeqCst);
        let mut sum = Tally::default();
        for client in self.clients {
            let tally = client.await.unwrap();
            sum.failed.extend(tally.failed);
            for (name, count) in tally.answered {
                *sum.answered.entry(name).or_default() += count;
            }
        }
        sum
    }
}

async fn run(port: u16, keep: bool, stop: Arc<AtomicBool>) -> Tally {
    let mut tally = Tally::default();
    let mut kept = None;
    while !stop.load(Ordering::SeqCst) {
        let outcome = async {
            let mut sender = match kept.take() {
                Some(sender) => sender,
                None => connect(port).await?,
            };
            sender.ready().await?;
            let body = body(sender.send_request(request("/")).await?).await?;
            Ok::<_, Failure>((sender, body))
        };
        match outcome.await {
            Ok((sender, body)) => {
                kept = keep.then_some(sender);
                *tally.answered.entry(body).or_default() += 1;
            }
            Err(error) => tally.failed.push(error.to_string()),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tally
}

/// An open WebSocket through Caddy.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub async fn open(port: u16) -> Socket {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (socket, _) =
            tokio_tungstenite::client_async("ws://localhost/ws", stream).await.unwrap();
        Socket(socket)
    }

    /// Whether a word sent comes back.
    pub async fn echoes(&mut self) -> bool {
        if self.0.send(Message::text("are you there")).await.is_err() {
            return false;
        }
        let answer = tokio::time::timeout(Duration::from_secs(2), self.0.next()).await;
        matches!(answer, Ok(Some(Ok(Message::Text(text)))) if text.as_str() == "are you there")
    }
}

/// An open stream of lines through Caddy.
pub struct Stream {
    body: Incoming,
    /// The connection lasts as long as this.
    _sender: SendRequest<Empty<Bytes>>,
}

impl Stream {
    pub async fn open(port: u16) -> Stream {
        let mut sender = connect(port).await.unwrap();
        let response = sender.send_request(request("/stream")).await.unwrap();
        Stream { body: response.into_body(), _sender: sender }
    }

    /// Whether a line comes within a second.
    pub async fn flows(&mut self) -> bool {
        matches!(
            tokio::time::timeout(Duration::from_secs(1), self.body.frame()).await,
            Ok(Some(Ok(frame))) if frame.data_ref().is_some_and(|data| !data.is_empty())
        )
    }
}

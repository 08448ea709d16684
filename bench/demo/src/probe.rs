//! Asks an address over and over until it answers as wished.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How often it is asked: the precision of what is measured with it.
const EVERY: Duration = Duration::from_millis(5);
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whom to ask for what.
#[derive(Debug, Clone)]
pub struct Question {
    /// The address.
    pub address: SocketAddr,
    /// The `Host` header.
    pub host: String,
    /// The path.
    pub path: &'static str,
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// The release that gave it.
    pub version: Option<String>,
    /// The slot that gave it.
    pub slot: Option<String>,
}

impl Question {
    /// Asks once, on a connection of its own.
    pub async fn once(&self) -> Option<Answer> {
        timeout(PATIENCE, self.ask()).await.ok().flatten()
    }

    async fn ask(&self) -> Option<Answer> {
        let stream = TcpStream::connect(self.address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (mut sender, connection) =
            http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await.ok()?;
        let connection = tokio::spawn(connection);
        let request = Request::get(self.path).header(HOST, &self.host).body(Empty::new()).ok()?;
        let response = sender.send_request(request).await.ok()?;
        let header = |name| {
            let value = response.headers().get(name).and_then(|it| it.to_str().ok());
            value.map(ToOwned::to_owned)
        };
        let answer = Answer {
            status: response.status(),
            version: header("x-shop-version"),
            slot: header("x-shop-slot"),
        };
        response.into_body().collect().await.ok()?;
        connection.abort();
        Some(answer)
    }

    /// The moment at which the first answer arrived that is as wished; none within the limit.
    pub async fn first(
        &self,
        limit: Duration,
        wished: impl Fn(&Answer) -> bool,
    ) -> Option<Instant> {
        self.first_every(EVERY, limit, wished).await
    }

    /// The same, asked so often.
    pub async fn first_every(
        &self,
        every: Duration,
        limit: Duration,
        wished: impl Fn(&Answer) -> bool,
    ) -> Option<Instant> {
        let asking = async {
            let mut turns = interval(every);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                if self.once().await.as_ref().is_some_and(&wished) {
                    return Instant::now();
                }
            }
        };
        timeout(limit, asking).await.ok()
    }
}

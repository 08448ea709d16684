//! A server on a free port that misbehaves as it is told, byte by byte.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use vial_load::{Load, Target};

/// What a test's server does with a connection; the number counts connections from 0.
type Behaviour =
    Arc<dyn Fn(TcpStream, u32) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

pub struct Server {
    pub address: SocketAddr,
    pub connections: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start<F, Fut>(behaviour: F) -> Self
    where
        F: Fn(TcpStream, u32) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let behaviour: Behaviour =
            Arc::new(move |stream, number| Box::pin(behaviour(stream, number)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicU32::new(0));
        let counted = connections.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(behaviour(stream, counted.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Self { address, connections, task }
    }

    pub fn load(&self) -> Load {
        Load::new(Target { address: self.address, host: String::from("shop.test") })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads one request and returns its head and its body; `None` once the client has closed.
pub async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let body = bytes.split_off(head_end);
    let head = String::from_utf8(bytes).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |digits| digits.parse().unwrap());
    let mut body = body;
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}

/// A whole response of one version.
pub fn response(status: u16, version: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Whatever\r\nx-shop-version: {version}\r\nx-shop-slot: blue\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Answers well for as long as the client asks.
pub async fn serve_well(mut stream: TcpStream, version: &str) {
    while let Some((_, body)) = read_request(&mut stream).await {
        if stream.write_all(&response(200, version, &body)).await.is_err() {
            return;
        }
    }
}

/// Makes the close of this stream a reset.
pub fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

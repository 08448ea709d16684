//! What a browser does with the dashboard's API: logs in, follows the stream, has a console.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::task::AbortOnDropHandle;
use vial::client::sse::Parser;
use vial_protocol::console::ConsoleSaid;
use vial_protocol::live::{Live, Topics};

use super::{Host, SOON};

/// How long something may take to come in a stream.
const PATIENCE: Duration = Duration::from_secs(60);

/// The password of every user of a test.
pub const PASSWORD: &str = "correct horse battery";

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Somebody who asks.
#[derive(Debug, Clone)]
pub struct Browser {
    way: Way,
    cookie: Option<String>,
}

#[derive(Debug, Clone)]
enum Way {
    Socket(PathBuf),
    Tcp(u16),
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// Asserts that it was done.
    #[track_caller]
    pub fn done(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }

    /// Asserts that it was refused.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:?}");
    }
}

impl Browser {
    /// This process, on a host's socket.
    pub fn on_the_socket(host: &Host) -> Browser {
        Browser { way: Way::Socket(host.socket()), cookie: None }
    }

    /// A user of the dashboard, who is made and logs in.
    pub async fn log_in(host: &Host, port: u16, name: &str, role: &str) -> Browser {
        let user = json!({ "name": name, "role": role, "password": PASSWORD });
        Browser::on_the_socket(host).ask(Method::POST, "/v1/users", Some(&user)).await.done();
        Browser::log_in_again(port, name).await
    }

    /// One who is there, in a session of its own.
    pub async fn log_in_again(port: u16, name: &str) -> Browser {
        let mut browser = Browser { way: Way::Tcp(port), cookie: None };
        let login = json!({ "name": name, "password": PASSWORD });
        let answer = browser.send(Method::POST, "/v1/session", Some(&login)).await;
        assert!(answer.0.status().is_success(), "{:?}", answer.0);
        let cookie = answer.0.headers()["set-cookie"].to_str().unwrap();
        browser.cookie = cookie.split(';').next().map(str::to_owned);
        browser
    }

    /// Gives the password again.
    pub async fn confirm(&self) {
        let password = json!({ "password": PASSWORD });
        self.ask(Method::POST, "/v1/session/password", Some(&password)).await.done();
    }

    /// Asks, and reads the answer.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let (response, _driver) = self.send(method, path, body).await;
        let status = response.status().as_u16();
        let bytes = timeout(SOON, response.into_body().collect()).await.unwrap().unwrap();
        let body = serde_json::from_slice(&bytes.to_bytes()).unwrap_or(Value::Null);
        Answer { status, body }
    }

    /// Opens the stream, and reads what it begins with.
    pub async fn stream(&self) -> Stream {
        let (response, driver) = self.send(Method::GET, "/v1/stream", None).await;
        assert_eq!(response.status(), 200);
        let (body, parser, ready) = (response.into_body(), Parser::default(), VecDeque::new());
        let mut stream = Stream { id: String::new(), body, parser, ready, _driver: driver };
        match stream.next().await {
            Some(Live::Hello(hello)) => stream.id = hello.stream,
            other => panic!("no hello but {other:?}"),
        }
        stream
    }

    /// Says what a stream brings.
    pub async fn wants(&self, stream: &Stream, topics: &Topics) -> Answer {
        let topics = serde_json::to_value(topics).unwrap();
        self.ask(Method::PUT, &format!("/v1/streams/{}", stream.id), Some(&topics)).await
    }

    /// Opens a console on `shop`; its id.
    pub async fn open_console(&self, asked: &Value) -> String {
        let opened = self.ask(Method::POST, "/v1/apps/shop/consoles", Some(asked)).await.done();
        opened["id"].as_str().unwrap().to_owned()
    }

    /// Shows a console; what was printed before `cursor` is there already.
    pub async fn console(&self, id: &str, cursor: Option<u64>) -> ConsolePage {
        let Way::Tcp(port) = self.way else { panic!("consoles are for browsers") };
        let query = cursor.map(|it| format!("?cursor={it}")).unwrap_or_default();
        let url = format!("ws://127.0.0.1:{port}/v1/consoles/{id}{query}");
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("origin", format!("http://127.0.0.1:{port}").parse().unwrap());
        headers.insert("cookie", self.cookie.as_ref().unwrap().parse().unwrap());
        let tcp = connect(port).await;
        let (socket, _) = tokio_tungstenite::client_async(request, tcp).await.unwrap();
        let mut page =
            ConsolePage { socket, at: 0, shown: String::new(), count: 0, before: 0, ended: None };
        let first = timeout(SOON, page.socket.next()).await.unwrap().unwrap().unwrap();
        match serde_json::from_str(first.to_text().unwrap()).unwrap() {
            ConsoleSaid::At(at) => page.at = at,
            other => panic!("{other:?}"),
        }
        page
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (Response<Incoming>, AbortOnDropHandle<()>) {
        let (stream, name): (Box<dyn Io>, String) = match &self.way {
            Way::Socket(path) => {
                (Box::new(UnixStream::connect(path).await.unwrap()), "vial".to_owned())
            }
            Way::Tcp(port) => (Box::new(connect(*port).await), format!("127.0.0.1:{port}")),
        };
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        let driver = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("origin", format!("http://{name}")).header("host", name);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let bytes = body.map(|it| Bytes::from(it.to_string())).unwrap_or_default();
        let request = request.header("content-type", "application/json").body(Full::new(bytes));
        let response = timeout(SOON, sender.send_request(request.unwrap())).await.unwrap();
        (response.unwrap(), driver)
    }
}

/// A stream that is open.
pub struct Stream {
    pub id: String,
    body: Incoming,
    parser: Parser,
    ready: VecDeque<Live>,
    _driver: AbortOnDropHandle<()>,
}

impl Stream {
    /// The next event; none where the stream has ended. May be dropped without losing one.
    pub async fn next(&mut self) -> Option<Live> {
        while self.ready.is_empty() {
            let frame = timeout(PATIENCE, self.body.frame()).await.expect("something comes")?;
            let Ok(frame) = frame else { return None };
            let bytes = frame.into_data().unwrap_or_default();
            let events = self.parser.feed(&bytes).unwrap();
            self.ready.extend(events.iter().map(|it| serde_json::from_str(it).unwrap()));
        }
        self.ready.pop_front()
    }

    /// Waits for an event of a kind, passing over others.
    pub async fn until<T>(&mut self, what: &str, mut is: impl FnMut(Live) -> Option<T>) -> T {
        loop {
            let Some(live) = self.next().await else { panic!("the stream ends before {what}") };
            if let Some(found) = is(live) {
                return found;
            }
        }
    }

    /// Waits until it has told every app.
    pub async fn complete(&mut self) -> Vec<Live> {
        let mut before = Vec::new();
        self.until("it is complete", |live| match live {
            Live::Complete => Some(()),
            other => {
                before.push(other);
                None
            }
        })
        .await;
        before
    }
}

/// A page that shows a console.
pub struct ConsolePage {
    socket: WebSocketStream<TcpStream>,
    /// Where what is shown begins.
    pub at: u64,
    /// All that was printed since.
    pub shown: String,
    /// How many bytes that were.
    count: u64,
    /// How much of it had been printed when something was typed last.
    before: usize,
    /// Why it ended; the code that it was closed with, where it was not told.
    pub ended: Option<Result<String, u16>>,
}

impl ConsolePage {
    /// What was printed since something was typed last.
    pub fn answer(&self) -> &str {
        &self.shown[self.before..]
    }

    /// Waits until it shows a text, after what was typed last.
    pub async fn until_it_shows(&mut self, text: &str) {
        let shows = async {
            while !self.answer().contains(text) {
                assert!(self.ended.is_none(), "{:?} after {:?}", self.ended, self.shown);
                self.take().await;
            }
        };
        let shows = timeout(Duration::from_secs(40), shows).await.is_ok();
        assert!(shows, "{text:?} is not shown: {:?}", self.shown);
    }

    /// Waits for its end.
    pub async fn until_it_ends(&mut self) -> Result<String, u16> {
        let ends = async {
            while self.ended.is_none() {
                self.take().await;
            }
        };
        timeout(Duration::from_secs(40), ends).await.expect("it ends");
        self.ended.clone().unwrap()
    }

    /// How much was printed up to here.
    pub fn cursor(&self) -> u64 {
        self.at + self.count
    }

    /// Types.
    pub async fn types(&mut self, keys: &str) {
        self.before = self.shown.len();
        self.socket.send(Message::binary(keys.as_bytes().to_vec())).await.unwrap();
    }

    /// Has another size.
    pub async fn resize(&mut self, rows: u16, cols: u16) {
        let text = json!({ "resize": { "rows": rows, "cols": cols } }).to_string();
        self.socket.send(Message::text(text)).await.unwrap();
    }

    async fn take(&mut self) {
        match self.socket.next().await {
            Some(Ok(Message::Binary(bytes))) => {
                self.count += bytes.len() as u64;
                self.shown.push_str(&String::from_utf8_lossy(&bytes));
            }
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text).unwrap() {
                ConsoleSaid::Ended { why } => self.ended = Some(Ok(why)),
                other => panic!("{other:?}"),
            },
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or(0, |it| it.code.into());
                self.ended.get_or_insert(Err(code));
            }
            Some(Ok(_)) => {}
            Some(Err(Error::Io(_) | Error::Protocol(_) | Error::ConnectionClosed)) | None => {
                self.ended.get_or_insert(Err(0));
            }
            Some(Err(error)) => panic!("{error}"),
        }
    }
}

/// A connection to the dashboard. A daemon that has just come back listens in a moment.
async fn connect(port: u16) -> TcpStream {
    let deadline = Instant::now() + SOON;
    loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < deadline, "nothing listens: {error}"),
        }
        sleep(Duration::from_millis(10)).await;
    }
}

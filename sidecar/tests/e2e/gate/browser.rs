//! Asking the dashboard's address as a browser does, or as somebody who is none.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::handshake;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

/// What somebody sends with each request.
#[derive(Debug, Clone)]
pub struct Browser {
    port: u16,
    /// Headers by name; a later one of a name takes the place of an earlier one.
    headers: Vec<(String, String)>,
    pub cookie: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// An answer that is not at its end.
pub struct Open {
    pub response: Response<Incoming>,
    _driver: AbortOnDropHandle<()>,
}

impl Browser {
    pub fn new(port: u16) -> Browser {
        let origin = format!("http://127.0.0.1:{port}");
        Browser { port, headers: Vec::new(), cookie: None }
            .with("host", &format!("127.0.0.1:{port}"))
            .with("origin", &origin)
            .with("sec-fetch-site", "same-origin")
    }

    /// A program: it says nothing of where it is from.
    pub fn with_token(self, token: &str) -> Browser {
        self.without("origin")
            .without("sec-fetch-site")
            .with("authorization", &format!("Bearer {token}"))
    }

    pub fn with(mut self, name: &str, value: &str) -> Browser {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Browser {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, &body.to_string()).await
    }

    /// Sends a request, and reads the answer to its end.
    pub async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let Open { response, _driver } = self.open(method, path, body).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status, headers, body }
    }

    /// Sends a request, and reads the head of the answer.
    pub async fn open(&self, method: &str, path: &str, body: &str) -> Open {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        let driver = tokio::spawn(async move { drop(connection.with_upgrades().await) });
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let response = sender.send_request(request).await.unwrap();
        Open { response, _driver: AbortOnDropHandle::new(driver) }
    }

    /// Logs in, and keeps the cookie as a browser does.
    pub async fn log_in(&mut self, name: &str, password: &str) -> Answer {
        let answer = self.post("/v1/session", json!({"name": name, "password": password})).await;
        self.keep(&answer);
        answer
    }

    pub fn keep(&mut self, answer: &Answer) {
        if let Some(set) = answer.headers.get("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(pair.to_owned());
        }
    }

    pub async fn confirm(&self, password: &str) -> Answer {
        self.post("/v1/session/password", json!({"password": password})).await
    }
}

impl Answer {
    /// Asserts the status.
    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// Asserts that it was refused with this problem.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Answer {
        let answer = self.is(status);
        assert_eq!(answer.json()["code"], code, "{answer:#?}");
        answer
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|it| it.to_str().unwrap())
    }
}

impl Open {
    /// Reads until the answer ends, within a time: what came; absent where it does not end.
    pub async fn ends_within(&mut self, patience: std::time::Duration) -> bool {
        let body = self.response.body_mut();
        tokio::time::timeout(patience, async { while let Some(Ok(_)) = body.frame().await {} })
            .await
            .is_ok()
    }

    /// Waits for the first piece of it.
    pub async fn begins(&mut self) {
        let frame = tokio::time::timeout(crate::support::SOON, self.response.body_mut().frame());
        frame.await.unwrap().unwrap().unwrap();
    }
}

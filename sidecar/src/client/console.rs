//! The WebSocket of `vial console`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper::{Method, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::task::AbortOnDropHandle;
use vial_protocol::Slot;

use super::error::{ClientError, Why};
use super::http::{Client, app_path, empty, request, with_query};

/// A size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Columns.
    pub cols: u16,
}

/// What comes from a console.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// What its program wrote to its terminal.
    Bytes(Vec<u8>),
    /// Its program ended with this status.
    Exit(i32),
}

/// A terminal in a release.
pub struct Console {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    lost: Box<dyn Fn() -> ClientError + Send>,
    _task: AbortOnDropHandle<()>,
}

/// Where a console is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the node that runs in a slot; the active one where none is named.
    Slot(Option<Slot>),
    /// On a release that need not run, by its number: in a node of its own, its app not started.
    Release(u64),
}

impl Client {
    /// Opens a console in the release of a slot; of the active one where none is named.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn console(
        &self,
        app: &str,
        place: Place,
        size: Size,
        term: &str,
    ) -> Result<Console, ClientError> {
        let (slot, release) = match place {
            Place::Slot(slot) => (slot, None),
            Place::Release(number) => (None, Some(number)),
        };
        let query = [
            ("slot", slot.map(|slot| slot.to_string())),
            ("release", release.map(|number| number.to_string())),
            ("rows", Some(size.rows.to_string())),
            ("cols", Some(size.cols.to_string())),
            ("term", Some(term.to_owned())),
        ];
        let target = with_query(app_path(app, "/console"), &query);
        let key = generate_key();
        let mut request = request(Method::GET, &target, None, empty())?;
        let headers = request.headers_mut();
        for (name, value) in [
            (header::CONNECTION, "Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, &key),
        ] {
            let value = header::HeaderValue::from_str(value)
                .map_err(|error| ClientError::Protocol(error.to_string()))?;
            headers.insert(name, value);
        }
        let answer = self.send(request).await?;
        if answer.response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return match self.read(answer).await {
                Err(error) => Err(error),
                Ok(_) => Err(ClientError::Protocol("no WebSocket for the console".into())),
            };
        }
        let accepted = answer.response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
        if accepted.is_none_or(|accepted| *accepted != *derive_accept_key(key.as_bytes())) {
            return Err(ClientError::Protocol("not a WebSocket for this console".into()));
        }
        let upgraded =
            hyper::upgrade::on(answer.response).await.map_err(|error| self.translate(&error))?;
        let client = self.clone();
        Ok(Console {
            socket: WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None)
                .await,
            lost: Box::new(move || client.unreachable(Why::Lost)),
            _task: answer.task,
        })
    }
}

impl Console {
    /// Waits for output. May be dropped and called again without losing anything.
    ///
    /// # Errors
    /// The connection ended before the program did.
    pub async fn next(&mut self) -> Result<Output, ClientError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => return Ok(Output::Bytes(bytes.into())),
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(Frame::Exit { status }) => return Ok(Output::Exit(status)),
                    Ok(Frame::Resize { .. }) | Err(_) => {
                        return Err(ClientError::Protocol("an unknown frame".into()));
                    }
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed)) | None => {
                    return Err((self.lost)());
                }
                Some(Err(Error::Io(_) | Error::Protocol(_))) => return Err((self.lost)()),
                Some(Err(error)) => return Err(ClientError::Protocol(error.to_string())),
            }
        }
    }

    /// Sends what was typed.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn send(&mut self, typed: &[u8]) -> Result<(), ClientError> {
        let frame = Message::binary(typed.to_vec());
        self.socket.send(frame).await.map_err(|_| (self.lost)())
    }

    /// Tells the console's program its terminal's new size.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn resize(&mut self, size: Size) -> Result<(), ClientError> {
        let frame = Frame::Resize { rows: size.rows, cols: size.cols };
        let text = serde_json::to_string(&frame)
            .map_err(|error| ClientError::Protocol(error.to_string()))?;
        self.socket.send(Message::text(text)).await.map_err(|_| (self.lost)())
    }

    /// Leaves; the program in the console is ended by the daemon. Waits a moment for the daemon
    /// to agree, so that it is not cut off in the middle of an output.
    pub async fn close(mut self) {
        let agreed = async {
            self.socket.close(None).await?;
            while let Some(message) = self.socket.next().await {
                message?;
            }
            Ok::<(), Error>(())
        };
        // Whether the peer is still there to hear it makes no difference.
        let _ = tokio::time::timeout(Duration::from_secs(1), agreed).await;
    }
}

/// The text frames.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Frame {
    Resize { rows: u16, cols: u16 },
    Exit { status: i32 },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_frames_are_as_the_contract_says() {
        let resize = serde_json::to_string(&Frame::Resize { rows: 24, cols: 80 }).unwrap();
        assert_eq!(resize, r#"{"resize":{"rows":24,"cols":80}}"#);
        let exit: Frame = serde_json::from_str(r#"{"exit":{"status":3}}"#).unwrap();
        assert!(matches!(exit, Frame::Exit { status: 3 }));
    }
}

//! A stream of events that outlives the daemon's restarts.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Method;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use vial_protocol::Event;

use super::error::{ClientError, Why};
use super::http::{Answer, Client, empty, request, with_query};
use super::logs::{BuildAsk, LogAsk};
use super::sse::Parser;

/// The daemon sends a comment every 15 s; three missed ones mean that it hangs.
const SILENCE: Duration = Duration::from_secs(45);
/// The longest pause between two attempts to reach a daemon that went away.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What a subscriber is told.
#[derive(Debug)]
pub enum Told {
    /// An event of the daemon.
    Event(Event),
    /// The connection ended; it is tried again until it comes back.
    Lost(ClientError),
    /// The connection is back, and events go on.
    Back,
    /// The daemon refused to go on, or does not speak this protocol: nothing follows.
    Ended(ClientError),
}

/// A stream of events. Dropping it ends it.
pub struct Subscription {
    told: mpsc::Receiver<Told>,
    _task: AbortOnDropHandle<()>,
}

impl Subscription {
    /// Waits for what comes next; absent after [`Told::Ended`]. May be dropped and called again
    /// without losing anything.
    pub async fn next(&mut self) -> Option<Told> {
        self.told.recv().await
    }
}

/// What a subscription asks for, and where it reads on after an interruption.
enum Topic {
    Apps { app: Option<String> },
    Log { app: String, ask: LogAsk },
    Build { app: String, number: u64, ask: BuildAsk },
}

impl Topic {
    fn target(&self) -> String {
        match self {
            Topic::Apps { app } => with_query("/v1/events".into(), &[("app", app.clone())]),
            Topic::Log { app, ask } => ask.target(app, true),
            Topic::Build { app, number, ask } => ask.target(app, *number, true),
        }
    }

    fn passed(&mut self, event: &Event) {
        match (self, event) {
            (Topic::Log { ask, .. }, Event::Log(chunk)) => {
                ask.slot = Some(chunk.slot);
                ask.cursor = Some(chunk.cursor);
            }
            (Topic::Build { ask, .. }, Event::BuildLog(chunk)) => ask.cursor = Some(chunk.cursor),
            _ => {}
        }
    }
}

impl Client {
    /// Follows one app, or all: first the present status of each, then every change.
    ///
    /// # Errors
    /// The daemon cannot be reached at all, or refuses: see [`ClientError`].
    pub async fn events(&self, app: Option<&str>) -> Result<Subscription, ClientError> {
        self.subscribe(Topic::Apps { app: app.map(ToOwned::to_owned) }).await
    }

    /// Follows a slot's log from where it is asked for on.
    ///
    /// # Errors
    /// The daemon cannot be reached at all, or refuses: see [`ClientError`].
    pub async fn follow_log(&self, app: &str, ask: LogAsk) -> Result<Subscription, ClientError> {
        self.subscribe(Topic::Log { app: app.into(), ask }).await
    }

    /// Follows what a deployment's build prints, until it has ended.
    ///
    /// # Errors
    /// The daemon cannot be reached at all, or refuses: see [`ClientError`].
    pub async fn follow_build(
        &self,
        app: &str,
        number: u64,
        ask: BuildAsk,
    ) -> Result<Subscription, ClientError> {
        self.subscribe(Topic::Build { app: app.into(), number, ask }).await
    }

    async fn subscribe(&self, topic: Topic) -> Result<Subscription, ClientError> {
        let answer = self.open(&topic).await?;
        let (sender, told) = mpsc::channel(16);
        let task = tokio::spawn(deliver(self.clone(), topic, answer, sender));
        Ok(Subscription { told, _task: AbortOnDropHandle::new(task) })
    }

    async fn open(&self, topic: &Topic) -> Result<Answer, ClientError> {
        let request = request(Method::GET, &topic.target(), None, empty())?;
        let answer = match timeout(SILENCE, self.send(request)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(self.unreachable(Why::Silent(SILENCE.as_secs()))),
        };
        if answer.response.status().is_success() {
            return Ok(answer);
        }
        match self.read(answer).await {
            Err(error) => Err(error),
            Ok(_) => Err(ClientError::Protocol("an empty stream".into())),
        }
    }
}

/// Runs until the subscriber is gone or the daemon refuses.
async fn deliver(client: Client, mut topic: Topic, mut answer: Answer, told: mpsc::Sender<Told>) {
    loop {
        let error = pump(&client, &mut topic, answer, &told).await;
        if !error.is_passing() {
            drop(told.send(Told::Ended(error)).await);
            return;
        }
        if told.send(Told::Lost(error)).await.is_err() {
            return;
        }
        let mut pause = Duration::from_millis(50);
        answer = loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match client.open(&topic).await {
                Ok(answer) => break answer,
                Err(error) if error.is_passing() && !told.is_closed() => {}
                Err(error) => {
                    drop(told.send(Told::Ended(error)).await);
                    return;
                }
            }
        };
        if told.send(Told::Back).await.is_err() {
            return;
        }
    }
}

/// Passes events on until the stream ends, and says why it did.
async fn pump(
    client: &Client,
    topic: &mut Topic,
    answer: Answer,
    told: &mpsc::Sender<Told>,
) -> ClientError {
    let Answer { response, task: _task } = answer;
    let mut body = response.into_body();
    let mut parser = Parser::default();
    loop {
        let frame = match timeout(SILENCE, body.frame()).await {
            Err(_) => return client.unreachable(Why::Silent(SILENCE.as_secs())),
            Ok(None) => return client.unreachable(Why::Lost),
            Ok(Some(Err(error))) => return client.translate(&error),
            Ok(Some(Ok(frame))) => frame,
        };
        let Some(bytes) = frame.data_ref() else { continue };
        let events = match parser.feed(bytes) {
            Ok(events) => events,
            Err(error) => return ClientError::Protocol(error.to_string()),
        };
        for data in events {
            match decode(&data) {
                Ok(Some(event)) => {
                    topic.passed(&event);
                    if told.send(Told::Event(event)).await.is_err() {
                        return client.unreachable(Why::Lost);
                    }
                }
                Ok(None) => {}
                Err(error) => return ClientError::Protocol(error.to_string()),
            }
        }
    }
}

/// An event, or none for a type that a newer daemon has and this client does not know.
fn decode(data: &str) -> Result<Option<Event>, serde_json::Error> {
    let value: serde_json::Value = serde_json::from_str(data)?;
    let known = matches!(
        value.get("type").and_then(serde_json::Value::as_str),
        Some("app" | "app_removed" | "log" | "build_log")
    );
    if known { serde_json::from_value(value).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_newer_daemon_is_passed_over() {
        assert!(decode(r#"{"type":"weather","text":"x"}"#).unwrap().is_none());
        assert!(decode(r#"{"type":"app_removed","name":"shop"}"#).unwrap().is_some());
        assert!(decode(r#"{"type":"log","slot":"red"}"#).is_err());
        assert!(decode("not json").is_err());
    }
}

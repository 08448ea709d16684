//! How others speak with the task that owns an app: commands in, numbered snapshots out.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::bytes::Bytes;
use vial_protocol::request::Accepted;
use vial_protocol::{AppStatus, Code, Plan, Problem};

use super::admission::RollbackAsk;
use super::context::Context;
use super::task::Message;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// As the history names them.
    pub name: String,
    /// Whether they may end what others began.
    pub operator: bool,
}

/// A request to change something.
#[derive(Debug)]
pub struct Request {
    /// Who asks.
    pub actor: Actor,
    /// Why.
    pub reason: Option<String>,
    /// The idempotency key.
    pub key: Option<String>,
    /// What is asked for.
    pub what: What,
}

/// What is asked for.
#[derive(Debug)]
pub enum What {
    /// Deploy the release whose archive comes through here.
    Deploy(Upload),
    /// Go back to a release.
    Rollback(RollbackAsk),
    /// Start the active release anew.
    Restart {
        /// In the same slot, with an interruption.
        in_place: bool,
    },
    /// End what is in progress or waits.
    Cancel,
    /// Stop the app.
    Stop,
    /// Start it again.
    Start,
}

/// An archive as it comes in.
pub type Upload = mpsc::Receiver<Part>;

/// A piece of an archive.
#[derive(Debug)]
pub enum Part {
    /// Bytes.
    Bytes(Bytes),
    /// The archive is whole.
    End,
    /// It will not become whole; says why.
    Broken(String),
}

/// A handle; clones speak with the same task.
#[derive(Debug, Clone)]
pub struct App {
    name: Arc<str>,
    messages: mpsc::Sender<Message>,
    status: watch::Receiver<Arc<AppStatus>>,
    context: watch::Receiver<Arc<Context>>,
}

impl App {
    pub(super) fn new(
        name: Arc<str>,
        messages: mpsc::Sender<Message>,
        status: watch::Receiver<Arc<AppStatus>>,
        context: watch::Receiver<Arc<Context>>,
    ) -> Self {
        App { name, messages, status, context }
    }

    /// The app's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The app, now.
    #[must_use]
    pub fn status(&self) -> Arc<AppStatus> {
        self.status.borrow().clone()
    }

    /// The app, now and whenever it changes. Closed when the app is given up.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<AppStatus>> {
        self.status.clone()
    }

    /// The app's configuration and the tools that go with it.
    #[must_use]
    pub fn context(&self) -> Arc<Context> {
        self.context.borrow().clone()
    }

    /// Asks for a change.
    ///
    /// # Errors
    /// The refusal, or that the daemon is stopping.
    pub async fn ask(&self, request: Request) -> Result<Accepted, Problem> {
        self.call(|tell| Message::Ask(Box::new(request), tell)).await?
    }

    /// What a rollback would do now.
    ///
    /// # Errors
    /// The refusal, or that the daemon is stopping.
    pub async fn plan(&self, ask: RollbackAsk) -> Result<Plan, Problem> {
        self.call(|tell| Message::Plan(ask, tell)).await?
    }

    /// Gives the app another configuration.
    ///
    /// # Errors
    /// Where it cannot be changed while the app runs, or the daemon is stopping.
    pub async fn configure(&self, context: Arc<Context>) -> Result<(), Problem> {
        self.call(|tell| Message::Configure(context, tell)).await?
    }

    /// Gives the app up: its slots run on.
    pub async fn release(&self) {
        let _ = self.call(Message::Leave).await;
    }

    async fn call<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<T>) -> Message,
    ) -> Result<T, Problem> {
        let stopping = || {
            Problem::new(Code::ShuttingDown, "Nothing was changed: the daemon is stopping.")
                .next("try again in a moment")
        };
        let (tell, told) = oneshot::channel();
        self.messages.send(message(tell)).await.map_err(|_| stopping())?;
        told.await.map_err(|_| stopping())
    }
}

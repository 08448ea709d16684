//! How others speak with the task that owns an app: commands in, numbered snapshots out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, mpsc, oneshot, watch};
use vial_protocol::request::Accepted;
use vial_protocol::standby::{Rest, Rested};
use vial_protocol::{Code, Environment, Plan, Problem, Slot};

use super::context::Context;
use super::message::{Message, Sight};
use super::request::{Request, RollbackAsk};
use super::whereabouts::Whereabouts;
use crate::app::published::Published;

/// A handle; clones speak with the same task.
#[derive(Debug, Clone)]
pub struct App {
    name: Arc<str>,
    messages: mpsc::Sender<Message>,
    status: watch::Receiver<Arc<Published>>,
    context: watch::Receiver<Arc<Context>>,
    look: Arc<Notify>,
    beats: Arc<AtomicU64>,
}

impl App {
    pub(super) fn new(
        name: Arc<str>,
        messages: mpsc::Sender<Message>,
        status: watch::Receiver<Arc<Published>>,
        context: watch::Receiver<Arc<Context>>,
        look: Arc<Notify>,
        beats: Arc<AtomicU64>,
    ) -> Self {
        App { name, messages, status, context, look, beats }
    }

    /// The app's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether both speak with the same task: an app that was taken out and put in again has another.
    #[must_use]
    pub fn is(&self, other: &App) -> bool {
        self.status.same_channel(&other.status)
    }

    /// The app, now.
    #[must_use]
    pub fn status(&self) -> Arc<Published> {
        self.status.borrow().clone()
    }

    /// The app, now and whenever it changes. Closed when the app is given up.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Published>> {
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

    /// Its environment: names and what is known of them, and with `reveal` the values.
    ///
    /// # Errors
    /// That the daemon is stopping.
    pub async fn environment(&self, reveal: bool) -> Result<Environment, Problem> {
        self.call(|tell| Message::Environment(reveal, tell)).await
    }

    /// Where a release is; the one that serves where none is named. With `changes`, which begins the
    /// refusal, nobody else may be changing the app now.
    ///
    /// # Errors
    /// The refusal, or that the daemon is stopping.
    pub async fn whereabouts(
        &self,
        release: Option<u64>,
        changes: Option<&'static str>,
    ) -> Result<Whereabouts, Problem> {
        self.call(|tell| Message::Whereabouts(release, changes, tell)).await?
    }

    /// Takes what the library in a slot's release says of its rest. Where it holds still to be frozen,
    /// the answer comes when it was, or will not be.
    ///
    /// # Errors
    /// Where another run speaks than the slot has, or the daemon is stopping.
    pub async fn rest(&self, slot: Slot, rest: Rest) -> Result<Rested, Problem> {
        self.call(|tell| Message::Rest(slot, rest, tell)).await?
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

    /// Gives the app up and ends what runs in its slots, because the host stops. Returns when they
    /// have ended, or would not.
    pub async fn end(&self) {
        let _ = self.call(Message::End).await;
    }

    /// Lets the app look at its branch, or at whether it shall: what there is to know is in the store.
    pub fn look(&self) {
        self.look.notify_one();
    }

    /// Lets the status say whether those can be told who are to be told of the app.
    pub fn outbox(&self, problem: Option<Problem>) {
        // Where there is no room, it is told after the next attempt.
        let _ = self.messages.try_send(Message::Seen(Sight::Outbox(problem)));
    }

    /// Gives the task something to answer, so that [`App::beats`] tells whether it does.
    pub fn nudge(&self) {
        // Where there is no room, it has enough to answer; where it is gone, it does not.
        let _ = self.messages.try_send(Message::Nudge);
    }

    /// How much the task has done: it counts up with each message, and with each time that it tries
    /// to write the journal.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
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

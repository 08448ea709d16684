//! Looking at the tip of the app's branch, when there is a reason to.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::sleep;
use vial_protocol::Trigger;
use vial_protocol::source::{AutoDeploy, Failing};

use super::{Decision, short};
use crate::app::context::Context;
use crate::app::jobs::tip;
use crate::app::message::{Message, Sight};
use crate::app::published::Published;
use crate::app::request::{Actor, BuildAsk, BuildSource, Request, What};
use crate::config::Source;
use crate::store::StoreError;
use crate::store::auto::{Kept, Tried};

/// How Vial names itself in the history.
const VIAL: &str = "vial";
/// After the first failure, when the repository is not asked more often anyway.
const FIRST: Duration = Duration::from_secs(10);
/// The longest wait after a failure.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// When the store is asked again where it could not answer.
const STORE: Duration = Duration::from_secs(5);

/// Watches over the branch of an app; never ends.
pub(in crate::app) async fn watch(
    context: Arc<Context>,
    status: watch::Receiver<Arc<Published>>,
    look: Arc<Notify>,
    tell: mpsc::Sender<Message>,
) {
    let Some(source) = context.config.source.clone() else { return see(&tell, None).await };
    let view = AutoDeploy {
        on: false,
        branch: source.branch.clone(),
        set_by: None,
        poll_ms: source.poll.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX)),
        tip: None,
        looked_at: None,
        note: None,
        failing: None,
    };
    let mut watcher = Watcher { context, source, status, look, tell, view };
    loop {
        if let Err(error) = watcher.turn().await {
            tracing::error!(app = watcher.context.app(), %error, "auto-deploy waits");
            sleep(STORE).await;
        }
    }
}

struct Watcher {
    context: Arc<Context>,
    source: Source,
    status: watch::Receiver<Arc<Published>>,
    look: Arc<Notify>,
    tell: mpsc::Sender<Message>,
    view: AutoDeploy,
}

impl Watcher {
    /// Looks once, and waits for a reason to look again.
    async fn turn(&mut self) -> Result<(), StoreError> {
        let kept = self.context.daemon.store.auto_deploy(self.context.app()).await?;
        self.view.on = kept.wanted.unwrap_or(self.source.auto_deploy);
        self.view.set_by.clone_from(&kept.set_by);
        if !self.view.on {
            // A push that was told of before it was switched off is no reason any more.
            self.looked(&kept).await?;
            (self.view.note, self.view.failing) = (None, None);
            self.see().await;
            self.look.notified().await;
            return Ok(());
        }
        if self.is_busy() {
            self.view.note = kept.pushed_at.map(|_| {
                format!("{} was pushed to, and waits for what is in progress", self.source.branch)
            });
            self.see().await;
            return self.rest().await;
        }
        match tip::tip(&self.context, &self.source).await {
            Ok(tip) => {
                self.view.failing = None;
                self.view.looked_at = Some(Timestamp::now());
                self.view.tip = Some(tip.clone());
                self.decide(&kept, tip).await
            }
            Err(why) => self.failed(why).await,
        }
    }

    async fn decide(&mut self, kept: &Kept, tip: String) -> Result<(), StoreError> {
        let (tell, told) = oneshot::channel();
        let message = Message::Tip(tip.clone(), kept.tried.clone(), tell);
        if self.tell.send(message).await.is_err() {
            // The task is gone, and with it what this is for.
            return std::future::pending().await;
        }
        match told.await {
            Ok(Decision::Deploy) => return self.deploy(kept, tip).await,
            // It began a moment ago.
            Ok(Decision::Later) => {
                self.see().await;
                return self.rest().await;
            }
            Ok(Decision::Serves) | Err(_) => self.view.note = None,
            Ok(Decision::Left(why)) => self.view.note = Some(why),
        }
        self.looked(kept).await?;
        self.see().await;
        self.wait().await;
        Ok(())
    }

    async fn deploy(&mut self, kept: &Kept, tip: String) -> Result<(), StoreError> {
        let app = self.context.app().to_owned();
        let trigger = if kept.pushed_at.is_some() { Trigger::Webhook } else { Trigger::Poll };
        let actor = Actor { name: VIAL.into(), operator: true, origin: None };
        let reason = Some(format!("{} is the tip of {}", short(&tip), self.source.branch));
        let ask = BuildAsk {
            source: BuildSource::Branch,
            allow_destructive: self.source.allow_destructive,
            trigger,
        };
        let request = Request { actor, reason, key: None, what: What::Build(ask) };
        let (tell, told) = oneshot::channel();
        if self.tell.send(Message::Ask(Box::new(request), tell)).await.is_err() {
            return std::future::pending().await;
        }
        match told.await {
            Ok(Ok(accepted)) => {
                if let Some(deployment) = accepted.deployment {
                    let tried = Tried { commit: tip, deployment };
                    self.context.daemon.store.tried_to_deploy(&app, tried).await?;
                }
                self.view.note = None;
                self.looked(kept).await?;
                self.see().await;
                self.rest().await
            }
            Ok(Err(refusal)) => {
                tracing::warn!(app, commit = tip, %refusal, "not deployed by itself");
                self.view.note = Some(format!("{} waits: {}", short(&tip), refusal.message));
                self.see().await;
                self.put_off(LONGEST.min(self.source.poll.unwrap_or(FIRST))).await;
                Ok(())
            }
            Err(_) => std::future::pending().await,
        }
    }

    async fn failed(&mut self, error: String) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let before = self.view.failing.take();
        let attempts = before.as_ref().map_or(1, |it| it.attempts.saturating_add(1));
        let doubled = FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(LONGEST);
        let wait = doubled.max(self.source.poll.unwrap_or_default());
        let app = self.context.app();
        tracing::warn!(app, error, attempts, "the repository could not be asked for its tip");
        self.view.failing = Some(Failing {
            since: before.map_or(now, |it| it.since),
            attempts,
            error,
            next_at: now.checked_add(wait).unwrap_or(now),
        });
        self.see().await;
        self.put_off(wait).await;
        Ok(())
    }

    /// The push that was told of has led to what it could.
    async fn looked(&self, kept: &Kept) -> Result<(), StoreError> {
        match kept.pushed_at {
            Some(told) => self.context.daemon.store.looked_at_push(self.context.app(), told).await,
            None => Ok(()),
        }
    }

    fn is_busy(&self) -> bool {
        let status = self.status.borrow();
        status.deployment.is_some() || status.queued.is_some()
    }

    /// Waits until nothing is in progress. Whoever switches it off meanwhile is heard then.
    async fn rest(&mut self) -> Result<(), StoreError> {
        let app = self.context.app().to_owned();
        let (status, look) = (&mut self.status, &self.look);
        let gone = async {
            let rests = |it: &Arc<Published>| it.deployment.is_none() && it.queued.is_none();
            status.wait_for(rests).await.is_err()
        };
        tokio::select! {
            gone = gone => {
                if gone {
                    tracing::debug!(app, "given up");
                    return std::future::pending().await;
                }
            }
            () = look.notified() => {}
        }
        Ok(())
    }

    /// Waits for a reason to look.
    async fn wait(&mut self) {
        let (status, look, poll) = (&mut self.status, &self.look, self.source.poll);
        let begun = async {
            let begun = |it: &Arc<Published>| it.deployment.is_some() || it.queued.is_some();
            if status.wait_for(begun).await.is_err() {
                std::future::pending().await
            }
        };
        let poll = async {
            match poll {
                Some(poll) => sleep(poll).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = poll => {}
            () = look.notified() => {}
            // A rollback changes what is to be said of the tip.
            () = begun => {}
        }
    }

    async fn put_off(&self, wait: Duration) {
        tokio::select! {
            () = sleep(wait) => {}
            () = self.look.notified() => {}
        }
    }

    async fn see(&self) {
        see(&self.tell, Some(self.view.clone())).await;
    }
}

async fn see(tell: &mpsc::Sender<Message>, view: Option<AutoDeploy>) {
    let _ = tell.send(Message::Seen(Sight::Source(view))).await;
}

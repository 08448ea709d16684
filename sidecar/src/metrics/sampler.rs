//! The task that measures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};
use vial_protocol::live;

use super::Following;
use super::kept::{FAST, Kept, SLOW};
use super::measure::{Look, measure};
use crate::app::handle::App;
use crate::app::published::Published;
use crate::app::registry::Registry;
use crate::beat::beat_from;

/// When the first sample is taken: what starts has other things to do.
const FIRST: Duration = Duration::from_secs(2);
/// A look at a host with thousands of processes takes its time. The next one comes after so many
/// times that: nobody looking, it is at most a thousandth of a core.
const PAUSE: u32 = 1000;
/// The same while somebody looks.
const PAUSE_WHILE_FOLLOWED: u32 = 50;
/// What was measured so lately is not measured again for one who comes.
const FRESH: Duration = Duration::from_secs(1);

/// What the task is told.
#[derive(Debug)]
pub(super) enum Message {
    /// Somebody wants the last minutes.
    Recent(String, oneshot::Sender<Option<live::Metrics>>),
    /// Somebody follows.
    Follow(String, oneshot::Sender<Option<Following>>),
    /// An app is as its status says.
    Looked(Arc<Published>),
}

struct Entry {
    app: App,
    kept: Kept,
    watcher: AbortHandle,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

/// The task.
pub(super) struct Sampler {
    registry: watch::Receiver<Arc<Registry>>,
    tell: mpsc::WeakSender<Message>,
    apps: BTreeMap<String, Entry>,
    measuring: Option<BoxFuture<'static, Look>>,
    measures_all: bool,
    began: Instant,
    all_at: Instant,
    fast_at: Instant,
}

impl Sampler {
    pub(super) fn new(
        registry: watch::Receiver<Arc<Registry>>,
        tell: mpsc::WeakSender<Message>,
    ) -> Sampler {
        let now = Instant::now();
        let all_at = now + FIRST;
        let apps = BTreeMap::new();
        Sampler {
            registry,
            tell,
            apps,
            measuring: None,
            measures_all: false,
            began: now,
            all_at,
            fast_at: now,
        }
    }

    pub(super) async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        self.take_up();
        loop {
            let followed = self.apps.values().any(|it| it.kept.is_followed());
            let due = if followed { self.all_at.min(self.fast_at) } else { self.all_at };
            tokio::select! {
                message = messages.recv() => match message {
                    Some(message) => self.answer(message),
                    None => return,
                },
                changed = self.registry.changed() => match changed {
                    Ok(()) => self.take_up(),
                    Err(_) => return,
                },
                measured = done(&mut self.measuring) => self.add(measured),
                () = sleep_until(due), if self.measuring.is_none() => self.begin(),
            }
        }
    }

    /// Knows the apps that there are.
    fn take_up(&mut self) {
        let registry = self.registry.borrow_and_update().clone();
        self.apps.retain(|name, it| registry.apps.get(name).is_some_and(|app| app.is(&it.app)));
        for (name, app) in &registry.apps {
            if !self.apps.contains_key(name) {
                let mut kept = Kept::new(name);
                kept.look(&app.status());
                let watcher = tokio::spawn(watch(app.subscribe(), self.tell.clone()));
                let entry = Entry { app: app.clone(), kept, watcher: watcher.abort_handle() };
                self.apps.insert(name.clone(), entry);
            }
        }
    }

    fn answer(&mut self, message: Message) {
        // Whoever asked may be gone.
        match message {
            Message::Recent(app, tell) => {
                let _ = tell.send(self.apps.get(&app).map(|it| it.kept.recent()));
            }
            Message::Follow(app, tell) => {
                let entry = self.apps.get(&app);
                let _ = tell.send(entry.map(|it| it.kept.follow()));
                let last = entry.and_then(|it| it.kept.measured_at());
                let now = Instant::now();
                let due = match last {
                    Some(last) if now - last <= FRESH => last + FAST,
                    _ => now,
                };
                // Nobody followed anything: what it was due at is long past.
                self.fast_at = if self.fast_at < now { due } else { self.fast_at.min(due) };
            }
            Message::Looked(status) => {
                if let Some(entry) = self.apps.get_mut(&status.name) {
                    entry.kept.look(&status);
                }
            }
        }
    }

    /// Begins to measure: all of them where it is time, else those that somebody follows.
    fn begin(&mut self) {
        self.began = Instant::now();
        let all = self.began >= self.all_at;
        let wanted = self.apps.values().filter(|it| all || it.kept.is_followed());
        let wanted: Vec<App> = wanted.map(|it| it.app.clone()).collect();
        self.measures_all = all;
        self.measuring = Some(measure(wanted).boxed());
    }

    fn add(&mut self, look: Look) {
        self.measuring = None;
        if self.measures_all {
            self.all_at = beat_from(self.began, SLOW.max(look.took * PAUSE));
        }
        self.fast_at = self.began + FAST.max(look.took * PAUSE_WHILE_FOLLOWED);
        for (app, measured) in look.apps {
            let entry = self.apps.get_mut(app.name()).filter(|it| it.app.is(&app));
            if let Some(entry) = entry {
                entry.kept.add(measured);
            }
        }
    }
}

/// Waits for what is measured now; forever where nothing is.
async fn done(measuring: &mut Option<BoxFuture<'static, Look>>) -> Look {
    match measuring {
        Some(look) => look.await,
        None => std::future::pending().await,
    }
}

/// Tells of an app whenever it changes. The task ends although this one could tell it more.
async fn watch(mut status: watch::Receiver<Arc<Published>>, tell: mpsc::WeakSender<Message>) {
    while status.changed().await.is_ok() {
        let now = status.borrow_and_update().clone();
        let Some(tell) = tell.upgrade() else { return };
        if tell.send(Message::Looked(now)).await.is_err() {
            return;
        }
    }
}

//! The task that owns an app.
//!
//! It is the only one that holds the app's state. Each message is answered in one turn: the machine
//! says what comes of it, the store commits that, and only then is anything begun.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use vial_protocol::{AppStatus, Code, Problem, Slot};

use super::context::Context;
use super::handle::App;
use super::history::History;
use super::known::Known;
use super::machine::{Event, Fact, PerSlot, State, Step, step};
use super::message::{Message, Sight};
use super::request::Upload;
use super::run::Run;
use super::snapshot::{Parts, Seen, Shown};
use crate::store::history::KeptAnswer;
use crate::store::record::Record;

/// How long to wait before a commit that failed is tried again.
const COMMIT_AGAIN: Duration = Duration::from_secs(1);

/// The owner.
pub(super) struct Task {
    pub(super) context: Arc<Context>,
    pub(super) state: State,
    pub(super) history: History,
    pub(super) tell: mpsc::Sender<Message>,
    pub(super) runs: PerSlot<Option<Run>>,
    pub(super) step_work: CancellationToken,
    pub(super) watch_work: CancellationToken,
    pub(super) route_work: CancellationToken,
    pub(super) log_work: CancellationToken,
    pub(super) uploads: HashMap<u64, Upload>,
    pub(super) shown: Shown,
    pub(super) seen: PerSlot<Seen>,
    route_problem: Option<Problem>,
    trouble: Option<Problem>,
    status: watch::Sender<Arc<AppStatus>>,
    contexts: watch::Sender<Arc<Context>>,
    revision: u64,
}

/// What a task starts from.
pub(super) struct Found {
    pub(super) state: State,
    pub(super) history: History,
    pub(super) runs: PerSlot<Option<Run>>,
    pub(super) seen: PerSlot<Seen>,
}

impl Task {
    /// Starts the task of an app, which takes up what an earlier daemon left.
    pub(super) async fn spawn(
        context: Arc<Context>,
        found: Found,
        tell: mpsc::Sender<Message>,
        messages: mpsc::Receiver<Message>,
    ) -> App {
        let name: Arc<str> = context.app().into();
        let Found { state, history, runs, seen } = found;
        let shown = Shown::default();
        let first = Parts {
            known: Known { app: &name, state: &state, history: &history },
            context: &context,
            shown: &shown,
            seen: &seen,
            route_problem: None,
            trouble: None,
            revision: 0,
        }
        .status();
        let (status, statuses) = watch::channel(Arc::new(first));
        let (contexts, context_reader) = watch::channel(context.clone());
        let mut task = Task {
            context,
            state,
            history,
            tell: tell.clone(),
            runs,
            step_work: CancellationToken::new(),
            watch_work: CancellationToken::new(),
            route_work: CancellationToken::new(),
            log_work: CancellationToken::new(),
            uploads: HashMap::new(),
            shown,
            seen,
            route_problem: None,
            trouble: None,
            status,
            contexts,
            revision: 0,
        };
        task.show().await;
        task.turn(Event::Recovered).await;
        task.keep_checking_route();
        task.keep_logs();
        tokio::spawn(task.serve(messages));
        App::new(name, tell, statuses, context_reader)
    }

    async fn serve(mut self, mut messages: mpsc::Receiver<Message>) {
        while let Some(message) = messages.recv().await {
            match message {
                Message::Ask(request, tell) => {
                    let answer = self.ask(*request).await;
                    let _ = tell.send(answer);
                }
                Message::Plan(ask, tell) => {
                    let _ = tell.send(self.known().rollback(&ask));
                }
                Message::Whereabouts(release, changes, tell) => {
                    let _ = tell.send(self.known().whereabouts(release, changes));
                }
                Message::Fact(fact) => {
                    tracing::debug!(app = self.context.app(), ?fact, "fact");
                    self.turn(Event::Fact(fact)).await;
                }
                Message::Seen(sight) => self.saw(sight),
                Message::Unpacked(release) => {
                    let number = release.number;
                    self.history.add_release(release);
                    let risk = self.known().risk(number);
                    self.turn(Event::Fact(Fact::Unpacked { number, risk })).await;
                }
                Message::Configure(context, tell) => {
                    let _ = tell.send(self.configure(context));
                }
                Message::Leave(tell) => {
                    self.leave();
                    let _ = tell.send(());
                    return;
                }
            }
        }
    }

    /// The app's status, now and as it changes.
    pub(super) fn readers(&self) -> watch::Receiver<Arc<AppStatus>> {
        self.status.subscribe()
    }

    pub(super) fn known(&self) -> Known<'_> {
        Known { app: self.context.app(), state: &self.state, history: &self.history }
    }

    /// A turn that must be made: where the store cannot commit, it is tried until it can.
    pub(super) async fn turn(&mut self, event: Event) {
        while let Err(problem) = self.try_turn(event.clone(), None).await {
            tracing::error!(app = self.context.app(), %problem, "waiting to write the journal");
            tokio::time::sleep(COMMIT_AGAIN).await;
        }
    }

    /// A turn that is made wholly or not at all.
    pub(super) async fn try_turn(
        &mut self,
        event: Event,
        answer: Option<KeptAnswer>,
    ) -> Result<(), Problem> {
        let Step { state, mut records, effects } =
            step(&self.state, event, self.context.settings());
        for record in &mut records {
            self.explain(record);
        }
        let now = Timestamp::now();
        let committed = self
            .context
            .daemon
            .store
            .commit(self.context.app(), records.clone(), answer, now)
            .await;
        if let Err(error) = committed {
            let problem = Problem::new(
                match error {
                    crate::store::StoreError::Full => Code::NoSpace,
                    _ => Code::Internal,
                },
                format!("Nothing was changed: {error}."),
            )
            .next(
                "free space in the state folder, then ask again; `vial doctor` says what is wrong",
            );
            self.trouble = Some(problem.clone());
            self.publish();
            return Err(problem);
        }
        self.trouble = None;
        self.history.apply(&records, now);
        let changed = self.state != state || !records.is_empty();
        self.state = state;
        self.log(&records);
        if !records.is_empty() {
            self.show().await;
        } else if changed {
            self.publish();
        }
        for effect in effects {
            self.begin(effect);
        }
        Ok(())
    }

    fn log(&self, records: &[Record]) {
        let app = self.context.app();
        for record in records {
            match record {
                Record::Began(began) => {
                    tracing::info!(
                        app,
                        deployment = began.number,
                        kind = began.kind.as_str(),
                        actor = began.actor,
                        reason = began.reason,
                        "deployment begins"
                    );
                }
                Record::Entered { number, status } => {
                    tracing::info!(app, deployment = number, step = status.as_str(), "step");
                }
                Record::Ended { number, status, error } => {
                    let error = error.as_ref().map(|it| it.message.as_str());
                    tracing::info!(
                        app,
                        deployment = number,
                        status = status.as_str(),
                        error,
                        "deployment ended"
                    );
                }
                Record::WentLive { number, slot } => {
                    tracing::info!(app, deployment = number, slot = slot.as_str(), "live");
                }
                _ => {}
            }
        }
    }

    /// Reads the deployments that a status shows again, and publishes it.
    async fn show(&mut self) {
        let store = &self.context.daemon.store;
        let app = self.context.app();
        let get = async |number: Option<u64>| match number {
            Some(number) => store.deployment(app, number).await.unwrap_or_else(|error| {
                tracing::error!(app, %error, "the history cannot be read");
                None
            }),
            None => None,
        };
        self.shown = Shown {
            current: get(self.state.current.as_ref().map(|it| it.number)).await,
            queued: get(self.state.queued.as_ref().map(|it| it.number)).await,
            last: get(self.history.last_ended().map(|it| it.number)).await,
            serving: get(self.state.serving).await,
        };
        self.publish();
    }

    fn publish(&mut self) {
        self.revision += 1;
        let status = Parts {
            known: self.known(),
            context: &self.context,
            shown: &self.shown,
            seen: &self.seen,
            route_problem: self.route_problem.as_ref(),
            trouble: self.trouble.as_ref(),
            revision: self.revision,
        }
        .status();
        self.status.send_replace(Arc::new(status));
    }

    fn saw(&mut self, sight: Sight) {
        let known_run = |slot: Slot, run| self.state.slots.get(slot).life.run() == Some(run);
        match sight {
            Sight::Process { slot, run, pid, since } if known_run(slot, run) => {
                *self.seen.get_mut(slot) = Seen {
                    pid: Some(pid),
                    since: Some(since),
                    health: None,
                    last_exit: self.seen.get(slot).last_exit.clone(),
                };
            }
            Sight::Ended { slot, run, how } if known_run(slot, run) => {
                *self.seen.get_mut(slot) = Seen { last_exit: Some(how), ..Seen::default() };
            }
            Sight::Health { slot, run, health } if known_run(slot, run) => {
                self.seen.get_mut(slot).health = Some(health);
            }
            Sight::Route(problem) => {
                if self.route_problem == problem {
                    return;
                }
                if let Some(problem) = &problem {
                    tracing::warn!(app = self.context.app(), %problem, "route");
                }
                self.route_problem = problem;
            }
            _ => return,
        }
        self.publish();
    }

    fn configure(&mut self, context: Arc<Context>) -> Result<(), Problem> {
        let runs = Slot::BOTH.iter().any(|slot| self.state.slots.get(*slot).life.run().is_some());
        if runs && !self.context.keeps_identity(&context.config) {
            let app = self.context.app();
            return Err(Problem::new(
                Code::Configuration,
                format!(
                    "{app} keeps its old configuration: `release`, `user`, `ports` and `node_host` \
                     cannot change while it runs."
                ),
            )
            .next(format!("`vial stop {app}`, `vial reload`, `vial start {app}`")));
        }
        self.context = context.clone();
        self.contexts.send_replace(context);
        self.keep_checking_route();
        self.keep_logs();
        self.rewatch();
        self.publish();
        Ok(())
    }

    fn leave(&mut self) {
        self.step_work.cancel();
        self.watch_work.cancel();
        self.route_work.cancel();
        self.log_work.cancel();
    }
}

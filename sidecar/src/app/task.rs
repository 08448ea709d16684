//! The task that owns an app.
//!
//! It is the only one that holds the app's state. Each message is answered in one turn: the machine
//! says what comes of it, the store commits that, and only then is anything begun.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use vial_protocol::{AutoDeploy, Code, Problem, Slot};

use super::auto;
use super::backlog::Backlog;
use super::clock::Clock;
use super::context::Context;
use super::handle::App;
use super::helpers::{Interrupted, Leftovers};
use super::history::History;
use super::known::Known;
use super::machine::{Event, Fact, PerSlot, State};
use super::message::{Message, Sight};
use super::request::Incoming;
use super::run::Run;
use super::said::Said;
use super::snapshot::{Parts, Seen, Shown};
use super::standbys::Standbys;
use crate::app::published::Published;
use crate::fault;
use crate::vault::Kept;

/// How much longer than its grace a slot may take to end when the host stops: what is killed may
/// hang in the kernel, and its family is ended after it.
const BEYOND_GRACE: Duration = Duration::from_secs(15);

/// The owner.
pub(super) struct Task {
    pub(super) context: Arc<Context>,
    pub(super) state: State,
    pub(super) history: History,
    pub(super) clock: Clock,
    pub(super) tell: mpsc::Sender<Message>,
    pub(super) runs: PerSlot<Option<Run>>,
    pub(super) step_work: CancellationToken,
    pub(super) watch_work: CancellationToken,
    pub(super) keep_work: CancellationToken,
    pub(super) hand_over_work: CancellationToken,
    pub(super) route_work: CancellationToken,
    pub(super) log_work: CancellationToken,
    pub(super) source_work: CancellationToken,
    pub(super) look: Arc<Notify>,
    pub(super) incoming: HashMap<u64, Incoming>,
    pub(super) shown: Shown,
    pub(super) seen: PerSlot<Seen>,
    pub(super) standbys: Standbys,
    pub(super) said: Said,
    /// The app's values, as the vault has them: nobody else changes those.
    pub(super) environment: Arc<Kept>,
    /// What became of a migration that an earlier daemon was at.
    pub(super) interrupted: Option<Interrupted>,
    route_problem: Option<Problem>,
    source: Option<AutoDeploy>,
    outbox: Option<Problem>,
    pub(super) trouble: Option<Problem>,
    pub(super) backlog: Backlog,
    status: watch::Sender<Arc<Published>>,
    contexts: watch::Sender<Arc<Context>>,
    revision: u64,
    beats: Arc<AtomicU64>,
}

/// What a task starts from.
pub(super) struct Found {
    pub(super) state: State,
    pub(super) history: History,
    pub(super) clock: Clock,
    pub(super) runs: PerSlot<Option<Run>>,
    pub(super) seen: PerSlot<Seen>,
    pub(super) standbys: Standbys,
    pub(super) interrupted: Option<Interrupted>,
    pub(super) leftovers: Leftovers,
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
        let Found { state, history, clock, runs, seen, standbys, interrupted, leftovers } = found;
        let shown = Shown::default();
        let environment = context.vault.kept();
        let first = Parts {
            known: Known {
                app: &name,
                state: &state,
                history: &history,
                standbys: &standbys,
                environment: &environment,
            },
            context: &context,
            shown: &shown,
            seen: &seen,
            route_problem: None,
            source: None,
            outbox: None,
            trouble: None,
            revision: 0,
        }
        .status();
        let (status, statuses) = watch::channel(Arc::new(Published::from(first)));
        let (contexts, context_reader) = watch::channel(context.clone());
        let beats = Arc::<AtomicU64>::default();
        let look = Arc::<Notify>::default();
        let mut task = Task {
            context,
            state,
            history,
            clock,
            tell: tell.clone(),
            runs,
            step_work: CancellationToken::new(),
            watch_work: CancellationToken::new(),
            keep_work: CancellationToken::new(),
            hand_over_work: CancellationToken::new(),
            route_work: CancellationToken::new(),
            log_work: CancellationToken::new(),
            source_work: CancellationToken::new(),
            look: look.clone(),
            incoming: HashMap::new(),
            shown,
            seen,
            standbys,
            said: Said::default(),
            environment,
            interrupted,
            route_problem: None,
            source: None,
            outbox: None,
            trouble: None,
            backlog: Backlog::default(),
            status,
            contexts,
            revision: 0,
            beats: beats.clone(),
        };
        task.show().await;
        task.turn(Event::Recovered).await;
        leftovers.close(&task.context.daemon.store).await;
        task.interrupted = None;
        task.keep_checking_route();
        task.keep_logs();
        task.watch_source();
        tokio::spawn(task.serve(messages));
        App::new(name, tell, statuses, context_reader, look, beats)
    }

    async fn serve(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut reserve = self.context.daemon.store.ballast().left();
        loop {
            let message = tokio::select! {
                message = messages.recv() => match message {
                    Some(message) => message,
                    None => return,
                },
                () = self.backlog.due() => {
                    self.beats.fetch_add(1, Ordering::Relaxed);
                    self.catch_up().await;
                    continue;
                }
                Ok(()) = reserve.changed() => {
                    self.publish();
                    continue;
                }
            };
            self.beats.fetch_add(1, Ordering::Relaxed);
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
                Message::Tip(tip, tried, tell) => {
                    let _ = tell.send(auto::decide(self.known(), &tip, tried.as_ref()));
                }
                Message::Fact(fact) => {
                    tracing::debug!(app = self.context.app(), ?fact, "fact");
                    fault::point(|| format!("effect: after it told {}", fault::name_of(&fact)));
                    self.turn(Event::Fact(fact)).await;
                }
                Message::Rest(slot, rest, tell) => self.rest(slot, rest, tell).await,
                Message::RestOver(slot, run) => self.rest_over(slot, run).await,
                Message::Seen(sight) => self.saw(sight),
                Message::Built(number, built) => {
                    fault::point(|| "effect: after it told Built".into());
                    self.incoming.insert(number, Incoming::Built(built));
                    self.turn(Event::Fact(Fact::Built { number })).await;
                    // Nobody waits for it where it was cancelled meanwhile.
                    if self.is_behind().is_none() {
                        self.incoming.remove(&number);
                    }
                }
                Message::Unpacked(release) => {
                    let number = release.number;
                    fault::point(|| "effect: after it told Unpacked".into());
                    self.history.add_release(release);
                    let risk = self.known().risk(number);
                    self.turn(Event::Fact(Fact::Unpacked { number, risk })).await;
                }
                Message::Environment(reveal, tell) => {
                    let _ = tell.send(self.environment(reveal));
                }
                Message::Configure(context, tell) => {
                    let _ = tell.send(self.configure(context));
                }
                Message::Leave(tell) => {
                    self.leave();
                    let _ = tell.send(());
                    return;
                }
                Message::End(tell) => {
                    self.leave();
                    // Nobody reads the facts that come of it: they must not wait for one who does.
                    drop(messages);
                    self.end().await;
                    let _ = tell.send(());
                    return;
                }
                Message::Nudge => {}
            }
        }
    }

    /// The app's status, now and as it changes.
    pub(super) fn readers(&self) -> watch::Receiver<Arc<Published>> {
        self.status.subscribe()
    }

    pub(super) fn known(&self) -> Known<'_> {
        Known {
            app: self.context.app(),
            state: &self.state,
            history: &self.history,
            standbys: &self.standbys,
            environment: &self.environment,
        }
    }

    /// Reads the deployments that a status shows again, and publishes it.
    pub(super) async fn show(&mut self) {
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

    pub(super) fn publish(&mut self) {
        self.revision += 1;
        self.said.published(self.revision, self.state.works);
        let status = Parts {
            known: self.known(),
            context: &self.context,
            shown: &self.shown,
            seen: &self.seen,
            route_problem: self.route_problem.as_ref(),
            source: self.source.as_ref(),
            outbox: self.outbox.as_ref(),
            trouble: self.trouble.as_ref(),
            revision: self.revision,
        }
        .status();
        self.status.send_replace(Arc::new(status.into()));
    }

    fn saw(&mut self, sight: Sight) {
        let known_run = |slot: Slot, run| self.state.slots.get(slot).life.run() == Some(run);
        match sight {
            Sight::Process { slot, run, pid, since } if known_run(slot, run) => {
                if let Some(release) = self.state.slots.get(slot).release {
                    self.history.add_start(release, since);
                }
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
            Sight::Health { slot, run, mut health } if known_run(slot, run) => {
                health.detail = self.context.vault.mask(&health.detail).into_owned();
                self.seen.get_mut(slot).health = Some(health);
            }
            Sight::NotFrozen { slot, run, why } if known_run(slot, run) => {
                self.not_frozen(slot, &why);
                return;
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
            Sight::Source(view) if self.source != view => self.source = view,
            Sight::Outbox(problem) if self.outbox != problem => self.outbox = problem,
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
        self.watch_source();
        self.rewatch();
        self.publish();
        Ok(())
    }

    /// Ends what runs in the slots, both at once.
    async fn end(&self) {
        let grace = self.context.config.stop_timeout;
        let runs = Slot::BOTH.iter().filter_map(|slot| self.runs.get(*slot).as_ref());
        let ends = runs.map(|run| {
            run.stop(grace);
            run.gone()
        });
        let all = tokio::time::timeout(grace + BEYOND_GRACE, join_all(ends)).await;
        if all.is_err() {
            tracing::error!(app = self.context.app(), "a slot did not end in its time");
        }
    }

    fn leave(&mut self) {
        self.step_work.cancel();
        self.watch_work.cancel();
        self.keep_work.cancel();
        self.hand_over_work.cancel();
        self.route_work.cancel();
        self.log_work.cancel();
        self.source_work.cancel();
    }
}

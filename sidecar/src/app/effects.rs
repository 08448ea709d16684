//! Beginning what a step wants done. Every effect becomes a job of its own, which reports a fact.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use vial_protocol::{Build, Slot, Status};

use super::auto;
use super::jobs;
use super::jobs::Looked;
use super::machine::{Effect, Fact, Grace, Life, RunId};
use super::message::Message;
use super::request::Incoming;
use super::retention::removable;
use super::run::{Run, Which};
use super::task::Task;
use crate::fault;

/// What a release writes while it starts, and more.
const ROOM: u64 = 1 << 20;

impl Task {
    pub(super) fn begin(&mut self, effect: Effect) {
        tracing::debug!(app = self.context.app(), ?effect, "effect");
        let name = fault::name_of(&effect);
        fault::point(|| format!("effect: before {name}"));
        let context = self.context.clone();
        match effect {
            Effect::Build { number, build } => self.build(number, build),
            Effect::Unpack { number } => {
                let incoming = self.incoming.remove(&number);
                let commit = match &incoming {
                    Some(Incoming::Built(built)) => Some(built.commit.sha.clone()),
                    _ => None,
                };
                let upload = incoming.map(|incoming| match incoming {
                    Incoming::Archive(upload) => upload,
                    Incoming::Built(built) => jobs::build::pack(*built),
                });
                let (until, tell) = (self.step_work.clone(), self.tell.clone());
                tokio::spawn(async move {
                    let work = jobs::unpack::unpack(context, number, upload, commit);
                    if let Some(message) = until.run_until_cancelled(work).await {
                        let _ = tell.send(message).await;
                    }
                });
            }
            Effect::Migrate { number, release, slot } => {
                let apps = self.known().migrating_apps(release);
                self.step(jobs::migrate::migrate(context, number, release, slot, apps));
            }
            Effect::Revert { number, release, slot, versions, again } => {
                // Never abandoned: what was begun must be known to its end.
                let mover = self.mover(release, slot);
                let work = jobs::revert::revert(context, number, mover, versions, again);
                self.job(CancellationToken::new(), work);
            }
            Effect::Restore { number, release, slot, moved } => {
                let mover = self.mover(release, slot);
                let work = jobs::revert::restore(context, number, mover, moved);
                self.job(CancellationToken::new(), work);
            }
            Effect::Start { slot, run, release, environment } => {
                // A release that cannot write its log or its configuration does not start.
                context.daemon.store.ballast().make_room(ROOM);
                let label = self.known().label(release);
                let which = Which { slot, id: run, release, environment, label };
                let run = Run::start(context, which, self.tell.clone());
                *self.runs.get_mut(slot) = Some(run);
            }
            Effect::AwaitHealth { slot, run, soon } => {
                self.tell_run(slot, run, |it| it.await_health(soon));
            }
            Effect::Freeze { slot, run } => {
                if let Some(hold) = self.hold(slot) {
                    self.tell_run(slot, run, |it| it.freeze(hold));
                }
            }
            Effect::Thaw { slot, run } => self.tell_run(slot, run, Run::thaw),
            Effect::Rest { slot, run } => {
                let until = self.new_keep();
                let work = jobs::standby::rest(context, slot, run, self.tell.clone());
                tokio::spawn(async move { until.run_until_cancelled(work).await });
            }
            Effect::Keep { slot, run, watched } => self.keep(slot, run, watched),
            Effect::Unkeep => drop(self.new_keep()),
            Effect::HandOver { from, run } => {
                self.hand_over_work.cancel();
                self.hand_over_work = CancellationToken::new();
                let work = jobs::standby::hand_over(context, from, run);
                self.job(self.hand_over_work.clone(), work);
            }
            Effect::CheckHealth { slot, run } => {
                self.step(jobs::health::check_now(context, self.looked(slot, run)));
            }
            Effect::Verify { number, slot } => {
                let process = self.runs.get(slot).as_ref().and_then(Run::process);
                let run = self.state.slots.get(slot).life.run().unwrap_or_default();
                self.step(jobs::verify::verify(context, number, slot, process, run));
            }
            Effect::Switch { number, to, back } => {
                // Never abandoned: a switch that was begun is either made or undone.
                self.job(CancellationToken::new(), jobs::switch::switch(context, number, to, back));
            }
            Effect::AssertRoute { to } => {
                tokio::spawn(jobs::switch::assert(context, to));
            }
            Effect::Drain { number, slot } => self.step(jobs::switch::drain(context, number, slot)),
            Effect::Bake { number } => {
                let began =
                    self.shown.current.as_ref().and_then(|it| {
                        it.steps.iter().rev().find(|it| it.status == Status::Baking)
                    });
                let passed = began.map(|it| self.clock.now().duration_since(it.started_at));
                let passed = passed.and_then(|it| Duration::try_from(it).ok()).unwrap_or_default();
                self.step(jobs::health::bake(context, number, passed));
            }
            Effect::Watch { slot, run, baking } => self.watch(slot, run, baking),
            Effect::Stop { slot, run, grace } => self.stop(slot, run, grace),
            Effect::RestartAfter { slot, attempt } => {
                self.job(CancellationToken::new(), jobs::health::restart_after(slot, attempt));
            }
            Effect::AbandonStep => {
                self.step_work.cancel();
                self.step_work = CancellationToken::new();
            }
            Effect::Prune => self.prune(),
        }
    }

    fn build(&self, number: u64, build: Build) {
        let (until, tell) = (self.step_work.clone(), self.tell.clone());
        let work = jobs::build::build(self.context.clone(), number, build, tell.clone());
        tokio::spawn(async move {
            if let Some(message) = until.run_until_cancelled(work).await {
                let _ = tell.send(message).await;
            }
        });
    }

    fn mover(&self, release: u64, slot: Slot) -> jobs::revert::Mover {
        jobs::revert::Mover { release, slot, apps: self.known().migrating_apps(release) }
    }

    /// Work of the step in progress: given up with it.
    fn step(&self, work: impl Future<Output = Fact> + Send + 'static) {
        self.job(self.step_work.clone(), work);
    }

    fn job(&self, until: CancellationToken, work: impl Future<Output = Fact> + Send + 'static) {
        let tell = self.tell.clone();
        tokio::spawn(async move {
            if let Some(fact) = until.run_until_cancelled(work).await {
                // Where the owner is gone, the next one finds out by itself.
                let _ = tell.send(Message::Fact(fact)).await;
            }
        });
    }

    fn stop(&self, slot: Slot, run: u64, grace: Grace) {
        let full = self.context.config.stop_timeout;
        let grace = match grace {
            Grace::Full => full,
            Grace::Short => full.min(jobs::SHORT_GRACE),
            Grace::None => Duration::ZERO,
        };
        self.tell_run(slot, run, |it| it.stop(grace));
    }

    fn tell_run(&self, slot: Slot, run: RunId, tell: impl FnOnce(&Run)) {
        if let Some(it) = self.runs.get(slot).as_ref().filter(|it| it.id == run) {
            tell(it);
        }
    }

    /// Keeps a slot for as long as it shall be.
    fn keep(&mut self, slot: Slot, run: RunId, watched: bool) {
        let until = self.standbys.until(slot).unwrap_or_else(|| self.clock.now());
        let left = Duration::try_from(until.duration_since(self.clock.now())).unwrap_or_default();
        let (context, looked) = (self.context.clone(), self.looked(slot, run));
        let work = jobs::standby::keep(context, looked, watched, left, self.tell.clone());
        let until = self.new_keep();
        tokio::spawn(async move { until.run_until_cancelled(work).await });
    }

    /// What was under way for the slot that is kept is given up.
    fn new_keep(&mut self) -> CancellationToken {
        self.keep_work.cancel();
        self.keep_work = CancellationToken::new();
        self.keep_work.clone()
    }

    fn looked(&self, slot: Slot, run: RunId) -> Looked {
        Looked {
            slot,
            run,
            release: self.state.slots.get(slot).release.unwrap_or_default(),
            environment: self.state.slots.get(slot).environment,
            log_offset: self.runs.get(slot).as_ref().map_or(0, Run::log_offset),
        }
    }

    fn watch(&mut self, slot: Slot, run: u64, baking: bool) {
        self.watch_work.cancel();
        self.watch_work = CancellationToken::new();
        let (context, looked) = (self.context.clone(), self.looked(slot, run));
        let work = jobs::health::watch(context, looked, baking, self.tell.clone());
        let until = self.watch_work.clone();
        tokio::spawn(async move { until.run_until_cancelled(work).await });
    }

    /// Watches the active slot with the configuration as it is now.
    pub(super) fn rewatch(&mut self) {
        let Some(slot) = self.state.active else { return };
        if let Life::Running { run, .. } = self.state.slots.get(slot).life {
            let baking = self.state.current.as_ref().is_some_and(|it| it.status.is_live());
            self.watch(slot, run, baking);
        }
    }

    /// Checks the route from time to time, as long as the app is here.
    pub(super) fn keep_checking_route(&mut self) {
        self.route_work.cancel();
        self.route_work = CancellationToken::new();
        let work =
            jobs::switch::keep_checking(self.context.clone(), self.readers(), self.tell.clone());
        let until = self.route_work.clone();
        tokio::spawn(async move { until.run_until_cancelled(work).await });
    }

    /// Keeps the slots' logs within their bounds, as long as the app is here.
    pub(super) fn keep_logs(&mut self) {
        self.log_work.cancel();
        self.log_work = CancellationToken::new();
        let work = jobs::keep_log::keep_logs(self.context.clone());
        let until = self.log_work.clone();
        tokio::spawn(async move { until.run_until_cancelled(work).await });
    }

    /// Deploys new commits by themselves where that is wanted, as long as the app is here.
    pub(super) fn watch_source(&mut self) {
        self.source_work.cancel();
        self.source_work = CancellationToken::new();
        let (context, look) = (self.context.clone(), self.look.clone());
        let work = auto::watch::watch(context, self.readers(), look, self.tell.clone());
        let until = self.source_work.clone();
        tokio::spawn(async move { until.run_until_cancelled(work).await });
    }

    fn prune(&mut self) {
        self.forget_values();
        tokio::spawn(jobs::prune_builds(self.context.clone()));
        let keep = usize::try_from(self.context.config.keep_releases).unwrap_or(usize::MAX);
        let numbers = removable(&self.state, &self.history, keep);
        if numbers.is_empty() {
            return;
        }
        // From here on nothing offers them: what is removed behind that is nobody's any more.
        self.history.remove_releases(&numbers);
        tokio::spawn(jobs::prune(self.context.clone(), numbers));
    }
}

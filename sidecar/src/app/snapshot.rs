//! What readers see of an app, from what its task knows.

use jiff::Timestamp;
use vial_protocol::{
    AppStatus, AutoDeploy, Code, Deployment, Health, Problem, RollbackOffer, RouteStatus, Slot,
    SlotState, SlotStatus, Status,
};

use super::context::Context;
use super::known::Known;
use super::machine::{Life, PerSlot};
use super::request::RollbackAsk;

/// What was seen of a slot's process; not needed for any decision.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Its process.
    pub pid: Option<u32>,
    /// When that started.
    pub since: Option<Timestamp>,
    /// What its health check said last.
    pub health: Option<Health>,
    /// How the last process ended.
    pub last_exit: Option<String>,
}

/// The deployments that a status shows, with their steps.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// In progress.
    pub current: Option<Deployment>,
    /// Waiting.
    pub queued: Option<Deployment>,
    /// Ended last.
    pub last: Option<Deployment>,
    /// The one whose release serves.
    pub serving: Option<Deployment>,
}

/// Everything that a status is made of.
pub(super) struct Parts<'a> {
    pub(super) known: Known<'a>,
    pub(super) context: &'a Context,
    pub(super) shown: &'a Shown,
    pub(super) seen: &'a PerSlot<Seen>,
    pub(super) route_problem: Option<&'a Problem>,
    pub(super) source: Option<&'a AutoDeploy>,
    pub(super) outbox: Option<&'a Problem>,
    pub(super) trouble: Option<&'a Problem>,
    pub(super) revision: u64,
}

impl Parts<'_> {
    pub(super) fn status(&self) -> AppStatus {
        let Known { app, state, history, .. } = self.known;
        let offer = self.known.rollback(&RollbackAsk::default());
        AppStatus {
            name: app.into(),
            revision: self.revision,
            desired: state.desired,
            active: state.active,
            works: state.works,
            serving: state.serving_release().and_then(|it| history.release(it)).cloned(),
            serving_since: self.shown.serving.as_ref().and_then(|it| it.live_at),
            slots: Slot::BOTH.iter().map(|slot| self.slot(*slot)).collect(),
            deployment: self.shown.current.clone().map(Box::new),
            queued: self.shown.queued.clone().map(Box::new),
            last: self.shown.last.clone().map(Box::new),
            rollback: match offer {
                Ok(plan) => RollbackOffer { target: Some(plan.to), refusal: None },
                Err(refusal) => RollbackOffer { target: None, refusal: Some(refusal) },
            },
            route: self.route(),
            auto_deploy: self.source.cloned(),
            warnings: self.warnings(),
        }
    }

    fn slot(&self, slot: Slot) -> SlotStatus {
        let place = self.known.state.slots.get(slot);
        let seen = self.seen.get(slot);
        let config = &self.context.config;
        SlotStatus {
            slot,
            state: match place.life {
                Life::Stopped => SlotState::Stopped,
                Life::Starting { .. } => SlotState::Starting,
                Life::Running { .. } => SlotState::Running,
                Life::Resting { .. } => SlotState::Resting,
                Life::Frozen { .. } => SlotState::Frozen,
                Life::Stopping { .. } => SlotState::Stopping,
                Life::Backoff => SlotState::Backoff,
            },
            release: place.release.and_then(|it| self.known.history.release(it)).cloned(),
            port: config.port(slot),
            node: config.node(slot),
            pid: seen.pid,
            since: seen.since,
            restarts: place.restarts,
            // What it said before it was frozen is no news.
            health: seen.health.clone().filter(|_| !matches!(place.life, Life::Frozen { .. })),
            last_exit: seen.last_exit.clone(),
            standby: self.known.standbys.shown(slot, self.known.state, self.known.history),
        }
    }

    fn route(&self) -> Option<RouteStatus> {
        let config = &self.context.config;
        (!config.is_worker()).then(|| RouteStatus {
            mode: self.context.route_mode().into(),
            hosts: config.hosts.clone(),
            problem: self.route_problem.cloned(),
        })
    }

    fn warnings(&self) -> Vec<Problem> {
        let Known { app, state, .. } = self.known;
        let mut warnings: Vec<Problem> = self.trouble.cloned().into_iter().collect();
        warnings.extend(reserve(self.context));
        // It failed, and was not taken back: only a person can say what shall serve.
        let serving = self.shown.serving.as_ref().filter(|it| it.status == Status::Failed);
        warnings.extend(serving.and_then(|it| it.error.clone()));
        if let Some(active) = state.active {
            let place = state.slots.get(active);
            let label = place.release.map(|it| self.known.label(it)).unwrap_or_default();
            if place.restarts >= 2 {
                let last = self.seen.get(active).last_exit.clone();
                let last = last.map(|it| format!(" It {it} last.")).unwrap_or_default();
                warnings.push(
                    Problem::new(
                        Code::CrashLoop,
                        format!(
                            "{label} exits again and again: {} times without a minute of health \
                             between.{last} It is started again each time.",
                            place.restarts
                        ),
                    )
                    .next(format!("`vial logs {app} --slot {active}`, `vial rollback {app}`")),
                );
            } else if matches!(place.life, Life::Running { healthy: false, .. }) {
                let seen = self.seen.get(active).health.as_ref();
                let detail = seen.map(|it| format!(": {}", it.detail)).unwrap_or_default();
                warnings.push(
                    Problem::new(
                        Code::ActiveUnhealthy,
                        format!("{label} serves and fails its health check{detail}."),
                    )
                    .next(format!("`vial logs {app} --slot {active}`, `vial rollback {app}`")),
                );
            }
        }
        warnings.extend(self.route_problem.cloned());
        warnings.extend(self.outbox.cloned());
        warnings
    }
}

/// That the disk is full, where some of what is kept of it had to be given up.
pub(super) fn reserve(context: &Context) -> Option<Problem> {
    let ballast = context.daemon.store.ballast();
    if ballast.is_whole() {
        return None;
    }
    let left = *ballast.left().borrow() >> 10;
    let folder = context.daemon.host.state_dir.display();
    Some(
        Problem::new(
            Code::NoSpace,
            format!(
                "The disk of {folder} is full: the journal is written from a reserve, of which \
                 {left} KiB are left. What runs, runs on, and `vial rollback {}` works; a deploy \
                 does not.",
                context.app()
            ),
        )
        .next("free space there: the reserve is taken again by itself; `vial doctor`"),
    )
}

//! What the machine knows.

use std::time::Duration;

use vial_protocol::migration::Moved;
use vial_protocol::{Desired, Kind, Problem, Slot, StandbyMode, Status};

use super::command::Ask;
use crate::store::load::Newest;
pub use crate::store::record::Keep;

/// Names one start of a release in a slot; never used twice in an app.
pub type RunId = u64;

/// One value a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerSlot<T> {
    /// Blue's.
    pub blue: T,
    /// Green's.
    pub green: T,
}

impl<T> PerSlot<T> {
    /// A slot's value.
    pub fn get(&self, slot: Slot) -> &T {
        match slot {
            Slot::Blue => &self.blue,
            Slot::Green => &self.green,
        }
    }

    /// A slot's value, to change.
    pub fn get_mut(&mut self, slot: Slot) -> &mut T {
        match slot {
            Slot::Blue => &mut self.blue,
            Slot::Green => &mut self.green,
        }
    }
}

/// The part of an app's configuration that decides which way a deployment takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether migrations run before a deploy's release starts.
    pub migrates: bool,
    /// Whether the old slot is kept for a time after a deploy.
    pub bakes: bool,
    /// What the old slot does when that has passed.
    pub standby: StandbyMode,
    /// What it does instead of being frozen, where its release does not come to rest.
    pub otherwise: StandbyMode,
    /// How long it does so.
    pub lasts: Duration,
}

/// Everything that the machine knows of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// What a person wants.
    pub desired: Desired,
    /// The slot that has the traffic.
    pub active: Option<Slot>,
    /// The deployment whose release is in the active slot.
    pub serving: Option<u64>,
    /// The slot whose release may do what only one may at a time.
    pub works: Option<Slot>,
    /// The slot whose release did, and has not said yet that it came to rest.
    pub leaves: Option<Slot>,
    /// Both slots.
    pub slots: PerSlot<SlotLife>,
    /// The newest versions of the app's environment.
    pub environment: Newest,
    /// The deployment in progress.
    pub current: Option<Current>,
    /// The deployment that waits for the bake of the current one.
    pub queued: Option<Queued>,
    /// The number of the next deployment.
    pub next_number: u64,
    /// The next run.
    pub next_run: RunId,
}

impl State {
    /// An app that was never deployed.
    #[must_use]
    pub fn new() -> Self {
        State {
            desired: Desired::Running,
            active: None,
            serving: None,
            works: None,
            leaves: None,
            slots: PerSlot::default(),
            environment: Newest::default(),
            current: None,
            queued: None,
            next_number: 1,
            next_run: 1,
        }
    }

    /// The slot that a deployment would use.
    #[must_use]
    pub fn idle(&self) -> Slot {
        self.active.map_or(Slot::Blue, Slot::other)
    }

    /// The release in the active slot.
    #[must_use]
    pub fn serving_release(&self) -> Option<u64> {
        self.active.and_then(|slot| self.slots.get(slot).release)
    }

    /// Whether a release is there in the idle slot, running or frozen.
    #[must_use]
    pub fn runs_idle(&self, release: u64) -> bool {
        let idle = self.slots.get(self.idle());
        self.active.is_some() && idle.release == Some(release) && idle.life.is_up()
    }

    /// Whether it is on its way there, to be kept, with that environment.
    #[must_use]
    pub fn comes(&self, release: u64, environment: u64) -> bool {
        let idle = self.slots.get(self.idle());
        self.active.is_some()
            && idle.keep.is_some()
            && idle.release == Some(release)
            && matches!(idle.life, Life::Starting { .. })
            && idle.environment == environment
            && idle.fresh >= self.environment.secrets
    }

    /// Whether it is there with the environment that it shall have, ready to take the traffic. One
    /// that was started before something secret changed is not: it has what was revoked.
    #[must_use]
    pub fn is_hot(&self, release: u64, environment: u64) -> bool {
        let idle = self.slots.get(self.idle());
        self.runs_idle(release)
            && idle.environment == environment
            && idle.fresh >= self.environment.secrets
    }
}

impl Default for State {
    fn default() -> Self {
        State::new()
    }
}

/// One slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlotLife {
    /// The release that was put into it last.
    pub release: Option<u64>,
    /// The version of the environment that it starts with.
    pub environment: u64,
    /// The newest version when it was started last.
    pub fresh: u64,
    /// What it does.
    pub life: Life,
    /// How often its release exited by itself since it last was healthy for a minute.
    pub restarts: u32,
    /// What it is kept as, where it is idle and kept.
    pub keep: Option<Keep>,
    /// Whether the library in its release said last that it is at rest; absent where it never spoke.
    pub rested: Option<bool>,
}

/// What a slot does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Life {
    /// Nothing runs.
    #[default]
    Stopped,
    /// A run was begun and is not healthy yet.
    Starting {
        /// Which.
        run: RunId,
    },
    /// A run was healthy at least once.
    Running {
        /// Which.
        run: RunId,
        /// What the last health check said.
        healthy: bool,
    },
    /// A run was asked to come to rest, to be frozen.
    Resting {
        /// Which.
        run: RunId,
    },
    /// A run is stopped by SIGSTOP.
    Frozen {
        /// Which.
        run: RunId,
    },
    /// A run was told to end.
    Stopping {
        /// Which.
        run: RunId,
        /// Whether the same release starts again in its place.
        again: bool,
    },
    /// The last run exited by itself; the next begins when its time has come.
    Backoff,
}

impl Life {
    /// The run that has a process, or is about to.
    #[must_use]
    pub fn run(self) -> Option<RunId> {
        match self {
            Life::Starting { run }
            | Life::Running { run, .. }
            | Life::Resting { run }
            | Life::Frozen { run }
            | Life::Stopping { run, .. } => Some(run),
            Life::Stopped | Life::Backoff => None,
        }
    }

    /// Whether a run is there that was healthy and was not told to end.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Life::Running { .. } | Life::Resting { .. } | Life::Frozen { .. })
    }
}

/// The deployment in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// Its number.
    pub number: u64,
    /// What it does.
    pub kind: Kind,
    /// Where it stands: one of the statuses in progress.
    pub status: Status,
    /// Its release.
    pub release: Option<u64>,
    /// The version of the environment that its release starts with.
    pub environment: u64,
    /// Its slot.
    pub slot: Option<Slot>,
    /// The deployment that was active when it took its slot.
    pub replaces: Option<u64>,
    /// What the destructive migrations that a deploy brings do, as a phrase: "drops users.name".
    pub risk: Option<String>,
    /// Whether it may bring them.
    pub allow_destructive: bool,
    /// Whether its release was there before it began: where that does not answer, it is started anew.
    pub hot: bool,
    /// What becomes of the migrations that a rollback's target does not know.
    pub revert: Revert,
    /// How it ends, once what it had reverted is migrated up again.
    pub failing: Option<Failing>,
}

impl Current {
    /// Whether migrations are being reverted, or were: it must be seen through.
    #[must_use]
    pub fn holds_the_database(&self) -> bool {
        matches!(self.status, Status::Reverting | Status::Restoring)
            || !self.revert.moved.is_empty() && self.status < Status::Switching
    }
}

/// Migrations that a rollback reverts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revert {
    /// Their versions, newest first; empty: they stay.
    pub versions: Vec<u64>,
    /// How far it is.
    pub stage: RevertStage,
    /// Those that are down because of it.
    pub moved: Vec<Moved>,
}

impl Revert {
    /// Whether there is something to revert, and it was not done yet.
    #[must_use]
    pub fn is_due(&self) -> bool {
        !self.versions.is_empty() && self.stage != RevertStage::Done
    }
}

/// How far a revert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RevertStage {
    /// Nothing was touched.
    #[default]
    Wanted,
    /// It was begun, and it is not known how far it came.
    Begun,
    /// It was done.
    Done,
}

/// How a deployment ends after its revert was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// `failed` or `cancelled`.
    pub status: Status,
    /// Why.
    pub error: Option<Problem>,
}

/// A deployment that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its number.
    pub number: u64,
    /// What was asked for.
    pub ask: Ask,
}

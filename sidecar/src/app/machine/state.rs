//! What the machine knows.

use vial_protocol::{Desired, Kind, Slot, Status};

use super::command::Ask;
use crate::store::load::Loaded;

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
    /// Both slots.
    pub slots: PerSlot<SlotLife>,
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
            slots: PerSlot::default(),
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

    /// Whether a release runs in the idle slot, ready to take the traffic.
    #[must_use]
    pub fn is_hot(&self, release: u64) -> bool {
        let idle = self.slots.get(self.idle());
        self.active.is_some()
            && idle.release == Some(release)
            && matches!(idle.life, Life::Running { .. })
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
    /// What it does.
    pub life: Life,
    /// How often its release exited by itself since it last was healthy for a minute.
    pub restarts: u32,
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
            Life::Starting { run } | Life::Running { run, .. } | Life::Stopping { run, .. } => {
                Some(run)
            }
            Life::Stopped | Life::Backoff => None,
        }
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
    /// Its slot.
    pub slot: Option<Slot>,
    /// The deployment that was active when it took its slot.
    pub replaces: Option<u64>,
}

/// A deployment that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its number.
    pub number: u64,
    /// What was asked for.
    pub ask: Ask,
}

impl State {
    /// The state that an earlier daemon left: what the store says, and the runs whose processes
    /// were found again. What to do about it, [`super::Event::Recovered`] decides.
    #[must_use]
    pub fn restored(loaded: &Loaded, alive: &[(Slot, RunId)]) -> State {
        let mut slots = PerSlot::<SlotLife>::default();
        for (slot, release) in &loaded.slots {
            slots.get_mut(*slot).release = Some(*release);
        }
        for (slot, run) in alive {
            slots.get_mut(*slot).life = Life::Running { run: *run, healthy: true };
        }
        let in_progress = |queued: bool| {
            loaded
                .deployments
                .iter()
                .find(|it| it.status.in_progress() && (it.status == Status::Queued) == queued)
        };
        State {
            desired: loaded.desired,
            active: loaded.active,
            serving: loaded.serving,
            slots,
            current: in_progress(false).map(|it| Current {
                number: it.number,
                kind: it.kind,
                status: it.status,
                release: it.release.as_ref().map(|release| release.number),
                slot: it.slot,
                replaces: it.replaces,
            }),
            queued: in_progress(true).map(|it| Queued {
                number: it.number,
                ask: Ask {
                    kind: it.kind,
                    release: it.release.as_ref().map(|release| release.number),
                    actor: it.actor.clone(),
                    reason: it.reason.clone(),
                },
            }),
            next_number: loaded.next_number,
            next_run: loaded.next_run,
        }
    }
}

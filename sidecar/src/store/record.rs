//! What a step of an app writes, as plain data: the state machine says it, the store keeps it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vial_protocol::migration::Moved;
use vial_protocol::notification::Occasion;
use vial_protocol::{Build, Commit, Desired, Kind, Problem, Slot, StandbyMode, Status};

/// One change of what the store knows of an app. A step's records are committed together, before
/// anything that they announce is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A deployment was accepted.
    Began(Began),
    /// A deployment entered a step; the step before it ended.
    Entered {
        /// The deployment.
        number: u64,
        /// The step that begins.
        status: Status,
    },
    /// Something to say of the step that a deployment is in.
    Noted {
        /// The deployment.
        number: u64,
        /// For a person.
        outcome: String,
    },
    /// A deployment's migrations ran.
    Migrated {
        /// The deployment.
        number: u64,
        /// Those that were applied.
        applied: Vec<Moved>,
    },
    /// Which migrations are down because of a deployment, from now on.
    Reverted {
        /// The deployment.
        number: u64,
        /// In the order in which they were reverted.
        moved: Vec<Moved>,
    },
    /// A deployment will end without success, once what it changed is as it was.
    Failing {
        /// The deployment.
        number: u64,
        /// Why; absent where it was cancelled.
        error: Option<Problem>,
    },
    /// The commit that a deployment builds is known.
    CommitChosen {
        /// The deployment.
        number: u64,
        /// The commit.
        commit: Commit,
    },
    /// A deployment's release is known.
    ReleaseChosen {
        /// The deployment.
        number: u64,
        /// The release's number.
        release: u64,
    },
    /// A deployment's slot is known, and what it replaces if it goes live.
    SlotChosen {
        /// The deployment.
        number: u64,
        /// The slot.
        slot: Slot,
        /// The deployment that is active.
        replaces: Option<u64>,
    },
    /// A deployment's release took the traffic: the slot is active from now on.
    WentLive {
        /// The deployment.
        number: u64,
        /// The slot, active from now on.
        slot: Slot,
    },
    /// A deployment ended.
    Ended {
        /// The deployment.
        number: u64,
        /// How: one of the statuses that are not in progress.
        status: Status,
        /// Why it did not succeed.
        error: Option<Problem>,
    },
    /// A deployment's release stays: the deployments before it that had succeeded are superseded,
    /// and the one that it replaced is rolled back where this one was a rollback.
    Settled {
        /// The deployment.
        number: u64,
        /// The deployment that it took back.
        took_back: Option<u64>,
    },
    /// The version of the environment is known that a deployment's release starts with.
    EnvironmentChosen {
        /// The deployment.
        number: u64,
        /// The version.
        environment: u64,
    },
    /// The app's environment has a new version.
    EnvironmentChanged(EnvironmentChange),
    /// A release was put into a slot.
    SlotFilled {
        /// The slot.
        slot: Slot,
        /// The release's number.
        release: u64,
        /// The version of the environment that it starts with.
        environment: u64,
        /// The newest version when it was started.
        fresh: u64,
    },
    /// What an idle slot is kept as, from now on; absent where it is not kept any more.
    Standby {
        /// The slot.
        slot: Slot,
        /// What.
        kept: Option<Keep>,
    },
    /// The slot whose release may do what only one may at a time; absent while none may.
    Works(Option<Slot>),
    /// The library in a slot's release speaks: whether it is at rest, it will say.
    Speaks {
        /// The slot.
        slot: Slot,
    },
    /// Something to say of a deployment that has ended: of what became of what it left.
    Remarked {
        /// The deployment.
        number: u64,
        /// For a person.
        outcome: String,
    },
    /// A run is told to end: it counts no more, whatever its process still does.
    Stopping {
        /// The run.
        run: u64,
    },
    /// A person wants the app to run, or not.
    Wanted(Desired),
    /// The times of what is in progress count from here.
    ClockHeld(Anchor),
    /// Others are to be told of a deployment, as it is after the other records of the step.
    Noticed(Notice),
}

/// What an idle slot is kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Warm or frozen.
    pub mode: StandbyMode,
    /// How long, from when it is ready.
    pub lasts: Duration,
    /// Whether it is so: while it is not, its release starts, or comes to rest.
    pub ready: bool,
}

/// What others are to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub occasion: Occasion,
    /// The deployment.
    pub number: u64,
    /// What happened, in a sentence. May hold what an app named.
    pub message: String,
    /// The names of the targets.
    pub targets: Vec<String>,
    /// What names this daemon's history.
    pub origin: String,
    /// The host's name.
    pub host: String,
}

/// What the host's clocks said at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The one that people read, and that can be set.
    pub wall: Timestamp,
    /// The boot that the other one counts from.
    pub boot_id: String,
    /// How long ago that was.
    pub since_boot: Duration,
}

/// A new version of an app's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentChange {
    /// It; one more than the newest before it.
    pub version: u64,
    /// Who asked.
    pub actor: String,
    /// What changed.
    pub values: Vec<EnvironmentValue>,
}

impl EnvironmentChange {
    /// Whether something secret changed.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.values.iter().any(|it| it.secret)
    }
}

/// What a version makes of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentValue {
    /// The variable's name.
    pub name: String,
    /// Whether it is marked secret from here on.
    pub secret: bool,
    /// Its sealed value; absent where it is unset.
    pub sealed: Option<Vec<u8>>,
}

/// A deployment as it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Began {
    /// Its number.
    pub number: u64,
    /// What it does.
    pub kind: Kind,
    /// The release, where it is known from the start.
    pub release: Option<u64>,
    /// Who asked.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// The versions of the migrations that it reverts, newest first.
    pub reverts: Vec<u64>,
    /// What it builds.
    pub build: Option<Build>,
}

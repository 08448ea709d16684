//! What has happened. A fact that came too late (another run, another deployment) changes nothing.

use vial_protocol::migration::Moved;
use vial_protocol::{Commit, Problem, Slot};

use super::state::RunId;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// There is something to say of a build: what it waits for, or how far it is.
    BuildNoted {
        /// The deployment.
        number: u64,
        /// For a person.
        outcome: String,
    },
    /// The commit that a deployment builds was fetched.
    Fetched {
        /// The deployment.
        number: u64,
        /// The commit.
        commit: Commit,
    },
    /// A deployment's release was built; it waits to be unpacked.
    Built {
        /// The deployment.
        number: u64,
    },
    /// A deployment's release was unpacked; it has the deployment's number.
    Unpacked {
        /// The deployment.
        number: u64,
        /// What of the release that serves it may break, as a phrase: "drops users.name".
        risk: Option<String>,
    },
    /// A deployment's migrations ran.
    Migrated {
        /// The deployment.
        number: u64,
        /// Which of them had not been applied before, as far as it could be seen.
        applied: Vec<Moved>,
    },
    /// A run listens on its port; it need not be healthy.
    Listening {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
    },
    /// The release that is left has reverted its migrations.
    Reverted {
        /// The deployment.
        number: u64,
        /// Those that are down because of it.
        moved: Vec<Moved>,
    },
    /// It has not, or not all of them.
    RevertFailed {
        /// The deployment.
        number: u64,
        /// Those that are down because of it.
        moved: Vec<Moved>,
        /// Why, and what to do.
        problem: Problem,
    },
    /// What a deployment had reverted was migrated up again, or as much of it as could be.
    Restored {
        /// The deployment.
        number: u64,
        /// Those that still are down.
        left: Vec<Moved>,
        /// Why, where some are.
        problem: Option<Problem>,
    },
    /// A run answered its health check.
    Healthy {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
    },
    /// A run did not answer its health check in time, or stopped answering it.
    Unhealthy {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// What was seen.
        problem: Problem,
    },
    /// A run was healthy for so long that its earlier exits are forgotten.
    Steady {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
    },
    /// A run's process ended, or could not be started.
    Exited {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// How, with the last lines of its log.
        problem: Problem,
    },
    /// The library in a run's release said whether it is at rest.
    Spoke {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// Whether it is.
        rested: bool,
    },
    /// It is at rest, and holds still until it is frozen.
    HoldsStill {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
    },
    /// A run did not come to rest in its time.
    Restless {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// Why, for a person: what it waited for.
        why: String,
    },
    /// Everything of a run is stopped by SIGSTOP.
    Frozen {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
    },
    /// The time of a standby is over.
    KeptLongEnough {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
    },
    /// The release that was left has had its time to say that it is at rest.
    HandOverDue {
        /// Its slot.
        from: Slot,
        /// Its run.
        run: RunId,
    },
    /// The time to start a slot's release again has come.
    RestartDue {
        /// The slot.
        slot: Slot,
    },
    /// Every path of `verify` answered, and the port is the slot's own.
    Verified {
        /// The deployment.
        number: u64,
    },
    /// Caddy sends traffic to the deployment's slot.
    Switched {
        /// The deployment.
        number: u64,
    },
    /// The old slot has no request in flight, or the time for it has run out.
    Drained {
        /// The deployment.
        number: u64,
        /// What was cut off, for a person; absent where every request ended.
        outcome: Option<String>,
    },
    /// The time of the bake has passed.
    Baked {
        /// The deployment.
        number: u64,
    },
    /// A step of a deployment failed: building, unpacking, migrating, verifying or switching. Where it was
    /// switching, the route is as it was before.
    StepFailed {
        /// The deployment.
        number: u64,
        /// Why.
        problem: Problem,
    },
}

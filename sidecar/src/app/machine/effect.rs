//! What the machine wants done. Each effect is begun at once, takes its own time, and reports a
//! fact; each may be begun again after a crash.

use vial_protocol::migration::Moved;
use vial_protocol::{Build, Slot};

use super::state::RunId;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Fetch a commit and build its release, when its turn among the host's builds has come.
    Build {
        /// The deployment.
        number: u64,
        /// What is built.
        build: Build,
    },
    /// Receive, check and unpack the archive that came with a deploy, or what was built for it.
    Unpack {
        /// The deployment.
        number: u64,
    },
    /// Run the migrations of a release in its own code.
    Migrate {
        /// The deployment.
        number: u64,
        /// The release.
        release: u64,
        /// The slot that it will start in.
        slot: Slot,
    },
    /// Revert migrations in the release that is left, and tell which are down then.
    Revert {
        /// The deployment.
        number: u64,
        /// The release that is left: it has their files.
        release: u64,
        /// Its slot.
        slot: Slot,
        /// Their versions, newest first.
        versions: Vec<u64>,
        /// Whether this was begun before: then those that are down already are down because of it.
        again: bool,
    },
    /// Migrate up again what a deployment had reverted.
    Restore {
        /// The deployment.
        number: u64,
        /// The release that serves still: it has their files.
        release: u64,
        /// Its slot.
        slot: Slot,
        /// What is down.
        moved: Vec<Moved>,
    },
    /// Start a release in a slot, tell when it listens, and when it is healthy.
    Start {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// The release.
        release: u64,
        /// The version of the environment that it starts with.
        environment: u64,
    },
    /// Tell when a run that was found again, or thawed, is healthy.
    AwaitHealth {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// Whether it was healthy before it was frozen: then it is soon, or not at all.
        soon: bool,
    },
    /// Tell when a run has had its time to come to rest.
    Rest {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
    },
    /// Stop everything of a run by SIGSTOP, if no request is open on it.
    Freeze {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
    },
    /// Let everything of a run go on, whether it was frozen or not.
    Thaw {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
    },
    /// Tell when the time of a standby is over.
    Keep {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// Whether its health is asked meanwhile: a frozen one has none.
        watched: bool,
    },
    /// Forget the time of what was kept, and to ask for its health.
    Unkeep,
    /// Tell when the release that was left has had its time to say that it is at rest.
    HandOver {
        /// Its slot.
        from: Slot,
        /// Its run.
        run: RunId,
    },
    /// Ask a running release for its health, now and once.
    CheckHealth {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
    },
    /// Ask for the paths of `verify`, and whether the port is the slot's own.
    Verify {
        /// The deployment.
        number: u64,
        /// The slot.
        slot: Slot,
    },
    /// Send the traffic to a slot, and make sure that it goes there; where it does not, send it to
    /// the slot that is active still.
    Switch {
        /// The deployment.
        number: u64,
        /// The slot.
        to: Slot,
        /// The active slot, where there is one.
        back: Option<Slot>,
    },
    /// See to it that the route names a slot, outside a deployment.
    AssertRoute {
        /// The slot.
        to: Slot,
    },
    /// Wait until a slot has no request in flight.
    Drain {
        /// The deployment.
        number: u64,
        /// The slot.
        slot: Slot,
    },
    /// Tell when the bake is over.
    Bake {
        /// The deployment.
        number: u64,
    },
    /// Keep asking the active slot for its health.
    Watch {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// Whether the deployment bakes: then ask more often.
        baking: bool,
    },
    /// End a run.
    Stop {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// How long it may take before it is killed.
        grace: Grace,
    },
    /// Tell when a slot is to be started again.
    RestartAfter {
        /// The slot.
        slot: Slot,
        /// How often it exited in a row; the wait doubles with each.
        attempt: u32,
    },
    /// Give up the work of the step in progress: building, unpacking, migrating, verifying, draining, baking.
    AbandonStep,
    /// Remove releases that nothing needs any more.
    Prune,
}

/// How long a stop may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grace {
    /// The app's own `stop.timeout`: it had traffic.
    Full,
    /// A few seconds: it never had traffic.
    Short,
    /// None: it answers nobody any more.
    None,
}

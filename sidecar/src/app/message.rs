//! What the task that owns an app is told.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;
use vial_protocol::request::Accepted;
use vial_protocol::standby::{Rest, Rested};
use vial_protocol::{AutoDeploy, Environment, Health, Plan, Problem, Release, Slot};

use super::auto::Decision;
use super::context::Context;
use super::machine::{Fact, RunId};
use super::request::{Request, RollbackAsk};
use super::whereabouts::Whereabouts;
use crate::build::Built;
use crate::store::auto::Tried;

/// What the task is told.
#[derive(Debug)]
pub enum Message {
    /// Somebody asks for a change.
    Ask(Box<Request>, oneshot::Sender<Result<Accepted, Problem>>),
    /// Somebody asks what a rollback would do.
    Plan(RollbackAsk, oneshot::Sender<Result<Plan, Problem>>),
    /// Somebody asks where a release is, perhaps to change something with it.
    Whereabouts(Option<u64>, Option<&'static str>, oneshot::Sender<Result<Whereabouts, Problem>>),
    /// Somebody asks for its environment, with the values or without.
    Environment(bool, oneshot::Sender<Environment>),
    /// What becomes of the tip of the app's branch, when this one was deployed by itself last.
    Tip(String, Option<Tried>, oneshot::Sender<Decision>),
    /// The library in a slot's release says whether it is at rest.
    Rest(Slot, Rest, oneshot::Sender<Result<Rested, Problem>>),
    /// A run has had its time to come to rest.
    RestOver(Slot, RunId),
    /// Something happened that the machine must know.
    Fact(Fact),
    /// Something happened that readers want to see.
    Seen(Sight),
    /// A deployment's release was built.
    Built(u64, Box<Built>),
    /// A deployment's release was put on the disk; it has the deployment's number.
    Unpacked(Release),
    /// The configuration changed.
    Configure(Arc<Context>, oneshot::Sender<Result<(), Problem>>),
    /// The app is given up; its slots run on.
    Leave(oneshot::Sender<()>),
    /// The app is given up, and what runs in its slots is ended: the host stops. The journal stays
    /// as it is, so that the app is taken up where it was when the host is back.
    End(oneshot::Sender<()>),
    /// Whoever watches over the task wants to see it answer.
    Nudge,
}

/// What was seen.
#[derive(Debug, Clone)]
pub enum Sight {
    /// A run has a process.
    Process {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// Its pid.
        pid: u32,
        /// When it started.
        since: Timestamp,
    },
    /// A run's process ended.
    Ended {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// How.
        how: String,
    },
    /// A run's health is another than before.
    Health {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// What it is.
        health: Health,
    },
    /// A run that holds still was not frozen all the same.
    NotFrozen {
        /// The slot.
        slot: Slot,
        /// The run.
        run: RunId,
        /// Why, for a person.
        why: String,
    },
    /// The route was checked.
    Route(Option<Problem>),
    /// The app's branch was looked at; absent where there is none.
    Source(Option<AutoDeploy>),
    /// Those who are told of the app were told, or could not be.
    Outbox(Option<Problem>),
}

//! The life of a deployment and of the two slots: `(state, event) -> (state, records, effects)`.
//!
//! ```text
//! queued → building → unpacking → migrating → starting → verifying → switching → draining → baking → succeeded
//!    │         │           │          │           │          │           │           │         │
//!    └─────────┴───────────┴──────────┴───────────┴──────────┴───────────┘           └────┬────┘
//!        failed | cancelled (the old slot never stopped serving)              rolled_back, by a rollback of its own
//! succeeded → superseded by the next deploy | rolled_back by a rollback
//! ```
//!
//! A deploy begins at `unpacking`, or at `building` where Vial builds it; a restart and a rollback at `starting`, a rollback whose target
//! still runs at `verifying` (one health check) and is at `switching` milliseconds later.
//!
//! A rollback that reverts migrations does so while its target listens and has no traffic yet:
//!
//! ```text
//! starting ─listens▶ reverting ─▶ verifying (healthy, then the paths) ─▶ switching
//!                        │             │                                     │
//!                        ▼             └──────────────┬──────────────────────┘
//!                     failed (which are down)     restoring (up again) ─▶ failed
//! ```
//!
//! A slot beside it:
//!
//! ```text
//! stopped ─Start▶ starting ─Healthy▶ running ─Stop▶ stopping ─Exited▶ stopped
//!    ▲               │                  │
//!    │               └──────Exited──────┴─▶ backoff (the active slot) ─RestartDue▶ starting
//!    └──────────────────Exited (the idle slot)
//! ```
//!
//! An idle slot that is kept, after a deploy or because a person wants it:
//!
//! ```text
//! running (warm) ─▶ resting ─holds still▶ frozen ─KeptLongEnough▶ stopping ─▶ stopped
//!    ▲                 │ Restless            │
//!    │                 ▼                     │ a rollback
//!    └──── warm, or stopping, as set         └─Thaw▶ starting ─Healthy▶ running ─▶ the switch
//! ```
//!
//! Nothing outside this folder assigns a state. [`deployment`] moves the deployment in progress, [`take`] to its slot,
//! [`bake`] what is live and not settled,
//! [`revert`] its migrations, [`slots`] the slots, [`standby`] the idle one that is kept, [`handover`]
//! who may work queues, [`environment`] says which version of it a release
//! starts with, [`restored`] reads and [`recover`] takes up what a
//! daemon before this one left. The clock, the
//! store and every process are the caller's.

mod bake;
mod command;
mod deployment;
mod effect;
mod environment;
mod fact;
mod handover;
mod recover;
mod restored;
mod revert;
mod slots;
mod standby;
mod state;
mod step;
mod take;

#[cfg(test)]
mod model;

pub use command::{Ask, AskKeep, Command};
pub use effect::{Effect, Grace};
pub use fact::Fact;
pub use state::{
    Current, Failing, Keep, Life, PerSlot, Queued, Revert, RevertStage, RunId, Settings, SlotLife,
    State,
};
pub use step::{Event, Step, step};

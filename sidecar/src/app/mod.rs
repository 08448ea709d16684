//! An app under Vial's care: one task owns it, one state machine says what happens to it.
//!
//! ```text
//! request ─▶ admission ─▶ machine::step(state, event) ─▶ records ─▶ store      (first)
//!              (pure)            (pure)                ─▶ effects ─▶ effects.rs (then)
//!                                   ▲                                  │
//!                                   └────────────── facts ◀────────────┘
//! ```
//!
//! [`machine`] holds the life of a deployment and of the slots: pure, property-tested, and the only
//! place that assigns their state. [`history`] is what is known of ended deployments; [`admission`]
//! decides over both whether a request is accepted, waits, or is refused, and makes the plan, [`keep`] the same of a standby, with [`standbys`] for the slots that are kept for it,
//! [`standing`] for the migrations between two releases and `figures` for how long it takes. [`task`] is the owner: it commits what a step
//! records before it runs what the step wants done, at the time that [`clock`] tells. What cannot be
//! committed yet waits in its `backlog`.
//! `effects` and its neighbours do that with the leaves (`slot`, `route`, `release`, `build`), and
//! report facts. [`environment`] changes what releases start with, and says what it is; [`values`] opens it. [`helpers`] is
//! the journal of what runs of a release beside its slots. Readers get numbered snapshots from
//! [`snapshot`], as [`published`].
//!
//! [`auto`] deploys new commits by themselves, and `notice` says what others are told of a step.
//!
//! Imports from here point down, to the leaves, the store and the protocol; never to `api`.

pub mod admission;
pub mod auto;
pub mod clock;
pub mod context;
pub mod environment;
pub mod handle;
pub mod helpers;
pub mod history;
pub mod keep;
pub mod known;
pub mod machine;
pub mod message;
pub mod migrations;
pub mod paths;
pub mod programs;
pub mod published;
pub mod recover;
pub mod registry;
pub mod request;
pub mod retention;
pub mod snapshot;
pub mod standbys;
pub mod standing;
pub mod task;
mod turn;
pub mod values;
pub mod whereabouts;

mod ask;
mod backlog;
mod effects;
mod explain;
mod figures;
mod hold;
mod jobs;
mod notice;
mod refuse;
mod rest;
mod run;
mod said;

#[cfg(test)]
mod fixture;

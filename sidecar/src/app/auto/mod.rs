//! Auto-deploy: what becomes of the tip of the app's branch.
//!
//! ```text
//! webhook ─▶ store (pushed) ─┐
//! poll, switched on, start ──┴▶ watch: the tip, by git ─▶ decide ─▶ ask: a build of the branch
//!                                  ▲                        │
//!                                  └── what is in progress ◀┘ ends: look again
//! ```
//!
//! `decide` is pure: deploy the tip, or leave it and say why. [`watch`] is a job of the app's task
//! that looks at the tip when there is a reason to. It keeps no list of pushes: while a deployment is
//! in progress it waits, and looks again when that has ended, so that of many pushes only the newest
//! is deployed. [`repository`] is one on this host that can be pushed to, [`secret`] proves a webhook.

mod decide;
pub mod repository;
pub mod secret;
pub(super) mod watch;

pub use decide::{Decision, decide};

/// A commit as people name it.
fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

//! Starting a release without its script: what `bin/NAME start` would have computed, at once.
//!
//! ```text
//! release on disk ─▶ look (pure of writing) ─▶ Plan ─▶ write_down ─▶ erts-*/bin/erlexec
//!                        └─▶ Reason: its script starts it
//! ```
//!
//! `bin/NAME start` runs some fifteen programs to find out what to run: the release's `elixir`,
//! `erl`, and at last `erlexec`. Everything that they ask is known here. [`standard`] knows the
//! texts of those scripts in each version of Elixir; a release that brings others, or an `env.sh`
//! that says something, is left to its script. So the decision is made anew at each start, from
//! the release as it lies on the disk and the environment that it would get.
//!
//! The script also puts the cookie of the node on the emulator's command line, where every local
//! user reads it. A release that is started from here reads it from a file instead, as Erlang does
//! by itself: [`secret`] writes that file and says how a node comes to it, and [`boot`] puts the
//! way to it into a copy of the release's boot script, only for as long as it is needed.
//!
//! This folder starts nothing and must not import what does.

mod boot;
mod plan;
pub mod secret;
mod standard;

pub use plan::{Plan, Reason, look};

//! Vial's demo and its rollback benchmark: real releases, a daemon and a Caddy of their own.
//!
//! ```text
//! bin/vial-demo            ─▶ story ─▶ verdict      deploys, rolls back, says what was lost
//! bin/vial-bench-rollback  ─▶ pairs ─▶ spread       rollback against a start by hand, in turns
//!                               │
//!                 ground ◀──────┘   a folder, free ports, a daemon, a Caddy; ends all of it
//!                 ├ place · program   where things are · one process of ours
//!                 └ watch             what the daemon says, as it happens
//! ```
//!
//! The commands that are timed are the real ones, as processes; what is only looked at comes from
//! the daemon's API. [`timeline`] prints, [`probe`] asks an address until it answers as wished.
//!
//! Nothing of Vial imports this crate.

pub mod by_hand;
pub mod ground;
pub mod pairs;
pub mod place;
pub mod probe;
pub mod program;
pub mod spread;
pub mod story;
pub mod timeline;
pub mod trouble;
pub mod verdict;
mod versions;
pub mod watch;

//! Everything about one process in a slot on this host.
//!
//! The map, from the bottom up: [`identity`] says which process, [`exit`] how it ended, and
//! [`process`] holds it by its pidfd. [`spawn`] starts one in two phases, through [`trampoline`],
//! which is this binary run again. [`family`] is what belongs to it, and how it is stopped;
//! [`cgroup`] keeps that together where the host lets us, and [`heart`] finds what would start it
//! again behind our back. [`usage`] is what it and its descendants use.
//! [`apart`] gives one that nobody vouches for
//! namespaces of its own.
//! [`helper`] runs a program to its end, [`terminal`] gives one a terminal. [`port`] says who
//! listens, by what the kernel tells [`listening`], [`health`] whether it answers. What it wrote is the
//! log's own folder, `crate::log`.
//! [`direct`] is a start without the release's script, and [`ahead`] reads a release into memory
//! before it is one.
//! What a release needs around it: [`environment`], of which [`env_file`] is a part,
//! [`crash_dump`], [`epmd`], and [`remote`], the way to its node.
//!
//! A release goes through here so: its owner sees to an epmd, builds an environment, spawns the
//! release, writes its identity down, opens the gate, asks for its health, checks who listens,
//! and in the end stops it; after a restart of the daemon it is adopted by its identity.
//!
//! This folder knows nothing of deployments, of the API, of Caddy or of the store, and must not
//! import them.

pub mod ahead;
mod apart;
pub(crate) mod cgroup;
pub mod crash_dump;
pub mod direct;
pub mod env_file;
pub mod environment;
pub mod epmd;
pub mod exit;
pub mod family;
pub mod health;
pub mod heart;
pub mod helper;
pub mod identity;
mod listening;
mod pidfd_info;
pub mod port;
pub mod process;
pub(crate) mod readiness;
pub mod remote;
pub mod spawn;
pub mod terminal;
pub mod trampoline;
pub mod usage;

pub use exit::Exit;
pub use family::Stopped;
pub use identity::Identity;
pub use process::Process;
pub use spawn::{Output, Restraint, Spec, User, Waiting, spawn};

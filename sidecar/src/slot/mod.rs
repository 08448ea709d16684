//! Everything about one process in a slot on this host.
//!
//! The map, from the bottom up: [`identity`] says which process, [`exit`] how it ended,
//! [`process`] holds it by its pidfd. [`spawn`] starts one in two phases, through
//! [`trampoline`], this binary run again. [`family`] is what belongs to it, and how it is
//! stopped. [`port`] says who listens, [`health`] whether it answers, [`log`] what it wrote.
//!
//! A release goes through here so: its owner builds an environment, spawns it, writes its
//! identity down, opens the gate, asks for its health, and stops it; after a restart of the
//! daemon it is adopted by its identity.
//!
//! This folder knows nothing of deployments, of the API, of Caddy or of the store, and must not
//! import them.

pub mod env_file;
pub mod environment;
pub mod epmd;
pub mod exit;
pub mod family;
pub mod follow;
pub mod health;
pub mod helper;
pub mod identity;
pub mod log;
mod pidfd_info;
pub mod port;
pub mod process;
mod readiness;
pub mod spawn;
pub mod terminal;
pub mod trampoline;

pub use exit::Exit;
pub use family::Stopped;
pub use identity::Identity;
pub use process::Process;
pub use spawn::{Output, Spec, User, Waiting, spawn};

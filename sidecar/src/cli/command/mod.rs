//! One file a command, or a family of commands that do the same with another word.
//!
//! Each takes the [`Session`](super::session::Session) and its own arguments, calls the daemon,
//! shows what came of it, and returns how the process ends. Commands know nothing of one another.
//! [`manual`] alone calls nobody: it turns the command line itself into pages and completions.

pub mod access;
pub mod build;
pub mod console;
pub mod control;
pub mod deploy;
pub mod env;
pub mod evaluate;
pub mod history;
pub mod logs;
pub mod manual;
pub mod migrations;
pub mod rollback;
pub mod source;
pub mod standby;
pub mod status;
pub mod together;

//! Migrations as people write them, and what must be read in them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod code;
mod columns;
mod constraints;
mod down;
mod files;
mod helpers;
mod hostile;
mod loops;
mod modified;
mod packages;
mod sql;
mod support;
mod tables;

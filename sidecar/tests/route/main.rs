//! The route through a real Caddy, by a flag file and by its admin address.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admin;
mod drain;
mod file;
mod problems;
mod support;

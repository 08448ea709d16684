//! The command line against a daemon made of canned answers: what is sent, what is shown, how it ends.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod deploy;
mod fake;
mod standby;
mod streams;
mod views;

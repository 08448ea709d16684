//! The host's file and the apps' files: what they mean, what is wrong in them, what `vial init` writes.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod load;
mod templates;

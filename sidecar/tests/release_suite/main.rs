//! From an archive to a release's folder: what is accepted, what is refused, what is left behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod accepted;
mod contents;
mod disk;
mod entries;
mod install;
mod packing;
mod random;
mod stream;
mod support;

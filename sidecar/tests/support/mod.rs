//! A host for tests, with everything real: a daemon, a Caddy, releases of the shop, a command line.
//!
//! [`Setup`] says what is on it, [`Host`] is it while it runs: each in a folder of its own, on free
//! loopback ports, as root (then its apps run as users of their own) or as anybody else. [`turn`]
//! keeps heavy tests from one another, [`releases`] builds what is deployed, [`repository`] is where it could be fetched, [`caddy`] is the web
//! server, [`stub`] makes releases without a BEAM, [`web`] asks through it, [`said`] is what a command
//! printed and how it ended, [`manager`] stands for systemd, [`env`] sets variables as a person does, [`terminal`] is one with somebody at it,
//! [`browser`] does what a browser does with the API,
//! [`look`] waits until an app is as
//! a test wants it, [`processes`] finds what runs in a host's folder, so that nothing outlives its test, and [`held`] holds
//! one still.

// Each test binary uses a part of it. A helper that fails is a test that fails.
#![allow(dead_code, unused_imports, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod browser;
pub mod caddy;
pub mod daemon;
pub mod env;
pub mod held;
pub mod host;
pub mod look;
pub mod manager;
pub mod ports;
pub mod processes;
pub mod releases;
pub mod repository;
pub mod said;
pub mod setup;
#[cfg(feature = "faults")]
pub mod stub;
pub mod terminal;
pub mod turn;
pub mod web;

pub use host::Host;
pub use releases::{archive, folder};
pub use repository::Repository;
pub use setup::Setup;

/// How long anything may take that should happen soon.
pub const SOON: std::time::Duration = std::time::Duration::from_secs(20);

/// Whether what takes minutes shall run: `bin/test --soak`.
pub fn is_soak() -> bool {
    std::env::var_os("VIAL_SOAK").is_some_and(|it| it == "1")
}

/// Whether these tests run as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Prints a figure that the suite is asked for, where it is run with `--nocapture`.
#[macro_export]
macro_rules! figure {
    ($($what:tt)*) => { println!("FIGURE {}", format_args!($($what)*)) };
}

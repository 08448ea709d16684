//! The whole of Vial, end to end: real releases, a real Caddy, the real command line.
//!
//! Each file is a part of what it promises; the stage is in `support`.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod admin_route;
mod bad_input;
mod bad_releases;
mod builds;
mod builds_hostile;
mod caddy_dies;
mod clock;
mod console;
mod consoles;
mod daemon_dies;
mod deploy;
mod doctor;
mod environment;
mod faults;
mod full_disk;
mod gate;
mod idle;
mod in_app;
mod leftovers;
mod logs;
mod looked_at;
mod migrations;
mod pushes;
mod quick_start;
mod restart_of_the_daemon;
mod rollback;
mod secrets;
mod slot_dies;
#[cfg(feature = "faults")]
mod standby;
mod stopped;
mod stream;
mod systemd;
mod together;
mod under_load;
mod upgrade;

/// An app that loses no time: no bake, and short patience.
const QUICK: &str = "bake = \"0s\"\ndrain = { timeout = \"5s\" }\nstop = { timeout = \"5s\" }";
/// A worker that loses no time either. A BEAM that boots may miss a SIGTERM: by then it has.
const WORKER: &str = "bake = \"0s\"\nstop = { timeout = \"5s\" }\nhealth = { alive = \"2s\" }";
/// An app whose deploys bake for longer than a test lasts.
const BAKING: &str = "bake = \"10m\"\ndrain = { timeout = \"5s\" }\nstop = { timeout = \"5s\" }";
/// v4 never becomes healthy, and nobody waits a minute for that.
const V4_SOON: &str = "health = { deadline = \"4s\" }";

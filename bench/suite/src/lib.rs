//! Vial's benchmark: every figure that the README states, measured side by side in one run.
//!
//! ```text
//! bin/vial-bench ─▶ groups ─▶ rollback   cold, warm, frozen; a start by hand; a shell script
//!                      │      losses     what a hundred switches lose, in three ways
//!                      │      apps       what the daemon costs with 1, 10 and 100 apps
//!                      │      history    what it costs after 100,000 deployments
//!                      │      logs       what it costs while releases write
//!                      └────▶ results ─▶ report (a terminal) · readme (Markdown) · JSON
//! host      a daemon, a Caddy and stub apps in a folder of their own; ends all of it
//! stub      a release without a BEAM, run by the binary `vial-bench-stub`
//! ```
//!
//! What is measured on real releases stands on `vial_demo`'s ground. [`figures`] is the middle of a
//! set and its spread, [`process`] what the kernel says of a process, [`machine`] of the host.
//!
//! A group that fails says why, and the others go on. Nothing of Vial imports this crate.

pub mod apps;
pub mod elsewhere;
pub mod figures;
pub mod group;
pub mod groups;
pub mod history;
pub mod host;
pub mod logs;
pub mod losses;
pub mod machine;
pub mod process;
pub mod readme;
pub mod report;
pub mod results;
pub mod rollback;
pub mod script;
pub mod stub;

//! Against servers that misbehave on purpose: each kind of loss is counted, once, as what it is.
#![allow(clippy::unwrap_used)]

mod command;
mod counting;
mod requests;
mod server;
mod websockets;

use std::time::Duration;

/// Far longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

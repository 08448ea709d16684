//! Telling others what became of a deployment.
//!
//! ```text
//! a step's records ─▶ store::outbox (one transaction) ─▶ deliver ─▶ request ─▶ post ─▶ the target
//!                                            ▲               │
//!                                            └── schedule ◀──┘ failed: again, for a day
//! ```
//!
//! `deliver` is the daemon's own task: it takes what is due, each target's in its order, and writes
//! down what came of it. [`request`] makes of a notification what the target understands, signed
//! where it checks that; `post` is one HTTP request with its time limits. What is sent is sent at
//! least once, with an id that tells a receiver what it has seen.
//!
//! A target's address is a secret: nothing in here logs it or puts it into an error.
//!
//! It knows the store and the configuration, and of the app its handles alone.

pub mod deliver;
pub mod request;

mod post;
mod schedule;

pub use deliver::keep_delivering;

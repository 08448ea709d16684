//! The load that counts every request and WebSocket that a switch loses.
//!
//! ```text
//! Load (what to send) ──start──► Running ──snapshot, stop──► Report
//!                                  │ tasks
//!         keep_alive · fresh · websocket   (the clients, each on a schedule of its own)
//!                   └── exchange ──┘        (one connection, one request, how it was lost)
//!                            └──► tally     (the one place where anything is counted)
//! ```
//!
//! Requests leave on a fixed schedule whatever the answers do, and a latency is counted from the
//! moment at which its request was due: a server that stalls is seen by all the requests that
//! waited behind it. A request is lost if no whole response came, in time, below the status
//! that was set. The only thing forgiven is what every HTTP client forgives: a kept connection
//! that the server closed before the next request was written on it (`reconnects`).
//!
//! Nothing here knows Vial: it sees an address, and the `x-shop-version` and `x-shop-slot`
//! headers of the responses.

mod context;
mod exchange;
mod fresh;
mod keep_alive;
mod load;
mod loss;
mod report;
mod schedule;
mod summary;
mod tally;
mod target;
mod websocket;

pub use load::{Load, Running};
pub use report::{
    Change, Class, ClassReport, Dropped, Failure, Report, Sighting, UNKNOWN, WebSocketReport,
};
pub use target::Target;

//! HTTP to the daemon's socket, on the background thread; nothing of Erlang.
//!
//! [`pool`] keeps connections between calls and asks over them, [`connect`] makes one, [`body`] is
//! what a request carries; [`follow`] and [`sse`] are the streams.

mod ask;
mod body;
mod connect;
mod follow;
mod pool;
mod read;
mod sse;

pub(crate) use ask::Ask;
pub(crate) use body::Payload;
pub(crate) use follow::follow;
pub(crate) use pool::Pool;

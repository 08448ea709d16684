//! HTTP to the daemon's socket, on the background thread; nothing of Erlang.
//!
//! [`pool`] keeps connections between calls and asks over them, [`connect`] makes one, [`body`] is
//! what a request carries, [`link`] the socket as bytes; [`follow`] and [`sse`] are the streams.

mod ask;
mod body;
mod connect;
mod follow;
mod link;
mod pool;
mod read;
mod sse;

pub(crate) use ask::{Ask, Payload};
pub(crate) use follow::follow;
pub(crate) use pool::Pool;

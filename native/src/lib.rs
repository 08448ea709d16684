//! Vial's NIF: the application's own console speaks to the daemon through it.
//!
//! The map: a NIF call only puts a [`job`] on the [`line`], which is read by one background thread;
//! no scheduler waits, and none works on what was asked. On that thread [`wire`] speaks HTTP to the
//! daemon's socket, and [`term`] turns the answer into the library's structs. The [`postbox`] sends
//! it to the caller, exactly once: its [`gate`] is closed by a caller that no longer waits, and one
//! that is dropped unused says that no answer will come. [`request`] and [`json`] read what Elixir
//! handed over, [`failure`] is whatever went wrong, in words.
//!
//! ```text
//! Vial.Client ─▶ call, stream ─▶ line ─▶ job ─▶ wire ─▶ the daemon's socket
//!      ▲                                   │
//!      └──────── postbox ◀── term ◀────────┘
//! ```
//!
//! `wire` knows nothing of Erlang, and `term` nothing of sockets. Atoms are made of words in this
//! code and in the protocol's, never of what somebody sent.
//!
//! The library is replaced by rename only, never written in place: a node has it mapped. Another
//! build of it cannot take over in a node that runs (Rustler has no upgrade); the load is refused
//! and the one that is there goes on.

mod failure;
mod gate;
mod handle;
mod job;
mod json;
mod line;
mod postbox;
mod request;
mod term;
mod wire;

use std::sync::Arc;

use rustler::{Encoder, Env, LocalPid, ResourceArc, Term};

use gate::Gate;
use handle::Handle;
use job::Job;
use postbox::Postbox;

mod atoms {
    rustler::atoms! { vial, ok, error, nil, stopped, quiet, busy, opened, event, done }
}

/// The version of `vial-protocol` that this library was compiled with.
#[rustler::nif]
fn protocol_version() -> &'static str {
    vial_protocol::VERSION
}

/// Asks once. The answer comes as `{:vial, ref, {:ok, answer} | {:error, error}}`; dropping the
/// handle that is returned takes the question back.
#[rustler::nif]
fn call<'a>(env: Env<'a>, reference: Term<'a>, request: Term<'a>) -> Term<'a> {
    let gate = Arc::new(Gate::default());
    let answer = Postbox::new(env.pid(), reference, Arc::clone(&gate));
    let handle = ResourceArc::new(Handle::call(Arc::clone(&gate)));
    match line::put(Job::Call { request: request::Packed::new(request), answer, gate }) {
        Ok(()) => handle.encode(env),
        Err(_) => atoms::stopped().encode(env),
    }
}

/// Opens a stream. Whether it is open comes to the caller as `{:vial, ref, {:opened, result}}`,
/// what it brings to the owner.
#[rustler::nif]
fn stream<'a>(
    env: Env<'a>,
    reference: Term<'a>,
    owner: LocalPid,
    credit: usize,
    request: Term<'a>,
) -> Term<'a> {
    let gate = Arc::new(Gate::default());
    let handle = ResourceArc::new(Handle::stream(Arc::clone(&gate), credit));
    // It is let go by the background thread at the stream's end: until then the owner is watched,
    // whoever else still has the handle.
    if env.monitor(&handle, &owner).is_none() {
        gate.close();
    }
    let job = Job::Stream {
        request: request::Packed::new(request),
        opened: Postbox::new(env.pid(), reference, Arc::new(Gate::default())),
        events: Postbox::new(owner, reference, gate),
        handle: handle.clone(),
    };
    match line::put(job) {
        Ok(()) => handle.encode(env),
        Err(_) => atoms::stopped().encode(env),
    }
}

/// Allows a stream to send that many events more.
#[rustler::nif]
fn more(handle: ResourceArc<Handle>, events: usize) -> rustler::Atom {
    handle.more(events);
    atoms::ok()
}

/// Ends what a handle stands for. `quiet` says that no message of it is under way any more.
#[rustler::nif]
fn cancel(handle: ResourceArc<Handle>) -> rustler::Atom {
    if handle.close() { atoms::quiet() } else { atoms::busy() }
}

/// Refuses a module of another version: it would get structs that it does not have.
fn load(env: Env, info: Term) -> bool {
    info.decode::<&str>().is_ok_and(|wanted| fits(wanted, vial_protocol::VERSION))
        && env.register::<Handle>().is_ok()
}

/// Whether two versions have the same structs: until 1.0 a minor version may change them.
fn fits(wanted: &str, have: &str) -> bool {
    let line = |version: &str| {
        let mut parts = version.split('.').map(str::to_owned);
        match (parts.next(), parts.next()) {
            (Some(major), Some(minor)) if major == "0" => Some((major, minor)),
            (Some(major), Some(_)) => Some((major, String::new())),
            _ => None,
        }
    };
    line(wanted).is_some() && line(wanted) == line(have)
}

rustler::init!("Elixir.Vial.Native", load = load);

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_patch_version_fits_and_a_minor_one_before_1_0_does_not() {
        assert!(fits("0.1.0", "0.1.9"));
        assert!(!fits("0.1.0", "0.2.0"));
        assert!(fits("1.1.0", "1.2.0"));
        assert!(!fits("1.1.0", "2.1.0"));
        assert!(!fits("", ""));
    }
}

//! Messages to one process, which carry one reference.

use std::sync::Arc;

use rustler::env::SavedTerm;
use rustler::{Encoder, Env, LocalPid, OwnedEnv, Term};

use crate::atoms;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::term::ToTerm;

/// Where the answers of a job go. One that is dropped before its last message was sent says so
/// itself, so that nobody waits for ever, whatever happened to the job.
pub(crate) struct Postbox {
    to: LocalPid,
    home: OwnedEnv,
    reference: SavedTerm,
    gate: Arc<Gate>,
    shape: Shape,
}

/// What its last message looks like.
#[derive(Clone, Copy)]
enum Shape {
    Answer,
    Opened,
    Events,
}

impl Postbox {
    pub(crate) fn new(to: LocalPid, reference: Term, gate: Arc<Gate>) -> Self {
        let home = OwnedEnv::new();
        let reference = home.save(reference);
        Postbox { to, home, reference, gate, shape: Shape::Answer }
    }

    /// Its last message says whether a stream was opened.
    pub(crate) fn of_opening(mut self) -> Self {
        self.shape = Shape::Opened;
        self
    }

    /// Its messages are events, and its last one says why they ended.
    pub(crate) fn of_events(mut self) -> Self {
        self.shape = Shape::Events;
        self
    }

    /// Closed by whoever no longer wants its messages.
    pub(crate) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// Sends an event.
    pub(crate) fn event(&mut self, event: &dyn ToTerm) {
        self.send(false, |env| (atoms::event(), event.to_term(env)).encode(env));
    }

    /// Sends the last message.
    pub(crate) fn end(mut self, result: Result<Option<Box<dyn ToTerm + Send>>, Failure>) {
        self.last(&result);
    }

    fn last(&mut self, result: &Result<Option<Box<dyn ToTerm + Send>>, Failure>) {
        let shape = self.shape;
        self.send(true, |env| {
            let tell = |result: Term<'_>| match shape {
                Shape::Opened => (atoms::opened(), result).encode(env),
                _ => result.encode(env),
            };
            match (result, shape) {
                (Ok(_), Shape::Events) => (atoms::done(), atoms::nil()).encode(env),
                (Err(failure), Shape::Events) => (atoms::done(), failure.to_term(env)).encode(env),
                (Ok(Some(answer)), _) => tell((atoms::ok(), answer.to_term(env)).encode(env)),
                (Ok(None), _) => tell((atoms::ok(), atoms::nil()).encode(env)),
                (Err(failure), _) => tell((atoms::error(), failure.to_term(env)).encode(env)),
            }
        });
    }

    fn send<'a>(&mut self, last: bool, what: impl FnOnce(Env<'a>) -> Term<'a>) {
        let Some(sending) = self.gate.enter() else { return };
        let reference = &self.reference;
        let home = &self.home;
        // A process that is gone needs no message.
        let _ = OwnedEnv::new().send_and_clear(&self.to, |env: Env<'a>| {
            let what = what(env);
            let reference = home.run(|home| reference.load(home).in_env(env));
            (atoms::vial(), reference, what).encode(env)
        });
        if last {
            sending.last();
        }
    }
}

impl Drop for Postbox {
    fn drop(&mut self) {
        // On a scheduler nothing can be sent, and whoever drops it there answers by itself.
        if !rustler::thread::is_scheduler_thread() {
            self.last(&Err(Failure::Stopped));
        }
    }
}

//! What Elixir holds of a call or a stream.

use std::sync::Arc;

use rustler::{Env, LocalPid, Monitor, Resource};
use tokio::sync::Semaphore;

use crate::gate::Gate;

/// More than anybody has use for; a semaphore that overflows panics.
const MOST: usize = 1 << 20;

/// A call or a stream, as a term.
pub(crate) struct Handle {
    gate: Arc<Gate>,
    credit: Option<Arc<Semaphore>>,
}

impl Handle {
    /// A call: it is taken back once no process has its handle, as when the caller died.
    pub(crate) fn call(gate: Arc<Gate>) -> Self {
        Handle { gate, credit: None }
    }

    /// A stream: it ends with its owner, not with its handle.
    pub(crate) fn stream(gate: Arc<Gate>, credit: usize) -> Self {
        Handle { gate, credit: Some(Arc::new(Semaphore::new(credit.min(MOST)))) }
    }

    /// How many events a stream may still send.
    pub(crate) fn credit(&self) -> Option<Arc<Semaphore>> {
        self.credit.clone()
    }

    pub(crate) fn more(&self, events: usize) {
        if let Some(credit) = &self.credit {
            credit.add_permits(events.min(MOST.saturating_sub(credit.available_permits())));
        }
    }

    pub(crate) fn close(&self) -> bool {
        self.gate.close()
    }
}

impl Resource for Handle {
    const IMPLEMENTS_DOWN: bool = true;

    fn down<'a>(&'a self, _env: Env<'a>, _pid: LocalPid, _monitor: Monitor) {
        self.gate.close();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.gate.close();
    }
}

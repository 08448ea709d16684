//! A library that waits for its answer, and holds still meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use vial_protocol::Problem;
use vial_protocol::standby::Rested;

type Answer = oneshot::Sender<Result<Rested, Problem>>;

/// A library that holds still, for as long as it waits for the answer.
#[derive(Debug, Clone)]
pub(super) struct Hold(Arc<Mutex<Option<Answer>>>);

impl Hold {
    pub(super) fn new(tell: Answer) -> Hold {
        Hold(Arc::new(Mutex::new(Some(tell))))
    }

    /// Whether it still waits. One that has given up holds nothing any more.
    pub(super) fn lasts(&self) -> bool {
        let tell = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tell.as_ref().is_some_and(|it| !it.is_closed())
    }

    /// Answers it.
    pub(super) fn answer(&self, frozen: bool) {
        let tell = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(tell) = tell {
            let _ = tell.send(Ok(Rested { frozen }));
        }
    }
}

//! What every client of a load works with.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::tally::Tally;
use crate::target::Target;

/// What all the clients of one load share.
pub struct Context {
    pub target: Target,
    pub tally: Tally,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    pub timeout: Duration,
}

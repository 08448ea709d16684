//! Keeping the slots' logs within their bounds, as long as the app is here.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{sleep, timeout};
use vial_protocol::Slot;

use crate::app::context::Context;
use crate::log::follow::Follower;
use crate::log::{Keeper, Looked, Policy};

/// How long a log that grows is left alone between two looks. One that rests wakes nobody.
const SETTLES: Duration = Duration::from_secs(5);
/// Between two looks of which the first did not come to the end of its work.
const BREATH: Duration = Duration::from_millis(100);
/// When it is tried again, where something failed.
const AGAIN: Duration = Duration::from_secs(30);

/// Keeps both logs; never ends.
pub(in crate::app) async fn keep_logs(context: Arc<Context>) {
    let logs = &context.config.logs;
    let policy = Policy { live: logs.live, keep: logs.keep, lasts: logs.lasts };
    tokio::join!(
        keep(context.layout.log(Slot::Blue), policy),
        keep(context.layout.log(Slot::Green), policy),
    );
}

async fn keep(path: PathBuf, policy: Policy) {
    let mut keeper = Keeper::new(&path);
    let mut failed = String::new();
    let mut follower = None;
    loop {
        let looked = tokio::task::spawn_blocking(move || {
            let looked = keeper.look(&policy, Timestamp::now());
            (keeper, looked)
        })
        .await;
        // It panicked: a defect, after which the log is left as it is.
        let Ok((same, looked)) = looked else { return };
        keeper = same;
        let Looked { end, again } = match looked {
            Ok(looked) => {
                failed.clear();
                looked
            }
            Err(error) => {
                if failed != error.to_string() {
                    failed = error.to_string();
                    tracing::error!(log = %path.display(), %error, "the log is not kept within its bounds");
                }
                Looked { end: u64::MAX, again: AGAIN }
            }
        };
        sleep(SETTLES.min(again).max(BREATH)).await;
        if follower.is_none() {
            follower = Follower::new(&path).ok();
        }
        match &mut follower {
            Some(follower) => {
                if let Ok(Err(error)) = timeout(again, follower.grown(end)).await {
                    tracing::error!(log = %path.display(), %error, "the log cannot be watched");
                    sleep(AGAIN).await;
                }
            }
            None => sleep(AGAIN).await,
        }
    }
}

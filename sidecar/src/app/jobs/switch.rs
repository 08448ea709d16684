//! Speaking with Caddy: the switch, the drain, and whether all is still as it should be.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use vial_protocol::{Code, Problem, Slot};

use super::warm;
use crate::app::context::Context;
use crate::app::machine::Fact;
use crate::app::message::{Message, Sight};
use crate::app::published::Published;
use crate::beat::beat;
use crate::route::{CountedBy, Drained};

/// How often the route is checked while nothing happens.
const CHECK_EVERY: Duration = Duration::from_secs(15);
/// And while it is not as it should be: who mends it wants to see that.
const CHECK_AGAIN: Duration = Duration::from_secs(2);

/// Sends the traffic to a slot, or leaves it at the one that is active.
pub(in crate::app) async fn switch(
    context: Arc<Context>,
    number: u64,
    to: Slot,
    back: Option<Slot>,
) -> Fact {
    let Some(route) = &context.route else {
        tokio::spawn(warm::warm(context, to));
        return Fact::Switched { number };
    };
    match route.switch(to).await {
        Ok(switched) => {
            tracing::info!(
                app = context.app(),
                deployment = number,
                to = to.as_str(),
                flip_us = switched.flip.as_micros(),
                confirmed_ms = switched.confirmed.as_millis(),
                "switched"
            );
            tokio::spawn(warm::warm(context.clone(), to));
            Fact::Switched { number }
        }
        Err(error) => {
            if let Some(back) = back {
                assert(context.clone(), back).await;
            }
            let problem = Problem::new(Code::SwitchFailed, error.to_string()).next(error.next());
            Fact::StepFailed { number, problem }
        }
    }
}

/// Sees to it that the route names a slot.
pub(in crate::app) async fn assert(context: Arc<Context>, to: Slot) {
    let Some(route) = &context.route else { return };
    if let Err(error) = route.prepare() {
        tracing::error!(app = context.app(), %error, "the route could not be written");
    }
    if let Err(error) = route.assert(to).await {
        tracing::warn!(app = context.app(), to = to.as_str(), %error, "the route is not right");
    }
}

/// Waits until a slot has no request in flight.
pub(in crate::app) async fn drain(context: Arc<Context>, number: u64, slot: Slot) -> Fact {
    let Some(route) = &context.route else {
        return Fact::Drained { number, outcome: None };
    };
    let drained = route.drained(slot, context.config.drain_timeout).await;
    let outcome = cut_off(&drained);
    Fact::Drained { number, outcome }
}

/// What was still open when the time of a drain was over.
fn cut_off(drained: &Drained) -> Option<String> {
    let (open, what) = match (drained.remaining, drained.counted_by) {
        (0, _) => return None,
        // Without Caddy's own counters idle connections count too: they are no lost requests.
        (open, CountedBy::Connections | CountedBy::Nothing) => {
            (open, "connections, idle ones too,")
        }
        (open, CountedBy::Caddy) => (open, "requests or WebSockets"),
    };
    Some(format!("{open} {what} still open after {} s", drained.took.as_secs()))
}

/// Checks from time to time, and after each change of the active slot, whether Caddy sends the
/// traffic there.
pub(in crate::app) async fn keep_checking(
    context: Arc<Context>,
    mut status: watch::Receiver<Arc<Published>>,
    tell: mpsc::Sender<Message>,
) {
    let Some(route) = &context.route else { return };
    loop {
        let (active, moving) = {
            let status = status.borrow_and_update();
            let moving = status
                .deployment
                .as_ref()
                .is_some_and(|it| it.status == vial_protocol::Status::Switching);
            (status.active, moving)
        };
        let mut pause = CHECK_EVERY;
        if let Some(active) = active.filter(|_| !moving) {
            let problem = match route.check(active).await {
                Ok(()) => None,
                Err(error) => Some(Problem::new(Code::Route, error.to_string()).next(error.next())),
            };
            if problem.is_some() {
                pause = CHECK_AGAIN;
            }
            let still = status.borrow().active == Some(active);
            if still && tell.send(Message::Seen(Sight::Route(problem))).await.is_err() {
                return;
            }
        }
        let changed = async {
            while status.changed().await.is_ok() {
                if status.borrow().active != active {
                    return;
                }
            }
            std::future::pending().await
        };
        let _ = tokio::time::timeout_at(beat(pause), changed).await;
    }
}

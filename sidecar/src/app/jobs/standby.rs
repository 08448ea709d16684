//! The times of a standby, and what stands in its way.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use vial_protocol::Slot;

use super::{Looked, health};
use crate::app::context::Context;
use crate::app::machine::{Fact, RunId};
use crate::app::message::Message;
use crate::patience::attended;
use crate::route::CountedBy;

/// How long Caddy may take to say what is open on a slot.
const COUNT: Duration = Duration::from_secs(1);

/// What keeps a slot from being frozen, as a phrase: requests and WebSockets that are open on it. A
/// slot without a route has none.
pub(in crate::app) async fn open_requests(context: &Context, slot: Slot) -> Option<String> {
    let route = context.route.as_ref()?;
    let counted = tokio::time::timeout(COUNT, route.drained(slot, Duration::ZERO)).await;
    match counted.map(|it| (it.counted_by, it.remaining)) {
        Ok((CountedBy::Caddy, 0)) => None,
        Ok((CountedBy::Caddy, 1)) => Some("a request or WebSocket is still open on it".into()),
        Ok((CountedBy::Caddy, open)) => {
            Some(format!("{open} requests or WebSockets are still open on it"))
        }
        _ => Some("Caddy does not say whether requests are still open on it".into()),
    }
}

/// Waits until a run has had its time to come to rest.
pub(in crate::app) async fn rest(
    context: Arc<Context>,
    slot: Slot,
    run: RunId,
    tell: mpsc::Sender<Message>,
) {
    attended(context.config.standby.rest).await;
    let _ = tell.send(Message::RestOver(slot, run)).await;
}

/// Waits until the release that was left has had its time to say that it is at rest.
pub(in crate::app) async fn hand_over(context: Arc<Context>, from: Slot, run: RunId) -> Fact {
    attended(context.config.standby.rest).await;
    Fact::HandOverDue { from, run }
}

/// Keeps a slot for so long, and asks for its health meanwhile where it has one.
pub(in crate::app) async fn keep(
    context: Arc<Context>,
    looked: Looked,
    watched: bool,
    left: Duration,
    tell: mpsc::Sender<Message>,
) {
    let Looked { slot, run, .. } = looked;
    let watching = async {
        if watched {
            health::watch(context, looked, false, tell.clone()).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = watching => {}
        () = tokio::time::sleep(left) => {
            let _ = tell.send(Message::Fact(Fact::KeptLongEnough { slot, run })).await;
        }
    }
}

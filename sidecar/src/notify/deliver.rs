//! Emptying the outbox.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;
use vial_protocol::notification::Notification;
use vial_protocol::{Code, Problem};

use super::post::post;
use super::request::{Outgoing, signed, slack};
use super::schedule;
use crate::app::registry::Registry;
use crate::config::{HostConfig, Target, TargetKind, TargetUrl};
use crate::store::outbox::{Attempt, Stuck, Waiting};
use crate::store::{Store, StoreError};

/// The outbox is looked into so often at least: a clock that was set back would make it late.
const AT_LEAST: Duration = Duration::from_secs(60);
/// When the store is asked again where it could not answer.
const AGAIN: Duration = Duration::from_secs(5);
/// Failures in a row that are no trouble yet.
const PATIENCE: u32 = 3;
/// A secret or an address that is longer is none.
const LONGEST: u64 = 4096;

/// Delivers what is in the outbox, as long as the daemon runs. What it is at when that ends is tried
/// again by the next.
pub async fn keep_delivering(
    store: Store,
    host: Arc<HostConfig>,
    apps: watch::Receiver<Arc<Registry>>,
) {
    // What an earlier daemon could not tell is said before anything is tried.
    let mut said = false;
    loop {
        let registry = apps.borrow().clone();
        if !said {
            said = tell(&store, &registry).await.is_ok();
        }
        let wait = match deliver(&store, &host, &registry).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(%error, "notifications wait");
                AGAIN
            }
        };
        tokio::select! {
            () = store.outbox_growth() => {}
            () = sleep(wait) => {}
        }
    }
}

/// Delivers what is due, and tells for how long nothing is.
async fn deliver(
    store: &Store,
    host: &HostConfig,
    registry: &Registry,
) -> Result<Duration, StoreError> {
    let due = store.outbox_due(Timestamp::now()).await?;
    let any = !due.is_empty();
    let mut queues: BTreeMap<(String, String), Vec<Waiting>> = BTreeMap::new();
    for waiting in due {
        queues.entry((waiting.app.clone(), waiting.target.clone())).or_default().push(waiting);
    }
    let queues = queues.into_values().map(|queue| async {
        for waiting in queue {
            // What comes after one that failed waits for it: in order, or not at all.
            if !one(store, host, registry, &waiting).await? {
                break;
            }
        }
        Ok::<_, StoreError>(())
    });
    join_all(queues).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    if any {
        tell(store, registry).await?;
    }
    let next = store.outbox_next().await?;
    let until = next.map(|next| Timestamp::now().duration_until(next));
    let until = until.map(|it| Duration::try_from(it).unwrap_or_default());
    Ok(until.unwrap_or(AT_LEAST).min(AT_LEAST))
}

/// Tries one. Whether it is off the table.
async fn one(
    store: &Store,
    host: &HostConfig,
    registry: &Registry,
    waiting: &Waiting,
) -> Result<bool, StoreError> {
    let Waiting { row, app, target, .. } = waiting;
    let own = registry.apps.get(app).map(|app| app.context());
    let own = own.as_ref().and_then(|context| context.config.notify.get(target));
    let Some(configured) = own.or_else(|| host.notify.get(target)) else {
        tracing::warn!(app, target, "not told any more: it is not configured");
        store.outbox_tried(*row, Attempt::Dropped, Timestamp::now()).await?;
        return Ok(true);
    };
    let told = match outgoing(configured, waiting).await {
        Ok((url, outgoing)) => post(&url, outgoing).await.map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    let now = Timestamp::now();
    let attempt = match told {
        Ok(()) => {
            tracing::info!(app, target, attempts = waiting.attempts + 1, "told");
            Attempt::Delivered
        }
        Err(error) => {
            let next_at = schedule::next(waiting.made_at, waiting.attempts + 1, now);
            tracing::warn!(app, target, error, gives_up = next_at.is_none(), "not told");
            Attempt::Failed { error, next_at }
        }
    };
    let delivered = attempt == Attempt::Delivered;
    store.outbox_tried(*row, attempt, now).await?;
    Ok(delivered)
}

/// Where it goes and what is sent.
async fn outgoing(target: &Target, waiting: &Waiting) -> Result<(String, Outgoing), String> {
    let url = match &target.url {
        TargetUrl::Plain(url) => url.clone(),
        TargetUrl::File(path) => read(path).await?,
    };
    let notification: Notification =
        serde_json::from_str(&waiting.payload).map_err(|error| error.to_string())?;
    let outgoing = match &target.kind {
        TargetKind::Slack => slack(&notification),
        TargetKind::Webhook { secret_file } => {
            let secret = read(secret_file).await?;
            signed(&notification.id, &waiting.payload, &secret, Timestamp::now())
                .ok_or_else(|| format!("{} holds no secret", secret_file.display()))?
        }
    };
    Ok((url, outgoing))
}

/// A line in a file of its own, read each time: it may have been changed.
async fn read(path: &Path) -> Result<String, String> {
    let failed = |why: &dyn std::fmt::Display| format!("{} cannot be read: {why}", path.display());
    let size = tokio::fs::metadata(path).await.map_err(|error| failed(&error))?.len();
    if size > LONGEST {
        return Err(failed(&format!("it has more than {LONGEST} bytes")));
    }
    let text = tokio::fs::read_to_string(path).await.map_err(|error| failed(&error))?;
    Ok(text.trim().to_owned())
}

/// Lets each app's status say which of its targets is in trouble.
async fn tell(store: &Store, registry: &Registry) -> Result<(), StoreError> {
    let stuck = store.outbox_stuck().await?;
    for app in registry.apps.values() {
        let worst = stuck
            .iter()
            .filter(|it| it.app == app.name() && (it.attempts >= PATIENCE || it.given_up > 0))
            .max_by_key(|it| (it.given_up, it.attempts));
        app.outbox(worst.map(trouble));
    }
    Ok(())
}

/// What is wrong with a target, for a person.
#[must_use]
pub fn trouble(stuck: &Stuck) -> Problem {
    let Stuck { target, waiting, given_up, attempts, error, .. } = stuck;
    let wait = match (waiting, given_up) {
        (waiting, 0) => format!("{waiting} wait since then"),
        (0, given_up) => format!("{given_up} were given up after a day"),
        (waiting, given_up) => {
            format!("{waiting} wait, and {given_up} were given up after a day")
        }
    };
    Problem::new(
        Code::Notification,
        format!(
            "`{target}` is not told what happens: {error} ({attempts} attempts; {wait}). The history \
             has all of it."
        ),
    )
    .next(format!("look at `[notify.{target}]` in the configuration and at who answers there"))
}

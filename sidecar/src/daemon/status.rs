//! Keeping the service manager's status line true.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::sync::watch;
use vial_protocol::AppStatus;

use super::manager::Manager;
use super::words;
use crate::app::published::Published;
use crate::app::registry::Registry;

/// A deployment changes its step several times a second; nobody reads that fast.
const PAUSE: Duration = Duration::from_millis(200);

/// Tells the line, now and whenever it changes. Asleep in between.
pub(super) async fn keep_telling(mut registry: watch::Receiver<Arc<Registry>>, manager: Manager) {
    if !manager.is_there() {
        return;
    }
    let mut told = String::new();
    loop {
        let apps = registry.borrow_and_update().apps.clone();
        let mut readers: Vec<_> = apps.values().map(crate::app::handle::App::subscribe).collect();
        let statuses: Vec<AppStatus> =
            readers.iter_mut().map(|it| AppStatus::clone(&it.borrow_and_update())).collect();
        let line = words::apps(&statuses);
        if line != told {
            manager.status(&line).await;
            told = line;
        }
        tokio::select! {
            changed = registry.changed() => if changed.is_err() { return },
            () = any(&mut readers) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until one of them has changed. An app that was given up changes no more.
async fn any(readers: &mut [watch::Receiver<Arc<Published>>]) {
    if readers.is_empty() {
        return std::future::pending().await;
    }
    let changes = readers.iter_mut().map(|reader| {
        Box::pin(async move {
            if reader.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    });
    select_all(changes).await;
}

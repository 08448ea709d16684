//! What the slots of every app use: memory, CPU and requests in flight, and what their health checks
//! said.
//!
//! One task, the [`sampler`], measures: every 10 s while nobody looks, so that whoever comes sees
//! the last ten minutes, and the apps that somebody follows every 2 s. [`kept`] is what it keeps of an
//! app, [`measure`] one look at `/proc` and at Caddy for all of them. Readers have [`Metrics`], by which
//! they ask that task.
//!
//! Knows apps by their handles, slots by what `/proc` says and routes by Caddy's counters; never the
//! API. Nothing of it is kept over a restart.

mod kept;
mod measure;
mod sampler;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use vial_protocol::live;

use crate::app::registry::Registry;
use sampler::{Message, Sampler};

/// The way to what was measured. Clones ask the same task, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Metrics(mpsc::Sender<Message>);

/// The newest sample of an app, now and whenever there is another. Closed when the app is given up.
pub type Following = watch::Receiver<Arc<live::Metrics>>;

impl Metrics {
    /// Begins to measure.
    #[must_use]
    pub fn start(apps: watch::Receiver<Arc<Registry>>) -> Metrics {
        let (tell, told) = mpsc::channel(64);
        tokio::spawn(Sampler::new(apps, tell.downgrade()).run(told));
        Metrics(tell)
    }

    /// The last ten minutes of an app; `None` where it is not known, or the daemon stops.
    pub async fn recent(&self, app: &str) -> Option<live::Metrics> {
        let (tell, told) = oneshot::channel();
        self.0.send(Message::Recent(app.into(), tell)).await.ok()?;
        told.await.ok()?
    }

    /// Follows an app, which is measured more often for as long as somebody does. What is there
    /// already counts as changed. `None` as in [`Metrics::recent`].
    pub async fn follow(&self, app: &str) -> Option<Following> {
        let (tell, told) = oneshot::channel();
        self.0.send(Message::Follow(app.into(), tell)).await.ok()?;
        told.await.ok()?
    }
}

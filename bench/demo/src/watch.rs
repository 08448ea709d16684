//! What the daemon says of the app, as it happens.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use vial::client::{Client, Told};
use vial::slot::Identity;
use vial_protocol::{AppStatus, Event, Slot, SlotState};

use crate::place::APP;
use crate::trouble::Trouble;

/// Follows the app until it is dropped.
pub struct Watch {
    status: watch::Receiver<Option<AppStatus>>,
    noted: Arc<Mutex<Noted>>,
    task: tokio::task::JoinHandle<()>,
}

/// What was seen on the way.
#[derive(Debug, Default)]
struct Noted {
    stops: Vec<(Instant, Slot)>,
    slots: HashSet<Identity>,
}

impl Watch {
    /// Begins.
    ///
    /// # Errors
    /// Where the daemon cannot be reached.
    pub async fn start(client: &Client) -> Result<Watch, Trouble> {
        let mut events = client.events(Some(APP)).await?;
        let (tell, status) = watch::channel(None::<AppStatus>);
        let noted = Arc::new(Mutex::new(Noted::default()));
        let notes = noted.clone();
        let task = tokio::spawn(async move {
            while let Some(told) = events.next().await {
                if let Told::Event(Event::App(new)) = told {
                    let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
                    notes.take(tell.borrow().as_ref(), &new);
                    tell.send_replace(Some(*new));
                }
            }
        });
        Ok(Watch { status, noted, task })
    }

    /// The status as it was told last.
    #[must_use]
    pub fn now(&self) -> Option<AppStatus> {
        self.status.borrow().clone()
    }

    /// Waits until the status is as wished, and returns it.
    ///
    /// # Errors
    /// Where it does not become so in time.
    pub async fn until(
        &self,
        what: &str,
        limit: Duration,
        wished: impl Fn(&AppStatus) -> bool,
    ) -> Result<AppStatus, Trouble> {
        let mut status = self.status.clone();
        let late = || Trouble::Waited { what: what.to_owned(), seconds: limit.as_secs() };
        let came = status.wait_for(|status| status.as_ref().is_some_and(&wished));
        let seen = timeout(limit, came).await.map_err(|_| late())?.map_err(|_| late())?;
        seen.clone().ok_or_else(late)
    }

    /// When slots were told to stop.
    #[must_use]
    pub fn stops(&self) -> Vec<(Instant, Slot)> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).stops.clone()
    }

    /// Every process that a slot had.
    #[must_use]
    pub fn slots(&self) -> Vec<Identity> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.slots.iter().cloned().collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Noted {
    fn take(&mut self, before: Option<&AppStatus>, now: &AppStatus) {
        for slot in &now.slots {
            let was = before.and_then(|before| before.slot(slot.slot));
            let stopping = |state| state == SlotState::Stopping;
            if stopping(slot.state) && !was.is_some_and(|was| stopping(was.state)) {
                self.stops.push((Instant::now(), slot.slot));
            }
            let new = slot.pid.filter(|pid| was.and_then(|was| was.pid) != Some(*pid));
            self.slots.extend(new.and_then(|pid| Identity::of(pid).ok().flatten()));
        }
    }
}

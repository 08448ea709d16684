//! One turn of an app: the machine says what comes of an event, the store commits that, and only then
//! is anything begun.

use vial_protocol::{Code, Problem};

use super::machine::{Event, State, Step, step};
use super::notice::notices;
use super::task::Task;
use crate::store::StoreError;
use crate::store::history::KeptAnswer;
use crate::store::record::Record;

impl Task {
    /// A turn that must be made: where the store cannot commit, it waits until that can.
    pub(super) async fn turn(&mut self, event: Event) {
        let first = self.backlog.is_empty();
        self.backlog.push(event);
        if first {
            self.catch_up().await;
        }
    }

    /// Makes the turns that wait, as far as the store can commit them.
    pub(super) async fn catch_up(&mut self) {
        while let Some(event) = self.backlog.first() {
            if let Err(problem) = self.try_turn(event, None).await {
                tracing::error!(app = self.context.app(), %problem, "waiting to write the journal");
                return;
            }
            self.backlog.done();
        }
        if self.trouble.is_some() {
            self.try_the_store().await;
        }
    }

    /// Sees whether the store can commit again, where nothing waits for that.
    async fn try_the_store(&mut self) {
        match self.context.daemon.store.try_to_write().await {
            Ok(()) => {
                self.can_commit();
                self.publish();
            }
            Err(_) => self.backlog.put_off(),
        }
    }

    /// Forgets that the store could not commit; whether that was so.
    fn can_commit(&mut self) -> bool {
        self.backlog.clear_time();
        self.trouble.take().is_some()
    }

    /// Why nothing can be asked for, where what has happened could not be written down yet.
    pub(super) fn is_behind(&self) -> Option<Problem> {
        self.trouble.clone().filter(|_| !self.backlog.is_empty())
    }

    /// A turn that is made wholly or not at all.
    pub(super) async fn try_turn(
        &mut self,
        event: Event,
        answer: Option<KeptAnswer>,
    ) -> Result<(), Problem> {
        let Step { state, mut records, effects } =
            step(&self.state, event, self.context.settings());
        for record in &mut records {
            self.explain(record);
            self.mask(record);
        }
        records.extend(notices(&self.context, self.known(), &records, &effects));
        let busy = |it: &State| it.current.is_some() || it.queued.is_some();
        if !records.is_empty() && (busy(&self.state) || busy(&state)) {
            records.extend(self.clock.hold().map(Record::ClockHeld));
        }
        let now = self.clock.now();
        let committed = self
            .context
            .daemon
            .store
            .commit(self.context.app(), records.clone(), answer, now)
            .await;
        if let Err(error) = committed {
            let problem = unwritten(&error);
            self.backlog.put_off();
            if self.trouble.as_ref() != Some(&problem) {
                self.trouble = Some(problem.clone());
                self.publish();
            }
            return Err(problem);
        }
        let healed = !records.is_empty() && self.can_commit();
        self.clock.committed(busy(&state));
        self.history.apply(&records, now);
        self.standbys.apply(&records, now);
        let changed = healed || self.state != state || !records.is_empty();
        self.state = state;
        self.log(&records);
        // Nobody who waits for a rollback waits for what readers see of it.
        for effect in effects {
            self.begin(effect);
        }
        if !records.is_empty() {
            self.show().await;
        } else if changed {
            self.publish();
        }
        self.answer_holds();
        Ok(())
    }

    fn log(&self, records: &[Record]) {
        let app = self.context.app();
        for record in records {
            match record {
                Record::Began(began) => {
                    tracing::info!(
                        app,
                        deployment = began.number,
                        kind = began.kind.as_str(),
                        actor = began.actor,
                        reason = began.reason,
                        "deployment begins"
                    );
                }
                Record::Entered { number, status } => {
                    tracing::info!(app, deployment = number, step = status.as_str(), "step");
                }
                Record::Ended { number, status, error } => {
                    let error = error.as_ref().map(|it| it.message.as_str());
                    tracing::info!(
                        app,
                        deployment = number,
                        status = status.as_str(),
                        error,
                        "deployment ended"
                    );
                }
                Record::WentLive { number, slot } => {
                    tracing::info!(app, deployment = number, slot = slot.as_str(), "live");
                }
                _ => {}
            }
        }
    }
}

/// What the failure of a commit means.
fn unwritten(error: &StoreError) -> Problem {
    let (code, next) = match error {
        StoreError::Full => (
            Code::NoSpace,
            "free space in the state folder, then ask again; `vial doctor` says what is wrong",
        ),
        _ => (
            Code::Internal,
            "see whether the disk of the state folder is well (`dmesg`), then ask again; `vial \
             doctor` says what is wrong",
        ),
    };
    Problem::new(
        code,
        format!(
            "Nothing was changed: {error}. What runs, runs on, and it is tried again each second."
        ),
    )
    .next(next)
}

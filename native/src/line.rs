//! The line of jobs, and the thread that works them off.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::job::Job;
use crate::wire::Pool;

/// Uploads read their files on threads of their own; more than that many wait for one another.
const READERS: usize = 8;

static LINE: OnceLock<UnboundedSender<Job>> = OnceLock::new();
static STARTING: Mutex<()> = Mutex::new(());

/// Puts a job on the line, and never waits. Starts the thread with the first one.
pub(crate) fn put(job: Job) -> Result<(), Box<Job>> {
    let Some(line) = line() else { return Err(Box::new(job)) };
    line.send(job).map_err(|unsent| Box::new(unsent.0))
}

fn line() -> Option<&'static UnboundedSender<Job>> {
    if let Some(line) = LINE.get() {
        return Some(line);
    }
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if LINE.get().is_none() {
        let (sender, jobs) = unbounded_channel();
        thread::Builder::new().name("vial".into()).spawn(move || work(jobs)).ok()?;
        LINE.set(sender).ok()?;
    }
    LINE.get()
}

fn work(mut jobs: UnboundedReceiver<Job>) {
    loop {
        // Jobs are tasks, and a task that panics ends alone; what is caught here is the rest. The
        // jobs of a runtime that ended were dropped with it, and have told their callers.
        let ended = catch_unwind(AssertUnwindSafe(|| {
            match tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(READERS)
                .build()
            {
                Ok(runtime) => runtime.block_on(spread(&mut jobs)),
                // The system has no more files: this job is dropped, and the next one tries again.
                Err(_) => jobs.blocking_recv().is_none(),
            }
        }));
        if matches!(ended, Ok(true)) {
            return;
        }
    }
}

/// Makes each job a task. Returns whether no more can come.
async fn spread(jobs: &mut UnboundedReceiver<Job>) -> bool {
    let pool = Pool::default();
    while let Some(job) = jobs.recv().await {
        tokio::spawn(job.run(pool.clone()));
    }
    true
}

//! What belongs to a slot: everything that descends from its process, everything that bears its
//! marker, and everything in its cgroup where it has one.
//!
//! Descent alone misses what was orphaned, and sessions tell nothing: erl_child_setup and every
//! port program begin their own. The marker, `VIAL_RUN` in the environment, stays with whatever
//! the release starts unless it clears its environment. What did both is in the cgroup still.

use std::collections::{HashMap, HashSet};
use std::io;
use std::time::Duration;

use futures_util::future::join_all;

use super::cgroup;
use super::exit::Exit;
use super::identity::{Identity, Sighting, sight};
use super::process::{Process, ProcessError, Signal};
use crate::fault;

/// The name of the variable that marks everything of one start.
pub const MARKER: &str = "VIAL_RUN";

/// Ends the marker of a health command. Those are found by it alone: they run every few seconds,
/// and to write each down first would cost a write to the disk each time.
pub const HEALTH: &str = ".health";

/// How long what a release leaves behind may take to end by itself.
const AFTERMATH: Duration = Duration::from_millis(300);

/// How long a killed process may take to be gone: it may hang in the kernel, on a dead disk.
const DYING: Duration = Duration::from_secs(2);

/// How often to look again for what was forked while the others were killed.
const ROUNDS: usize = 5;

/// How a slot's process was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// How it ended.
    pub exit: Exit,
    /// Whether it had to be killed, because it outlived its grace.
    pub killed: bool,
    /// How many processes of its family outlived it, and were killed.
    pub leftovers: usize,
}

/// Everything of one start that runs now, `root` included: `run_id` is the marker's value.
///
/// epmd is left out, whoever started it, because the other slot needs it; and so are we.
///
/// # Errors
/// Where `/proc` cannot be listed.
pub fn members(root: Option<&Identity>, run_id: &str) -> io::Result<Vec<Identity>> {
    let sightings = everyone()?;
    let mut children: HashMap<u32, Vec<usize>> = HashMap::new();
    for (index, sighting) in sightings.iter().enumerate() {
        children.entry(sighting.parent).or_default().push(index);
    }
    let ours = std::process::id();
    let grouped: HashSet<u32> =
        cgroup::members(root.map(|it| it.pid), run_id).into_iter().collect();
    let belongs = |sighting: &Sighting| {
        let pid = sighting.identity.pid;
        Some(&sighting.identity) == root || grouped.contains(&pid) || is_marked(pid, run_id)
    };
    let mut open: Vec<usize> = (0..sightings.len()).filter(|&at| belongs(&sightings[at])).collect();
    let mut seen = HashSet::new();
    let mut members = Vec::new();
    while let Some(index) = open.pop() {
        let sighting = &sightings[index];
        let pid = sighting.identity.pid;
        if pid == ours || sighting.name == "epmd" || !seen.insert(index) {
            continue;
        }
        members.push(sighting.identity.clone());
        open.extend(children.get(&pid).into_iter().flatten());
    }
    Ok(members)
}

/// Stops a slot's process: SIGTERM to it alone, SIGKILL to it and its family after `grace`. What
/// of its family outlives it is killed too.
///
/// # Errors
/// Where the process may not be signalled, or its family cannot be listed. It may still run then.
pub async fn stop(process: &Process, run_id: &str, grace: Duration) -> Result<Stopped, StopError> {
    let root = process.identity();
    // Taken before: what descends from it cannot be told any more once it is gone.
    let mut known = members(Some(root), run_id)?;
    process.signal(Signal::TERM)?;
    // A frozen process takes no signal but this one; what it waits for may be frozen too.
    process.signal(Signal::CONT)?;
    send(&known, Signal::CONT);
    fault::point(|| "stop: signalled".into());
    let ended = tokio::time::timeout(grace, process.exited()).await.ok();
    if ended.is_none() {
        known.extend(members(Some(root), run_id)?);
        process.signal(Signal::KILL)?;
    }
    let exit = process.exited().await;
    fault::point(|| "stop: ended".into());
    known.retain(|identity| identity != root);
    let patience = if ended.is_some() { AFTERMATH } else { Duration::ZERO };
    let leftovers = sweep(known, run_id, patience).await?;
    Ok(Stopped { exit, killed: ended.is_none(), leftovers })
}

/// Stops a slot's process by SIGSTOP, and its whole family after it, so that it starts nothing
/// meanwhile. Returns whom it has stopped beside it.
///
/// # Errors
/// Where the process may not be signalled, or its family cannot be listed. Some of it may be stopped
/// then: see [`thaw`].
pub fn freeze(process: &Process, run_id: &str) -> Result<Vec<Identity>, StopError> {
    process.signal(Signal::STOP)?;
    fault::point(|| "freeze: its process".into());
    let root = process.identity();
    let mut frozen: Vec<Identity> = Vec::new();
    // What was forked while the others were stopped is in the next round.
    for _ in 0..ROUNDS {
        let found = members(Some(root), run_id)?;
        let new = found.into_iter().filter(|it| it != root && !frozen.contains(it));
        let new: Vec<Identity> = new.collect();
        if new.is_empty() {
            break;
        }
        send(&new, Signal::STOP);
        frozen.extend(new);
    }
    Ok(frozen)
}

/// Lets a slot's process go on, at once, and its family behind it: `frozen` where that is known, else
/// all of it.
///
/// # Errors
/// Where the process may not be signalled, or its family cannot be listed.
pub fn thaw(process: &Process, frozen: &[Identity], run_id: &str) -> Result<(), StopError> {
    process.signal(Signal::CONT)?;
    match frozen {
        [] => send(&members(Some(process.identity()), run_id)?, Signal::CONT),
        frozen => send(frozen, Signal::CONT),
    }
    Ok(())
}

/// Sends a signal to those that still run. One that became another user, through sudo, must not save
/// the others.
fn send(members: &[Identity], signal: Signal) {
    for identity in members {
        let sent = Process::adopt(identity).and_then(|it| match it {
            Some(process) => process.signal(signal),
            None => Ok(false),
        });
        if let Err(error) = sent {
            tracing::warn!(%error, ?signal, "a process of a release cannot be signalled");
        }
    }
}

/// Kills what an ended process left behind, after waiting `patience` for it to end by itself:
/// those of `known` that still run, and whatever bears the marker. Returns, once they are gone,
/// how many there were.
///
/// # Errors
/// Where processes cannot be listed.
pub async fn sweep(
    known: Vec<Identity>,
    run_id: &str,
    patience: Duration,
) -> Result<usize, StopError> {
    let mut left = survivors(&known, run_id)?;
    if !patience.is_zero() {
        let _ = tokio::time::timeout(patience, all_gone(&left)).await;
        left = survivors(&known, run_id)?;
    }
    let count = left.len();
    for _ in 0..ROUNDS {
        if left.is_empty() {
            break;
        }
        cgroup::kill(None, run_id);
        for process in &left {
            // One that became another user, through sudo, must not save the others.
            if let Err(error) = process.signal(Signal::KILL) {
                tracing::warn!(%error, "a process that a release left behind cannot be ended");
            }
        }
        let _ = tokio::time::timeout(DYING, all_gone(&left)).await;
        left = survivors(&known, run_id)?;
    }
    cgroup::remove(run_id);
    Ok(count)
}

/// Kills what the health commands of an earlier daemon left running. `prefix` begins the markers of
/// an app's runs. Returns how many there were.
///
/// # Errors
/// Where processes cannot be listed, or may not be killed.
pub fn sweep_health(prefix: &str) -> Result<usize, StopError> {
    let begin = [MARKER.as_bytes(), b"=", prefix.as_bytes()].concat();
    let mut count = 0;
    for sighting in everyone()? {
        let bears = |entry: &[u8]| entry.starts_with(&begin) && entry.ends_with(HEALTH.as_bytes());
        if has_variable(sighting.identity.pid, bears)
            && let Some(process) = Process::adopt(&sighting.identity)?
        {
            process.signal(Signal::KILL)?;
            count += 1;
        }
    }
    Ok(count)
}

/// A family that is killed when nobody waits for it any more.
#[derive(Debug)]
pub struct Guard {
    root: Identity,
    run_id: String,
    ended: bool,
}

impl Guard {
    /// Of everything of one start.
    #[must_use]
    pub fn new(root: Identity, run_id: &str) -> Guard {
        Guard { root, run_id: run_id.to_owned(), ended: false }
    }

    /// The marker's value.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// It was ended otherwise.
    pub fn ended(mut self) {
        self.ended = true;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Err(error) = kill_now(&self.root, &self.run_id) {
            tracing::warn!(pid = self.root.pid, %error, "a program could not be ended");
        }
        // Nobody waits here; what it forked meanwhile, and its cgroup, go a moment later.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let run_id = std::mem::take(&mut self.run_id);
            runtime.spawn(async move { sweep(Vec::new(), &run_id, Duration::ZERO).await });
        }
    }
}

/// Kills a process and its whole family without waiting for them to be gone: for where nobody can
/// wait.
fn kill_now(root: &Identity, run_id: &str) -> Result<(), StopError> {
    cgroup::kill(Some(root.pid), run_id);
    for identity in members(Some(root), run_id)? {
        if let Some(process) = Process::adopt(&identity)? {
            process.signal(Signal::KILL)?;
        }
    }
    Ok(())
}

/// Why a slot could not be stopped; for its owner.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// `/proc` cannot be read, or a process may not be killed.
    #[error("What belongs to the slot cannot be found or ended: {0}.")]
    Family(#[from] io::Error),
    /// The process itself.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// Those of `known` that still run, and whatever bears the marker, each once.
fn survivors(known: &[Identity], run_id: &str) -> Result<Vec<Process>, StopError> {
    let marked = members(None, run_id)?;
    let all: HashSet<&Identity> = known.iter().chain(&marked).collect();
    let held = all.into_iter().filter_map(|identity| Process::adopt(identity).transpose());
    Ok(held.collect::<Result<_, _>>()?)
}

async fn all_gone(processes: &[Process]) {
    join_all(processes.iter().map(Process::gone)).await;
}

fn everyone() -> io::Result<Vec<Sighting>> {
    let mut sightings = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that we may not look at is not ours.
        if let Ok(Some(sighting)) = sight(pid) {
            sightings.push(sighting);
        }
    }
    Ok(sightings)
}

fn is_marked(pid: u32, run_id: &str) -> bool {
    let wanted = [MARKER.as_bytes(), b"=", run_id.as_bytes()].concat();
    has_variable(pid, |entry| entry == wanted)
}

fn has_variable(pid: u32, is_it: impl Fn(&[u8]) -> bool) -> bool {
    std::fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(is_it))
}

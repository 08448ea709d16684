//! What an app's task starts from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use vial_protocol::{Deployment, Desired, Release, Slot};

use super::commit::clock_key;
use super::record::{Anchor, Keep};
use super::rows::{self, at_some, word, word_some};
use super::{Store, StoreError, environment};

/// How many starts of releases are loaded.
pub const STARTS: usize = 256;

/// All that the store knows of an app, but for its processes.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What a person wants of it.
    pub desired: Desired,
    /// The slot that has the traffic.
    pub active: Option<Slot>,
    /// The deployment whose release is in it.
    pub serving: Option<u64>,
    /// What is in each slot.
    pub slots: Vec<Filled>,
    /// The slot whose release may do what only one may at a time.
    pub works: Option<Slot>,
    /// What the idle slot is kept as, where it is.
    pub standbys: BTreeMap<Slot, Kept>,
    /// The newest versions of its environment.
    pub environment: Newest,
    /// The newest deployments, newest first: every one in progress is among them.
    pub deployments: Vec<Deployment>,
    /// When the release of each of those was started, where it was.
    pub starting: BTreeMap<u64, Timestamp>,
    /// Those of them that moved migrations on their way.
    pub migrated: BTreeSet<u64>,
    /// The newest starts, oldest first: the release, and when.
    pub starts: Vec<(u64, Timestamp)>,
    /// The releases that are on the disk, by number.
    pub releases: BTreeMap<u64, Release>,
    /// The runs that were told to end and are not known to have ended.
    pub stopping: BTreeSet<u64>,
    /// The number of the next deployment.
    pub next_number: u64,
    /// The next run.
    pub next_run: u64,
    /// What the times of the deployment in progress count from.
    pub clock: Option<Anchor>,
    /// The latest time in its rows; absent where none is in progress.
    pub latest: Option<Timestamp>,
}

/// What was put into a slot last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// The slot.
    pub slot: Slot,
    /// The release's number.
    pub release: u64,
    /// The version of the environment that it starts with.
    pub environment: u64,
    /// The newest version when it was started.
    pub fresh: u64,
    /// Whether its library has said whether it is at rest.
    pub speaks: bool,
}

/// What a slot is kept as, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// What, and for how long from then.
    pub keep: Keep,
    /// Since when it is ready, or on its way.
    pub since: Timestamp,
}

/// The newest versions of an app's environment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// Of all; 0 where nothing was ever set.
    pub today: u64,
    /// In which something secret changed.
    pub secrets: u64,
}

impl Store {
    /// Loads an app, with its `newest` deployments; makes its row where it is new.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn load(&self, app: &str, newest: usize) -> Result<Loaded, StoreError> {
        let app = app.to_owned();
        self.run(move |connection| load(connection, &app, newest)).await
    }
}

pub(super) fn load(
    connection: &Connection,
    app: &str,
    newest: usize,
) -> Result<Loaded, StoreError> {
    connection.execute("insert into apps (name) values (?1) on conflict do nothing", [app])?;
    let (desired, active, serving, works) = connection.query_row(
        "select desired, active, serving, works from apps where name = ?1",
        [app],
        |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, Option<u64>>(2)?,
                row.get::<_, Option<String>>(3)?,
            ))
        },
    )?;
    let deployments = rows::deployments(connection, app, None, newest)?;
    let oldest = deployments.last().map_or(0, |it| it.number);
    Ok(Loaded {
        desired: word(&desired)?,
        active: word_some(active)?,
        serving,
        slots: slots(connection, app)?,
        works: word_some(works)?,
        standbys: standbys(connection, app)?,
        environment: Newest {
            today: environment::newest(connection, app)?,
            secrets: environment::newest_secret(connection, app)?,
        },
        deployments,
        starting: starting(connection, app, oldest)?,
        migrated: migrated(connection, app, oldest)?,
        starts: newest_starts(connection, app)?,
        releases: releases(connection, app)?,
        stopping: stopping(connection, app)?,
        next_number: next(connection, "select max(number) from deployments where app = ?1", app)?,
        next_run: next(connection, "select max(run) from runs where app = ?1", app)?,
        clock: clock(connection, app)?,
        latest: latest(connection, app)?,
    })
}

fn next(connection: &Connection, highest: &str, app: &str) -> Result<u64, StoreError> {
    let highest: Option<u64> =
        connection.query_row(highest, [app], |row| row.get(0)).optional()?.flatten();
    Ok(highest.unwrap_or(0) + 1)
}

fn clock(connection: &Connection, app: &str) -> Result<Option<Anchor>, StoreError> {
    let kept: Option<String> = connection
        .query_row("select value from settings where key = ?1", [clock_key(app)], |row| row.get(0))
        .optional()?;
    // One that cannot be read is as good as none: it is only the better guess.
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
}

fn latest(connection: &Connection, app: &str) -> Result<Option<Timestamp>, StoreError> {
    let latest = connection.query_row(
        "select max(max(d.queued_at, coalesce(d.live_at, 0), \
           coalesce((select max(max(s.started_at, coalesce(s.ended_at, 0))) from steps s \
                     where s.app = d.app and s.deployment = d.number), 0))) \
         from deployments d where d.app = ?1 and d.ended_at is null",
        [app],
        |row| row.get(0),
    )?;
    at_some(latest)
}

fn slots(connection: &Connection, app: &str) -> Result<Vec<Filled>, StoreError> {
    let mut statement = connection.prepare(
        "select slot, release, environment, fresh, speaks from slots \
         where app = ?1 and release is not null",
    )?;
    let mut found = statement.query([app])?;
    let mut slots = Vec::new();
    while let Some(row) = found.next()? {
        slots.push(Filled {
            slot: word(&row.get::<_, String>(0)?)?,
            release: row.get(1)?,
            environment: row.get(2)?,
            fresh: row.get(3)?,
            speaks: row.get(4)?,
        });
    }
    Ok(slots)
}

fn standbys(connection: &Connection, app: &str) -> Result<BTreeMap<Slot, Kept>, StoreError> {
    let mut statement = connection.prepare(
        "select slot, standby, standby_ready, standby_since, standby_ms from slots \
         where app = ?1 and standby is not null",
    )?;
    let mut found = statement.query([app])?;
    let mut standbys = BTreeMap::new();
    while let Some(row) = found.next()? {
        let lasts = Duration::from_millis(row.get(4)?);
        let keep = Keep { mode: word(&row.get::<_, String>(1)?)?, ready: row.get(2)?, lasts };
        let slot = word(&row.get::<_, String>(0)?)?;
        standbys.insert(slot, Kept { keep, since: rows::at(row.get(3)?)? });
    }
    Ok(standbys)
}

fn starting(
    connection: &Connection,
    app: &str,
    oldest: u64,
) -> Result<BTreeMap<u64, Timestamp>, StoreError> {
    let mut statement = connection.prepare(
        "select deployment, min(started_at) from steps \
         where app = ?1 and deployment >= ?2 and status = 'starting' group by deployment",
    )?;
    let mut found = statement.query(params![app, oldest])?;
    let mut starting = BTreeMap::new();
    while let Some(row) = found.next()? {
        starting.insert(row.get(0)?, rows::at(row.get(1)?)?);
    }
    Ok(starting)
}

fn migrated(connection: &Connection, app: &str, oldest: u64) -> Result<BTreeSet<u64>, StoreError> {
    let mut statement = connection.prepare(
        "select distinct deployment from steps \
         where app = ?1 and deployment >= ?2 and status in ('migrating', 'reverting')",
    )?;
    let numbers = statement.query_map(params![app, oldest], |row| row.get(0))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}

fn newest_starts(connection: &Connection, app: &str) -> Result<Vec<(u64, Timestamp)>, StoreError> {
    let mut statement = connection.prepare(
        "select release, started_at from runs where app = ?1 order by run desc limit ?2",
    )?;
    let mut found = statement.query(params![app, STARTS])?;
    let mut starts = Vec::new();
    while let Some(row) = found.next()? {
        starts.push((row.get(0)?, rows::at(row.get(1)?)?));
    }
    starts.reverse();
    Ok(starts)
}

fn stopping(connection: &Connection, app: &str) -> Result<BTreeSet<u64>, StoreError> {
    let mut statement = connection.prepare("select run from stops where app = ?1")?;
    let runs = statement.query_map([app], |row| row.get(0))?;
    Ok(runs.collect::<Result<_, _>>()?)
}

fn releases(connection: &Connection, app: &str) -> Result<BTreeMap<u64, Release>, StoreError> {
    let mut statement =
        connection.prepare("select number from releases where app = ?1 and removed_at is null")?;
    let numbers: Vec<u64> =
        statement.query_map(params![app], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut releases = BTreeMap::new();
    for number in numbers {
        if let Some(release) = rows::release(connection, app, number)? {
            releases.insert(number, release);
        }
    }
    Ok(releases)
}

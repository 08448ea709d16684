//! Rows to the protocol's types and back.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vial_protocol::{Deployment, Problem, Release, Step};

use super::StoreError;

/// Times are stored as milliseconds since 1970, UTC.
pub(super) fn at(millis: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(millis).map_err(|why| StoreError::Foreign(why.to_string()))
}

pub(super) fn at_some(millis: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    millis.map(at).transpose()
}

pub(super) fn word<T: FromStr>(text: &str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|why: T::Err| StoreError::Foreign(why.to_string()))
}

pub(super) fn word_some<T: FromStr>(text: Option<String>) -> Result<Option<T>, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.as_deref().map(word).transpose()
}

/// Lists are stored as JSON: no query looks into them.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|why| StoreError::Foreign(why.to_string()))
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|why| StoreError::Foreign(why.to_string()))
}

pub(super) const DEPLOYMENT: &str = "number, kind, status, release, slot, replaces, \
    rolled_back_by, actor, reason, error, queued_at, live_at, ended_at, applied, reverts, reverted, \
    environment, build, built_commit";

/// A deployment without its steps, from the columns of [`DEPLOYMENT`].
pub(super) fn deployment(
    connection: &Connection,
    app: &str,
    row: &Row<'_>,
) -> Result<Deployment, StoreError> {
    let error: Option<String> = row.get(9)?;
    let error: Option<Problem> = error.as_deref().map(parsed).transpose()?;
    let build: Option<String> = row.get(17)?;
    let commit: Option<String> = row.get(18)?;
    let number: Option<u64> = row.get(3)?;
    Ok(Deployment {
        number: row.get(0)?,
        kind: word(&row.get::<_, String>(1)?)?,
        status: word(&row.get::<_, String>(2)?)?,
        release: match number {
            Some(number) => release(connection, app, number)?,
            None => None,
        },
        slot: word_some(row.get(4)?)?,
        replaces: row.get(5)?,
        rolled_back_by: row.get(6)?,
        actor: row.get(7)?,
        reason: row.get(8)?,
        error,
        queued_at: at(row.get(10)?)?,
        live_at: at_some(row.get(11)?)?,
        ended_at: at_some(row.get(12)?)?,
        applied: parsed(&row.get::<_, String>(13)?)?,
        reverts: parsed(&row.get::<_, String>(14)?)?,
        reverted: parsed(&row.get::<_, String>(15)?)?,
        environment: row.get(16)?,
        build: build.as_deref().map(parsed).transpose()?,
        commit: commit.as_deref().map(parsed).transpose()?,
        steps: Vec::new(),
    })
}

/// A release by its number, removed or not.
pub(super) fn release(
    connection: &Connection,
    app: &str,
    number: u64,
) -> Result<Option<Release>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select number, name, version, sha256, size, erts, elixir, migrations, unpacked_at, \
         commit_id from releases where app = ?1 and number = ?2",
    )?;
    let mut rows = statement.query(params![app, number])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let migrations: String = row.get(7)?;
    Ok(Some(Release {
        number: row.get(0)?,
        name: row.get(1)?,
        version: row.get(2)?,
        sha256: row.get(3)?,
        size: row.get(4)?,
        erts: row.get(5)?,
        elixir: row.get(6)?,
        migrations: parsed(&migrations)?,
        unpacked_at: at(row.get(8)?)?,
        commit: row.get(9)?,
    }))
}

/// A deployment's steps, in order.
pub(super) fn steps(
    connection: &Connection,
    app: &str,
    number: u64,
) -> Result<Vec<Step>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select status, started_at, ended_at, outcome from steps \
         where app = ?1 and deployment = ?2 order by position",
    )?;
    let mut rows = statement.query(params![app, number])?;
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(Step {
            status: word(&row.get::<_, String>(0)?)?,
            started_at: at(row.get(1)?)?,
            ended_at: at_some(row.get(2)?)?,
            outcome: row.get(3)?,
        });
    }
    Ok(steps)
}

/// An app's history before a number, newest first, with its steps left out.
pub(super) fn deployments(
    connection: &Connection,
    app: &str,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Deployment>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "select {} from deployments where app = ?1 and number < ?2 order by number desc limit ?3",
        DEPLOYMENT
    ))?;
    let before = i64::try_from(before.unwrap_or(u64::MAX)).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = statement.query(params![app, before, limit])?;
    let mut deployments = Vec::new();
    while let Some(row) = found.next()? {
        deployments.push(deployment(connection, app, row)?);
    }
    Ok(deployments)
}

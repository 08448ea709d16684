//! What readers ask for.

use rusqlite::params;
use vial_protocol::Deployment;

use super::commit::Answer;
use super::{Store, StoreError, rows};

pub use super::commit::Answer as KeptAnswer;

impl Store {
    /// An app's deployments below a number, newest first, without their steps.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn deployments(
        &self,
        app: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Deployment>, StoreError> {
        let app = app.to_owned();
        self.run(move |connection| rows::deployments(connection, &app, before, limit)).await
    }

    /// One deployment with its steps.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn deployment(
        &self,
        app: &str,
        number: u64,
    ) -> Result<Option<Deployment>, StoreError> {
        let app = app.to_owned();
        self.run(move |connection| {
            let mut found = rows::deployments(connection, &app, number.checked_add(1), 1)?;
            let Some(mut deployment) = found.pop().filter(|it| it.number == number) else {
                return Ok(None);
            };
            deployment.steps = rows::steps(connection, &app, number)?;
            Ok(Some(deployment))
        })
        .await
    }

    /// The answer that was given to an idempotency key.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn answer(&self, app: &str, key: &str) -> Result<Option<Answer>, StoreError> {
        let (app, key) = (app.to_owned(), key.to_owned());
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "select key, request, deployment, message from answers \
                 where app = ?1 and key = ?2",
            )?;
            let mut found = statement.query(params![app, key])?;
            let Some(row) = found.next()? else { return Ok(None) };
            Ok(Some(Answer {
                key: row.get(0)?,
                request: row.get(1)?,
                deployment: row.get(2)?,
                message: row.get(3)?,
            }))
        })
        .await
    }
}

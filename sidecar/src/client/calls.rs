//! One typed method a route.

use hyper::Method;
use serde::{Deserialize, Serialize};
use vial_protocol::environment::{SetVariables, UnsetVariables};
use vial_protocol::migration::MigrationsReport;
use vial_protocol::request::{
    Accepted, Build, Evaluate, Evaluated, Migrate, Migrated, Restart, Rollback, Together,
};
use vial_protocol::source::{AskSecret, HookSecret, Repository, Switch};
use vial_protocol::standby::KeepStandby;
use vial_protocol::{
    AppStatus, DaemonStatus, Deployment, Environment, EnvironmentChoice, Plan, Problem,
};

use super::error::ClientError;
use super::http::{Client, app_path, new_key, with_query};

/// What `POST /v1/reload` found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reloaded {
    /// Files that could not be taken over; the apps in them go on as they were.
    pub problems: Vec<Problem>,
    /// What was taken over and still deserves a look.
    pub warnings: Vec<String>,
}

const NO_BODY: Option<&()> = None;

impl Client {
    /// The daemon and every app.
    ///
    /// # Errors
    /// Like every method here: see [`ClientError`].
    pub async fn status(&self) -> Result<DaemonStatus, ClientError> {
        self.get("/v1/status").await
    }

    /// One app.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn app(&self, app: &str) -> Result<AppStatus, ClientError> {
        self.get(&app_path(app, "")).await
    }

    /// The app's history, newest first, from before deployment `before`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn deployments(
        &self,
        app: &str,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Vec<Deployment>, ClientError> {
        let query = [
            ("before", before.map(|number| number.to_string())),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.get(&with_query(app_path(app, "/deployments"), &query)).await
    }

    /// One deployment with its steps.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn deployment(&self, app: &str, number: u64) -> Result<Deployment, ClientError> {
        self.get(&app_path(app, &format!("/deployments/{number}"))).await
    }

    /// What a rollback would do now. Of the request, `reason` and `digest` do not count.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn plan(&self, app: &str, request: &Rollback) -> Result<Plan, ClientError> {
        let query = [
            ("to", request.to.map(|number| number.to_string())),
            ("cancel", request.cancel.then(|| "true".to_owned())),
            ("migrations", request.migrations.map(|choice| choice.as_str().to_owned())),
            (
                "env",
                (request.env != EnvironmentChoice::Own).then(|| request.env.as_str().to_owned()),
            ),
            ("force", request.force.then(|| "true".to_owned())),
        ];
        self.get(&with_query(app_path(app, "/rollback"), &query)).await
    }

    /// Rolls back.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn rollback(&self, app: &str, request: &Rollback) -> Result<Accepted, ClientError> {
        self.post(&app_path(app, "/rollback"), Some(request), Some(&new_key()?)).await
    }

    /// What is applied to the app's databases, as a release sees it; the one that serves where none
    /// is named.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn migrations(
        &self,
        app: &str,
        release: Option<u64>,
    ) -> Result<MigrationsReport, ClientError> {
        let query = [("release", release.map(|number| number.to_string()))];
        self.get(&with_query(app_path(app, "/migrations"), &query)).await
    }

    /// Moves the app's databases by the migrations of one release. Answers when it is done.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn migrate(&self, app: &str, request: &Migrate) -> Result<Migrated, ClientError> {
        self.post(&app_path(app, "/migrations"), Some(request), None).await
    }

    /// The app's environment; with the values where `reveal` says so, which an operator may.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn environment(&self, app: &str, reveal: bool) -> Result<Environment, ClientError> {
        let query = [("reveal", reveal.then(|| "true".to_owned()))];
        self.get(&with_query(app_path(app, "/env"), &query)).await
    }

    /// Sets variables for what starts from now on.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn set_env(&self, app: &str, asked: &SetVariables) -> Result<Accepted, ClientError> {
        self.change_by(Method::PUT, &app_path(app, "/env"), asked).await
    }

    /// Unsets variables.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn unset_env(
        &self,
        app: &str,
        asked: &UnsetVariables,
    ) -> Result<Accepted, ClientError> {
        self.change_by(Method::DELETE, &app_path(app, "/env"), asked).await
    }

    /// Builds a commit and deploys it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn build(&self, app: &str, request: &Build) -> Result<Accepted, ClientError> {
        self.post(&app_path(app, "/builds"), Some(request), Some(&new_key()?)).await
    }

    /// Switches auto-deploy on or off.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn auto_deploy(&self, app: &str, switch: &Switch) -> Result<Accepted, ClientError> {
        self.post(&app_path(app, "/auto-deploy"), Some(switch), None).await
    }

    /// The secret of the app's webhooks.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn hook_secret(
        &self,
        app: &str,
        asked: &AskSecret,
    ) -> Result<HookSecret, ClientError> {
        self.post(&app_path(app, "/auto-deploy/secret"), Some(asked), None).await
    }

    /// Makes the repository that is pushed to on the daemon's host.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn git_init(&self, app: &str) -> Result<Repository, ClientError> {
        self.post(&app_path(app, "/repository"), NO_BODY, None).await
    }

    /// Cancels the deployment in progress, before it is live.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn cancel(&self, app: &str) -> Result<Accepted, ClientError> {
        self.post(&app_path(app, "/cancel"), NO_BODY, Some(&new_key()?)).await
    }

    /// Stops the app.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn stop(&self, app: &str) -> Result<Accepted, ClientError> {
        self.post(&app_path(app, "/stop"), NO_BODY, Some(&new_key()?)).await
    }

    /// Starts the app.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn start(&self, app: &str) -> Result<Accepted, ClientError> {
        self.post(&app_path(app, "/start"), NO_BODY, Some(&new_key()?)).await
    }

    /// Changes what the idle slot does until the next deployment uses it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn standby(&self, app: &str, asked: &KeepStandby) -> Result<Accepted, ClientError> {
        self.post(&app_path(app, "/standby"), Some(asked), Some(&new_key()?)).await
    }

    /// Restarts the app.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn restart(&self, app: &str, request: &Restart) -> Result<Accepted, ClientError> {
        self.post(&app_path(app, "/restart"), Some(request), Some(&new_key()?)).await
    }

    /// Evaluates an expression in the running release.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn rpc(&self, app: &str, request: &Evaluate) -> Result<Evaluated, ClientError> {
        self.post(&app_path(app, "/rpc"), Some(request), None).await
    }

    /// Evaluates an expression in a fresh instance of the release, without its application.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn eval(&self, app: &str, request: &Evaluate) -> Result<Evaluated, ClientError> {
        self.post(&app_path(app, "/eval"), Some(request), None).await
    }

    /// The snippet that the Caddyfile imports.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn caddy_snippet(&self, app: &str) -> Result<String, ClientError> {
        let bytes = self.get_bytes(&app_path(app, "/caddy")).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Stops every app.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn down(&self) -> Result<Together, ClientError> {
        self.post("/v1/down", NO_BODY, None).await
    }

    /// Starts what [`Client::down`] stopped.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn up(&self) -> Result<Together, ClientError> {
        self.post("/v1/up", NO_BODY, None).await
    }

    /// Makes the daemon read its configuration again.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn reload(&self) -> Result<Reloaded, ClientError> {
        self.post("/v1/reload", NO_BODY, None).await
    }
}

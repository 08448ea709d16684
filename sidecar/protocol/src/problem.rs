//! Every refusal and failure that a person reads.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Which problem, for programs.
    pub code: Code,
    /// What happened and why, in whole sentences. Names the release that serves now where a
    /// deployment was refused or failed.
    pub message: String,
    /// The next command to type, or the next thing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The last lines of the log that show the cause: untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// The plan as it is now, where the caller's was stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<crate::Plan>>,
}

/// Which problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    // Refusals: nothing has changed.
    /// The app is not configured.
    UnknownApp,
    /// The deployment, release or slot does not exist.
    NotFound,
    /// The peer may not do this.
    Forbidden,
    /// The request cannot be understood.
    BadRequest,
    /// The request is larger than the daemon accepts.
    TooLarge,
    /// Another deployment is in progress.
    InProgress,
    /// There is no deployment in progress.
    NothingInProgress,
    /// The deployment is live: only a rollback takes it back.
    AlreadyLive,
    /// There is no earlier release to go back to.
    NothingToRollBackTo,
    /// The release that was asked for serves already.
    AlreadyServing,
    /// The release is no longer retained.
    NotRetained,
    /// The plan has changed since the caller saw it.
    StalePlan,
    /// The idempotency key was used for another request.
    KeyReused,
    /// The app has no release yet.
    NothingDeployed,
    /// The slot has no running release.
    NotRunning,
    /// The app is stopped, or already running.
    WrongState,
    /// A destructive migration stands in the way, and nobody said what shall become of it; or a
    /// deploy brings one, and nobody allowed it.
    Destructive,
    /// A migration that shall be reverted has no way down.
    Irreversible,
    /// The configuration does not allow it, or is broken.
    Configuration,
    /// The daemon is stopping.
    ShuttingDown,
    /// Nobody is logged in, or the session has ended.
    LoginNeeded,
    /// The password has to be given again for this.
    PasswordNeeded,
    /// Too many requests of this kind came; a later one is answered.
    TooManyRequests,
    /// The request names a host that is not the dashboard's.
    Misdirected,
    /// What shall be made is there already.
    AlreadyThere,

    // Failures of a deployment.
    /// The archive is not a release that can run here.
    BadRelease,
    /// There is no room on the disk.
    NoSpace,
    /// The commit could not be fetched or built.
    BuildFailed,
    /// The migrations failed.
    MigrationFailed,
    /// Reverting migrations, or restoring them, failed: the message says which are down.
    RevertFailed,
    /// The release could not be started.
    StartFailed,
    /// The release exited before it was healthy.
    Exited,
    /// The release did not become healthy in time.
    Unhealthy,
    /// Another process holds the slot's port.
    PortTaken,
    /// A path of `verify` did not answer below 400.
    VerifyFailed,
    /// Caddy did not follow the switch.
    SwitchFailed,
    /// The release failed during its bake.
    BakeFailed,
    /// The daemon was interrupted at a step that cannot be resumed.
    Interrupted,
    /// Ended on request.
    Cancelled,

    // Warnings of a status.
    /// The release exits again and again.
    CrashLoop,
    /// Caddy does not send traffic where the store says.
    Route,
    /// The release in the active slot fails its health check.
    ActiveUnhealthy,
    /// Somebody who is to be told of what happens cannot be told.
    Notification,

    /// Something in Vial or the host failed: the message has what the system said.
    Internal,
}

impl Code {
    /// Whether this is a refusal: nothing was changed.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        use Code::{
            AlreadyLive, AlreadyServing, AlreadyThere, BadRequest, Configuration, Destructive,
            Forbidden, InProgress, Irreversible, KeyReused, LoginNeeded, Misdirected, NotFound,
            NotRetained, NotRunning, NothingDeployed, NothingInProgress, NothingToRollBackTo,
            PasswordNeeded, ShuttingDown, StalePlan, TooLarge, TooManyRequests, UnknownApp,
            WrongState,
        };
        matches!(
            self,
            UnknownApp
                | NotFound
                | Forbidden
                | BadRequest
                | TooLarge
                | InProgress
                | NothingInProgress
                | AlreadyLive
                | NothingToRollBackTo
                | AlreadyServing
                | NotRetained
                | StalePlan
                | KeyReused
                | NothingDeployed
                | NotRunning
                | WrongState
                | Destructive
                | Irreversible
                | Configuration
                | ShuttingDown
                | LoginNeeded
                | PasswordNeeded
                | TooManyRequests
                | Misdirected
                | AlreadyThere
        )
    }
}

impl Problem {
    /// A problem with a message and nothing more yet.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Problem { code, message: message.into(), next: None, log: Vec::new(), plan: None }
    }

    /// Adds the next thing to do.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Adds the last lines of a log.
    #[must_use]
    pub fn log(mut self, lines: Vec<String>) -> Self {
        self.log = lines;
        self
    }

    /// Adds the plan as it is now.
    #[must_use]
    pub fn plan(mut self, plan: crate::Plan) -> Self {
        self.plan = Some(Box::new(plan));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(next) = &self.next {
            write!(f, " Next: {next}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

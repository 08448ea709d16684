//! What the machine can be told to do. Admission has let it through already.

use std::time::Duration;

use vial_protocol::{Build, Kind, StandbyMode};

use crate::store::record::EnvironmentChange;

/// Something that a person, or Vial itself, wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Begin a deployment, or let it wait where one is live and not settled yet. A rollback does
    /// not wait: it settles what is live and cancels what is not.
    Begin(Ask),
    /// End the deployment that waits, or the one in progress that is not live yet.
    Cancel,
    /// Stop both slots, and keep them stopped.
    Stop,
    /// Start the active slot again after a stop.
    Start,
    /// Stop the active slot and start the same release in it.
    RestartInPlace,
    /// Keep the idle slot as something else from now on.
    Keep(AskKeep),
    /// Make a new version of the app's environment, for what starts from now on.
    ChangeEnvironment(EnvironmentChange),
}

/// What an idle slot shall be kept as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskKeep {
    /// What.
    pub mode: StandbyMode,
    /// How long; as the app's file says where absent.
    pub lasts: Option<Duration>,
    /// The release that is started for it, where it is not there.
    pub release: u64,
    /// The version of the environment that it starts with.
    pub environment: u64,
}

/// A deployment that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What it does.
    pub kind: Kind,
    /// The release, where it is known: always, except for a deploy.
    pub release: Option<u64>,
    /// Who asks.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether a deploy may bring a destructive migration.
    pub allow_destructive: bool,
    /// Whether migrations run before the release starts, although it was on the disk already: the
    /// rollback goes forward, to a release that knows more of them.
    pub migrate: bool,
    /// The migrations that the release that is left reverts: versions, newest first.
    pub reverts: Vec<u64>,
    /// The version of the environment that the release starts with; today's where absent.
    pub environment: Option<u64>,
    /// What is built first, where its release does not come as an archive.
    pub build: Option<Build>,
}

impl Ask {
    /// A deployment that leaves the database alone, but for what a deploy always does.
    #[must_use]
    pub fn new(
        kind: Kind,
        release: Option<u64>,
        actor: impl Into<String>,
        reason: Option<String>,
    ) -> Self {
        Ask {
            kind,
            release,
            actor: actor.into(),
            reason,
            allow_destructive: false,
            migrate: false,
            reverts: Vec::new(),
            environment: None,
            build: None,
        }
    }
}

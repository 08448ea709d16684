//! What the machine can be told to do. Admission has let it through already.

use vial_protocol::Kind;

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
}

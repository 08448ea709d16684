//! What an app can be asked for, and by whom.

use std::fmt;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;
use vial_protocol::{EnvironmentChoice, MigrationChoice, StandbyMode, Trigger};

use crate::build::Built;
use crate::vault::Plain;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// As the history names them.
    pub name: String,
    /// Whether they may end what others began.
    pub operator: bool,
    /// Where they say they ask from: a node's name. Trusted for nothing.
    pub origin: Option<String>,
}

/// Between a user's name and where they ask from. No user's name has a space.
const AT: &str = " at ";

impl Actor {
    /// As the history names them: `shop at shop_blue@127.0.0.1`.
    #[must_use]
    pub fn display(&self) -> String {
        match &self.origin {
            Some(origin) => format!("{}{AT}{origin}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether the history's name of an actor is theirs, from wherever they asked. A user of the
    /// dashboard is another person than the host's user of that name.
    #[must_use]
    pub fn began(&self, actor: &str) -> bool {
        let (name, origin) = actor.split_once(AT).unwrap_or((actor, ""));
        name == self.name && is_guest(origin) == self.origin.as_deref().is_some_and(is_guest)
    }
}

/// Where a user of the dashboard asks from, and where an API token does.
pub const DASHBOARD: &str = "dashboard";
/// See [`DASHBOARD`].
pub const TOKEN: &str = "token";

/// Whether somebody who asks from there came by the dashboard's address.
#[must_use]
pub fn is_guest(origin: &str) -> bool {
    origin == DASHBOARD || origin == TOKEN
}

/// A request to change something.
#[derive(Debug)]
pub struct Request {
    /// Who asks.
    pub actor: Actor,
    /// Why.
    pub reason: Option<String>,
    /// The idempotency key.
    pub key: Option<String>,
    /// What is asked for.
    pub what: What,
}

/// What is asked for.
#[derive(Debug)]
pub enum What {
    /// Deploy a release.
    Deploy {
        /// Its archive comes through here.
        upload: Upload,
        /// Whether it may bring a destructive migration.
        allow_destructive: bool,
    },
    /// Build a commit and deploy it.
    Build(BuildAsk),
    /// Go back to a release.
    Rollback(RollbackAsk),
    /// Start the active release anew.
    Restart {
        /// In the same slot, with an interruption.
        in_place: bool,
    },
    /// End what is in progress or waits.
    Cancel,
    /// Stop the app.
    Stop,
    /// Start it again.
    Start,
    /// Keep the idle slot as something else.
    Standby {
        /// What.
        mode: StandbyMode,
        /// How long; as the app's file says where absent.
        lasts: Option<Duration>,
    },
    /// Change its environment, for what starts from now on.
    Environment(Change),
}

/// A build as it is asked for.
///
/// It is answered at once with the deployment's number, and refused as an archive would be: while
/// another deployment is on its way to the switch. While one bakes it waits, across restarts of the
/// daemon too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildAsk {
    /// What is built.
    pub source: BuildSource,
    /// Whether the release may bring a destructive migration.
    pub allow_destructive: bool,
    /// What makes it begin.
    pub trigger: Trigger,
}

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildSource {
    /// The tip of the configured branch, as it is when the build begins: a deploy.
    Branch,
    /// A branch, a tag or a whole commit id: a deploy.
    Ref(String),
    /// The commit of a deployment: a redeploy.
    Deployment(u64),
}

/// Where a deployment's release comes from, until it is unpacked.
#[derive(Debug)]
pub enum Incoming {
    /// Somebody sends it.
    Archive(Upload),
    /// It was built here.
    Built(Box<Built>),
}

/// An archive as it comes in.
pub type Upload = mpsc::Receiver<Part>;

/// A piece of an archive.
#[derive(Debug)]
pub enum Part {
    /// Bytes.
    Bytes(Bytes),
    /// The archive is whole.
    End,
    /// It will not become whole; says why.
    Broken(String),
}

/// A rollback as it was asked for.
#[derive(Debug, Clone, Default)]
pub struct RollbackAsk {
    /// The deployment whose release shall serve.
    pub to: Option<u64>,
    /// Cancel a deployment in progress first.
    pub cancel: bool,
    /// The digest of the plan that the caller saw.
    pub digest: Option<String>,
    /// What shall become of the migrations that the target does not know.
    pub migrations: Option<MigrationChoice>,
    /// Which values its release shall start with.
    pub env: EnvironmentChoice,
    /// Go ahead where somebody would be asked.
    pub force: bool,
}

/// What shall become of an app's environment.
#[derive(Debug)]
pub enum Change {
    /// These have these values from now on.
    Set {
        /// Names and values; of two with one name the last counts.
        values: Vec<(String, Plain)>,
        /// Whether they are marked secret; as they were where absent.
        secret: Option<bool>,
    },
    /// These are unset.
    Unset(Vec<String>),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Set { values, .. } => {
                let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
                write!(f, "set {}", names.join(", "))
            }
            Change::Unset(names) => write!(f, "unset {}", names.join(", ")),
        }
    }
}

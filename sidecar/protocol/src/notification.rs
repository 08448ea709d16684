//! What is sent to others when a deployment ends, or a release exits again and again.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Deployment;

/// The body of an outgoing webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notification {
    /// The same at each attempt: whoever has seen it needs it no more.
    pub id: String,
    /// What happened.
    pub occasion: Occasion,
    /// The app.
    pub app: String,
    /// The host's name.
    pub host: String,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, in a sentence. May hold what an app or a person wrote: untrusted text.
    pub message: String,
    /// The deployment, with its steps. Without the lines of a log.
    pub deployment: Deployment,
}

/// What others can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A deploy, redeploy or restart succeeded.
    Succeeded,
    /// A deployment failed.
    Failed,
    /// A rollback succeeded.
    RolledBack,
    /// The release that serves exits again and again.
    CrashLoop,
}

impl Occasion {
    /// All of them.
    pub const ALL: [Occasion; 4] =
        [Occasion::Succeeded, Occasion::Failed, Occasion::RolledBack, Occasion::CrashLoop];

    /// The word, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Occasion::Succeeded => "succeeded",
            Occasion::Failed => "failed",
            Occasion::RolledBack => "rolled_back",
            Occasion::CrashLoop => "crash_loop",
        }
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

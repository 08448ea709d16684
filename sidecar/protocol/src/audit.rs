//! Who did what: one row for each request that changes something, or shows what is secret.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One row of `GET /v1/audit`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Audit {
    /// Counts up; `before` of the next page.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who: a user's name, a token's, or the host's user on the socket. Where a login failed, the
    /// name that was given: untrusted.
    pub actor: String,
    /// How they were known: `session`, `token`, `socket`, or nothing.
    pub by: Option<crate::access::Known>,
    /// From where: an IP address, or the console's node behind a socket.
    pub from: Option<String>,
    /// What: the operation's name in the OpenAPI document, such as `rollback`.
    pub action: String,
    /// The app that it was about.
    pub app: Option<String>,
    /// What else it was about: a deployment, a user, names of variables. Never a value.
    pub detail: Option<String>,
    /// `ok`, or the code of the problem that it was answered with.
    pub outcome: String,
}

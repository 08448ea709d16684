//! Who gets in by the dashboard's address: users, their sessions, API tokens and first-login links.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::words::UnknownWord;

/// What a user of the dashboard, or an API token, may do. Each may do what the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks: status, history, plans, logs.
    Viewer,
    /// Changes what serves: deploys, rolls back, restarts, switches auto-deploy, sets variables.
    Deployer,
    /// Everything: consoles, values of variables, users, tokens, the audit log.
    Admin,
}

impl Role {
    /// Every role, the one that may least first.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Deployer, Role::Admin];

    /// The word, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Deployer => "deployer",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Role::ALL
            .into_iter()
            .find(|it| it.as_str() == word)
            .ok_or_else(|| UnknownWord { word: word.into(), expected: "viewer, deployer or admin" })
    }
}

/// `POST /v1/session`: logs in. The answer is a [`Whoami`], and sets the cookie.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's name.
    pub name: String,
    /// Their password.
    pub password: String,
}

/// `POST /v1/session/password`: the password once more, for what needs it fresh. `POST
/// /v1/password` has the same shape for a new one, and needs a fresh one before.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Password {
    /// The password.
    pub password: String,
}

/// `POST /v1/session/link`: the first login, by a link that serves once. It makes the user, or gives
/// the one of that name this password, and logs them in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FirstLogin {
    /// What the link has behind its `#`.
    pub token: String,
    /// The password that the user shall have from now on.
    pub password: String,
}

macro_rules! without_secrets {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
without_secrets!(Login, Password, FirstLogin, NewUser, NewToken, MadeLink, ChangeUser);

/// `GET /v1/session`: who asks, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Whoami {
    /// The user's name, a token's name, or the host's user on the socket.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// How they are known: `session`, `token` or `socket`.
    pub by: Known,
    /// The session's id, as in `GET /v1/sessions`; absent for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// When the session or the token ends; absent where it does not by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Until when the password counts as fresh; absent where it was not given again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<Timestamp>,
}

/// How a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Known {
    /// By the cookie of a session.
    Session,
    /// By an API token.
    Token,
    /// By the kernel, on the Unix socket.
    Socket,
}

/// A user of the dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they were made.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// When they logged in last.
    pub seen_at: Option<Timestamp>,
    /// How many sessions they have.
    pub sessions: u64,
}

/// `POST /v1/users`: makes a user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Their name: letters, digits, `.`, `_`, `-`, `@`; 1 to 64 of them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Their password, 12 to 1,024 characters.
    pub password: String,
}

/// `PATCH /v1/users/{name}`: changes one. Every session of theirs ends.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ChangeUser {
    /// What they may do from now on.
    pub role: Option<Role>,
    /// A new password.
    pub password: Option<String>,
}

/// Someone's session, without what would open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Names it in `DELETE /v1/sessions/{id}`.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// When they logged in.
    pub made_at: Timestamp,
    /// When it was used last, to the minute.
    pub seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// From where they logged in: an IP address.
    pub address: String,
    /// What browser they said they had. Untrusted.
    pub agent: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// An API token, without what would open anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Token {
    /// Names it in `DELETE /v1/tokens/{id}`.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// When it was used last, to the minute.
    pub used_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// `POST /v1/tokens`: makes a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AskToken {
    /// What it is for: 1 to 64 printable characters.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// How many days it lasts: 1 to 3,650.
    pub days: u32,
}

/// The token that was made. It is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewToken {
    /// What goes behind `Authorization: Bearer `.
    pub secret: String,
    /// The token.
    pub token: Token,
}

/// `POST /v1/links`: makes a first-login link, on the socket alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AskLink {
    /// The user whom it makes, or to whom it gives a new password.
    pub name: String,
    /// What they may do; of a user who is there it stays as it is.
    pub role: Role,
}

/// The link that was made. It serves once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadeLink {
    /// The page's address, with the token behind its `#`: browsers send that to nobody.
    pub url: String,
    /// Until when it serves.
    pub expires_at: Timestamp,
}

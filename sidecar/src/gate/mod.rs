//! Who gets in by the dashboard's address.
//!
//! [`Gate`] knows users by their [`password`]s, sessions and tokens by the [`secret`] that only their
//! holder has, and slows down who guesses ([`limits`]). [`endings`] tells what was opened by a session
//! or a token when that has ended. What each may do is the API's to say, not this folder's: it knows
//! no HTTP and no app, and keeps everything in the store.
//!
//! ```text
//! a name and a password ──▶ not too often? ─▶ argon2id, one at a time ─▶ a session ─▶ its cookie
//! a first-login link ─────▶ not too often? ─▶ argon2id ─▶ the user, the link used up ─▶ a session
//! a cookie, a token ──────▶ known by its id, proved by its hash, not ended ─▶ who, role, until when
//! ```

pub mod endings;
pub mod limits;
pub mod password;
pub mod secret;

mod links;
mod login;
mod sessions;
mod tokens;
mod users;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use vial_protocol::access::{Known, Role};
use vial_protocol::{Code, Problem};

use self::endings::Endings;
use self::limits::Limits;
use self::password::Passwords;
use crate::store::{Store, StoreError};

pub use login::{From as LoginFrom, LoggedIn};

/// How long a session lasts that is not used.
pub const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// How long a session lasts at most.
pub const MOST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a password that was given again counts as fresh.
pub const FRESH: SignedDuration = SignedDuration::from_mins(10);
/// How long a first-login link serves.
pub const LINK: SignedDuration = SignedDuration::from_hours(1);

/// Who came in, by a session or by a token.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The user's name, or the token's.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// By what they are known: a session or a token.
    pub by: Known,
    /// The session's or the token's id.
    pub id: String,
    /// From where they ask.
    pub address: IpAddr,
    /// When that by which they are known ends.
    pub expires_at: Timestamp,
    /// Until when the password counts as fresh; never for a token.
    pub fresh_until: Option<Timestamp>,
    /// Ends with that by which they are known.
    pub ended: CancellationToken,
}

impl Guest {
    /// Whether the password was given again a short while ago.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.fresh_until.is_some_and(|until| until > Timestamp::now())
    }
}

/// Why somebody does not get in, or does not get what they asked of the gate.
#[derive(Debug)]
pub enum Denied {
    /// For the reason that the problem says.
    Refused(Problem),
    /// It came too soon after others like it; so long it is to be waited.
    TooSoon(Duration),
    /// What is kept could not be read or written.
    Store(StoreError),
}

impl From<Problem> for Denied {
    fn from(problem: Problem) -> Self {
        Denied::Refused(problem)
    }
}

impl From<StoreError> for Denied {
    fn from(error: StoreError) -> Self {
        Denied::Store(error)
    }
}

impl From<io::Error> for Denied {
    fn from(error: io::Error) -> Self {
        Denied::Refused(
            Problem::new(Code::Internal, format!("This host gives no random numbers: {error}."))
                .next("`vial doctor`"),
        )
    }
}

/// The gate; clones are the same one.
#[derive(Debug, Clone)]
pub struct Gate {
    store: Store,
    passwords: Arc<Passwords>,
    limits: Arc<Limits>,
    endings: Endings,
}

impl Gate {
    /// A gate whose users and sessions are in the store.
    #[must_use]
    pub fn new(store: Store) -> Gate {
        Gate {
            store,
            passwords: Arc::new(Passwords::new()),
            limits: Arc::new(Limits::new()),
            endings: Endings::default(),
        }
    }
}

fn refused(code: Code, message: impl Into<String>, next: impl Into<String>) -> Denied {
    Denied::Refused(Problem::new(code, message).next(next))
}

//! Logging in, and giving the password again.

use std::net::IpAddr;

use jiff::Timestamp;
use vial_protocol::Code;
use vial_protocol::access::{Known, Role};

use super::secret::Secret;
use super::{Denied, FRESH, Gate, Guest, password, refused};
use crate::store::sessions::MadeSession;

/// Of what a browser says about itself, so much is kept.
const AGENT: usize = 200;

/// Somebody who has logged in.
#[derive(Debug)]
pub struct LoggedIn {
    /// Whose session it is.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The session's id.
    pub id: String,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
    /// What the cookie holds.
    pub cookie: String,
}

/// From where somebody logs in.
#[derive(Debug, Clone)]
pub struct From {
    /// The address.
    pub address: IpAddr,
    /// What the browser says that it is.
    pub agent: String,
}

impl Gate {
    /// Counts an attempt, which may come too soon.
    ///
    /// # Errors
    /// Where it does.
    pub fn attempt(&self, name: Option<&str>, from: IpAddr) -> Result<(), Denied> {
        self.limits.address(from).map_err(Denied::TooSoon)?;
        match name {
            Some(name) => self.limits.name(name, from).map_err(Denied::TooSoon),
            None => Ok(()),
        }
    }

    /// Logs a user in. The attempt was counted.
    ///
    /// # Errors
    /// Where it is not their password, or there is no such user: which of both, nobody learns.
    pub async fn log_in(&self, name: &str, given: String, from: From) -> Result<LoggedIn, Denied> {
        let wrong = || {
            let message = "The name or the password is wrong.";
            refused(Code::LoginNeeded, message, "try again; an admin can set another password")
        };
        if given.chars().count() > password::MOST {
            return Err(wrong());
        }
        let known = self.store.credentials(name).await?;
        let hash = known.as_ref().map(|it| it.password.clone());
        let right = self.passwords.check(given, hash).await?;
        let Some(known) = known.filter(|_| right) else { return Err(wrong()) };
        let address = from.address;
        let secret = Secret::new()?;
        let made = made(&secret, name, from);
        let open = Gate::open();
        let Some(ended) = self.store.add_session(made, known.password, open).await? else {
            return Err(wrong());
        };
        ended.iter().for_each(|id| self.endings.end(id));
        self.limits.came_in(name, address);
        Ok(logged_in(name, known.role, &secret, open.now))
    }

    /// Lets the password of a session count as fresh: until when. The attempt was counted.
    ///
    /// # Errors
    /// Where it is not theirs.
    pub async fn confirm(&self, guest: &Guest, given: String) -> Result<Timestamp, Denied> {
        if guest.by != Known::Session {
            return Err(super::sessions::only_sessions());
        }
        let known = self.store.credentials(&guest.name).await?;
        let fits = given.chars().count() <= password::MOST;
        let hash = known.filter(|_| fits).map(|it| it.password);
        let given = if fits { given } else { String::new() };
        if !self.passwords.check(given, hash).await? {
            let message = format!("That is not the password of {}.", guest.name);
            return Err(refused(Code::PasswordNeeded, message, "try again"));
        }
        let now = Timestamp::now();
        let until = now.saturating_add(FRESH).unwrap_or(now);
        self.store.freshen_session(&guest.id, until).await?;
        Ok(until)
    }
}

pub(super) fn made(secret: &Secret, name: &str, from: From) -> MadeSession {
    let shown = from.agent.chars().filter(|it| !it.is_control()).take(AGENT);
    MadeSession {
        id: secret.id.clone(),
        hash: secret.hash(),
        user: name.to_owned(),
        address: from.address.to_canonical().to_string(),
        agent: shown.collect(),
    }
}

pub(super) fn logged_in(name: &str, role: Role, secret: &Secret, now: Timestamp) -> LoggedIn {
    LoggedIn {
        name: name.to_owned(),
        role,
        id: secret.id.clone(),
        expires_at: Gate::ends(now, now),
        cookie: secret.shown(),
    }
}

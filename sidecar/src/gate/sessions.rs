//! Sessions: known by their cookie, listed and ended.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use vial_protocol::Code;
use vial_protocol::access::{Known, Session};

use super::secret::Secret;
use super::{Denied, Gate, Guest, IDLE, MOST, refused};
use crate::store::StoreError;
use crate::store::sessions::{KeptSession, Open};

/// To so much, what is kept of when a session was used is exact.
const EXACT: Duration = Duration::from_secs(60);

/// What a token is told that asks for what only a person has.
pub(super) fn only_sessions() -> Denied {
    let message = "This is for a person who has logged in: an API token has no session and no \
                   password.";
    refused(Code::Forbidden, message, "log in to the dashboard")
}

impl Gate {
    pub(super) fn open() -> Open {
        Open { now: Timestamp::now(), idle: IDLE, most: MOST }
    }

    /// When a session ends that is not used any more.
    pub(super) fn ends(made_at: Timestamp, seen_at: Timestamp) -> Timestamp {
        let (idle, most) = (seen_at.saturating_add(IDLE), made_at.saturating_add(MOST));
        idle.unwrap_or(seen_at).min(most.unwrap_or(seen_at))
    }

    /// Who comes with a cookie; nobody where it opens nothing.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn by_cookie(
        &self,
        cookie: &str,
        address: IpAddr,
    ) -> Result<Option<Guest>, StoreError> {
        let Some(secret) = Secret::read(cookie) else { return Ok(None) };
        let open = Gate::open();
        let found = self.store.session(&secret.id, open).await?;
        let Some(mut kept) = found.filter(|it| secret.has(&it.hash)) else { return Ok(None) };
        if open.now.duration_since(kept.seen_at).unsigned_abs() > EXACT {
            self.store.used_session(&kept.id, open.now).await?;
            kept.seen_at = open.now;
        }
        let (store, id) = (self.store.clone(), kept.id.clone());
        let ended = self.endings.of(&kept.id, move || {
            let (store, id) = (store.clone(), id.clone());
            async move {
                match store.session(&id, Gate::open()).await {
                    Ok(found) => found.map(|it| Gate::ends(it.made_at, it.seen_at)),
                    Err(StoreError::Closed) => None,
                    // It has not been seen to end: it is asked again a while later.
                    Err(_) => Some(Timestamp::now() + EXACT),
                }
            }
        });
        Ok(Some(Guest {
            name: kept.user,
            role: kept.role,
            by: Known::Session,
            id: kept.id,
            address,
            expires_at: Gate::ends(kept.made_at, kept.seen_at),
            fresh_until: kept.fresh_until.filter(|it| *it > open.now),
            ended,
        }))
    }

    /// Every session, or those of one user. `current` is the one that asks.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn sessions(
        &self,
        of: Option<String>,
        current: Option<&str>,
    ) -> Result<Vec<Session>, StoreError> {
        let kept = self.store.sessions(of, Gate::open()).await?;
        Ok(kept.into_iter().map(|it| shown(it, current)).collect())
    }

    /// Ends a session, of one user alone where one is named: whose it was. What it had opened ends
    /// with it.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn end_session(&self, id: &str, of: Option<String>) -> Result<String, Denied> {
        let ended = self.store.end_session(id, of).await?;
        self.endings.end(id);
        ended.ok_or_else(|| {
            let message = "There is no such session: it may have ended already.";
            refused(Code::NotFound, message, "`vial session list`")
        })
    }
}

fn shown(kept: KeptSession, current: Option<&str>) -> Session {
    Session {
        current: current == Some(kept.id.as_str()),
        expires_at: Gate::ends(kept.made_at, kept.seen_at),
        id: kept.id,
        user: kept.user,
        made_at: kept.made_at,
        seen_at: kept.seen_at,
        address: kept.address,
        agent: kept.agent,
    }
}

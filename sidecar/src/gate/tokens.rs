//! API tokens: made, known, removed.

use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vial_protocol::Code;
use vial_protocol::access::{AskToken, Known, NewToken, Token};

use super::secret::Secret;
use super::{Denied, Gate, Guest, refused};
use crate::store::StoreError;

/// What every token begins with, so that one that leaked is found by what searches for such.
const PREFIX: &str = "vial_";
/// To so much, what is kept of when a token was used is exact.
const EXACT: Duration = Duration::from_secs(60);

impl Gate {
    /// Who comes with a token; nobody where it opens nothing.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn by_token(
        &self,
        token: &str,
        address: IpAddr,
    ) -> Result<Option<Guest>, StoreError> {
        let Some(secret) = token.strip_prefix(PREFIX).and_then(Secret::read) else {
            return Ok(None);
        };
        let now = Timestamp::now();
        let found = self.store.token(&secret.id, now).await?;
        let Some((token, _)) = found.filter(|(_, hash)| secret.has(hash)) else { return Ok(None) };
        let lately = |at: Timestamp| now.duration_since(at).unsigned_abs() <= EXACT;
        if !token.used_at.is_some_and(lately) {
            self.store.used_token(&token.id, now).await?;
        }
        let (store, id) = (self.store.clone(), token.id.clone());
        let ended = self.endings.of(&token.id, move || {
            let (store, id) = (store.clone(), id.clone());
            async move {
                match store.token(&id, Timestamp::now()).await {
                    Ok(found) => found.map(|(token, _)| token.expires_at),
                    Err(StoreError::Closed) => None,
                    Err(_) => Some(Timestamp::now() + EXACT),
                }
            }
        });
        Ok(Some(Guest {
            name: token.name,
            role: token.role,
            by: Known::Token,
            id: token.id,
            address,
            expires_at: token.expires_at,
            fresh_until: None,
            ended,
        }))
    }

    /// Every token that has not ended.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.store.tokens(Timestamp::now()).await
    }

    /// Makes a token.
    ///
    /// # Errors
    /// Where what was asked for is none.
    pub async fn add_token(&self, asked: AskToken, by: &str) -> Result<NewToken, Denied> {
        let AskToken { name, role, days } = asked;
        let printable = name.chars().all(|it| !it.is_control()) && name.trim() == name;
        if !printable || !(1..=64).contains(&name.chars().count()) {
            let message = "A token's name has 1 to 64 printable characters.";
            return Err(refused(Code::BadRequest, message, "name what it is for"));
        }
        if !(1..=3650).contains(&days) {
            let message = format!("A token lasts 1 to 3650 days, not {days}.");
            return Err(refused(Code::BadRequest, message, "choose another number of days"));
        }
        let secret = Secret::new()?;
        let made_at = Timestamp::now();
        let lasts = SignedDuration::from_hours(i64::from(days) * 24);
        let token = Token {
            id: secret.id.clone(),
            name,
            role,
            made_at,
            made_by: by.to_owned(),
            used_at: None,
            expires_at: made_at.saturating_add(lasts).unwrap_or(made_at),
        };
        self.store.add_token(token.clone(), secret.hash()).await?;
        Ok(NewToken { secret: format!("{PREFIX}{}", secret.shown()), token })
    }

    /// Removes a token: its name. What it had opened ends with it.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn remove_token(&self, id: &str) -> Result<String, Denied> {
        let removed = self.store.remove_token(id).await?;
        self.endings.end(id);
        removed.ok_or_else(|| {
            let message = "There is no such token: it may have ended already.";
            refused(Code::NotFound, message, "`vial token list`")
        })
    }
}

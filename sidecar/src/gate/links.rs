//! First-login links: made on the host, used once in a browser.

use jiff::Timestamp;
use vial_protocol::Code;
use vial_protocol::access::AskLink;

use super::login::{From, LoggedIn, logged_in, made};
use super::secret::Secret;
use super::{Denied, Gate, LINK, password, refused, users};
use crate::store::links::KeptLink;

fn spent() -> Denied {
    let message = "This link does not serve: it was used, or it is older than an hour, or a newer one \
                   was made.";
    refused(Code::LoginNeeded, message, "`vial login-link NAME` on the host makes another")
}

impl Gate {
    /// Makes a link: what stands behind its `#`, and until when it serves.
    ///
    /// # Errors
    /// Where the name is none.
    pub async fn add_link(&self, asked: AskLink, by: &str) -> Result<(String, Timestamp), Denied> {
        let AskLink { name, role } = asked;
        users::fit(&name)?;
        let secret = Secret::new()?;
        let now = Timestamp::now();
        let expires_at = now.saturating_add(LINK).unwrap_or(now);
        let link = KeptLink {
            id: secret.id.clone(),
            hash: secret.hash(),
            user: name,
            role,
            made_by: by.to_owned(),
        };
        self.store.add_link(link, now, expires_at).await?;
        Ok((secret.shown(), expires_at))
    }

    /// Logs in by a link, whose user has this password from now on. The attempt was counted.
    ///
    /// # Errors
    /// Where it does not serve, or the password is none: then it still serves.
    pub async fn first_login(
        &self,
        token: &str,
        password: String,
        from: From,
    ) -> Result<LoggedIn, Denied> {
        let given = Secret::read(token).ok_or_else(spent)?;
        let link = self.store.link(&given.id, Timestamp::now()).await?;
        let link = link.filter(|it| given.has(&it.hash)).ok_or_else(spent)?;
        password::fit(&password)?;
        let password = self.passwords.hash(password).await?;
        let secret = Secret::new()?;
        let address = from.address;
        let session = made(&secret, &link.user, from);
        let now = Timestamp::now();
        let used = self.store.use_link(&link.id, password, session, now).await?;
        let used = used.ok_or_else(spent)?;
        used.ended.iter().for_each(|id| self.endings.end(id));
        self.limits.came_in(&link.user, address);
        Ok(logged_in(&link.user, used.role, &secret, now))
    }
}

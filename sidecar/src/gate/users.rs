//! Users: made, changed, removed.

use jiff::Timestamp;
use vial_protocol::Code;
use vial_protocol::access::{ChangeUser, NewUser, User};

use super::{Denied, Gate, Guest, password, refused};
use crate::store::StoreError;
use crate::store::users::MadeUser;

/// Refuses what is no user's name.
pub(super) fn fit(name: &str) -> Result<(), Denied> {
    let of_name = |it: u8| it.is_ascii_alphanumeric() || b"._-@".contains(&it);
    if (1..=64).contains(&name.len()) && name.bytes().all(of_name) {
        return Ok(());
    }
    let message = "A user's name has 1 to 64 letters, digits and . _ - @.";
    Err(refused(Code::BadRequest, message, "choose another, such as anna or anna@example.com"))
}

fn nobody() -> Denied {
    refused(Code::NotFound, "There is no such user.", "`vial user list`")
}

impl Gate {
    /// Every user.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.store.users(Gate::open()).await
    }

    /// Makes a user.
    ///
    /// # Errors
    /// Where there is one of that name, or name or password are none.
    pub async fn add_user(&self, user: NewUser, by: &str) -> Result<User, Denied> {
        let NewUser { name, role, password } = user;
        fit(&name)?;
        password::fit(&password)?;
        let password = self.passwords.hash(password).await?;
        let made = MadeUser { name: name.clone(), role, password, made_by: by.to_owned() };
        if self.store.add_user(made, Timestamp::now()).await? {
            return self.user(&name).await;
        }
        let next = format!("`vial user password {name}` or `vial user role {name} ROLE`");
        Err(refused(Code::AlreadyThere, format!("There is a user called {name} already."), next))
    }

    /// Changes a user, whose sessions end.
    ///
    /// # Errors
    /// Where there is none, or the password is none.
    pub async fn change_user(&self, name: &str, change: ChangeUser) -> Result<User, Denied> {
        self.change(name, change, None).await?;
        self.user(name).await
    }

    async fn user(&self, name: &str) -> Result<User, Denied> {
        let users = self.users().await?;
        users.into_iter().find(|it| it.name == name).ok_or_else(nobody)
    }

    /// Gives the user of a session another password. Their other sessions end.
    ///
    /// # Errors
    /// Where it is none.
    pub async fn change_password(&self, guest: &Guest, password: String) -> Result<(), Denied> {
        let change = ChangeUser { role: None, password: Some(password) };
        self.change(&guest.name, change, Some(guest.id.clone())).await
    }

    async fn change(
        &self,
        name: &str,
        change: ChangeUser,
        but: Option<String>,
    ) -> Result<(), Denied> {
        let password = match change.password {
            Some(password) => {
                password::fit(&password)?;
                Some(self.passwords.hash(password).await?)
            }
            None if change.role.is_none() => {
                let message = "Nothing was changed: neither a role nor a password was named.";
                return Err(refused(Code::BadRequest, message, "name one of them"));
            }
            None => None,
        };
        let ended = self.store.change_user(name, change.role, password, but).await?;
        let ended = ended.ok_or_else(nobody)?;
        ended.iter().for_each(|id| self.endings.end(id));
        Ok(())
    }

    /// Removes a user, whose sessions end.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn remove_user(&self, name: &str) -> Result<(), Denied> {
        let ended = self.store.remove_user(name).await?.ok_or_else(nobody)?;
        ended.iter().for_each(|id| self.endings.end(id));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_cannot_be_taken_for_anything_else() {
        for name in ["a", "anna", "anna@example.com", "A_1-b", &"x".repeat(64)] {
            assert!(fit(name).is_ok(), "{name}");
        }
        for name in ["", "anna b", "änna", "a\nb", "a/b", "<b>", &"x".repeat(65)] {
            assert!(fit(name).is_err(), "{name}");
        }
    }
}

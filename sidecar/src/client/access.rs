//! Calls about who gets into the dashboard, and who did what.

use hyper::Method;
use vial_protocol::access::{
    AskLink, AskToken, ChangeUser, MadeLink, NewToken, NewUser, Session, Token, User,
};
use vial_protocol::audit::Audit;

use super::error::ClientError;
use super::http::{Client, one_of, with_query};

const NO_BODY: Option<&()> = None;

impl Client {
    /// Every user.
    ///
    /// # Errors
    /// Like every method here: see [`ClientError`].
    pub async fn users(&self) -> Result<Vec<User>, ClientError> {
        self.get("/v1/users").await
    }

    /// Makes a user.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn add_user(&self, user: &NewUser) -> Result<(), ClientError> {
        self.tell(Method::POST, "/v1/users", Some(user)).await
    }

    /// Changes a user, whose sessions end.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn change_user(&self, name: &str, change: &ChangeUser) -> Result<(), ClientError> {
        self.tell(Method::PATCH, &one_of("/v1/users", name), Some(change)).await
    }

    /// Removes a user, whose sessions end.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn remove_user(&self, name: &str) -> Result<(), ClientError> {
        self.tell(Method::DELETE, &one_of("/v1/users", name), NO_BODY).await
    }

    /// Every session.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn sessions(&self) -> Result<Vec<Session>, ClientError> {
        self.get("/v1/sessions").await
    }

    /// Ends a session, and what it opened.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn end_session(&self, id: &str) -> Result<(), ClientError> {
        self.tell(Method::DELETE, &one_of("/v1/sessions", id), NO_BODY).await
    }

    /// Every API token.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn tokens(&self) -> Result<Vec<Token>, ClientError> {
        self.get("/v1/tokens").await
    }

    /// Makes an API token.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn add_token(&self, asked: &AskToken) -> Result<NewToken, ClientError> {
        self.post("/v1/tokens", Some(asked), None).await
    }

    /// Removes an API token, and ends what it opened.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn remove_token(&self, id: &str) -> Result<(), ClientError> {
        self.tell(Method::DELETE, &one_of("/v1/tokens", id), NO_BODY).await
    }

    /// Makes a first-login link.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn add_link(&self, asked: &AskLink) -> Result<MadeLink, ClientError> {
        self.post("/v1/links", Some(asked), None).await
    }

    /// Who did what, newest first, of one app where one is named.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn audit(
        &self,
        app: Option<&str>,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Vec<Audit>, ClientError> {
        let query = [
            ("app", app.map(str::to_owned)),
            ("before", before.map(|number| number.to_string())),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.get(&with_query("/v1/audit".to_owned(), &query)).await
    }
}

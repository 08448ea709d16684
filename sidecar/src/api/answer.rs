//! Problems as responses.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use vial_protocol::{Code, Problem};

use crate::gate::Denied;
use crate::store::StoreError;

/// What a handler fails with.
#[derive(Debug)]
pub(super) struct Failure(pub(super) Problem);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure(problem)
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Refused(problem) => Failure(problem),
            Denied::TooSoon(wait) => Failure(too_soon(wait)),
            Denied::Store(error) => error.into(),
        }
    }
}

/// What somebody is told who tries too often.
pub(super) fn too_soon(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    Problem::new(
        Code::TooManyRequests,
        "Too many passwords were tried: this one was not looked at.",
    )
    .next(format!("try again in {seconds} s"))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure(Problem::new(Code::Internal, format!("{error}.")).next("`vial doctor`"))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let code = self.0.code;
        let mut response = (status(code), Json(self.0)).into_response();
        if code == Code::LoginNeeded {
            // One that no browser asks its person about by itself.
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        response.extensions_mut().insert(code);
        response
    }
}

fn status(code: Code) -> StatusCode {
    match code {
        Code::UnknownApp | Code::NotFound => StatusCode::NOT_FOUND,
        Code::LoginNeeded => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::PasswordNeeded => StatusCode::FORBIDDEN,
        Code::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        Code::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        Code::BadRequest => StatusCode::BAD_REQUEST,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        Code::BadRelease => StatusCode::UNPROCESSABLE_ENTITY,
        Code::NoSpace => StatusCode::INSUFFICIENT_STORAGE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::CONFLICT,
    }
}

/// A request's JSON body; an empty one is the default.
pub(super) fn body<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, Failure> {
    if bytes.is_empty() {
        return Ok(T::default());
    }
    required(bytes)
}

/// A request's JSON body.
pub(super) fn required<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|error| bad(format!("The request's body is not what is expected here: {error}.")))
}

/// A request that cannot be understood.
pub(super) fn bad(message: impl Into<String>) -> Failure {
    Failure(Problem::new(Code::BadRequest, message))
}

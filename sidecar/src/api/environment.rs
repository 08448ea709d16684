//! The variables that an app's releases start with.
//!
//! Who may act on an app may see the names and set them, as it may deploy: what a release starts
//! with is no more than what a release does. Values are for operators alone: whoever took over an
//! app's user shall not learn those of the other versions.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use vial_protocol::environment::{Environment, SetVariables, UnsetVariables};
use vial_protocol::request::Accepted;
use vial_protocol::{Code, Problem};

use super::answer::{Failure, bad};
use super::caller::Caller;
use super::openapi::{OfApp, Once, Refusals};
use super::peer::Peer;
use crate::app::request::{Change, What};
use crate::slot::env_file;
use crate::vault::Plain;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Whether values are shown too: for operators, on the socket.
    #[serde(default)]
    reveal: bool,
}

/// The variables that releases start with.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/env",
    operation_id = "environment",
    params(OfApp, Wanted),
    responses(
        (
            status = 200,
            description = "Names, and values where they were asked for",
            body = Environment,
        ),
        Refusals,
    )
)]
pub(super) async fn show(
    Extension(peer): Extension<Peer>,
    caller: Caller,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Environment>, Failure> {
    let Query(Wanted { reveal }) = wanted.map_err(|error| bad(error.body_text()))?;
    let Caller { app, actor, .. } = caller;
    if reveal {
        let name = app.name();
        // Whoever came by the dashboard's address gives a password first, which `reveal` asks for.
        if !actor.operator || peer.guest().is_some() {
            return Err(Failure(
                Problem::new(
                    Code::Forbidden,
                    format!("{} may not see the values of {name}, only their names.", actor.name),
                )
                .next("ask an operator: root, or a member of the operators' group"),
            ));
        }
        tracing::info!(app = name, actor = actor.name, "values of the environment were shown");
    }
    Ok(Json(app.environment(reveal).await?))
}

/// The variables that releases start with, and their values.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/env/values",
    operation_id = "reveal",
    params(OfApp),
    responses((status = 200, description = "With values", body = Environment), Refusals)
)]
pub(super) async fn reveal(
    Extension(peer): Extension<Peer>,
    Caller { app, .. }: Caller,
) -> Result<Json<Environment>, Failure> {
    let actor = peer.operates()?;
    let name = app.name();
    tracing::info!(app = name, actor = actor.name, "values of the environment were shown");
    Ok(Json(app.environment(true).await?))
}

/// Sets variables for the next start.
#[utoipa::path(
    put,
    path = "/v1/apps/{app}/env",
    operation_id = "set_environment",
    params(OfApp, Once),
    request_body = SetVariables,
    responses((status = 200, description = "They are set", body = Accepted), Refusals)
)]
pub(super) async fn set(caller: Caller, bytes: Bytes) -> Result<Json<Accepted>, Failure> {
    let SetVariables { variables, text, secret } = quietly(&bytes)?;
    let mut values: Vec<(String, Plain)> =
        variables.into_iter().map(|it| (it.name, Plain::new(it.value))).collect();
    if let Some(text) = text {
        let read = env_file::variables(&text).map_err(|(line, what)| {
            bad(format!("Nothing was set: line {line} cannot be understood: {what}."))
        })?;
        values.extend(read.into_iter().map(|(name, value)| (name, Plain::new(value))));
    }
    if values.is_empty() {
        return Err(bad("Nothing was set: no variable was named."));
    }
    let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
    caller.note.detail(names.join(", "));
    let what = What::Environment(Change::Set { values, secret });
    Ok(Json(caller.ask(None, what).await?))
}

/// Unsets variables for the next start.
#[utoipa::path(
    delete,
    path = "/v1/apps/{app}/env",
    operation_id = "unset_environment",
    params(OfApp, Once),
    request_body = UnsetVariables,
    responses((status = 200, description = "They are not set any more", body = Accepted), Refusals)
)]
pub(super) async fn unset(caller: Caller, bytes: Bytes) -> Result<Json<Accepted>, Failure> {
    let UnsetVariables { names } = quietly(&bytes)?;
    if names.is_empty() {
        return Err(bad("Nothing was unset: no variable was named."));
    }
    caller.note.detail(names.join(", "));
    Ok(Json(caller.ask(None, What::Environment(Change::Unset(names))).await?))
}

/// A body that may hold values. What serde says of a wrong one may quote it, and is not said.
fn quietly<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        bad(format!(
            "The request's body is not what is expected here: look at line {}, column {}.",
            error.line(),
            error.column()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_wrong_body_does_not_quote_it() {
        for body in [
            r#"{"variables": "s3cret"}"#,
            r#"{"s3cret": 1}"#,
            r#"{"variables": [{"name": "A", "value": "s3cret", "s3cret": 1}]}"#,
            r#"{"secret": "s3cret"}"#,
            "s3cret",
        ] {
            let Failure(problem) = quietly::<SetVariables>(body.as_bytes()).unwrap_err();
            assert!(!problem.to_string().contains("s3cret"), "{problem}");
        }
    }
}

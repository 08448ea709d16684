//! The description of the API: `GET /openapi.json`, from which the dashboard's types are made, and what
//! the descriptions of operations have in common.
//!
//! Each handler is described where it is written, the router collects them, and [`super::document`]
//! writes them down. What is written is checked in, so that it can be read, compared and compiled
//! against without a daemon, and the daemon serves what it was built with: it costs no memory until
//! somebody asks.

use std::collections::BTreeMap;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses};

const DOCUMENT: &str = include_str!("../../web/openapi.json");

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    responses((status = 200, description = "An OpenAPI document", content_type = "application/json"))
)]
pub(super) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}

/// How any operation refuses or fails.
pub(super) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let problem = |what: &str| {
            let body = Content::new(Some(Ref::from_schema_name("Problem")));
            ResponseBuilder::new()
                .description(what)
                .content("application/json", body)
                .build()
                .into()
        };
        BTreeMap::from([
            (
                "4XX".into(),
                problem(
                    "It is refused, and nothing has changed; or the deployment that it waited for failed",
                ),
            ),
            ("5XX".into(), problem("Vial, the host or the release cannot do it")),
        ])
    }
}

/// The app that an operation is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described: Caller reads it")]
pub(super) struct OfApp {
    /// The app's name.
    app: String,
}

/// The deployment that an operation is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described: Caller and the handler read it")]
pub(super) struct OfDeployment {
    /// The app's name.
    app: String,
    /// The deployment's number.
    number: u64,
}

/// What an operation is about: a stream, a console, a session.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described: the handler reads it")]
pub(super) struct ById {
    /// What names it.
    id: String,
}

/// The user that an operation is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described: the handler reads it")]
pub(super) struct ByName {
    /// The user's name.
    name: String,
}

/// What makes a repeated request one request.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described: Caller reads it")]
pub(super) struct Once {
    /// 1 to 64 printable ASCII characters, new for each thing that a person asks for: the answer
    /// to the first request of that key is given again.
    #[param(rename = "idempotency-key")]
    key: Option<String>,
}

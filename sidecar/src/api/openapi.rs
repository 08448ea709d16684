//! The description of the API: `GET /openapi.json`, from which the dashboard's types are made.
//!
//! Each handler is described where it is written, and [`super::router`] collects them. The document
//! is checked in, so that it can be read, compared and compiled against without a daemon; a test
//! fails where it is not what the handlers say, and the daemon serves the one that it was built
//! with: it costs no memory until somebody asks.

use std::collections::BTreeMap;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Content, Info, License, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema,
    SecurityRequirement,
};
use utoipa::{IntoParams, IntoResponses, OpenApi as _};
use vial_protocol::console::ConsoleSaid;
use vial_protocol::live::Live;
use vial_protocol::notification::Notification;
use vial_protocol::{Event, Problem};

use super::router::described;

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

/// What no operation's body names by itself: what streams and sockets carry.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(Live, Event, ConsoleSaid, Notification, Problem)))]
struct Carried;

/// The document as the handlers describe it, which is what is checked in.
///
/// # Errors
///
/// None that is known: types of the document that are not JSON.
pub fn document() -> serde_json::Result<String> {
    let mut document = described().into_openapi();
    document.merge(Carried::openapi());
    document.info = info();
    document.security = Some(vec![
        SecurityRequirement::new("session", [] as [&str; 0]),
        SecurityRequirement::new("token", [] as [&str; 0]),
    ]);
    secured(&mut document);
    without_defaults(&mut document);
    // In a comment of Rust a name in brackets is a link; here it is only a name.
    let text = serde_json::to_string_pretty(&document)?.replace("[`", "`").replace("`]", "`");
    Ok(text + "\n")
}

fn info() -> Info {
    let mut info = Info::new("Vial", vial_protocol::VERSION);
    info.description = Some(
        "The one API of Vial's daemon: on its Unix socket, where the kernel says who asks, and on \
         the address of the dashboard, behind a login. Times are RFC 3339 in UTC, durations whole \
         milliseconds, sizes bytes. Whatever an app or a person wrote is untrusted text."
            .into(),
    );
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".into());
    info.license = Some(license);
    info
}

fn secured(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let session = ApiKey::Cookie(ApiKeyValue::with_description(
        "__Host-vial",
        "The session that `login` opened; called `vial` where the dashboard is on loopback \
         without TLS.",
    ));
    components.add_security_scheme("session", SecurityScheme::ApiKey(session));
    let token = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API token, which ends and has a role."))
        .build();
    components.add_security_scheme("token", SecurityScheme::Http(token));
}

/// A default of a request's member says no more than that it may be left out, and makes
/// openapi-typescript ask for it.
fn without_defaults(document: &mut OpenApi) {
    let components = document.components.iter_mut();
    for schema in components.flat_map(|it| it.schemas.values_mut()) {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        for member in object.properties.values_mut() {
            match member {
                RefOr::Ref(it) => it.default = None,
                RefOr::T(Schema::Object(it)) => it.default = None,
                RefOr::T(Schema::Array(it)) => it.default = None,
                RefOr::T(Schema::OneOf(it)) => it.default = None,
                RefOr::T(_) => {}
            }
        }
    }
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

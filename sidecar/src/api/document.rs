//! The document of the API, as the handlers describe it. A test fails where the one that is checked in
//! is another.

use utoipa::OpenApi as _;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Info, License, OpenApi, RefOr, Schema, SecurityRequirement};
use vial_protocol::console::ConsoleSaid;
use vial_protocol::live::Live;
use vial_protocol::notification::Notification;
use vial_protocol::{Event, Problem};

use super::router::described;

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

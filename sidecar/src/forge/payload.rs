//! What a delivery says.

use std::borrow::Cow;

use hyper::{HeaderMap, header::CONTENT_TYPE};
use percent_encoding::percent_decode;
use serde::Deserialize;

use super::{Forge, header};

const FORM: &str = "application/x-www-form-urlencoded";

/// What happened in the repository. Names are the sender's: untrusted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The webhook was set up, or tried.
    Ping,
    /// A branch has another tip.
    Push {
        /// Its name, without `refs/heads/`.
        branch: String,
        /// The tip that the sender tells of.
        after: String,
    },
    /// A branch is gone.
    Deleted {
        /// Its name.
        branch: String,
    },
    /// A tag came, moved or went.
    Tag {
        /// Its name.
        name: String,
    },
    /// Anything else, as the forge calls it.
    Other(String),
}

/// The fields of a push; the forges agree on them.
#[derive(Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: String,
    after: String,
}

/// The JSON, out of the form where there is one.
pub(super) fn text<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Cow<'a, [u8]>, &'static str> {
    let kind = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(FORM) {
        return Ok(Cow::Borrowed(body));
    }
    let fields = body.split(|byte| *byte == b'&');
    let field = fields.filter_map(|field| field.strip_prefix(b"payload=")).next();
    let field = field.ok_or("the form has no field `payload`")?;
    let spaced: Vec<u8> =
        field.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Ok(Cow::Owned(percent_decode(&spaced).collect()))
}

/// What the JSON says happened.
pub(super) fn event(forge: Forge, headers: &HeaderMap, text: &[u8]) -> Result<Event, String> {
    let name = header(headers, forge.event_header()).unwrap_or_default();
    match (forge, name) {
        (Forge::GitHub, "ping") => Ok(Event::Ping),
        (Forge::GitLab, "Push Hook" | "Tag Push Hook") | (_, "push") => push(text),
        _ => Ok(Event::Other(name.to_owned())),
    }
}

fn push(text: &[u8]) -> Result<Event, String> {
    let push: Push = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let gone = !push.after.is_empty() && push.after.bytes().all(|it| it == b'0');
    if let Some(tag) = push.reference.strip_prefix("refs/tags/") {
        return Ok(Event::Tag { name: tag.to_owned() });
    }
    match push.reference.strip_prefix("refs/heads/") {
        Some(branch) if gone => Ok(Event::Deleted { branch: branch.to_owned() }),
        Some(branch) => Ok(Event::Push { branch: branch.to_owned(), after: push.after }),
        None => Ok(Event::Other("push to no branch".into())),
    }
}

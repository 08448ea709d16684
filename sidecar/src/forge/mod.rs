//! What the forges send when somebody pushed: who sent it, whether it is genuine, what it says.
//!
//! [`read`] takes a request's headers and its raw body, and gives a [`Delivery`]. [`Forge`] is told
//! by its headers, `signature` proves that whoever sent it knows the app's secret, and `payload`
//! finds the few fields that matter. Each forge is read as it really sends:
//!
//! ```text
//!          the event                     the proof                                over
//! GitHub   X-GitHub-Event                X-Hub-Signature-256: sha256=HEX          the body
//! GitLab   X-Gitlab-Event                X-Gitlab-Token: the secret itself        nothing
//! Gitea    X-Gitea-Event                 X-Gitea-Signature: HEX                   the JSON
//! Forgejo  X-Forgejo-Event               X-Forgejo-Signature, X-Gitea-Signature   the JSON
//! ```
//!
//! GitHub, Gitea and Forgejo can also send a form whose field `payload` is the JSON: then GitHub
//! signs the form, and the other two what is in it.
//!
//! A leaf, and pure: no I/O, no clock, nothing else of Vial. What a delivery says is a hint: nothing
//! may be built by it but what is then fetched.

mod kind;
mod payload;
mod signature;

use hyper::HeaderMap;

pub use kind::Forge;
pub use payload::Event;

/// What a forge sent, proved to be from somebody who knows the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Who sent it.
    pub forge: Forge,
    /// What tells a replay: the delivery's id as the forge gives it, where it does, and the
    /// signature, because no signature covers the id. Not secret.
    pub marks: Vec<String>,
    /// What happened.
    pub event: Event,
}

/// Why a request is not taken for a delivery. Whoever sent it is told no more than this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No header of a forge is there.
    #[error("This is no webhook of GitHub, GitLab, Gitea or Forgejo: their headers are missing.")]
    NoForge,
    /// It bears no proof.
    #[error("The {0} webhook bears no {1}: set the app's secret in its settings.")]
    Unproved(Forge, &'static str),
    /// The proof is wrong.
    #[error("The {1} of the {0} webhook is wrong: set the app's secret in its settings.")]
    Wrong(Forge, &'static str),
    /// It is genuine, and says nothing that can be understood.
    #[error("The {0} webhook cannot be read: {1}.")]
    Unreadable(Forge, String),
}

/// Reads a request. `secret` is the app's.
///
/// # Errors
/// Where it is not genuine, or cannot be understood.
pub fn read(headers: &HeaderMap, body: &[u8], secret: &str) -> Result<Delivery, Refusal> {
    let forge = Forge::of(headers).ok_or(Refusal::NoForge)?;
    // Its text must be had before the proof where the proof is over it. Nothing is read of it yet.
    let text = payload::text(headers, body);
    let proof = match (forge, &text) {
        (Forge::Gitea | Forge::Forgejo, Ok(text)) => text.as_ref(),
        _ => body,
    };
    let mark = signature::check(forge, headers, proof, secret)?;
    let unreadable = |why: String| Refusal::Unreadable(forge, why);
    let text = text.map_err(|why| unreadable(why.into()))?;
    let event = payload::event(forge, headers, &text).map_err(unreadable)?;
    let marks = forge.id(headers).into_iter().chain(mark).collect();
    Ok(Delivery { forge, marks, event })
}

/// A header's text, where it is text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

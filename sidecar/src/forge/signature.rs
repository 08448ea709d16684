//! The proof that whoever sent a request knows the secret, compared in constant time.

use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use sha2::{Digest, Sha256};

use super::{Forge, Refusal, header};

const SIGNATURE: &str = "signature";
const TOKEN: &str = "token";

/// Checks the proof over `signed`. Gives what marks the request: its signature, where it has one.
pub(super) fn check(
    forge: Forge,
    headers: &HeaderMap,
    signed: &[u8],
    secret: &str,
) -> Result<Option<String>, Refusal> {
    // Where several are there, the forge's own counts: a wrong one is not mended by another.
    let (names, prefix): (&[&str], &str) = match forge {
        Forge::GitLab => return check_token(headers, secret),
        Forge::GitHub => (&["x-hub-signature-256"], "sha256="),
        Forge::Gitea => (&["x-gitea-signature"], ""),
        Forge::Forgejo => (&["x-forgejo-signature", "x-gitea-signature"], ""),
    };
    let given = names.iter().find_map(|name| headers.get(*name));
    let given = given.ok_or(Refusal::Unproved(forge, SIGNATURE))?;
    let given = given.to_str().unwrap_or_default().trim();
    // Without a secret in its settings, Gitea sends the header with nothing in it.
    if given.is_empty() {
        return Err(Refusal::Unproved(forge, SIGNATURE));
    }
    let wrong = Refusal::Wrong(forge, SIGNATURE);
    let Some(bytes) = given.strip_prefix(prefix).and_then(unhex) else { return Err(wrong) };
    let matches = mac(secret, signed).is_some_and(|mac| mac.verify_slice(&bytes).is_ok());
    if matches { Ok(Some(format!("signature {}", hex(&bytes)))) } else { Err(wrong) }
}

/// GitLab sends the secret itself. Its hash is compared: so neither time nor length tells of it.
fn check_token(headers: &HeaderMap, secret: &str) -> Result<Option<String>, Refusal> {
    let given = header(headers, "x-gitlab-token").filter(|token| !token.is_empty());
    let given = given.ok_or(Refusal::Unproved(Forge::GitLab, TOKEN))?;
    let hashed = Sha256::digest(given.as_bytes());
    let wanted = mac(secret, Sha256::digest(secret.as_bytes()).as_ref()).map(Mac::finalize);
    let given = mac(secret, hashed.as_ref()).map(Mac::finalize);
    match (wanted, given) {
        // Two of these are compared in constant time.
        (Some(wanted), Some(given)) if wanted == given => Ok(None),
        _ => Err(Refusal::Wrong(Forge::GitLab, TOKEN)),
    }
}

/// Absent for an empty secret, which would prove nothing.
fn mac(secret: &str, over: &[u8]) -> Option<Hmac<Sha256>> {
    if secret.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(over);
    Some(mac)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a SHA-256 in hexadecimal.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

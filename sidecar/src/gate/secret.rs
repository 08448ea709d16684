//! What only its holder has: an id, by which it is found, and 256 random bits, which prove it.
//!
//! Kept is the SHA-256 of the random part, which nobody can turn back, and which is compared in
//! constant time.

use std::fmt;
use std::io;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::secret_file::random;

/// Lengths in hexadecimal digits.
const ID: usize = 16;
const PROOF: usize = 64;

/// An id and what proves it.
#[derive(Clone)]
pub struct Secret {
    /// Names it; no secret.
    pub id: String,
    proof: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub fn new() -> io::Result<Secret> {
        Ok(Secret { id: random::<{ ID / 2 }>()?, proof: random::<{ PROOF / 2 }>()? })
    }

    /// Reads what [`Secret::shown`] gave.
    #[must_use]
    pub fn read(text: &str) -> Option<Secret> {
        let (id, proof) = text.split_once('_')?;
        let hexadecimal =
            |text: &str| text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        let fits = id.len() == ID && proof.len() == PROOF && hexadecimal(id) && hexadecimal(proof);
        fits.then(|| Secret { id: id.to_owned(), proof: proof.to_owned() })
    }

    /// All of it, for its holder.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{}_{}", self.id, self.proof)
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.proof.as_bytes()).to_vec()
    }

    /// Whether it is the one that this was kept of.
    #[must_use]
    pub fn has(&self, hash: &[u8]) -> bool {
        self.hash().ct_eq(hash).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_again_and_proves_itself_alone() {
        let secret = Secret::new().unwrap();
        let read = Secret::read(&secret.shown()).unwrap();
        assert!(read.id == secret.id && read.has(&secret.hash()));
        let other = Secret { id: secret.id.clone(), ..Secret::new().unwrap() };
        assert!(!other.has(&secret.hash()) && !secret.has(&[]));
        let kept = secret.hash().iter().map(|it| format!("{it:02x}")).collect::<String>();
        assert!(!secret.shown().contains(&kept) && !format!("{secret:?}").contains(&secret.proof));
    }

    #[test]
    fn nothing_else_is_read_as_one() {
        let shown = Secret::new().unwrap().shown();
        for text in ["", "_", "a_b", &shown[1..], &shown.to_uppercase(), &format!("{shown}0")] {
            assert!(Secret::read(text).is_none(), "{text}");
        }
    }
}

//! The values of an app's environment: sealed in the store, plain in the daemon's memory, and never
//! in anything that it says.
//!
//! ```text
//! vial env set ─▶ app ─seals ([`Key`])─▶ store: rows that only the key opens
//!                  │
//!                  ▼
//!               [`Vault`] ─ snapshots ([`Kept`]) ─▶ a start (values), a plan (names)
//!                                    └─ [`Mask`] ─▶ logs and errors, before anybody reads them
//! ```
//!
//! [`key`] is the key file and what it seals, [`kept`] which value holds in which version, [`mask`]
//! finds the values in text, [`plain`] keeps a value out of what is printed by mistake.
//!
//! Each change makes a new version of the environment, counted from 1; version 0 is the empty one.
//! A leaf: it knows nothing of deployments, of the store, or of the API.

pub mod kept;
pub mod key;
pub mod mask;
pub mod plain;

use std::borrow::Cow;
use std::sync::Arc;

use tokio::sync::watch;
use vial_protocol::Problem;

pub use kept::{Held, Kept, Row};
pub use key::{Key, Place};
pub use mask::Mask;
pub use plain::Plain;

/// One app's values, as they are now: the app's task writes, everybody reads snapshots.
#[derive(Debug)]
pub struct Vault {
    key: Option<Arc<Key>>,
    kept: watch::Sender<Arc<Kept>>,
}

impl Vault {
    /// With what the store had. Without a key nothing can be opened or added.
    #[must_use]
    pub fn new(key: Option<Arc<Key>>, kept: Kept) -> Vault {
        let (kept, _) = watch::channel(Arc::new(kept));
        Vault { key, kept }
    }

    /// The key, where it is there.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.key.as_deref()
    }

    /// The values, now.
    #[must_use]
    pub fn kept(&self) -> Arc<Kept> {
        self.kept.borrow().clone()
    }

    /// From now on these are the values.
    pub fn replace(&self, kept: Arc<Kept>) {
        self.kept.send_replace(kept);
    }

    /// A text without the values that are known.
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.kept.borrow().mask().apply(text)
    }

    /// A problem without them: its message, what to do next, and the lines of a log.
    pub fn mask_problem(&self, problem: &mut Problem) {
        let kept = self.kept();
        let mask = kept.mask();
        let next = problem.next.iter_mut();
        for text in std::iter::once(&mut problem.message).chain(next).chain(&mut problem.log) {
            if let Cow::Owned(masked) = mask.apply(text) {
                *text = masked;
            }
        }
    }
}

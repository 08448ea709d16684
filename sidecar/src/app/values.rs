//! What releases start with, opened: the key, an app's values from the store, and which of them a
//! start takes. How they change, [`environment`](super::environment) knows.

use std::sync::Arc;

use vial_protocol::Slot;

use super::context::Context;
use super::environment::several;
use super::paths::Layout;
use crate::store::environment::SealedRow;
use crate::store::{Store, StoreError};
use crate::vault::{Held, Kept, Key, Place, Row, Vault};

/// The key that opens every app's values. One is made where nothing is sealed yet; where the key of
/// what is sealed is gone, there is none, and what needs it says so.
///
/// # Errors
/// Where the history cannot be read.
pub async fn key(layout: &Layout, store: &Store) -> Result<Option<Arc<Key>>, StoreError> {
    let path = layout.environment_key();
    let shown = path.display();
    let made = match Key::read(&path) {
        Ok(Some(key)) => return Ok(Some(Arc::new(key))),
        Ok(None) if store.has_sealed_values().await? => {
            tracing::error!(key = %shown, "the key is gone that opens the apps' environments");
            return Ok(None);
        }
        Ok(None) => Key::make(&path),
        Err(error) => Err(error),
    };
    Ok(made
        .inspect_err(|error| tracing::error!(key = %shown, %error, "no key for environments"))
        .ok()
        .map(Arc::new))
}

/// An app's values, from the store.
///
/// # Errors
/// Where the history cannot be read.
pub async fn open(
    store: &Store,
    key: Option<Arc<Key>>,
    app: &str,
) -> Result<Arc<Vault>, StoreError> {
    let (today, rows) = store.environment(app).await?;
    let opened = rows.into_iter().map(|row| {
        let SealedRow { name, version, secret, sealed, at, actor } = row;
        let place = Place { app, name: &name, version };
        let held = match (sealed, &key) {
            (None, _) => Held::Unset,
            (Some(sealed), Some(key)) => key.open(place, &sealed).map_or(Held::Locked, Held::Plain),
            (Some(_), None) => Held::Locked,
        };
        Row { name, version, secret, held, at, actor }
    });
    let kept = Kept::new(today, opened);
    Ok(Arc::new(Vault::new(key, kept)))
}

impl Context {
    /// The values that a start with a version of the environment takes.
    ///
    /// # Errors
    /// Where the key does not open all of them.
    pub(super) fn values(&self, version: u64) -> Result<Vec<(String, String)>, String> {
        self.vault.kept().at(version).map_err(|locked| {
            let path = self.daemon.host.state_dir.join(super::paths::ENVIRONMENT_KEY);
            format!(
                "{} cannot be opened: {} is missing, or is not the key that sealed {}. Put it back \
                 from a backup, or unset what cannot be opened and set it again.",
                several(&locked.0),
                path.display(),
                if locked.0.len() == 1 { "it" } else { "them" },
            )
        })
    }

    /// The version of the environment that belongs to a slot, where that has this release; today's
    /// elsewhere.
    pub(super) async fn version_in(&self, slot: Slot, release: Option<u64>) -> u64 {
        let found = self.daemon.store.slot_environment(self.app(), slot, release).await;
        found.ok().flatten().unwrap_or_else(|| self.vault.kept().today())
    }
}

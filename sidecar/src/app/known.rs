//! What is known of an app when somebody asks for something.

use super::history::History;
use super::machine::State;
use super::standbys::Standbys;
use super::standing;
use crate::vault::Kept;

/// What is known when a request comes in.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The app's name.
    pub app: &'a str,
    /// Its state.
    pub state: &'a State,
    /// Its past.
    pub history: &'a History,
    /// What its slots are kept as.
    pub standbys: &'a Standbys,
    /// Its environment.
    pub environment: &'a Kept,
}

impl Known<'_> {
    /// The oldest migration that a release brings and the one that serves does not know.
    #[must_use]
    pub fn first_new_version(self, release: u64) -> Option<u64> {
        let serving = self.history.release(self.state.serving_release()?)?;
        standing::between(self.history.release(release)?, serving).map(|it| it.version).min()
    }

    /// The OTP applications that hold a release's migrations.
    #[must_use]
    pub fn migrating_apps(self, release: u64) -> Vec<String> {
        let migrations = self.history.release(release).map(|it| it.migrations.as_slice());
        let mut apps: Vec<String> =
            migrations.unwrap_or_default().iter().map(|it| it.app.clone()).collect();
        apps.sort();
        apps.dedup();
        apps
    }

    /// A release, as people name it.
    #[must_use]
    pub fn label(self, release: u64) -> String {
        let Some(found) = self.history.release(release) else {
            return format!("release #{release}");
        };
        let same = self.history.releases().filter(|it| it.version == found.version).count();
        if same > 1 { format!("{} (#{release})", found.label()) } else { found.label() }
    }
}

//! What is known of an app when somebody asks for something.

use super::history::History;
use super::machine::State;

/// What is known when a request comes in.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The app's name.
    pub app: &'a str,
    /// Its state.
    pub state: &'a State,
    /// Its past.
    pub history: &'a History,
}

impl Known<'_> {
    /// The release that serves, as people name it.
    #[must_use]
    pub fn label(self, release: u64) -> String {
        let Some(found) = self.history.release(release) else {
            return format!("release #{release}");
        };
        let same = self.history.releases().filter(|it| it.version == found.version).count();
        if same > 1 { format!("{} (#{release})", found.label()) } else { found.label() }
    }
}

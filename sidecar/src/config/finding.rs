//! What is wrong with a file, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use vial_protocol::{Code, Problem};

/// A place in a file, as an editor counts: from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

/// One mistake: what was found, where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub file: PathBuf,
    /// Absent where something is missing from the file as a whole.
    pub place: Option<Place>,
    /// "unknown key `helth`"
    pub what: String,
    /// "did you mean `health`?"
    pub hint: String,
}

impl Finding {
    /// As the problem that the daemon shows.
    pub fn problem(&self) -> Problem {
        Problem::new(Code::Configuration, self.to_string())
            .next(format!("correct {}, then run `vial reload`", shown(&self.file)))
    }

    /// As a warning: the file works as it is.
    pub fn warning(&self) -> Problem {
        Problem::new(Code::Configuration, self.to_string())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.what, shown(&self.file))?;
        if let Some(place) = self.place {
            write!(f, ", line {}, column {}", place.line, place.column)?;
        }
        write!(f, ": {}", self.hint)
    }
}

/// A path as text that is safe on a terminal.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().chars().flat_map(visible).collect()
}

/// A character as it is, or escaped where a terminal would act on it.
pub(super) fn visible(c: char) -> impl Iterator<Item = char> {
    // Beside control characters, those that turn the direction of what follows around.
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escaped = (c.is_control() || turns).then(|| c.escape_default());
    let plain = escaped.is_none().then_some(c);
    escaped.into_iter().flatten().chain(plain)
}

/// Why the host's configuration cannot be used. For the person who starts the daemon or a command,
/// and for who asked for a reload: the daemon that runs goes on with what it had.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no host file: write one.
    #[error(
        "there is no configuration at {}: `vial init` writes one, `--config` or VIAL_CONFIG names \
         another",
        shown(.file)
    )]
    Missing {
        /// Where it was looked for.
        file: PathBuf,
    },
    /// The system does not let it be read: change its permissions, or run as another user.
    #[error("cannot read {}: {source}", shown(.path))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The host file has mistakes: correct them.
    #[error("{}", lines(.problems))]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Each mistake, in the order of the file.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// The same, for a reader of the API.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            ConfigError::Invalid { problems, .. } => problems.clone(),
            ConfigError::Missing { .. } | ConfigError::Unreadable { .. } => {
                vec![Problem::new(Code::Configuration, self.to_string())]
            }
        }
    }

    /// From what was found in the host file.
    pub(super) fn invalid(file: &Path, findings: &[Finding]) -> Self {
        let problems = findings.iter().map(Finding::problem).collect();
        ConfigError::Invalid { file: file.to_owned(), problems }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("\n")
}

//! What a command printed, and how it ended.

use std::fmt;
use std::process::Output;

use serde::de::DeserializeOwned;

/// What a command printed, and how it ended.
pub struct Said {
    /// The arguments.
    pub asked: String,
    /// Its exit code; absent where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    pub fn new(asked: &[&str], output: &Output) -> Said {
        Said {
            asked: asked.join(" "),
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts how it ended.
    #[track_caller]
    pub fn ends(self, code: i32) -> Said {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Asserts that all of these words were printed, to either side.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Said {
        // Lines are broken where the terminal ends, and nobody reads for that.
        let all = plain(&format!("{} {}", self.out, self.err));
        for word in words {
            assert!(all.contains(&plain(word)), "{word:?} is missing.\n{self}");
        }
        self
    }

    /// Asserts that none of these words were printed.
    #[track_caller]
    pub fn never_says(self, words: &[&str]) -> Said {
        let all = plain(&format!("{} {}", self.out, self.err));
        for word in words {
            assert!(!all.contains(&plain(word)), "{word:?} is there.\n{self}");
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Said { asked, code, out, err } = self;
        write!(f, "`vial {asked}` ended with {code:?}\n--- out\n{out}\n--- err\n{err}\n---")
    }
}

//! Finds releases that would be restarted by somebody else than Vial.
//!
//! With `-heart` the BEAM is watched by a process of its own, which starts it again whenever it
//! ends: after a stop that Vial ordered too, outside the slot and on its port.

use std::fs;
use std::path::Path;

use super::error::UnpackError;
use super::layout::{disk, small_file};

const MOST: u64 = 1 << 20;
const FLAG: &str = "-heart";
const COMMAND: &str = "HEART_COMMAND";

/// Refuses a release whose `vm.args` or `env.sh` turns heart on.
pub(super) fn check(root: &Path) -> Result<(), UnpackError> {
    let releases = root.join("releases");
    for entry in fs::read_dir(&releases).map_err(|error| disk(&releases, error))? {
        let version = entry.map_err(|error| disk(&releases, error))?.file_name();
        for name in ["vm.args", "env.sh"] {
            let path = releases.join(&version).join(name);
            let Some(bytes) = small_file(&path, MOST).map_err(|error| disk(&path, error))? else {
                continue;
            };
            if let Some((line, what)) = find(&String::from_utf8_lossy(&bytes)) {
                let file = format!("releases/{}/{name}", version.to_string_lossy());
                return Err(UnpackError::Heart { file, line, what });
            }
        }
    }
    Ok(())
}

/// The first line, from 1, that is no comment and speaks of heart, and what it says.
fn find(text: &str) -> Option<(usize, &'static str)> {
    text.lines().enumerate().find_map(|(index, line)| {
        let words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
        let code = words.collect::<Vec<_>>().join(" ");
        if code.starts_with("unset ") {
            return None;
        }
        let what = [FLAG, COMMAND].into_iter().find(|what| has_word(&code, what))?;
        Some((index + 1, what))
    })
}

/// Whether a word stands by itself: `-heart` is not in `-heartbeat`.
fn has_word(text: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(inside) && !text[at + word.len()..].starts_with(inside)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heart_is_found_wherever_it_is_turned_on() {
        assert_eq!(find("## Comment\n-name a@b\n  -heart\n"), Some((3, "-heart")));
        assert_eq!(find("+P 100 -heart"), Some((1, "-heart")));
        assert_eq!(find("export ELIXIR_ERL_OPTIONS=\"-heart\""), Some((1, "-heart")));
        assert_eq!(find("export HEART_COMMAND=/x"), Some((1, "HEART_COMMAND")));
        assert_eq!(find("-env HEART_COMMAND /x"), Some((1, "HEART_COMMAND")));
    }

    #[test]
    fn what_is_commented_out_or_only_sounds_alike_is_no_heart() {
        for text in [
            "# -heart",
            "## Heartbeat management; auto-restarts VM if it dies\n##-heart\n",
            "#     export ELIXIR_ERL_OPTIONS=\"-heart\"",
            "+S 4 # not -heart",
            "-heartbeat 3",
            "-shop-heart",
            "unset HEART_COMMAND",
            "MY_HEART_COMMAND=1",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}

//! The migration files that a release brings, found as Ecto finds them, and what each does.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use vial_migrations::Reading;
use vial_protocol::{Effect, Migration, Reversal};

use super::error::UnpackError;
use super::layout::disk;

/// No migration that a person wrote is longer, in bytes.
const LARGEST: u64 = 1 << 20;
/// All of them together are read in less than this, however slowly each is: honest ones take about
/// a millisecond each.
const LONGEST: Duration = Duration::from_secs(30);
/// More than any project has; each one is kept in memory.
const MOST: usize = 10_000;

/// All `lib/APP-VERSION/priv/**/migrations/**/VERSION_NAME.exs`, oldest first. Like Ecto this
/// takes in the folders below `migrations`, and leaves hidden files and folders out.
pub(super) fn list(root: &Path) -> Result<Vec<Migration>, UnpackError> {
    let mut found = Vec::new();
    let lib = root.join("lib");
    if !lib.is_dir() {
        return Ok(found);
    }
    let until = Instant::now() + LONGEST;
    for (name, is_folder) in entries(&lib)? {
        let privs = lib.join(&name).join("priv");
        if let Some(app) = app_of(&name)
            && is_folder
            && fs::symlink_metadata(&privs).is_ok_and(|meta| meta.is_dir())
        {
            let mut walk = Walk { app, until, found: &mut found };
            walk.folder(&privs, &mut Vec::new(), None)?;
        }
    }
    found.sort();
    Ok(found)
}

struct Walk<'a> {
    app: &'a str,
    /// What is found later is not read.
    until: Instant,
    found: &'a mut Vec<Migration>,
}

impl Walk<'_> {
    /// `inside` is how many of the parts of `at` lead to the first folder called `migrations`.
    fn folder(
        &mut self,
        folder: &Path,
        at: &mut Vec<String>,
        inside: Option<usize>,
    ) -> Result<(), UnpackError> {
        for (name, is_folder) in entries(folder)? {
            let path = folder.join(&name);
            if is_folder {
                let ends = name == "migrations";
                at.push(name);
                self.folder(&path, at, inside.or(ends.then_some(at.len())))?;
                at.pop();
            } else if let (Some(inside), Some((version, name))) = (inside, parse(&name)) {
                if self.found.len() == MOST {
                    return Err(UnpackError::TooManyMigrations { max: MOST });
                }
                let Reading { effect, reversal, does, loses } = if Instant::now() < self.until {
                    read(&path)?
                } else {
                    unread("was not read: the release's migrations took too long")
                };
                self.found.push(Migration {
                    version,
                    name: name.to_owned(),
                    app: self.app.to_owned(),
                    folder: at[..inside].join("/"),
                    effect,
                    reversal,
                    does,
                    loses,
                });
            }
        }
        Ok(())
    }
}

/// What a migration does, as far as its text tells.
fn read(path: &Path) -> Result<Reading, UnpackError> {
    let file = fs::File::open(path).map_err(|error| disk(path, error))?;
    let mut text = String::new();
    match file.take(LARGEST + 1).read_to_string(&mut text) {
        Ok(_) if text.len() as u64 <= LARGEST => Ok(vial_migrations::read(&text)),
        Ok(_) => Ok(unread("is too large to be read")),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(unread("is no UTF-8 text")),
        Err(error) => Err(disk(path, error)),
    }
}

fn unread(why: &str) -> Reading {
    Reading {
        effect: Effect::Unknown,
        reversal: Reversal::Unknown,
        does: vec![why.to_owned()],
        loses: Vec::new(),
    }
}

/// The visible files and folders in a folder, links left out.
fn entries(folder: &Path) -> Result<Vec<(String, bool)>, UnpackError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| disk(folder, error))? {
        let entry = entry.map_err(|error| disk(folder, error))?;
        let kind = entry.file_type().map_err(|error| disk(folder, error))?;
        if let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
            && !kind.is_symlink()
        {
            names.push((name, kind.is_dir()));
        }
    }
    Ok(names)
}

/// The application's name in `shop-1.4.2`.
fn app_of(folder: &str) -> Option<&str> {
    let (app, version) = folder.split_once('-')?;
    (!app.is_empty() && !version.is_empty()).then_some(app)
}

/// `20240101000000_add_users.exs` as version and name.
fn parse(file: &str) -> Option<(u64, &str)> {
    let (version, name) = file.strip_suffix(".exs")?.split_once('_')?;
    if !version.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((version.parse().ok()?, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_ecto_would_run_are_migrations() {
        assert_eq!(parse("20240101000000_add_users.exs"), Some((20_240_101_000_000, "add_users")));
        assert_eq!(parse("1_a_b.exs"), Some((1, "a_b")));
        for name in ["seeds.exs", "1_a.ex", "1.exs", "a1_b.exs", "+1_b.exs", "_b.exs"] {
            assert_eq!(parse(name), None, "{name}");
        }
        assert_eq!(parse("99999999999999999999999_too_large.exs"), None);
    }

    #[test]
    fn an_app_is_named_before_the_first_dash_of_its_folder() {
        assert_eq!(app_of("shop-1.4.2-rc.1"), Some("shop"));
        assert_eq!(app_of("shop"), None);
    }
}

//! Where things stand in a mix release, and whether this is one.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::UnpackError;
use super::names::printable;

/// The file that names the versions.
pub(super) const START_ERL: &str = "releases/start_erl.data";

/// Programs without which nothing starts, where the release has them.
const PROGRAMS: [&str; 4] = ["erl", "erlexec", "beam.smp", "erl_child_setup"];

/// The folder that is the release: the tree itself, or the one folder in it for those who packed
/// the folder instead of what is in it.
pub(super) fn root(tree: &Path, name: &str) -> Result<PathBuf, UnpackError> {
    let is_release =
        |folder: &Path| exists(&folder.join("bin").join(name)) || exists(&folder.join(START_ERL));
    if !is_release(tree) {
        let mut entries = fs::read_dir(tree).map_err(|error| disk(tree, error))?;
        if let (Some(Ok(only)), None) = (entries.next(), entries.next())
            && only.file_type().is_ok_and(|kind| kind.is_dir())
            && is_release(&only.path())
        {
            return Ok(only.path());
        }
    }
    Ok(tree.to_owned())
}

/// What the layout of a release tells.
pub(super) struct Layout {
    pub(super) version: String,
    pub(super) erts: Option<String>,
    pub(super) elixir: Option<String>,
}

impl Layout {
    /// Reads a folder whose links were found to stay inside.
    pub(super) fn read(root: &Path, name: &str) -> Result<Self, UnpackError> {
        let script = format!("bin/{name}");
        if !root.join(&script).is_file() {
            return Err(match other_name(root) {
                Some(found) => UnpackError::OtherRelease { expected: name.to_owned(), found },
                None => UnpackError::NotARelease { missing: script },
            });
        }
        let data = small_file(&root.join(START_ERL), 1024)
            .map_err(|error| disk(&root.join(START_ERL), error))?
            .ok_or_else(|| UnpackError::NotARelease { missing: START_ERL.to_owned() })?;
        let (erts, version) =
            versions(&data).ok_or_else(|| UnpackError::BadVersion(printable(&data)))?;
        let boot = format!("releases/{version}/start.boot");
        if !root.join(&boot).is_file() {
            return Err(UnpackError::NotARelease { missing: boot });
        }
        let bin = format!("erts-{erts}/bin");
        let programs = PROGRAMS.iter().map(|program| format!("{bin}/{program}"));
        for program in [script, format!("releases/{version}/elixir")].into_iter().chain(programs) {
            if fs::metadata(root.join(&program)).is_ok_and(|m| m.permissions().mode() & 0o111 == 0)
            {
                return Err(UnpackError::NotExecutable(program));
            }
        }
        let erts = root.join(format!("erts-{erts}")).is_dir().then_some(erts);
        Ok(Layout { version, erts, elixir: elixir(root) })
    }
}

/// `ERTSVSN RELVSN`, both of an alphabet that is safe in a path and on a terminal.
fn versions(data: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(data).ok()?;
    let mut words = text.split_ascii_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(erts), Some(version), None) if is_version(erts) && is_version(version) => {
            Some((erts.to_owned(), version.to_owned()))
        }
        _ => None,
    }
}

fn is_version(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".+_-".contains(&b))
        && !matches!(text, "." | "..")
}

/// The version in the name of `lib/elixir-VERSION`.
fn elixir(root: &Path) -> Option<String> {
    let mut versions: Vec<String> = fs::read_dir(root.join("lib"))
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_prefix("elixir-").map(str::to_owned))
        .filter(|version| is_version(version))
        .collect();
    versions.sort();
    versions.pop()
}

/// The name of the release that is there in place of the expected one: the script of `bin` that
/// a `.rel` file bears the name of, or else the first script.
fn other_name(root: &Path) -> Option<String> {
    let data = small_file(&root.join(START_ERL), 1024).ok()??;
    let mut scripts: Vec<String> = fs::read_dir(root.join("bin"))
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_version(name) && !name.contains('.'))
        .filter(|name| root.join("bin").join(name).is_file())
        .collect();
    scripts.sort();
    let described = versions(&data).and_then(|(_, version)| {
        let folder = root.join("releases").join(version);
        scripts.iter().find(|name| folder.join(format!("{name}.rel")).is_file()).cloned()
    });
    described.or_else(|| scripts.into_iter().next())
}

/// A file's bytes; `None` if there is no such file. What is longer than `most` is cut there.
pub(super) fn small_file(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

pub(super) fn disk(path: &Path, source: io::Error) -> UnpackError {
    UnpackError::Disk { doing: "read", path: path.to_owned(), source }
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_versions_are_read_whatever_white_space_surrounds_them() {
        let expected = Some(("13.1.5".to_owned(), "1.4.2+abc".to_owned()));
        assert_eq!(versions(b"13.1.5 1.4.2+abc\n"), expected);
        assert_eq!(versions(b" 13.1.5\t1.4.2+abc"), expected);
    }

    #[test]
    fn versions_that_could_name_another_folder_or_paint_a_terminal_are_refused() {
        let long = "1".repeat(65);
        for version in ["../..", "..", "1/2", "\u{1b}[31m", "1 2", "", &long, "ü"] {
            assert_eq!(versions(format!("13.1 {version}").as_bytes()), None, "{version:?}");
        }
    }
}

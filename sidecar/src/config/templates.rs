//! The files that `vial init` writes: every key with what it means, and nothing to correct.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::app::Ports;
use super::entry::quoted;
use super::finding::shown;
use super::text;

const HOST: &str = include_str!("../../packaging/vial.toml.example");
const APP: &str = include_str!("../../packaging/app.toml.example");

/// A host file in which every key is explained and none is set.
#[must_use]
pub fn host_template() -> String {
    HOST.to_owned()
}

/// The same for a daemon that is nobody's but its user's: what it keeps stands beside the file.
#[must_use]
pub fn own_host_template() -> String {
    HOST.replace("# state_dir = \"/var/lib/vial\"", "state_dir = \"state\"")
        .replace("# run_dir = \"/run/vial\"", "run_dir = \"run\"")
}

/// A name that cannot stand in an app's file. For the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} cannot be {}: it must be {expected}", quoted(.value))]
pub struct BadName {
    /// What it was to be.
    pub what: &'static str,
    /// What was typed.
    pub value: String,
    /// What would be right, with an example.
    pub expected: &'static str,
}

/// Refuses what an app's file cannot hold, by the rules that it is read by.
///
/// # Errors
/// With the first name that is wrong.
pub fn check_names(
    name: &str,
    release: &str,
    hosts: &[&str],
    user: Option<&str>,
) -> Result<(), BadName> {
    let check = |what, value: &str, right: fn(&str) -> bool, expected| {
        let bad = || BadName { what, value: value.to_owned(), expected };
        if right(value) { Ok(()) } else { Err(bad()) }
    };
    let app = "a small letter, then at most 31 small letters, digits and _, such as \"shop\"";
    check("an app's name", name, text::is_app_name, app)?;
    let of_release = "a release's name as `mix release` has it: a small letter, then small letters, \
                      digits and _, such as \"shop\"";
    check("a release's name", release, text::is_release_name, of_release)?;
    for host in hosts {
        let expected = "a host name alone, without scheme, port or path, such as \
                        \"shop.example.com\" or \"*.example.com\"; letters outside a-z as punycode";
        check("a host", host, |host| text::is_host(&host.to_lowercase()), expected)?;
    }
    let of_user = "the name of a user on this host, such as \"shop\"";
    user.map_or(Ok(()), |user| check("a user", user, text::is_user_name, of_user))
}

/// An app's file in which every key is explained and the given ones are set. `hosts` are empty for
/// a worker, `user` is absent where the daemon does not run as root.
#[must_use]
pub fn app_template(
    name: &str,
    release: &str,
    ports: Ports,
    hosts: &[&str],
    user: Option<&str>,
) -> String {
    let user = match user {
        Some(user) => format!("user = {}", literal(user)),
        None => format!("# user = {}", literal(name)),
    };
    let hosts = match hosts {
        [] => "# hosts = [\"shop.example.com\"]".to_owned(),
        hosts => {
            let hosts: Vec<String> = hosts.iter().map(|host| literal(host)).collect();
            format!("hosts = [{}]", hosts.join(", "))
        }
    };
    let values = [
        ("@NAME@", literal(name)),
        ("@RELEASE@", literal(release)),
        ("@USER@", user),
        ("@BLUE@", ports.blue.to_string()),
        ("@GREEN@", ports.green.to_string()),
        ("@HOSTS@", hosts),
        ("@ENV_FILE@", literal(&format!("/etc/vial/env/{name}"))),
        ("@NODE@", name.to_owned()),
    ];
    fill(APP, &values)
}

/// Puts values in place of their names in one pass: a value is never looked into.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('@') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        match values.iter().find_map(|(name, value)| Some((from.strip_prefix(*name)?, value))) {
            Some((after, value)) => {
                text.push_str(value);
                rest = after;
            }
            None => {
                text.push('@');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    text.push_str(rest);
    text
}

/// A text as TOML writes it, on one line.
fn literal(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Why a file was not written. For the person who ran `vial init`; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is one already, and it may hold somebody's work.
    #[error("{} exists already and was left as it is: move it away first, or edit it", shown(.path))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The system said no.
    #[error("cannot write {}: {source}", shown(.path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes a file that does not exist yet, and its folder where that is missing. It is there as a
/// whole or not at all.
///
/// # Errors
///
/// Where it exists already, or the system does not let it be written.
pub fn write_new(path: &Path, text: &str) -> Result<(), WriteError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => WriteError::Exists { path: path.to_owned() },
        _ => WriteError::Io { path: path.to_owned(), source },
    };
    // A name alone has "" as its parent.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if fs::symlink_metadata(path).is_ok() {
        return Err(WriteError::Exists { path: path.to_owned() });
    }
    fs::create_dir_all(folder)
        .map_err(|source| WriteError::Io { path: folder.to_owned(), source })?;
    let (aside, mut file) =
        create_aside(folder).map_err(|source| WriteError::Io { path: path.to_owned(), source })?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        // A link, unlike a rename, fails where the name is taken by now.
        .and_then(|()| fs::hard_link(&aside, path));
    let removed = fs::remove_file(&aside);
    written.and(removed).map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// A new file in the folder, hidden so that it is never taken for an app's.
fn create_aside(folder: &Path) -> io::Result<(PathBuf, File)> {
    let mut attempt = 0_u32;
    loop {
        let path = folder.join(format!(".vial-init-{}-{attempt}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_so_that_toml_reads_it_back() {
        for text in ["shop", "a\"b", "a\\b", "a\nb\u{7f}", "@HOSTS@", ""] {
            let file = format!("x = {}", literal(text));
            let table: toml::Table = file.parse().unwrap();
            assert_eq!(table.get("x").and_then(toml::Value::as_str), Some(text));
        }
    }

    #[test]
    fn a_value_that_looks_like_a_name_is_not_replaced_again() {
        let values = [("@A@", "@B@".to_owned()), ("@B@", "no".to_owned())];
        assert_eq!(fill("x@y @A@ @", &values), "x@y @B@ @");
    }

    #[test]
    fn an_existing_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("apps/shop.toml");
        write_new(&path, "first").unwrap();
        let refused = write_new(&path, "second").unwrap_err();
        assert!(matches!(refused, WriteError::Exists { .. }), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(folder.path().join("apps")).unwrap().count(), 1);
    }

    #[test]
    fn of_many_writers_at_once_one_wins_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.toml");
        let won = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|n| {
                    let path = &path;
                    scope.spawn(move || write_new(path, &n.to_string()).is_ok().then_some(n))
                })
                .collect();
            writers.into_iter().filter_map(|writer| writer.join().unwrap()).collect::<Vec<i32>>()
        });
        assert_eq!(won.len(), 1);
        assert_eq!(fs::read_to_string(&path).unwrap(), won[0].to_string());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

//! Reaching the node in a slot: the commands of `rpc` and of a console.
//!
//! `bin/NAME rpc` would ask the release's env.sh whom to call, and that may name another node
//! than the one in this slot. So the node is asked for its name itself, by its command line,
//! and the release's own `elixir` is run as `bin/NAME` runs it. The cookie is there as well, unless
//! the node was started without its script: then it is in the file that the node read it from, see
//! [`super::direct::secret`].

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::identity::Identity;

/// A node that runs, and the release that it runs.
#[derive(Clone)]
pub struct Remote {
    node: String,
    /// `name` or `sname`.
    kind: &'static str,
    /// As its command line has it; absent where it read it from the file.
    cookie: Option<String>,
    release: PathBuf,
    version: String,
}

/// A program and its arguments, for a [`Spec`](super::Spec).
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments. The cookie is one of them where it is one of the node's: local users can read
    /// it there as well.
    pub args: Vec<OsString>,
    /// Whether it must find the cookie in the file.
    pub by_file: bool,
}

/// Why a node cannot be reached; for whoever asked.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// It has no name.
    #[error(
        "The release in this slot cannot be reached: it runs without Erlang distribution, or has \
         only just begun to start. Try again in a second."
    )]
    Unnamed,
    /// The release is not as `mix release` makes it.
    #[error("{} cannot be read: {source}.", path.display())]
    Release {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Remote {
    /// The node that a process runs, from the unpacked release that it was started from.
    ///
    /// # Errors
    /// Where it has no name, or the release no version.
    pub fn to(process: &Identity, release: &Path) -> Result<Remote, RemoteError> {
        let line = std::fs::read(format!("/proc/{}/cmdline", process.pid))
            .map_err(|_| RemoteError::Unnamed)?;
        // Whoever bears the pid after the reading bore it while we read.
        if !process.is_alive().unwrap_or(false) {
            return Err(RemoteError::Unnamed);
        }
        let (kind, node, cookie) = distribution(&line).ok_or(RemoteError::Unnamed)?;
        let version = version(release)?;
        Ok(Remote { node, kind, cookie, release: release.to_owned(), version })
    }

    /// Whether the node read its cookie from the file, and those who call it must.
    #[must_use]
    pub fn by_file(&self) -> bool {
        self.cookie.is_none()
    }

    /// The node's name.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Evaluates an expression in the node.
    #[must_use]
    pub fn rpc(&self, expression: &str) -> RemoteCommand {
        let mut command = self.command("elixir", "rpc");
        command.args.extend(["--rpc-eval", &self.node, expression].map(OsString::from));
        command
    }

    /// An IEx console on the node; needs a terminal.
    #[must_use]
    pub fn console(&self) -> RemoteCommand {
        let mut command = self.command("iex", "rem");
        command.args.extend(["--remsh", &self.node].map(OsString::from));
        command
    }

    fn command(&self, script: &str, purpose: &str) -> RemoteCommand {
        let folder = self.release.join("releases").join(&self.version);
        let name = format!("{purpose}-{:08x}-{}", random(), self.node);
        let mut args: Vec<OsString> = vec!["--hidden".into()];
        if let Some(cookie) = &self.cookie {
            args.extend(["--cookie".into(), cookie.into()]);
        }
        args.extend([format!("--{}", self.kind).into(), name.into()]);
        args.extend(["--boot".into(), folder.join("start_clean").into()]);
        args.extend(["--boot-var".into(), "RELEASE_LIB".into(), self.release.join("lib").into()]);
        let vm_args = folder.join("remote.vm.args");
        if vm_args.is_file() {
            args.extend(["--vm-args".into(), vm_args.into()]);
        }
        RemoteCommand { program: folder.join(script), args, by_file: self.by_file() }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("node", &self.node).finish_non_exhaustive()
    }
}

impl fmt::Debug for RemoteCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteCommand").field("program", &self.program).finish_non_exhaustive()
    }
}

/// Kind, name and cookie in an emulator's command line. Of two names it heeds the first. A node
/// that was started without its script has no cookie there.
fn distribution(line: &[u8]) -> Option<(&'static str, String, Option<String>)> {
    let words: Vec<String> =
        line.split(|byte| *byte == 0).map(|w| String::from_utf8_lossy(w).into_owned()).collect();
    // What follows -extra are the release's own arguments.
    let end = words.iter().position(|word| word == "-extra").unwrap_or(words.len());
    let after = |flag: &str| {
        let at = words[..end].iter().position(|word| word == flag)?;
        words.get(at + 1).filter(|value| !value.is_empty()).cloned()
    };
    let cookie = after("-setcookie");
    let named = after("-name").map(|name| ("name", name));
    let (kind, node) = named.or_else(|| after("-sname").map(|name| ("sname", name)))?;
    Some((kind, node, cookie))
}

/// Whether a process is an emulator that loads modules when they are called first.
#[must_use]
pub fn is_interactive(process: &Identity) -> bool {
    let line = std::fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    let own = words.split(|word| *word == b"-extra").next().unwrap_or_default();
    own.windows(2).any(|pair| pair == [&b"-mode"[..], b"interactive"])
        && process.is_alive().unwrap_or(false)
}

/// The version in `releases/start_erl.data`, which names a folder.
fn version(release: &Path) -> Result<String, RemoteError> {
    let path = release.join("releases/start_erl.data");
    let fail = |source| RemoteError::Release { path: path.clone(), source };
    let text = std::fs::read_to_string(&path).map_err(fail)?;
    match text.split_whitespace().nth(1) {
        Some(version) if !version.contains('/') && version != ".." => Ok(version.to_owned()),
        _ => Err(fail(io::Error::other("it names no version"))),
    }
}

fn random() -> u32 {
    // Only for a name that no other call uses at the same time; the pid would do nearly as well.
    getrandom::u32().unwrap_or_else(|_| std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_cookie_are_those_that_the_emulator_heeds() {
        let line = b"beam.smp\0--\0-root\0/x\0--\0-name\0shop_blue@127.0.0.1\0--\0-setcookie\0C\0\
            -name\0theirs@x\0-extra\0-setcookie\0no\0";
        let found = distribution(line).unwrap();
        assert_eq!(found, ("name", "shop_blue@127.0.0.1".to_owned(), Some("C".to_owned())));
        let short = b"beam.smp\0-sname\0shop\0-setcookie\0C\0";
        assert_eq!(distribution(short).unwrap().0, "sname");
        assert_eq!(distribution(b"sh\0bin/shop\0start\0"), None);
        assert_eq!(distribution(b"beam.smp\0-setcookie\0C\0-extra\0-name\0x\0"), None);
        assert_eq!(distribution(b"beam.smp\0-setcookie\0C\0-name"), None);
        let direct = distribution(b"beam.smp\0-name\0shop_blue@x\0-extra\0--no-halt\0").unwrap();
        assert_eq!(direct, ("name", "shop_blue@x".to_owned(), None));
    }

    #[test]
    fn a_version_is_the_name_of_a_folder() {
        let release = tempfile::tempdir().unwrap();
        std::fs::create_dir(release.path().join("releases")).unwrap();
        let write = |text| std::fs::write(release.path().join("releases/start_erl.data"), text);
        assert!(version(release.path()).is_err());
        write("13.1.5 1.4.2").unwrap();
        assert_eq!(version(release.path()).unwrap(), "1.4.2");
        for bad in ["", "13.1.5", "13.1.5 ..", "13.1.5 ../../x"] {
            write(bad).unwrap();
            assert!(version(release.path()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn no_debug_output_holds_the_cookie() {
        let remote = Remote {
            node: "shop_blue@127.0.0.1".into(),
            kind: "name",
            cookie: Some("S3CRET".into()),
            release: "/releases/7".into(),
            version: "1.4.2".into(),
        };
        let rpc = remote.rpc("1 + 1");
        assert_eq!(rpc.program, Path::new("/releases/7/releases/1.4.2/elixir"));
        assert!(rpc.args.contains(&"S3CRET".into()) && rpc.args.contains(&"1 + 1".into()));
        assert!(!format!("{remote:?} {rpc:?}").contains("S3CRET"));
        assert!(!rpc.by_file);
        let direct = Remote { cookie: None, ..remote }.rpc("1 + 1");
        assert!(direct.by_file && !direct.args.contains(&"--cookie".into()));
    }
}

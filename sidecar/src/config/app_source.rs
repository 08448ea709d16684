//! The `source` table: where an app's code comes from, and how it is built.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::app::EnvVars;
use super::entry::Entry;
use super::section::Section;
use super::users::{Daemon, UserIds};
use super::{text, variables};

const KEYS: &[&str] = &[
    "git",
    "branch",
    "auto_deploy",
    "allow_destructive",
    "poll",
    "build",
    "release_path",
    "submodules",
    "protocols",
    "ssh_key",
    "known_hosts",
    "token_file",
    "env",
    "user",
    "timeout",
    "output",
    "processes",
    "keep_free",
];
const EXAMPLE: &str = "git = \"https://example.com/shop.git\"";

/// What is run where the file names nothing.
const USUAL: [&str; 4] = [
    "mix local.hex --force --if-missing",
    "mix local.rebar --force --if-missing",
    "mix deps.get --only prod",
    "mix release",
];

/// Who builds, where the daemon is root and the file names nobody.
pub const BUILDER: &str = "vial-build";

const SECOND: Duration = Duration::from_secs(1);
const MIB: u64 = 1 << 20;

/// Where an app's code comes from, and how it is built.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// Where Git clones from. It may hold a password: not for a log.
    pub git: String,
    /// The branch that is deployed.
    pub branch: String,
    /// Whether a new commit is deployed by itself.
    pub auto_deploy: bool,
    /// Whether what is deployed by itself may bring a destructive migration.
    pub allow_destructive: bool,
    /// How often the repository is asked for a new commit: 5 s to 24 h; absent: never.
    pub poll: Option<Duration>,
    /// The commands that build a release, one after another.
    pub build: Vec<String>,
    /// Where the release is then, below the checkout; `_build/prod/rel/<release>` where absent.
    pub release_path: Option<String>,
    /// Whether submodules are fetched too.
    pub submodules: bool,
    /// What submodules may be fetched by: `https`, `ssh`, `file`.
    pub protocols: Vec<String>,
    /// The private key for ssh; absolute.
    pub ssh_key: Option<PathBuf>,
    /// The hosts that ssh trusts; absolute. Where absent, a host is trusted when it is seen first.
    pub known_hosts: Option<PathBuf>,
    /// A file with a token for https, or `user:token`; absolute.
    pub token_file: Option<PathBuf>,
    /// Further variables of the build.
    pub env: EnvVars,
    /// Who builds. Absent where the daemon does not run as root: then as the daemon.
    pub user: Option<UserIds>,
    /// How long a build may take: 1 s to 24 h.
    pub timeout: Duration,
    /// How many bytes it may print: 64 KiB to 1 GiB.
    pub output: u64,
    /// How many processes its user may have at once: 16 to 1,000,000.
    pub processes: u64,
    /// How many bytes of the disk must stay free while it goes on.
    pub keep_free: u64,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("branch", &self.branch)
            .field("auto_deploy", &self.auto_deploy)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// Whether a command is one that is run where the file names nothing.
    #[must_use]
    pub fn is_usual_command(command: &str) -> bool {
        USUAL.contains(&command)
    }
}

/// Reads the table, if there is one.
pub(super) fn read(root: &Section<'_, '_>, daemon: &Daemon) -> Option<Source> {
    root.get("source")?;
    let table = root.table("source", KEYS, "[source]")?;
    let Some(git) = table.get("git") else {
        table.missing("git", &format!("add `{EXAMPLE}`"));
        return None;
    };
    let git = git.secret().text_that(
        text::is_git_address,
        "it must be an address that Git clones from, such as \"https://example.com/shop.git\"",
    );
    let branch = table.get("branch").map_or(Some("main".into()), |branch| {
        branch.text_that(text::is_branch, "it must be the name of a branch, such as \"main\"")
    });
    let flag = |key| table.get(key).map_or(Some(false), |entry| entry.boolean());
    let file = |key, example: &str| {
        let expected = format!("it must be a file's path, such as \"{example}\"");
        table.get(key).and_then(|entry| entry.file(&expected))
    };
    let bytes = |key, least: u64, most: u64, usual: u64| {
        let read = table.get(key).and_then(|entry| entry.bytes(least..=most, "\"512MiB\""));
        read.unwrap_or(usual)
    };
    let minute = Duration::from_secs(60);
    Some(Source {
        auto_deploy: flag("auto_deploy")?,
        allow_destructive: flag("allow_destructive")?,
        poll: table.get("poll").and_then(|it| it.duration(5 * SECOND..=24 * 60 * minute)),
        submodules: flag("submodules")?,
        build: read_build(&table),
        release_path: table.get("release_path").and_then(|path| {
            path.text_that(
                is_below,
                "it must be a path below the checkout, such as \"apps/shop/_build/prod/rel/shop\"",
            )
        }),
        protocols: read_protocols(&table),
        ssh_key: file("ssh_key", "/etc/vial/keys/shop"),
        known_hosts: file("known_hosts", "/etc/vial/known_hosts"),
        token_file: file("token_file", "/etc/vial/tokens/shop"),
        env: table.get("env").map(|entry| variables::read(&entry)).unwrap_or_default(),
        user: read_user(&table, daemon),
        timeout: table
            .get("timeout")
            .and_then(|it| it.duration(Duration::from_secs(1)..=24 * 60 * minute))
            .unwrap_or(30 * minute),
        output: bytes("output", 64 << 10, 1024 * MIB, 32 * MIB),
        processes: table
            .get("processes")
            .and_then(|it| it.number(16..=1_000_000, "a number of processes", "2000"))
            .unwrap_or(2000),
        keep_free: bytes("keep_free", 0, 1 << 50, 512 * MIB),
        git: git?,
        branch: branch?,
    })
}

/// A relative path that stays where it begins.
fn is_below(path: &str) -> bool {
    let parts = path.split('/');
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.len() < 1024 && !path.chars().any(char::is_control) && parts.into_iter().all(plain)
}

fn read_user(table: &Section<'_, '_>, daemon: &Daemon) -> Option<UserIds> {
    let Some(entry) = table.get("user") else {
        if !daemon.privileged {
            return None;
        }
        return match daemon.user(BUILDER) {
            Ok(user) => Some(user),
            Err(no) => {
                let document = table.document();
                let what = format!("`source` without {}", no.what);
                document.warn(None, what, format!("{}; until then nothing is built", no.hint));
                None
            }
        };
    };
    let name = user_name(&entry)?;
    match daemon.user(&name) {
        Ok(user) => Some(user),
        Err(no) => {
            table.document().find(Some(entry.start()), no.what, no.hint);
            None
        }
    }
}

fn user_name(entry: &Entry<'_, '_>) -> Option<String> {
    entry.text_that(
        text::is_user_name,
        "it must be the name of a user on this host, such as \"vial-build\"",
    )
}

fn read_protocols(table: &Section<'_, '_>) -> Vec<String> {
    let Some(entry) = table.get("protocols") else { return vec!["https".into(), "ssh".into()] };
    let items = entry.items("protocols = [\"https\", \"ssh\"]").unwrap_or_default();
    let words = [("https", "https"), ("ssh", "ssh"), ("file", "file")];
    items.iter().filter_map(|item| item.word(&words)).map(str::to_owned).collect()
}

fn read_build(table: &Section<'_, '_>) -> Vec<String> {
    let Some(build) = table.get("build") else {
        return USUAL.iter().map(|command| (*command).to_owned()).collect();
    };
    let expected = "it must be a command, such as \"mix release\"";
    let items = build.secret().items("build = [\"mix release\"]").unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.text_that(|command| !command.trim().is_empty(), expected))
        .collect()
}

//! A build from its beginning to its end.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::PathBuf;

use vial_protocol::Commit;

use super::error::BuildError;
use super::git::Git;
use super::keep::{self, Key};
use super::log::BuildLog;
use super::place::{Held, Place};
use super::program::{Builder, Journal, Limits, Program, run};
use super::result;
use crate::config::Source;
use crate::slot::Exit;

/// What of the daemon's environment a build has too: nothing that could be a secret.
const INHERITED: &[&str] = &[
    "PATH",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What is built.
#[derive(Debug)]
pub struct Order {
    /// The app's folders.
    pub place: Place,
    /// Where the code comes from and what is run.
    pub source: Source,
    /// The release's name.
    pub release: String,
    /// A branch, a tag or a whole commit id.
    pub reference: String,
    /// The commit, where it is known.
    pub sha: Option<String>,
    /// Who builds.
    pub builder: Builder,
}

/// What is told while a build goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// What it is at, for a person.
    Step(String),
    /// The commit is there.
    Fetched(Commit),
}

/// What came of a build. Dropped, it is gone.
#[derive(Debug)]
pub struct Built {
    /// The release's folder.
    pub folder: PathBuf,
    /// The commit that it is of.
    pub commit: Commit,
    held: Held,
    keep: Option<Key>,
}

impl Built {
    /// The release was taken in: what the build left is kept for the next, where it is of the
    /// configured branch.
    pub fn was_good(mut self) {
        if let Some(key) = self.keep.take()
            && let Err(error) = keep::take(&self.held, &key, &self.folder)
        {
            tracing::warn!(%error, "the next build begins from nothing");
        }
    }
}

/// Fetches and builds. Dropped, it leaves nothing running, and nothing but its log.
///
/// # Errors
/// Why there is no release. The log has all that led to it.
pub async fn build<J: Journal>(
    order: Order,
    journal: &J,
    log: &mut BuildLog,
    mut tell: impl FnMut(Told) + Send,
) -> Result<Built, BuildError> {
    let Order { place, source, release, reference, sha, builder } = order;
    let keep = source.keep_free;
    if let Some(free) = place.free().filter(|free| *free < keep) {
        return Err(BuildError::NoRoom { free, keep });
    }
    let held = enter(&place, &builder).await?;
    let limits = Limits::begin(source.timeout, place.clone(), keep);
    let commit = {
        let git = Git::open(&source, &place, &builder, journal, &limits)?;
        log.say(&format!("Fetching {reference} of {}", git.address()));
        tell(Told::Step(format!("fetching {reference}")));
        let commit = git.fetch(&reference, sha.as_deref(), log).await?;
        log.say(&format!("{} {}", commit.sha, commit.subject));
        tell(Told::Fetched(commit.clone()));
        git.checkout(&commit, log).await?;
        commit
    };
    let env = environment(&place, &source, &builder, &commit);
    let program = |command: &str| Program {
        name: "sh",
        args: vec!["-c".into(), command.into()],
        env: env.clone(),
        cwd: place.source(),
        told: true,
    };
    let who = (&builder, journal);
    let key = keep::key(&source, who, program("elixir --version"), &limits, log).await?;
    let mut doing = format!("building {} of {reference}", commit.short());
    if keep::lend(&key, who, &env, &limits, log).await? {
        log.say("Going on from the last good build.");
        doing.push_str(", from the last good build on");
    }
    tell(Told::Step(doing));
    for (at, command) in source.build.iter().enumerate() {
        // What it says may be secret: it is told by its number and its program.
        log.say(&format!("Command {} of {}{}", at + 1, source.build.len(), named(command)));
        let done = run(&builder, journal, program(command), &limits, log).await?;
        if done.exit != Exit::Status(0) {
            return Err(BuildError::Command { index: at + 1, ending: done.exit.to_string() });
        }
    }
    let below = source.release_path.clone().unwrap_or_else(|| {
        let env = source.env.iter().find(|(name, _)| *name == "MIX_ENV").map(|(_, value)| value);
        format!("_build/{}/rel/{release}", env.unwrap_or("prod"))
    });
    let folder = {
        let (source, user) = (place.source(), builder.user.clone());
        blocking(move || result::find(&source, &below, user.as_ref())).await?
    };
    log.say("Built.");
    let keep = (reference == source.branch).then_some(key);
    Ok(Built { folder, commit, held, keep })
}

pub(super) async fn enter(place: &Place, builder: &Builder) -> Result<Held, BuildError> {
    let (place, user) = (place.clone(), builder.user.clone());
    blocking(move || place.enter(user.as_ref())).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BuildError> + Send + 'static,
) -> Result<T, BuildError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => Err(BuildError::Program(format!("Building broke off: {panic}."))),
    }
}

/// The program of a command, where that is plainly there: " (mix)".
fn named(command: &str) -> String {
    let word = command.split_whitespace().next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let mut text = String::new();
    if !word.is_empty() && word.len() <= 40 && word.chars().all(plain) {
        let _ = write!(text, " ({word})");
    }
    text
}

/// What a build has of the daemon's environment.
pub(super) fn inherited() -> Vec<(OsString, OsString)> {
    let mut variables: Vec<(OsString, OsString)> = INHERITED
        .iter()
        .filter_map(|name| Some(((*name).into(), std::env::var_os(name)?)))
        .collect();
    if variables.iter().all(|(name, _)| name != "PATH") {
        variables.push(("PATH".into(), PATH.into()));
    }
    variables
}

fn environment(
    place: &Place,
    source: &Source,
    builder: &Builder,
    commit: &Commit,
) -> Vec<(OsString, OsString)> {
    let mut variables = inherited();
    let user = builder.user.as_ref().map_or("", |user| user.name.as_str());
    let own: [(&str, OsString); 8] = [
        ("HOME", place.home().into()),
        ("TMPDIR", place.tmp().into()),
        ("USER", user.into()),
        ("LOGNAME", user.into()),
        ("SHELL", "/bin/sh".into()),
        ("LANG", "C.UTF-8".into()),
        ("MIX_ENV", "prod".into()),
        ("VIAL_COMMIT", commit.sha.clone().into()),
    ];
    variables.extend(own.map(|(name, value)| (name.into(), value)));
    for (name, value) in source.env.iter() {
        variables.retain(|(it, _)| it != name);
        variables.push((name.into(), value.into()));
    }
    variables
}

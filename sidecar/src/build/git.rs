//! Git: what a reference stands for, its commit in the app's mirror, and a checkout of that.
//!
//! Git is a program, told by arguments in which nothing can be an option by mistake. It reads no
//! configuration but ours, runs no hook, asks for nothing, and speaks only what it is allowed to. It
//! runs as the builder, in a room that is closed to every command of a build.

use std::ffi::OsString;
use std::fs;

use vial_protocol::Commit;

use super::address::{Address, Protocol, is_reference, is_sha};
use super::credentials::{self, Key};
use super::error::BuildError;
use super::log::BuildLog;
use super::place::{self, Place};
use super::program::{Builder, Journal, Limits, Program, run};
use crate::config::Source;
use crate::slot::Exit;
use crate::slot::helper::Finished;

const CONFIG: &str = "[safe]
	directory = *
[core]
	hooksPath = /dev/null
	fsmonitor = false
[advice]
	detachedHead = false
[gc]
	autoDetach = false
[maintenance]
	autoDetach = false
[submodule]
	recurse = false
[fetch]
	recurseSubmodules = false
[uploadpack]
	allowAnySHA1InWant = true
";

/// Where the commit of a build is in the mirror until it has a name of its own.
const FETCHED: &str = "refs/vial/fetched";

/// Git with one app's repository. While it is there, its room is open.
pub struct Git<'a, J> {
    source: &'a Source,
    address: Address,
    place: Place,
    builder: &'a Builder,
    journal: &'a J,
    limits: &'a Limits,
    key: Option<Key>,
}

impl<J> Drop for Git<'_, J> {
    fn drop(&mut self) {
        if let Err(error) = place::close(&self.place.git()) {
            tracing::error!(%error, "Git's room stays open");
        }
    }
}

impl<'a, J: Journal> Git<'a, J> {
    /// Opens Git's room. No command of a build may run until it is dropped.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn open(
        source: &'a Source,
        place: &Place,
        builder: &'a Builder,
        journal: &'a J,
        limits: &'a Limits,
    ) -> Result<Self, BuildError> {
        let folder = place.git();
        place::open(&folder)?;
        let user = builder.user.as_ref();
        place::theirs(&folder.join("home"), user)?;
        let config = folder.join("gitconfig");
        fs::write(&config, CONFIG).map_err(BuildError::disk(&config))?;
        let mut git = Git {
            source,
            address: Address::parse(&source.git),
            place: place.clone(),
            builder,
            journal,
            limits,
            key: None,
        };
        git.key = credentials::key(source, &folder, user)?;
        Ok(git)
    }

    /// Where the repository is, as a log may say it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address.bare
    }

    /// The whole name of a branch or tag and the commit that it stands for now; of a branch first.
    /// Absent where the repository has none of that name.
    ///
    /// # Errors
    /// Where the repository cannot be asked.
    pub async fn tip(
        &self,
        reference: &str,
        log: &mut BuildLog,
    ) -> Result<Option<(String, String)>, BuildError> {
        if !is_reference(reference) {
            return Err(BuildError::BadReference(reference.into()));
        }
        let names = [format!("refs/heads/{reference}"), format!("refs/tags/{reference}")];
        let mut args = vec!["ls-remote", "--quiet", "--", &self.address.bare];
        args.extend(names.iter().map(String::as_str));
        let said = self.run("Asking for the branches", &args, self.own(), log).await?;
        let found = |name: &String| {
            let line = said.output.lines().find_map(|line| {
                line.split_once('\t').filter(|(sha, it)| is_sha(sha) && it == name)
            });
            line.map(|(sha, name)| (name.to_owned(), sha.to_owned()))
        };
        Ok(names.iter().find_map(found))
    }

    /// Fetches a commit into the mirror.
    ///
    /// # Errors
    /// Where there is none, or it cannot be fetched.
    pub async fn fetch(
        &self,
        reference: &str,
        sha: Option<&str>,
        log: &mut BuildLog,
    ) -> Result<Commit, BuildError> {
        self.make_mirror(log).await?;
        let sha = sha.or(Some(reference).filter(|it| is_sha(it))).map(str::to_lowercase);
        let at = match &sha {
            Some(sha) if is_sha(sha) => {
                if !self.has(sha, log).await? {
                    self.fetch_sha(reference, sha, log).await?;
                }
                sha.as_str()
            }
            Some(other) => return Err(BuildError::BadReference(other.clone())),
            None => {
                let Some((name, _)) = self.tip(reference, log).await? else {
                    return Err(self.missing(reference));
                };
                self.fetch_from(&name, reference, log).await?;
                FETCHED
            }
        };
        let commit = self.look(at, reference, log).await?;
        // It has a name of its own from now on, and stays however the branch is changed.
        let kept = format!("refs/vial/kept/{}", commit.sha);
        let args = ["update-ref", "--", &kept, &commit.sha];
        self.mirror("Keeping the commit", &args, log).await?;
        Ok(commit)
    }

    fn missing(&self, reference: &str) -> BuildError {
        BuildError::NoSuchReference {
            reference: reference.into(),
            address: self.address.bare.clone(),
        }
    }

    async fn make_mirror(&self, log: &mut BuildLog) -> Result<(), BuildError> {
        let mirror = self.place.mirror();
        if mirror.join("HEAD").is_file() {
            return Ok(());
        }
        place::remove(&mirror).map_err(BuildError::disk(&mirror))?;
        place::theirs(&mirror, self.builder.user.as_ref())?;
        let path = mirror.display().to_string();
        let args = ["init", "--quiet", "--bare", "--template=", "--", &path];
        self.run("Making the mirror", &args, self.own(), log).await.map(|_| ())
    }

    async fn has(&self, sha: &str, log: &mut BuildLog) -> Result<bool, BuildError> {
        let what = format!("{sha}^{{commit}}");
        let args = self.in_mirror(&["cat-file", "-e", &what]);
        let done = self.ask(&args, self.own(), false, log).await?;
        Ok(done.exit == Exit::Status(0))
    }

    /// A server need not give what no branch or tag names: then all of those are fetched, and it is
    /// among what they reach, or is not.
    async fn fetch_sha(
        &self,
        reference: &str,
        sha: &str,
        log: &mut BuildLog,
    ) -> Result<(), BuildError> {
        let spec = format!("+{sha}:{FETCHED}");
        let args = ["fetch", "--quiet", "--no-tags", "--depth=1", "--", &self.address.bare, &spec];
        if self.ask(&self.in_mirror(&args), self.own(), false, log).await?.exit == Exit::Status(0) {
            return Ok(());
        }
        log.say("The server gives no single commit; fetching all branches and tags.");
        let (heads, tags) = ("+refs/heads/*:refs/vial/heads/*", "+refs/tags/*:refs/vial/tags/*");
        let mut args = vec!["fetch", "--quiet", "--no-tags", "--prune"];
        if self.place.mirror().join("shallow").exists() {
            args.push("--unshallow");
        }
        args.extend(["--", &self.address.bare, heads, tags]);
        self.mirror("Fetching", &args, log).await?;
        match self.has(sha, log).await? {
            true => Ok(()),
            false => Err(self.missing(reference)),
        }
    }

    async fn fetch_from(
        &self,
        name: &str,
        reference: &str,
        log: &mut BuildLog,
    ) -> Result<(), BuildError> {
        let spec = format!("+{name}:{FETCHED}");
        let shallow =
            ["fetch", "--quiet", "--no-tags", "--depth=1", "--", &self.address.bare, &spec];
        if self.ask(&self.in_mirror(&shallow), self.own(), false, log).await?.exit
            == Exit::Status(0)
        {
            return Ok(());
        }
        let args = ["fetch", "--quiet", "--no-tags", "--", &self.address.bare, &spec];
        self.mirror(&format!("Fetching {reference}"), &args, log).await.map(|_| ())
    }

    async fn look(
        &self,
        at: &str,
        reference: &str,
        log: &mut BuildLog,
    ) -> Result<Commit, BuildError> {
        let at = format!("{at}^{{commit}}");
        let args = ["log", "-1", "--no-show-signature", "--format=%H%n%s", &at, "--"];
        let said = self.mirror("Looking at the commit", &args, log).await?;
        let mut lines = said.output.lines().skip_while(|line| !is_sha(line));
        match lines.next() {
            Some(sha) => Ok(Commit {
                sha: sha.to_owned(),
                reference: reference.to_owned(),
                subject: lines.next().unwrap_or_default().chars().take(200).collect(),
            }),
            None => Err(self.missing(reference)),
        }
    }

    /// Puts a commit of the mirror into the build's folder, as a repository of its own: whatever the
    /// build does to it, it does not do to the mirror.
    ///
    /// # Errors
    /// Where that fails.
    pub async fn checkout(&self, commit: &Commit, log: &mut BuildLog) -> Result<(), BuildError> {
        let format =
            if commit.sha.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
        let (source, mirror) = (self.place.source(), self.place.mirror());
        let (source, mirror) = (source.display().to_string(), mirror.display().to_string());
        let what = "Checking the commit out";
        let init = ["init", "--quiet", "--template=", format, "--", &source];
        self.run(what, &init, self.own(), log).await?;
        let kept = format!("refs/vial/kept/{}", commit.sha);
        let fetch =
            ["-C", &source, "fetch", "--quiet", "--no-tags", "--depth=1", "--", &mirror, &kept];
        self.run(what, &fetch, "file".into(), log).await?;
        let checkout = ["-C", &source, "checkout", "--quiet", "--detach", "FETCH_HEAD", "--"];
        self.run(what, &checkout, self.own(), log).await?;
        if self.source.submodules {
            self.submodules(&source, log).await?;
        }
        Ok(())
    }

    async fn submodules(&self, source: &str, log: &mut BuildLog) -> Result<(), BuildError> {
        let what = "Fetching the submodules";
        // Theirs may be named from where it is itself.
        let origin = ["-C", source, "config", "remote.origin.url", &self.address.bare];
        self.run(what, &origin, self.own(), log).await?;
        let args =
            ["-C", source, "submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"];
        let allowed = self.source.protocols.join(":");
        self.run(what, &args, allowed, log).await.map(|_| ())
    }

    // Running Git

    /// The protocol of the app's own address.
    fn own(&self) -> String {
        self.address.git_protocol().into()
    }

    fn in_mirror(&self, args: &[&str]) -> Vec<String> {
        let mirror = format!("--git-dir={}", self.place.mirror().display());
        std::iter::once(mirror).chain(args.iter().map(|it| (*it).to_owned())).collect()
    }

    async fn mirror(
        &self,
        what: &str,
        args: &[&str],
        log: &mut BuildLog,
    ) -> Result<Finished, BuildError> {
        let args = self.in_mirror(args);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.run(what, &args, self.own(), log).await
    }

    /// Git with these arguments, which must end well; what it says otherwise is in the log.
    async fn run(
        &self,
        what: &str,
        args: &[&str],
        allowed: String,
        log: &mut BuildLog,
    ) -> Result<Finished, BuildError> {
        let args: Vec<String> = args.iter().map(|it| (*it).to_owned()).collect();
        let done = self.ask(&args, allowed, false, log).await?;
        if done.exit == Exit::Status(0) {
            return Ok(done);
        }
        log.say(&format!("{what} failed:"));
        for line in done.output.lines() {
            log.line(line);
        }
        Err(BuildError::Git { what: what.into(), ending: done.exit.to_string() })
    }

    async fn ask(
        &self,
        args: &[String],
        allowed: String,
        told: bool,
        log: &mut BuildLog,
    ) -> Result<Finished, BuildError> {
        let program = Program {
            name: "git",
            args: args.iter().map(OsString::from).collect(),
            env: self.environment(allowed)?,
            cwd: self.place.source(),
            told,
        };
        run(self.builder, self.journal, program, self.limits, log).await
    }

    fn environment(&self, allowed: String) -> Result<Vec<(OsString, OsString)>, BuildError> {
        let folder = self.place.git();
        let mut variables = super::work::inherited();
        let own: [(&str, OsString); 10] = [
            ("HOME", folder.join("home").into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_CONFIG_GLOBAL", folder.join("gitconfig").into()),
            ("GIT_TERMINAL_PROMPT", "0".into()),
            ("GIT_ASKPASS", "/bin/false".into()),
            ("SSH_ASKPASS_REQUIRE", "never".into()),
            ("GIT_ALLOW_PROTOCOL", allowed.into()),
            ("GIT_ATTR_NOSYSTEM", "1".into()),
            ("GIT_LFS_SKIP_SMUDGE", "1".into()),
        ];
        variables.extend(own.map(|(name, value)| (name.into(), value)));
        if self.address.protocol != Protocol::File {
            let key = self.key.as_ref();
            variables.extend(credentials::environment(self.source, &self.address, &folder, key)?);
        }
        Ok(variables)
    }
}

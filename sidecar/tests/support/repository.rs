//! A Git repository with commits of the shop, as somebody would push them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{is_root, releases, setup};

/// Who builds where the tests are root: a system user that runs no app of theirs.
pub const BUILDER: &str = "backup";

/// A bare repository and somebody's clone of it.
pub struct Repository {
    /// What the daemon fetches from.
    pub bare: PathBuf,
    /// Where commits are made.
    pub work: PathBuf,
}

impl Repository {
    /// An empty one below a folder.
    pub fn new(folder: &Path) -> Repository {
        let repository = Repository { bare: folder.join("repo.git"), work: folder.join("work") };
        git(folder, &["init", "--quiet", "--bare", "repo.git"]);
        git(folder, &["init", "--quiet", "work"]);
        setup::open(&repository.bare);
        repository
    }

    /// One whose branch `main` is the shop at a version.
    pub fn shop(folder: &Path, version: u32) -> Repository {
        let repository = Repository::new(folder);
        let shop = releases::shop();
        for part in ["mix.exs", "config", "lib", "migrations", "rel"] {
            let mut copy = Command::new("cp");
            let copied = copy.arg("-r").arg(shop.join(part)).arg(&repository.work).status();
            assert!(copied.unwrap().success());
        }
        repository.write(".gitignore", "_build\ndeps\n");
        repository.version(version);
        repository
    }

    /// Makes the shop another version, and pushes that to `main`. The commit's id.
    pub fn version(&self, version: u32) -> String {
        for file in ["mix.exs", "config/config.exs"] {
            let text = fs::read_to_string(releases::shop().join(file)).unwrap();
            let usual = "\"SHOP_VERSION\", \"1\"";
            assert!(text.contains(usual), "{file}");
            let own = format!("\"SHOP_VERSION\", \"{version}\"");
            self.write(file, &text.replace(usual, &own));
        }
        self.push("main", &format!("Sell version {version}"))
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.work.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Commits all that there is and pushes it to a branch. The commit's id.
    pub fn push(&self, branch: &str, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        let bare = self.bare.display().to_string();
        self.git(&["push", "--quiet", "--force", &bare, &format!("HEAD:refs/heads/{branch}")]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn git(&self, args: &[&str]) -> String {
        git(&self.work, args)
    }

    /// What an app's file says to build from here. Ends in its `[source]`.
    pub fn source(&self, lines: &str) -> String {
        let user = if is_root() && !lines.contains("user =") {
            format!("user = \"{BUILDER}\"\n")
        } else {
            String::new()
        };
        format!("[source]\ngit = {:?}\n{user}keep_free = \"1MiB\"\n{lines}\n", self.bare)
    }
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([("GIT_AUTHOR_NAME", "Ana"), ("GIT_AUTHOR_EMAIL", "ana@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Ana"), ("GIT_COMMITTER_EMAIL", "ana@example.com")])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {}: {error}", args.join(" "));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

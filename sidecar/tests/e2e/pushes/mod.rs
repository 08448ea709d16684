//! From a push to a slot: webhooks, polling, pushes to the host, and who is told.

mod auto_deploy;
pub mod notifications;
mod real_builds;
mod to_the_host;
mod webhooks;

#[path = "../../../src/forge/samples.rs"]
mod samples;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use self::samples::Sample;
use super::QUICK;
use crate::support::{Host, Setup, archive, is_root, ports};

/// A host whose app is built from a repository beside it, which stands for a forge's.
pub struct Stage {
    pub host: Host,
    /// Where webhooks are taken.
    pub hooks: u16,
}

impl Stage {
    /// Starts it, with one commit of release 1 in the repository, and what else `[source]` says.
    pub async fn new(source: &str) -> Stage {
        Stage::told(source, "").await
    }

    /// The same, with what else the host's file says.
    pub async fn told(source: &str, host: &str) -> Stage {
        let hooks = ports::free();
        let lines = format!("[hooks]\nlisten = \"127.0.0.1:{hooks}\"\n{host}");
        let host = Setup::new().app("shop", QUICK).host(&lines).write();
        let archives = host.path("archives");
        std::fs::create_dir(&archives).unwrap();
        for release in [1, 2, 8] {
            std::fs::copy(archive(release), archives.join(format!("{release}.tar.gz"))).unwrap();
        }
        let mut stage = Stage { host, hooks };
        let forge = stage.forge();
        std::fs::create_dir(stage.work()).unwrap();
        git(stage.host.path("").as_path(), &["init", "-q", "--bare", "-b", "main", text(&forge)]);
        git(&stage.work(), &["init", "-q", "-b", "main", "."]);
        git(&stage.work(), &["remote", "add", "forge", text(&forge)]);
        stage.commit("1");
        stage.push("main");
        stage.write_app(&forge, source);
        stage.host.start_daemon().await;
        stage.host.start_caddy().await;
        stage
    }

    pub fn forge(&self) -> PathBuf {
        self.host.path("forge.git")
    }

    pub fn work(&self) -> PathBuf {
        self.host.path("work")
    }

    /// Writes the app's file: built from a repository. What is built is what the commit names, out of
    /// releases that were made before: here it is the pushes that count.
    pub fn write_app(&mut self, repository: &Path, source: &str) {
        let archives = self.host.path("archives");
        // Who builds must own nothing else.
        let user = if is_root() { "user = \"news\"\n" } else { "" };
        let lines = format!(
            "{QUICK}\n[source]\ngit = {repository:?}\n{user}keep_free = \"1MiB\"\n{source}\n\
             build = [\"sleep $(cat slow 2>/dev/null || echo 0)\", \"mkdir -p _build/prod/rel/shop\", \
             \"tar -xzf {}/$(cat release).tar.gz -C _build/prod/rel/shop\"]",
            archives.display()
        );
        self.host.write_app(self.host.apps[0].clone(), &lines);
    }

    /// Makes a commit of a release; its id.
    pub fn commit(&self, release: &str) -> String {
        std::fs::write(self.work().join("release"), release).unwrap();
        git(&self.work(), &["add", "-A"]);
        let subject = format!("Release {release}");
        git(&self.work(), &["commit", "-q", "--allow-empty", "-m", &subject]);
        self.head()
    }

    /// The same, which takes its time to be built.
    pub fn slow_commit(&self, release: &str, seconds: u32) -> String {
        std::fs::write(self.work().join("slow"), seconds.to_string()).unwrap();
        let made = self.commit(release);
        std::fs::remove_file(self.work().join("slow")).unwrap();
        made
    }

    pub fn head(&self) -> String {
        git(&self.work(), &["rev-parse", "HEAD"])
    }

    /// Pushes what is checked out to a branch of the forge, whatever was there.
    pub fn push(&self, branch: &str) {
        let to = format!("HEAD:refs/heads/{branch}");
        git(&self.work(), &["push", "-q", "--force", "forge", &to]);
    }

    /// Sends a request to where webhooks are taken; its status and its body.
    async fn send(&self, app: &str, sample: &Sample) -> (u16, String) {
        let mut head = format!("POST /hooks/{app} HTTP/1.1\r\nhost: x\r\n");
        for (name, value) in &sample.headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", sample.body.len()));
        raw(self.hooks, head.as_bytes(), sample.body.as_bytes()).await
    }

    /// The forge tells of a push, by GitHub's webhook under a new id.
    pub async fn tell(&self, secret: &str) -> (u16, String) {
        let mut sample = samples::github("refs/heads/main", &self.head());
        // Each push has a body of its own, as it has its time.
        sample.body = sample.body.replace("1557933657", &nanos());
        self.send("shop", &signed(sample, secret)).await
    }

    /// The app's secret, as the command line prints it.
    pub async fn secret(&self) -> String {
        let said = self.host.vial(&["auto-deploy", "shop", "secret"]).await.ends(0);
        said.out.trim().to_owned()
    }

    /// What stands in the history.
    pub async fn commits(&self) -> Vec<(u64, String, String)> {
        let mut all = self.host.client.deployments("shop", None, None).await.unwrap();
        all.reverse();
        all.into_iter()
            .map(|it| {
                let commit = it.commit.map(|it| it.sha).unwrap_or_default();
                (it.number, commit, it.status.to_string())
            })
            .collect()
    }

    /// What the status says that auto-deploy waits for.
    pub async fn note(&self) -> String {
        let auto = self.host.status("shop").await.auto_deploy.unwrap();
        auto.note.unwrap_or_default()
    }
}

fn nanos() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_nanos().to_string()
}

/// GitHub's request signed by another secret than that of the samples.
fn signed(mut sample: Sample, secret: &str) -> Sample {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(sample.body.as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|it| format!("{it:02x}")).collect();
    sample.set("x-hub-signature-256", &format!("sha256={hex}"));
    sample.set("x-github-delivery", &nanos());
    sample
}

/// Writes bytes to a port of this host, and reads what comes back.
pub async fn raw(port: u16, head: &[u8], body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(head).await.unwrap();
    // A server that has said no may not take all of it.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    (status, answer)
}

/// Git as a person runs it.
pub fn git_output(folder: &Path, args: &[&str]) -> Output {
    Command::new("git")
        .args(["-c", "user.name=Anna", "-c", "user.email=anna@example.com"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("VIAL_SOCKET")
        .output()
        .unwrap()
}

#[track_caller]
pub fn git(folder: &Path, args: &[&str]) -> String {
    let output = git_output(folder, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

//! The host of the doctor's tests, and what is asked of it each time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use vial_protocol::{Slot, SlotState};

use crate::QUICK;
use crate::figure;
use crate::support::{Host, Setup, daemon};

/// The host, and what of it a set-up breaks.
pub struct Stage {
    pub host: Host,
    /// Where its programs come from first: a `systemctl` of our own.
    pub programs: tempfile::TempDir,
    /// Its state is a file system of its own.
    pub disk: Option<Disk>,
    /// What this machine has wrong by itself, before anything is broken.
    usual: Vec<String>,
    pub count: u32,
    pub failures: Vec<String>,
}

/// A small file system in memory, gone with its test.
pub struct Disk(tempfile::TempDir);

impl Disk {
    /// `None`, with the reason printed, where nothing can be mounted.
    fn mount() -> Option<Disk> {
        let folder = tempfile::Builder::new().prefix("vial-e2e-disk-").tempdir().unwrap();
        if mounted(&["-t", "tmpfs", "-o", "mode=755,size=4g", "tmpfs"], folder.path()) {
            return Some(Disk(folder));
        }
        eprintln!("skipped: a nearly full disk: nothing can be mounted here");
        None
    }

    pub fn set(&self, options: &str) -> bool {
        mounted(&["-o", &format!("remount,{options}")], self.0.path())
    }
}

fn mounted(args: &[&str], at: &Path) -> bool {
    let done = Command::new("mount").args(args).arg(at).stderr(Stdio::null()).status();
    done.is_ok_and(|it| it.success())
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

impl Stage {
    pub async fn new() -> Stage {
        let disk = Disk::mount();
        let folder = tempfile::tempdir().unwrap();
        let mut setup = Setup::new().app("shop", QUICK);
        if let Some(disk) = &disk {
            setup = setup.state(disk.0.path().join("state"));
        }
        let host = setup.start().await;
        let mut stage = Stage {
            host,
            programs: folder,
            disk,
            usual: Vec::new(),
            count: 0,
            failures: Vec::new(),
        };
        stage.host.deploy(1).await;
        stage.host.deploy(2).await;
        stage.host.until_slot(Slot::Blue, SlotState::Stopped).await;
        stage.usual = stage.wrong().await.iter().map(message).collect();
        // How full this machine is and what it may open is not for these tests to say.
        let strange: Vec<&String> = stage
            .usual
            .iter()
            .filter(|it| !it.contains(" are free where ") && !it.contains(" files at most"))
            .collect();
        assert!(strange.is_empty(), "the sound host: {strange:?}");
        stage
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = daemon::command(&self.host.binary, &self.host.config());
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.programs.path().display()));
        command.arg("doctor").args(args).stdin(Stdio::null());
        command
    }

    async fn report(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = tokio::process::Command::from(self.command(args));
        let output = command.kill_on_drop(true).output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    /// What is wrong.
    pub async fn wrong(&self) -> Vec<Value> {
        let (code, text) = self.report(&["--json"]).await;
        let report: Value = serde_json::from_str(&text).unwrap();
        let mut all = report["findings"].as_array().unwrap().clone();
        all.retain(|it| it["level"] == "problem" || it["level"] == "warning");
        assert_eq!(code, Some(i32::from(!all.is_empty())), "{text}");
        all
    }

    /// One finding has all words of the cause, and its cure all of its own; a person reads both.
    pub async fn finds(&mut self, what: &str, cause: &[&str], cure: &[&str]) {
        self.count += 1;
        let wrong = self.wrong().await;
        let has = |text: &Value, words: &[&str]| {
            words.iter().all(|word| text.as_str().unwrap_or_default().contains(word))
        };
        let found = wrong.iter().find(|it| has(&it["message"], cause) && has(&it["cure"], cure));
        let number = self.count;
        if found.is_none() {
            self.failures.push(format!("{number}. {what}: {cause:?}, {cure:?} in {wrong:#?}"));
        }
        let (_, page) = self.report(&[]).await;
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        let missing: Vec<_> = cause.iter().chain(cure).filter(|it| !page.contains(**it)).collect();
        if found.is_some() && !missing.is_empty() {
            self.failures.push(format!("{number}. {what}: {missing:?} is not on the page: {page}"));
        }
        figure!("doctor {number}. {what}");
    }

    /// All is well again, but for what this machine has.
    pub async fn is_mended(&mut self) {
        let mut wrong = self.wrong().await;
        wrong.retain(|it| !self.is_usual(&message(it)));
        if !wrong.is_empty() {
            self.failures.push(format!("{}. is mended, and yet {wrong:#?}", self.count));
        }
    }

    fn is_usual(&self, message: &str) -> bool {
        self.usual.iter().any(|it| it == message) || message.contains(" are free where ")
    }

    pub fn file(&self) -> String {
        self.host.config().display().to_string()
    }

    pub fn state(&self, below: &str) -> PathBuf {
        self.host.state.join(below)
    }
}

pub fn message(finding: &Value) -> String {
    finding["message"].as_str().unwrap().to_owned()
}

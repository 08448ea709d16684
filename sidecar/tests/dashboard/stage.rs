//! A host with a dashboard, and what a script may ask of it.

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::releases::text;
use super::support::setup::DASHBOARD;
use super::support::stub::Stub;
use super::support::{Host, Repository, Setup, archive, setup};

/// A host with a dashboard.
pub struct Stage {
    pub host: Host,
    /// Where the shop's database lies.
    _database: Option<TempDir>,
    /// Where it is built from.
    source: Option<(TempDir, Repository)>,
}

/// Starts a host that has a dashboard too.
pub async fn open(setup: Setup) -> Stage {
    Stage { host: setup.dashboard().start().await, _database: None, source: None }
}

/// One whose shop has a database, from version 8 on.
pub async fn with_database() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let lines = database_lines(folder.path());
    let mut stage = open(Setup::new().app("shop", &lines)).await;
    stage._database = Some(folder);
    stage
}

/// One whose app is built from a repository, by a copy.
pub async fn with_source() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    setup::open(folder.path());
    let source = Repository::new(folder.path());
    let build = "release_path = \"out\"\n\
                 build = [\"echo 'Compiling the shop'\", \"cp -r release out\"]";
    let lines = format!("{}\n{}", super::QUICK, source.source(build));
    let mut stage = open(Setup::new().app("shop", &lines)).await;
    stage.source = Some((folder, source));
    stage
}

/// One that has something to show on every page: names as long as they may be, an app that never was
/// deployed, one that fails, and a history of many deployments.
pub async fn gallery() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let lines = database_lines(folder.path());
    let setup = Setup::new()
        .app("shop", &lines)
        .worker("empty", super::QUICK)
        .worker("a_name_as_long_as_a_name_may_be_", super::QUICK);
    let mut stage = open(setup).await;
    stage._database = Some(folder);
    let file = stage.host.path("gallery.env");
    std::fs::write(&file, "GREETING=Hello\nPOOL_SIZE=10\nPAYMENTS_KEY=4711\n").unwrap();
    stage.host.vial(&["env", "shop", "import", text(&file)]).await.ends(0);
    for version in [12, 4, 8] {
        stage.deploy(version).await;
    }
    stage
}

fn database_lines(folder: &Path) -> String {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let file = folder.join("shop.db");
    let mut lines = format!("{}\nhealth = {{ deadline = \"4s\" }}\n", super::QUICK);
    lines.push_str("migrate = \"Shop.Release.migrate()\"\nrepos = [\"Shop.Repo\"]\n");
    let slot = format!("{{ SHOP_DB = {file:?} }}");
    writeln!(lines, "slot_env = {{ blue = {slot}, green = {slot} }}").unwrap();
    lines
}

impl Stage {
    /// Where a browser finds the dashboard.
    pub fn url(&self) -> String {
        format!("http://{DASHBOARD}:{}", self.host.web)
    }

    /// Deploys a version of the shop, to its end, whichever that is.
    pub async fn deploy(&self, version: u32) {
        let path = archive(version);
        self.host.vial(&["deploy", "shop", text(&path), "--allow-destructive"]).await;
    }

    /// Does what a script asks for. What it answers, or why it could not.
    pub async fn obey(&mut self, ask: &str, args: &[String]) -> Result<Value, String> {
        match ask {
            "vial" => {
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let said = self.host.vial(&args).await;
                Ok(json!({ "code": said.code, "out": said.out, "err": said.err }))
            }
            "archive" => {
                let version = args.first().and_then(|it| it.parse().ok());
                let version = version.ok_or("an archive has a version")?;
                Ok(json!(text(&archive(version))))
            }
            "push" => self.push(args),
            "kill_daemon" => {
                self.host.kill_daemon();
                Ok(Value::Null)
            }
            "end_daemon" => {
                let status = self.host.end_daemon(Signal::SIGTERM).await;
                Ok(json!(status.code()))
            }
            "start_daemon" => {
                self.host.start_daemon().await;
                Ok(Value::Null)
            }
            other => Err(format!("the stage cannot `{other}`")),
        }
    }

    /// Pushes a release of a version that takes so many milliseconds to start, or, without a version,
    /// a commit that cannot be built.
    fn push(&self, args: &[String]) -> Result<Value, String> {
        let (folder, source) = self.source.as_ref().ok_or("there is no source here")?;
        let number = |text: &String| text.parse::<u32>().map_err(|error| error.to_string());
        match args {
            [] => {
                std::fs::remove_dir_all(source.work.join("release")).unwrap();
                source.push("main", "A mistake");
            }
            [version, slow @ ..] => {
                let mut stub = Stub::new(number(version)?);
                for slow in slow {
                    stub = stub.option("--slow", number(slow)?);
                }
                stub.push(source, folder.path());
            }
        }
        Ok(Value::Null)
    }
}

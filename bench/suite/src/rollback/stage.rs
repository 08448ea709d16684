//! The ground: a daemon with the shop, and a shell script with the same, each behind its own Caddy.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use vial::app::paths::Layout;
use vial::slot::User;
use vial::slot::environment::{Distribution, StartEnvironment};
use vial_demo::by_hand::With;
use vial_demo::ground::Ground;
use vial_demo::place::{APP, Settings};
use vial_demo::trouble::{Trouble, trying};
use vial_protocol::{Deployment, Slot};

use crate::apps::millis;
use crate::host::Tools;
use crate::script::{self, Colour};

/// The version of the shop that is measured: with the library inside, without which nothing is
/// frozen, and with a database.
const SHOP: &str = "shop-14";

/// All that runs.
pub(super) struct Stage {
    pub(super) ground: Ground,
    pub(super) script: script::Ground,
    pub(super) with: With,
    /// Both archives.
    pub(super) archives: [PathBuf; 2],
    /// The releases that were brought last by each, by the number of their deployment.
    pub(super) numbers: [u64; 2],
    /// Which of them serves.
    pub(super) serving: usize,
    pub(super) frozen_for: Duration,
    settings: Settings,
    folder: TempDir,
}

impl Stage {
    /// Starts all of it, and deploys both releases.
    pub(super) async fn prepare(tools: &Tools) -> Result<Stage, Trouble> {
        let folder = tempfile::Builder::new()
            .prefix("vial-bench-shop-")
            .tempdir()
            .map_err(trying("a temporary folder"))?;
        let archives = archives(tools, folder.path())?;
        let mut settings =
            Settings { user: tools.user.clone(), bake: "0s", drain: "1s", more: String::new() };
        let ground = Ground::prepare(&tools.vial, &settings).await?;
        let prepared = async {
            let database = database(&ground, tools.user.as_deref())?;
            let file = ground.place.root().join("shop.env");
            fs::write(&file, format!("SHOP_DB={}\n", database.display()))
                .map_err(trying("the app's environment"))?;
            settings.more = format!("env_file = {file:?}\nmigrate = \"Shop.Release.migrate()\"");
            configure(&ground, &settings, "").await?;
            let mut numbers = [0; 2];
            for (number, archive) in numbers.iter_mut().zip(&archives) {
                *number = ground.deploy(archive).await?;
                ground.settled().await?;
            }
            let with = With {
                user: tools.user.clone(),
                nif: tools.vial.parent().map(|it| it.join("libvial_nif.so")),
                env_file: vec![("SHOP_DB".into(), database.to_string_lossy().into_owned())],
            };
            let with = With { nif: with.nif.filter(|it| it.is_file()), ..with };
            let script = by_script(tools, &ground, &with).await?;
            Ok::<_, Trouble>((numbers, with, script))
        };
        match prepared.await {
            Ok((numbers, with, script)) => Ok(Stage {
                ground,
                script,
                with,
                archives,
                numbers,
                serving: 1,
                frozen_for: Duration::from_secs(if tools.quick { 1 } else { 3 }),
                settings,
                folder,
            }),
            Err(trouble) => {
                let _ = ground.end().await;
                Err(trouble)
            }
        }
    }

    /// The release that does not serve.
    pub(super) fn other(&self) -> usize {
        1 - self.serving
    }

    /// The slot that is free.
    pub(super) fn idle(&self) -> Slot {
        let active = self.ground.watch.now().and_then(|status| status.active);
        active.map_or(Slot::Blue, Slot::other)
    }

    /// What the app's file says from now on, beside what it always does.
    pub(super) async fn configure(&self, line: &str) -> Result<(), Trouble> {
        configure(&self.ground, &self.settings, line).await
    }

    /// The newest deployment, whole.
    pub(super) async fn last(&self) -> Result<Option<Deployment>, Trouble> {
        let all = self.ground.client.deployments(APP, None, Some(1)).await?;
        match all.first() {
            Some(it) => Ok(Some(self.ground.client.deployment(APP, it.number).await?)),
            None => Ok(None),
        }
    }

    /// Comes back from a turn that failed: nothing in progress, the idle slot empty, and it is known
    /// who serves.
    pub(super) async fn recover(&mut self) -> Result<(), Trouble> {
        self.configure("").await?;
        self.ground.settled().await?;
        let serving = self.ground.watch.now().and_then(|it| it.serving).map(|it| it.number);
        let known = self.numbers.iter().position(|it| Some(*it) == serving);
        self.serving = known.unwrap_or(self.serving);
        Ok(())
    }

    /// How long a command takes that asks nothing of the daemon, in milliseconds.
    pub(super) async fn commands(&self, times: usize) -> Result<Vec<f64>, Trouble> {
        let mut took = Vec::new();
        for _ in 0..times {
            let began = tokio::time::Instant::now();
            self.ground.vial(&["--version"]).await?;
            took.push(millis(began.elapsed()));
        }
        Ok(took)
    }

    pub(super) async fn end(self) -> Result<(), Trouble> {
        let script = self.script.end().await;
        let ground = self.ground.end().await;
        let folder = self.folder.close().map_err(trying("a temporary folder"));
        script.and(ground).and(folder)
    }
}

async fn configure(ground: &Ground, settings: &Settings, line: &str) -> Result<(), Trouble> {
    let more = format!("{}\n{line}", settings.more);
    let settings = Settings { more, ..settings.clone() };
    ground.place.write_app(&settings).map_err(trying("the app's file"))?;
    let reloaded = ground.client.reload().await?;
    match reloaded.problems.into_iter().next() {
        Some(problem) => Err(Trouble::Failed { problem: Box::new(problem) }),
        None => Ok(()),
    }
}

/// The shop's archive, and another of the same program: a release is gone back to only where it is
/// another one than the one that serves.
fn archives(tools: &Tools, folder: &Path) -> Result<[PathBuf; 2], Trouble> {
    let first = tools.shop.join(format!("{SHOP}.tar.gz"));
    let again = copy(tools, folder)?;
    fs::write(again.join("again.txt"), "the same program\n").map_err(trying("a release"))?;
    let second = folder.join("again.tar.gz");
    let out = fs::File::create(&second).map_err(trying("an archive"))?;
    vial::release::pack(&again, out)
        .map_err(|error| trying("an archive")(std::io::Error::other(error)))?;
    Ok([first, second])
}

fn copy(tools: &Tools, folder: &Path) -> Result<PathBuf, Trouble> {
    let to = folder.join("shop");
    let copied = Command::new("cp").arg("-r").arg(tools.shop.join(SHOP)).arg(&to).status();
    match copied.map_err(trying("cp"))?.success() {
        true => Ok(to),
        false => Err(trying("a copy of the shop")(std::io::Error::other("cp failed"))),
    }
}

/// A place for the shop's database, which its user may write.
fn database(ground: &Ground, user: Option<&str>) -> Result<PathBuf, Trouble> {
    let user = match user {
        Some(name) => User::find(name).map_err(trying("the app's user"))?,
        None => None,
    };
    Ok(ground.place.folder_of("database", user.as_ref())?.join("shop.db"))
}

/// The script's ground: the same release, the same environment, the same epmd.
async fn by_script(tools: &Tools, ground: &Ground, with: &With) -> Result<script::Ground, Trouble> {
    let script = tools.root.join("bench/script/rollback.sh");
    let layout = Layout::new(&ground.place.state()).app(APP);
    let cookie = fs::read_to_string(layout.cookie()).map_err(trying("the app's cookie"))?;
    let (epmd_port, vial_socket) = (ground.place.epmd, ground.place.socket());
    script::Ground::start(&script, tools.user.as_deref(), "1", |folder, ports| {
        let release = copy(tools, folder)?;
        let colour = |slot: Slot, port: u16| {
            let tmp = folder.to_owned();
            let environment = StartEnvironment {
                app: "script".into(),
                release_name: APP.into(),
                slot,
                run_id: "by-script".into(),
                port: Some(port),
                node_host: "127.0.0.1".into(),
                cookie: cookie.trim().into(),
                helper_cookie: None,
                nodes: layout.nodes(),
                mode: None,
                crash_dump: tmp.join("erl_crash.dump"),
                home: tmp.join("caddy"),
                tmp,
                user: with.user.clone().unwrap_or_default(),
                nif: with.nif.clone(),
                vial_socket: vial_socket.clone(),
                epmd_port,
                distribution: Distribution::Loopback,
                inherited: std::env::vars_os().collect(),
                env_file: with.env_file.clone(),
                kept: Vec::new(),
                slot_env: Vec::new(),
            };
            let env: BTreeMap<String, String> = environment
                .for_start()
                .into_iter()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect();
            Colour { program: release.join("bin").join(APP), env }
        };
        let [blue, green] = ports;
        Ok([colour(Slot::Blue, blue), colour(Slot::Green, green)])
    })
    .await
}

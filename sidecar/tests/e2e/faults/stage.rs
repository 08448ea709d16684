//! A host with an app that starts in milliseconds, and a load that counts what is lost.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use vial::client::{ClientError, Upload};
use vial_load::{Load, Running, Target};
use vial_protocol::request::Deploy;
use vial_protocol::{AppStatus, Deployment, Desired, SlotState};

use crate::support::repository::BUILDER;
use crate::support::stub::Stub;
use crate::support::{Host, Repository, Setup, is_root};

/// How long an app may take to come to rest.
const REST: Duration = Duration::from_secs(40);
/// How long an armed daemon may take to come to its point.
const DEATH: Duration = Duration::from_secs(30);
/// What follows the end of a deployment, such as the removal of old releases, has come by then.
const AT_REST: Duration = Duration::from_millis(600);

/// The host.
pub struct Stage {
    /// With one app, `shop`.
    pub host: Host,
    /// Where the releases are made.
    pub releases: PathBuf,
    /// What runs as a release.
    pub beam: Beam,
    /// What the app's file says in any case.
    usual: String,
    /// Where its source is, for what is built.
    repository: Repository,
    load: Option<Running>,
}

/// What runs as a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beam {
    /// A stub, which starts in milliseconds.
    Stub,
    /// The shop, on a real BEAM.
    Shop,
}

impl Stage {
    /// Starts it, with what the app's file says always, and what it says at first; nothing is
    /// deployed.
    pub async fn new(beam: Beam, usual: &str, lines: &str) -> Stage {
        let setup = Setup::new().app("shop", &format!("{usual}{lines}"));
        let mut host = setup.write();
        std::fs::create_dir(host.path("faults")).unwrap();
        let folder = host.path("database");
        std::fs::create_dir(&folder).unwrap();
        // The app's user writes it.
        open_to_all(&folder);
        let file = host.path("shop.env");
        std::fs::write(
            &file,
            format!("STUB_DB={0}/applied\nSHOP_DB={0}/shop.db\n", folder.display()),
        )
        .unwrap();
        let usual = std::fs::read_to_string(host.path("apps/shop.toml")).unwrap();
        let usual = usual.replace(lines, "");
        let repository = Repository::new(host.folder.path());
        let usual = format!("source = {}\nenv_file = {file:?}\n{usual}", source(&repository));
        std::fs::write(host.path("apps/shop.toml"), format!("{lines}{usual}")).unwrap();
        host.start_daemon().await;
        host.start_caddy().await;
        let releases = host.path("made");
        std::fs::create_dir(&releases).unwrap();
        Stage { host, releases, beam, usual, repository, load: None }
    }

    /// Changes what the app's file says besides.
    pub async fn configure(&self, lines: &str) {
        let text = format!("{lines}{}", self.usual);
        std::fs::write(self.host.path("apps/shop.toml"), text).unwrap();
        let report = self.host.client.reload().await.unwrap();
        assert!(report.problems.is_empty(), "{report:?}");
    }

    /// Sends requests from now on. A status from `fails` on is a failure.
    pub fn send(&mut self, fails: u16) {
        let target = Target {
            address: ([127, 0, 0, 1], self.host.web).into(),
            host: format!("shop.localhost:{}", self.host.web),
        };
        let load = Load::new(target).keep_alive(40, 4).fresh(15).slow(3, 100).post(5);
        let load = load.expect_status_below(fails);
        self.load = Some(load.start());
    }

    /// Whether requests are sent.
    pub fn is_sending(&self) -> bool {
        self.load.is_some()
    }

    /// Ends the load: how many requests there were. None may have failed.
    #[track_caller]
    pub fn sent(&mut self) -> impl Future<Output = u64> + use<> {
        let (load, caller) = (self.load.take().unwrap(), std::panic::Location::caller());
        async move {
            let report = load.stop().await;
            assert_eq!(report.failed(), 0, "{caller}: {report}");
            report.sent()
        }
    }

    /// An archive of a stub.
    pub fn stub(&self, stub: &Stub) -> PathBuf {
        stub.archive(&self.releases)
    }

    /// Pushes a stub, whose build is a copy.
    pub fn commit(&self, stub: &Stub) {
        stub.push(&self.repository, &self.releases);
    }

    /// Asks for a deploy; its number.
    pub async fn deploy(&self, archive: &Path) -> Result<u64, ClientError> {
        let path = archive.to_owned();
        let upload = Upload::new(move |to| {
            std::io::copy(&mut std::fs::File::open(path)?, to)?;
            Ok(())
        });
        let asked = Deploy { allow_destructive: true, ..Deploy::default() };
        let accepted = timeout(REST, self.host.client.deploy("shop", &asked, upload)).await;
        Ok(accepted.expect("a deploy is answered")?.deployment.unwrap())
    }

    /// Deploys, until all is at rest.
    pub async fn deployed(&self, archive: &Path) -> AppStatus {
        let number = self.deploy(archive).await.unwrap();
        let status = self.rest().await;
        assert_eq!(status.serving.as_ref().map(|it| it.number), Some(number), "{status:#?}");
        status
    }

    /// The status when nothing is in progress, and only the active slot runs.
    pub async fn rest(&self) -> AppStatus {
        self.host.until("shop", rests).await
    }

    /// The history, newest first, with its steps left out.
    pub async fn history(&self) -> Vec<Deployment> {
        let mut all: Vec<Deployment> = Vec::new();
        loop {
            let before = all.last().map(|it| it.number);
            let page = self.host.client.deployments("shop", before, None).await.unwrap();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    // Points

    /// The daemon shall die there.
    pub fn arm(&self, point: &str) {
        std::fs::write(self.host.path("faults/at"), point).unwrap();
    }

    /// The same, for a name that goes on.
    pub fn arm_prefix(&self, point: &str) {
        self.arm(&format!("{point}*"));
    }

    /// It shall not die any more.
    pub fn disarm(&self) {
        let _ = std::fs::remove_file(self.host.path("faults/at"));
    }

    /// Which points it has passed, each once, in their order; and forgets them.
    pub fn passed(&self) -> Vec<String> {
        let file = self.host.path("faults/passed");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let _ = std::fs::remove_file(file);
        let mut points = Vec::<String>::new();
        for point in text.lines() {
            if !points.iter().any(|it| it == point) {
                points.push(point.to_owned());
            }
        }
        points
    }

    /// Waits until it has died at its point; `false` where all has come to rest without.
    pub async fn died(&mut self) -> bool {
        let mut rested = None;
        let deadline = Instant::now() + DEATH;
        while Instant::now() < deadline {
            if self.host.daemon_ends(Duration::from_millis(20)).await {
                return true;
            }
            match self.host.client.app("shop").await {
                Ok(status) if rests(&status) => {
                    let since = *rested.get_or_insert_with(Instant::now);
                    if since.elapsed() > AT_REST {
                        return false;
                    }
                }
                _ => rested = None,
            }
        }
        false
    }

    /// What is applied to the stub's database.
    pub fn applied(&self) -> Vec<u64> {
        let text = std::fs::read_to_string(self.host.path("database/applied")).unwrap_or_default();
        text.lines().map(|it| it.parse().unwrap()).collect()
    }

    /// Waits until a status satisfies `enough`, or the daemon is gone, or some time has passed.
    pub async fn until_or_gone(&self, enough: impl Fn(&AppStatus) -> bool) {
        let deadline = Instant::now() + DEATH;
        while Instant::now() < deadline {
            match self.host.client.app("shop").await {
                Ok(status) if enough(&status) => return,
                Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(_) => return,
            }
        }
    }
}

fn rests(status: &AppStatus) -> bool {
    let idle = status.slots.iter().filter(|it| Some(it.slot) != status.active);
    status.deployment.is_none()
        && status.queued.is_none()
        && idle.into_iter().all(|it| {
            it.state == SlotState::Stopped || it.standby.as_ref().is_some_and(|it| it.ready)
        })
        && status.active.is_none_or(|active| {
            let state = status.slot(active).unwrap().state;
            let stopped = status.desired == Desired::Stopped && state == SlotState::Stopped;
            state == SlotState::Running || stopped
        })
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
}

fn source(repository: &Repository) -> String {
    let user = if is_root() { format!("user = {BUILDER:?}, ") } else { String::new() };
    format!(
        "{{ git = {:?}, {user}keep_free = \"1MiB\", release_path = \"out\", build = [\"cp -r release \
         out\"] }}",
        repository.bare
    )
}

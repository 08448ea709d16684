//! A release that is started as a person would start it, with no Vial between them: the floor.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tokio::time::Instant;
use vial::app::paths::Layout;
use vial::slot::User;
use vial::slot::environment::{Distribution, StartEnvironment};
use vial_protocol::Slot;

use crate::place::{APP, HOST, Place};
use crate::probe::Question;
use crate::program::Program;
use crate::trouble::{Trouble, trying};

/// How long it may take to be healthy, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who starts it, and with what beside the slot's own.
#[derive(Debug, Clone, Default)]
pub struct With {
    /// Whom it runs as; needed where we are root.
    pub user: Option<String>,
    /// The NIF that the daemon names to what it starts.
    pub nif: Option<PathBuf>,
    /// What the app's `env_file` says.
    pub env_file: Vec<(String, String)>,
}

/// Starts a release where the daemon would start it, waits for its first healthy answer, renames a
/// file as a switch does, and ends it. How long that took from the start.
///
/// The slot must be empty, and `visitor` asks the other one all the while, as during a rollback:
/// that takes its part of the host in both. Folder, environment, mode, node name and user are those of the slot, so
/// that nothing is measured but what the daemon adds.
///
/// # Errors
/// Where it does not become healthy.
pub async fn start(
    place: &Place,
    with: &With,
    slot: Slot,
    release: u64,
    visitor: &Question,
) -> Result<Duration, Trouble> {
    let layout = Layout::new(&place.state()).app(APP);
    let user = with.user.as_deref();
    let found = match user {
        Some(name) => User::find(name),
        None => User::current(),
    };
    let as_whom = found.map_err(trying("the app's user"))?;
    let cookie = fs::read_to_string(layout.cookie()).map_err(trying("the app's cookie"))?;
    let log = place.root().join("by-hand.log");
    let environment = StartEnvironment {
        app: APP.into(),
        release_name: APP.into(),
        slot,
        run_id: "by-hand".into(),
        port: Some(place.port(slot)),
        node_host: "127.0.0.1".into(),
        cookie: cookie.trim().into(),
        helper_cookie: None,
        nodes: layout.nodes(),
        mode: None,
        tmp: layout.tmp(slot),
        crash_dump: layout.crash_dump(slot),
        home: as_whom.as_ref().map_or_else(|| layout.work(slot), |user| user.home.clone()),
        user: as_whom.as_ref().map_or_else(String::new, |user| user.name.clone()),
        nif: with.nif.clone(),
        vial_socket: place.socket(),
        epmd_port: place.epmd,
        distribution: Distribution::Loopback,
        inherited: std::env::vars_os().collect(),
        env_file: with.env_file.clone(),
        kept: Vec::new(),
        slot_env: Vec::new(),
    };
    // Made before the clock starts, as the slot's log is.
    File::options().create(true).append(true).open(&log).map_err(trying("a log"))?;
    for folder in [layout.work(slot), layout.tmp(slot)] {
        fs::create_dir_all(&folder).map_err(trying(folder.display().to_string()))?;
        if let (Some(_), Some(user)) = (user, &as_whom) {
            chown(&folder, Some(user.uid), Some(user.gid)).map_err(trying("the slot's folder"))?;
        }
    }
    let mut command = Command::new(layout.release(release).join("bin").join(APP));
    command.arg("start").env_clear().envs(environment.for_start());
    command.current_dir(layout.work(slot));
    // The switch is a rename in a folder that Caddy looks into.
    let flag = place.root().join("by-hand.flag");
    let health = Question {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, place.port(slot))),
        host: HOST.into(),
        path: "/health",
    };

    let began = Instant::now();
    let program =
        Program::start("the release", command, as_whom.as_ref().filter(|_| user.is_some()), &log)?;
    let healthy = tokio::select! {
        healthy = health.first(PATIENCE, |answer| answer.status == 200) => healthy,
        _ = visitor.first(PATIENCE * 2, |_| false) => None,
    };
    let switched = Instant::now();
    fs::write(&flag, "")
        .and_then(|()| fs::rename(&flag, flag.with_extension("set")))
        .map_err(trying("a flag"))?;
    let switched = switched.elapsed();
    program.end(PATIENCE).await?;
    healthy.map(|at| at - began + switched).ok_or(Trouble::Waited {
        what: "a healthy answer of the release that was started by hand".into(),
        seconds: PATIENCE.as_secs(),
    })
}

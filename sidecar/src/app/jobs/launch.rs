//! Starting a release in a slot, and what every program of a release is started with.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, TryFutureExt};
use jiff::Timestamp;
use vial_protocol::{Code, Problem, Slot};

use super::whom::user;
use super::{Looked, start};
use crate::app::context::Context;
use crate::app::machine::RunId;
use crate::config::{Check as Wanted, Distribution as Reach, Mode, Start};
use crate::fault;
use crate::log;
use crate::secret_file::random;
use crate::slot::ahead;
use crate::slot::environment::{Distribution, StartEnvironment};
use crate::slot::epmd::{self, Epmd};
use crate::slot::family::HEALTH;
use crate::slot::health::{Check, CommandCheck, Probe};
use crate::slot::{Output, Process, Spec, User, crash_dump, env_file, heart, port, spawn};
use crate::store::journal::OpenRun;

/// A release that was started.
pub(in crate::app) struct Launched {
    /// Its process.
    pub(in crate::app) process: Process,
    /// Where its output begins in the slot's log.
    pub(in crate::app) log_offset: u64,
}

/// Starts a release: everything is prepared, the process waits, the journal has it, and only then
/// it becomes the release.
pub(in crate::app) async fn launch(
    context: &Arc<Context>,
    slot: Slot,
    run: RunId,
    release: u64,
    version: u64,
) -> Result<Launched, Problem> {
    let failed = |error: &dyn std::fmt::Display| {
        Problem::new(Code::StartFailed, format!("The release could not be started: {error}"))
            .next("`vial doctor`")
    };
    let folder = context.layout.release(release);
    tokio::task::spawn_blocking(move || ahead::read(&folder));
    let (_, environment, log_offset, named) = tokio::try_join!(
        port_is_free(context, slot),
        prepare(context, slot, context.marker(run), version).map_err(|error| failed(&error)),
        renew_log(context, slot).map_err(|error| failed(&error)),
        epmd::names(context.daemon.epmd_port).map(|names| Ok(names.is_ok())),
    )?;
    if !named {
        start_epmd(context, release).await?;
    }
    let env = environment.for_start();
    let (program, args, env) =
        start::how(context, slot, release, env).await.map_err(|error| failed(&error))?;
    let spec = Spec {
        binary: context.daemon.binary.clone(),
        program,
        args,
        env,
        cwd: context.layout.work(slot),
        user: user(context),
        output: Output::Append(context.layout.log(slot)),
        restraint: None,
    };
    let waiting = spawn(&spec).map_err(|error| failed(&error))?;
    fault::point(|| "spawn: waits".into());
    let identity = waiting.identity.clone();
    let row = OpenRun {
        run,
        slot,
        release,
        pid: identity.pid,
        start_ticks: identity.start_ticks,
        boot_id: identity.boot_id,
        log_offset,
        started_at: Timestamp::now(),
    };
    // Dropped without being let go, the process ends without having been the release.
    context.daemon.store.run_started(context.app(), row).await.map_err(|error| failed(&error))?;
    let process = waiting.open().map_err(|error| failed(&error))?;
    fault::point(|| "spawn: let go".into());
    Ok(Launched { process, log_offset })
}

/// Begins the slot's log anew where it has become long. Where what is written next will stand.
async fn renew_log(context: &Arc<Context>, slot: Slot) -> io::Result<u64> {
    let log = context.layout.log(slot);
    let renewed = tokio::task::spawn_blocking(move || {
        match log::renew(&log) {
            Ok(false) => {}
            Ok(true) => tracing::info!(log = %log.display(), "the log is in a shorter file now"),
            Err(error) => tracing::error!(log = %log.display(), %error, "the log stays as it is"),
        }
        log::len(&log)
    });
    renewed.await.map_err(io::Error::other)?
}

/// Makes the slot's folders and its environment.
pub(in crate::app) async fn prepare(
    context: &Arc<Context>,
    slot: Slot,
    marker: String,
    version: u64,
) -> Result<StartEnvironment, String> {
    let context = context.clone();
    let work = move || {
        folders(&context, slot).map_err(|error| error.to_string())?;
        environment(&context, slot, marker, version)
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}

async fn port_is_free(context: &Arc<Context>, slot: Slot) -> Result<(), Problem> {
    let Some(number) = context.config.port(slot) else { return Ok(()) };
    let found = tokio::task::spawn_blocking(move || port::listener(number)).await;
    match found {
        Ok(Ok(Some(listener))) => Err(Problem::new(
            Code::PortTaken,
            format!("Port {number} of the {slot} slot is held by {}.", who(&listener)),
        )
        .next(format!(
            "end that process, or give {} other `ports`; `ss -ltnp 'sport = :{number}'` shows it",
            context.app()
        ))),
        // Where it cannot be seen, the release says it soon enough.
        _ => Ok(()),
    }
}

fn who(listener: &port::Listener) -> String {
    match (&listener.name, listener.pid) {
        (Some(name), Some(pid)) => format!("{name} (pid {pid})"),
        (None, Some(pid)) => format!("the process with pid {pid}"),
        _ => "a process of another user".into(),
    }
}

/// Sees to it that the nodes can find each other, where they cannot.
async fn start_epmd(context: &Arc<Context>, release: u64) -> Result<(), Problem> {
    let wanted = Epmd {
        binary: context.daemon.binary.clone(),
        program: epmd::program_of(&context.layout.release(release)),
        port: context.daemon.epmd_port,
        open: context.config.distribution == Reach::Cluster,
        user: user(context),
        log: context.layout.slots().join("epmd.log"),
    };
    match epmd::start(&wanted).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Problem::new(Code::StartFailed, error.to_string())
            .next("set `epmd_port` to a free port in the host's configuration")),
    }
}

/// The slot's own folder, the app's to write in.
fn folders(context: &Context, slot: Slot) -> io::Result<()> {
    for folder in [context.layout.work(slot), context.layout.tmp(slot)] {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        own(context, &folder)?;
    }
    crash_dump::prepare(&context.layout.crash_dump(slot), user(context).as_ref())
}

fn own(context: &Context, path: &Path) -> io::Result<()> {
    match &context.config.user {
        Some(user) => std::os::unix::fs::lchown(path, Some(user.uid), Some(user.gid)),
        None => Ok(()),
    }
}

/// What a program of the release in a slot is started with: as the files say it now, and with a
/// version of what Vial keeps.
fn environment(
    context: &Context,
    slot: Slot,
    marker: String,
    version: u64,
) -> Result<StartEnvironment, String> {
    let config = &context.config;
    let env_file = match &config.env_file {
        Some(path) => {
            let read = env_file::read(path).map_err(|error| error.to_string())?;
            for warning in &read.warnings {
                tracing::warn!(app = context.app(), %warning, "env_file");
            }
            read.variables
        }
        None => Vec::new(),
    };
    let kept = context.values(version)?;
    let slot_env = config.slot_env.of(slot);
    let own = env_file.iter().chain(&kept).map(|(name, value)| (name.as_str(), value.as_str()));
    let own = own.chain(slot_env.iter());
    if let Some(error) = heart::turned_on(own) {
        return Err(error.to_string());
    }
    let mode = config.mode.map(Mode::as_str);
    if let Some(mode) = mode {
        let mut own = env_file.iter().chain(&kept).rev();
        let theirs = own.find(|(name, _)| name == "RELEASE_MODE").map(|(_, value)| value);
        if theirs.is_some_and(|theirs| theirs != mode) {
            tracing::warn!(app = context.app(), mode, "`mode` wins over the app's RELEASE_MODE");
        }
    }
    let helper_cookie = match config.start {
        Start::Direct => Some(random::<16>().map_err(|error| error.to_string())?),
        Start::Script => None,
    };
    let user = match user(context) {
        Some(user) => Some(user),
        None => User::current().map_err(|error| error.to_string())?,
    };
    Ok(StartEnvironment {
        app: config.name.clone(),
        release_name: config.release.clone(),
        slot,
        run_id: marker,
        port: config.port(slot),
        node_host: config.node_host.clone(),
        cookie: context.cookie.clone(),
        helper_cookie,
        nodes: context.layout.nodes(),
        mode,
        tmp: context.layout.tmp(slot),
        crash_dump: context.layout.crash_dump(slot),
        home: user.as_ref().map_or_else(|| context.layout.work(slot), |user| user.home.clone()),
        user: user.map_or_else(|| "nobody".into(), |user| user.name),
        vial_socket: context.daemon.host.socket(),
        nif: shipped_nif(&context.daemon.binary),
        epmd_port: context.daemon.epmd_port,
        distribution: match config.distribution {
            Reach::Loopback => Distribution::Loopback,
            Reach::Cluster => Distribution::Cluster,
        },
        inherited: std::env::vars_os().collect(),
        env_file,
        kept,
        slot_env: slot_env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
    })
}

/// Where a package puts it, from the folder of the binary, and where a build leaves it. An app that
/// was built without Rust loads it from there.
const NIF: [&str; 2] = ["../lib/vial/libvial_nif.so", "libvial_nif.so"];

fn shipped_nif(binary: &Path) -> Option<PathBuf> {
    // `/proc/self/exe` names the file; only its folder counts, so a binary that was replaced since,
    // whose link ends in " (deleted)", is as good.
    let binary = std::fs::read_link(binary).unwrap_or_else(|_| binary.to_owned());
    let folder = binary.parent()?;
    NIF.iter().find_map(|name| folder.join(name).canonicalize().ok())
}

/// The host name that the app is asked for.
pub(in crate::app) fn host(context: &Context) -> String {
    let first = context.config.hosts.first().map(|host| host.replacen('*', "www", 1));
    first.unwrap_or_else(|| "localhost".into())
}

/// How the app is asked for its health; absent where being alive is enough.
pub(in crate::app) fn probe(context: &Context, looked: Looked) -> Option<Probe> {
    let Looked { slot, run, release, environment: version, .. } = looked;
    match &context.config.health.check {
        Wanted::Http { path, status } => Some(Probe::Http(Check {
            port: context.config.port(slot)?,
            path: path.clone(),
            status: *status,
            host: host(context),
        })),
        Wanted::Command(command) => {
            let marker = format!("{}{HEALTH}", context.marker(run));
            let environment = environment(context, slot, marker.clone(), version).ok()?;
            let (program, args) = command.split_first()?;
            let folder = context.layout.release(release);
            // What is named by a path is the release's own; a bare name is looked up.
            let program = match program.contains('/') {
                true => folder.join(program),
                false => program.into(),
            };
            Some(Probe::Command(CommandCheck {
                binary: context.daemon.binary.clone(),
                program,
                args: args.iter().map(OsString::from).collect(),
                env: environment.for_remote(),
                cwd: folder,
                user: user(context),
                run_id: marker,
            }))
        }
        Wanted::Alive(_) => None,
    }
}

/// How long a release must live to count as healthy, where that is all that is asked.
pub(in crate::app) fn alive(context: &Context) -> Duration {
    match context.config.health.check {
        Wanted::Alive(time) => time,
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nif_of_a_package_is_found_from_a_link_to_a_binary_that_was_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let usr = folder.path().canonicalize().unwrap();
        for below in ["bin", "lib/vial"] {
            std::fs::create_dir_all(usr.join(below)).unwrap();
        }
        let nif = usr.join("lib/vial/libvial_nif.so");
        std::fs::write(&nif, "").unwrap();
        // As /proc/self/exe is, once a package brought another binary.
        let exe = usr.join("exe");
        std::os::unix::fs::symlink(usr.join("bin/vial (deleted)"), &exe).unwrap();
        assert_eq!(shipped_nif(&exe), Some(nif.clone()));
        assert_eq!(shipped_nif(&usr.join("bin/vial")), Some(nif));
        assert_eq!(shipped_nif(&usr.join("vial")), None);
    }
}

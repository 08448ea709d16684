//! A real BEAM in a slot: its pid, its name, who may reach it, and its end. Needs `erl`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/ports.rs"]
mod ports;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use vial::log::follow::Follower;
use vial::log::{self, Unfinished};
use vial::slot::environment::{Distribution, StartEnvironment};
use vial::slot::epmd::{self, Epmd};
use vial::slot::process::Signal;
use vial::slot::{Exit, Output, Process, Spec, crash_dump, family, port, spawn};
use vial_protocol::Slot;

const SOON: Duration = Duration::from_secs(20);

/// As a release does whose env.sh names the node itself: through a shell, erl and erlexec.
const SCRIPT: &str = r#"#!/bin/sh
export RELEASE_NODE=theirs@127.0.0.1
exec erl -noinput -setcookie "$RELEASE_COOKIE" -name "$RELEASE_NODE" -eval '
    spawn(fun() ->
        {ok, _} = gen_tcp:listen(list_to_integer(os:getenv("PORT")), [{ip, {127,0,0,1}}]),
        open_port({spawn, "sleep 1000"}, []),
        io:format("~s ~s~n", [node(), erlang:get_cookie()]),
        receive stop -> ok end
    end).'
"#;

struct Host {
    folder: TempDir,
    epmd: Epmd,
    mapper: Process,
}

impl Host {
    async fn new() -> Host {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("shop");
        std::fs::write(&script, SCRIPT).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let epmd = Epmd {
            binary: env!("CARGO_BIN_EXE_vial").into(),
            program: "epmd".into(),
            port: ports::free(),
            open: false,
            user: None,
            log: folder.path().join("epmd.log"),
        };
        let mapper = epmd::ensure(&epmd).await.unwrap().expect("it was started");
        Host { folder, epmd, mapper }
    }

    fn environment(&self, slot: Slot) -> StartEnvironment {
        let folder = self.folder.path();
        StartEnvironment {
            app: "shop".into(),
            release_name: "shop".into(),
            slot,
            run_id: self.run_id(slot),
            port: Some(ports::free()),
            node_host: "127.0.0.1".into(),
            cookie: "OURCOOKIE".into(),
            helper_cookie: None,
            nodes: folder.join("nodes"),
            mode: None,
            tmp: folder.join("tmp"),
            crash_dump: folder.join("erl_crash.dump"),
            home: folder.into(),
            user: "shop".into(),
            nif: None,
            vial_socket: folder.join("vial.sock"),
            epmd_port: self.epmd.port,
            distribution: Distribution::Loopback,
            inherited: std::env::vars_os().collect(),
            env_file: vec![],
            kept: vec![],
            slot_env: vec![],
        }
    }

    fn run_id(&self, slot: Slot) -> String {
        format!("{}-{slot}", self.folder.path().display())
    }

    fn log(&self, slot: Slot) -> std::path::PathBuf {
        self.folder.path().join(format!("{slot}.log"))
    }

    async fn start(&self, environment: &StartEnvironment) -> Process {
        let log = self.log(environment.slot);
        let spec = Spec {
            binary: env!("CARGO_BIN_EXE_vial").into(),
            program: self.folder.path().join("shop"),
            args: vec!["start".into()],
            env: environment.for_start(),
            cwd: "/".into(),
            user: None,
            output: Output::Append(log.clone()),
            restraint: None,
        };
        let process = spawn(&spec).unwrap().open().unwrap();
        tokio::time::timeout(SOON, until_says(&log, "@127.0.0.1 ")).await.expect("it started");
        process
    }
}

/// Whatever a failed test leaves running.
impl Drop for Host {
    fn drop(&mut self) {
        let members = Slot::BOTH.map(|slot| family::members(None, &self.run_id(slot)).unwrap());
        for identity in members.iter().flatten() {
            if let Some(process) = Process::adopt(identity).unwrap() {
                process.signal(Signal::KILL).unwrap();
            }
        }
        self.mapper.signal(Signal::KILL).unwrap();
    }
}

async fn until_says(log: &Path, wanted: &str) {
    let mut follower = Follower::new(log).unwrap();
    let mut cursor = 0;
    loop {
        let read = log::read(log, cursor, 1, Unfinished::Wait).unwrap();
        if read.lines.iter().any(|line| line.text.contains(wanted)) {
            return;
        }
        cursor = read.cursor;
        follower.grown(log::len(log).unwrap()).await.unwrap();
    }
}

/// The local addresses that listen on a port, as /proc has them.
fn listening(port: u16) -> Vec<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
    let lines: Vec<String> = tables
        .into_iter()
        .flatten()
        .flat_map(|t| t.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let fields = lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let listening = fields.filter(|f| f.len() > 3 && f[3] == "0A");
    let here = listening.filter(|f| f[1].ends_with(&format!(":{port:04X}")));
    here.map(|f| f[1].split(':').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_release_is_reached_on_loopback_by_its_slots_name_and_leaves_epmd_behind() {
    let host = Host::new().await;
    let blue = host.environment(Slot::Blue);
    let process = host.start(&blue).await;

    assert!(process.identity().is_alive().unwrap(), "pid and start time stayed");
    let name = std::fs::read_to_string(format!("/proc/{}/comm", process.pid())).unwrap();
    assert_eq!(name.trim(), "beam.smp");
    let said = log::tail(&host.log(Slot::Blue), 1, 0, Unfinished::Take).unwrap();
    assert_eq!(said.lines[0].text, "shop_blue@127.0.0.1 OURCOOKIE");

    let nodes = epmd::names(host.epmd.port).await.unwrap();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].name, "shop_blue");
    assert_eq!(listening(nodes[0].port), ["0100007F"], "127.0.0.1 and nothing else");
    assert!(listening(host.epmd.port).iter().all(|address| address != "00000000"));

    let members = family::members(Some(process.identity()), &blue.run_id).unwrap();
    assert!(members.len() >= 3, "the BEAM, erl_child_setup and the port program");
    assert!(!members.contains(host.mapper.identity()));
    port::owned_by(blue.port.unwrap(), &members).unwrap();
    let stranger = port::owned_by(host.epmd.port, &members).unwrap_err().to_string();
    assert!(stranger.contains(&format!("epmd (process {})", host.mapper.pid())), "{stranger}");

    let green = host.environment(Slot::Green);
    let other = host.start(&green).await;
    assert_eq!(epmd::names(host.epmd.port).await.unwrap().len(), 2);

    let stopped = family::stop(&process, &blue.run_id, SOON).await.unwrap();
    assert_eq!((stopped.exit, stopped.killed), (Exit::Status(0), false));
    assert!(family::members(None, &blue.run_id).unwrap().is_empty());
    let nodes = epmd::names(host.epmd.port).await.unwrap();
    assert_eq!(nodes.iter().map(|node| &*node.name).collect::<Vec<_>>(), ["shop_green"]);

    other.signal(Signal::STOP).unwrap();
    let stopped = family::stop(&other, &green.run_id, SOON).await.unwrap();
    assert_eq!(stopped.exit, Exit::Status(0), "a frozen one ends too");
    assert!(!host.mapper.has_exited());
}

#[tokio::test]
async fn an_epmd_that_answers_is_used_and_one_that_cannot_listen_is_an_error() {
    let host = Host::new().await;
    assert!(epmd::ensure(&host.epmd).await.unwrap().is_none());
    assert_eq!(epmd::names(host.epmd.port).await.unwrap(), []);
    host.mapper.signal(Signal::KILL).unwrap();
    host.mapper.exited().await;
    assert!(epmd::names(host.epmd.port).await.is_err());

    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let stranger = tokio::spawn(async move {
        while let Ok((stream, _)) = taken.accept().await {
            drop(stream);
        }
    });
    let error = epmd::ensure(&Epmd { port, ..host.epmd.clone() }).await.unwrap_err().to_string();
    assert!(error.contains(&format!("for port {port}")), "{error}");
    stranger.abort();
}

#[tokio::test]
async fn the_dump_of_a_crashed_beam_is_for_its_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("erl_crash.dump");
    crash_dump::prepare(&dump, None).unwrap();
    let spec = Spec {
        binary: env!("CARGO_BIN_EXE_vial").into(),
        program: "erl".into(),
        args: ["-noinput", "-eval", "halt(\"oh no\")."].map(Into::into).to_vec(),
        env: vec![
            ("PATH".into(), std::env::var_os("PATH").unwrap()),
            ("HOME".into(), folder.path().into()),
            ("ERL_CRASH_DUMP".into(), dump.clone().into()),
        ],
        cwd: "/".into(),
        user: None,
        output: Output::Append(folder.path().join("log")),
        restraint: None,
    };
    let process = spawn(&spec).unwrap().open().unwrap();
    let exit = tokio::time::timeout(SOON, process.exited()).await.unwrap();
    assert_eq!(exit, Exit::Status(1));
    assert!(crash_dump::size(&dump) > 1000, "it was written");
    assert_eq!(std::fs::metadata(&dump).unwrap().permissions().mode() & 0o777, 0o600);
}

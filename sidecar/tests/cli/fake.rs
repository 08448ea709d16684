//! A daemon made of canned answers on a real Unix socket, and a command line to call it with.
//!
//! Each test builds the routes it needs; nothing here decides anything that the daemon decides.
#![allow(dead_code)]

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use clap::Parser;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use vial::cli;
use vial::cli::args::CommandLine;
use vial::cli::exit::Exit;
use vial::cli::screen::Screen;
use vial::cli::session::{Interrupt, Session};
use vial::client::Client;
use vial_protocol::{
    AppStatus, DaemonStatus, Deployment, Desired, Event, Health, Kind, Problem, Release,
    RollbackOffer, RouteStatus, Slot, SlotState, SlotStatus, Status, Step,
};

/// A socket with a server behind it.
pub struct Fake {
    pub folder: TempDir,
    server: Option<AbortOnDropHandle<()>>,
}

impl Fake {
    pub fn new(router: Router) -> Self {
        let mut fake = Fake { folder: tempfile::tempdir().unwrap(), server: None };
        fake.come_back(router);
        fake
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("vial.sock")
    }

    /// Ends the server with its connections, and leaves the stale socket behind.
    pub async fn die(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
            drop(server.await);
        }
    }

    pub fn come_back(&mut self, router: Router) {
        drop(std::fs::remove_file(self.path()));
        let listener = UnixListener::bind(self.path()).unwrap();
        self.server = Some(AbortOnDropHandle::new(tokio::spawn(accept(listener, router))));
    }
}

/// Connections live in this task, so that ending it ends them, as the end of a process would.
async fn accept(listener: UnixListener, router: Router) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            let builder = hyper::server::conn::http1::Builder::new();
            drop(builder.serve_connection(io, service).with_upgrades().await);
        });
    }
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

/// A command about to run.
pub struct Run {
    line: Vec<String>,
    socket: PathBuf,
    pub terminal: bool,
    pub input: Box<dyn Read + Send>,
    pub interrupt: CancellationToken,
    pub out: Shared,
    pub err: Shared,
    writer: Option<Box<dyn Write + Send>>,
}

/// `vial ARGUMENTS` against a socket; the arguments are split at spaces.
pub fn vial(socket: &Path, arguments: &str) -> Run {
    Run {
        line: ["vial"].into_iter().chain(arguments.split(' ')).map(String::from).collect(),
        socket: socket.into(),
        terminal: false,
        input: Box::new(io::empty()),
        interrupt: CancellationToken::new(),
        out: Shared::default(),
        err: Shared::default(),
        writer: None,
    }
}

impl Run {
    pub fn on_terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    pub fn typing(mut self, input: impl Read + Send + 'static) -> Self {
        self.input = Box::new(input);
        self
    }

    /// Writes standard output elsewhere than to [`Run::out`].
    pub fn writing(mut self, out: impl Write + Send + 'static) -> Self {
        self.writer = Some(Box::new(out));
        self
    }

    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.line.push(argument.into());
        self
    }

    pub async fn run(self) -> Ran {
        let parsed = CommandLine::try_parse_from(&self.line).unwrap();
        let mut session = Session {
            client: Client::new(self.socket),
            screen: Screen {
                out: self.writer.unwrap_or_else(|| Box::new(self.out.clone())),
                err: Box::new(self.err.clone()),
                terminal: self.terminal,
                colour: false,
                err_colour: false,
                width: Some(80),
                zone: TimeZone::UTC,
                clock: now,
                json: parsed.global.json,
                quiet: parsed.global.quiet,
            },
            input: Some(self.input),
            input_terminal: self.terminal,
            interrupt: Interrupt::by_hand(self.interrupt),
            pack,
        };
        let exit = cli::run(&mut session, &parsed.command).await;
        Ran { exit, out: self.out.text(), err: self.err.text() }
    }
}

/// A stream that a test can read while a command writes it.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The time in every test.
pub fn now() -> Timestamp {
    at("03:15:00")
}

/// A time of the day of the tests.
pub fn at(time: &str) -> Timestamp {
    format!("2026-03-01T{time}Z").parse().unwrap()
}

pub fn refused(problem: &Problem) -> Response {
    (StatusCode::CONFLICT, Json(problem)).into_response()
}

pub fn accepted(deployment: Option<u64>, message: &str) -> Response {
    let accepted = vial_protocol::request::Accepted { deployment, message: message.to_owned() };
    (StatusCode::ACCEPTED, Json(accepted)).into_response()
}

/// Server-sent events that are there already, then those that come.
pub fn events(first: Vec<Event>, later: Option<broadcast::Receiver<Event>>) -> Response {
    let first = stream::iter(first);
    let later = stream::unfold(later, |later| async {
        let mut later = later?;
        let event = later.recv().await.ok()?;
        Some((event, Some(later)))
    });
    let lines = first.chain(later).map(|event| {
        let json = serde_json::to_string(&event).unwrap();
        Ok::<_, io::Error>(format!(": hello\r\nid: 1\r\ndata: {json}\r\n\r\n"))
    });
    ([("content-type", "text/event-stream")], Body::from_stream(lines)).into_response()
}

pub fn app_event(status: AppStatus) -> Event {
    Event::App(Box::new(status))
}

pub fn release(number: u64, version: &str) -> Release {
    Release {
        number,
        name: "shop".into(),
        version: version.into(),
        sha256: "9f".repeat(32),
        size: 41_943_040,
        erts: Some("13.1.5".into()),
        elixir: Some("1.14.0".into()),
        migrations: Vec::new(),
        unpacked_at: at("03:00:00"),
        commit: None,
    }
}

pub fn step(status: Status, from: &str, to: Option<&str>) -> Step {
    Step { status, started_at: at(from), ended_at: to.map(at), outcome: None }
}

/// Deployment 7, a deploy of v2.0.0, at a status, with the steps that lead there.
pub fn deployment(kind: Kind, status: Status) -> Deployment {
    let mut steps = vec![
        step(Status::Unpacking, "03:12:00", Some("03:12:00.412")),
        step(Status::Starting, "03:12:00.412", Some("03:12:01.580")),
        step(Status::Verifying, "03:12:01.580", Some("03:12:01.600")),
        step(Status::Switching, "03:12:01.600", Some("03:12:01.640")),
        step(Status::Draining, "03:12:01.640", Some("03:12:02")),
        step(Status::Baking, "03:12:02", Some("03:12:32")),
    ];
    steps.retain(|step| step.status <= status);
    if let Some(step) = steps.last_mut()
        && status.in_progress()
    {
        step.ended_at = None;
    }
    let live = status >= Status::Draining && status != Status::Failed;
    Deployment {
        number: 7,
        kind,
        status,
        release: Some(release(7, "2.0.0")),
        slot: Some(Slot::Green),
        replaces: Some(5),
        rolled_back_by: None,
        actor: "anna".into(),
        reason: Some("new checkout".into()),
        error: None,
        queued_at: at("03:12:00"),
        live_at: live.then(|| at("03:12:01.640")),
        ended_at: (!status.in_progress()).then(|| at("03:12:32")),
        applied: Vec::new(),
        reverts: Vec::new(),
        reverted: Vec::new(),
        environment: 0,
        build: None,
        commit: None,
        steps,
    }
}

pub fn slot(slot: Slot, state: SlotState, release: Option<Release>) -> SlotStatus {
    let runs = state == SlotState::Running;
    SlotStatus {
        slot,
        state,
        release,
        port: Some(if slot == Slot::Blue { 4000 } else { 4001 }),
        node: format!("shop_{slot}@127.0.0.1"),
        pid: runs.then_some(41_234),
        since: runs.then(|| at("03:12:00")),
        restarts: 0,
        health: runs.then(|| Health {
            healthy: true,
            detail: "200 in 3 ms".into(),
            since: at("03:12:01"),
        }),
        last_exit: None,
        standby: None,
    }
}

/// The app shop, v2.0.0 in green since 03:12:01, v1.4.2 at hand in blue.
pub fn shop() -> AppStatus {
    let mut last = deployment(Kind::Deploy, Status::Succeeded);
    last.steps.clear();
    AppStatus {
        name: "shop".into(),
        revision: 12,
        desired: Desired::Running,
        active: Some(Slot::Green),
        serving: Some(release(7, "2.0.0")),
        works: Some(Slot::Green),
        serving_since: Some(at("03:12:01.640")),
        slots: vec![
            slot(Slot::Blue, SlotState::Stopped, Some(release(5, "1.4.2"))),
            slot(Slot::Green, SlotState::Running, Some(release(7, "2.0.0"))),
        ],
        deployment: None,
        queued: None,
        last: Some(Box::new(last)),
        rollback: RollbackOffer { target: Some(release(5, "1.4.2")), refusal: None },
        route: Some(RouteStatus {
            mode: "file".into(),
            hosts: vec!["shop.example.com".into()],
            problem: None,
        }),
        auto_deploy: None,
        warnings: Vec::new(),
    }
}

/// The app shop with this deployment in progress, or as its last one.
pub fn shop_with(mut deployment: Deployment) -> AppStatus {
    let mut shop = shop();
    deployment.steps.clear();
    if deployment.status.in_progress() {
        shop.deployment = Some(Box::new(deployment));
    } else {
        shop.last = Some(Box::new(deployment));
    }
    shop
}

pub fn daemon(apps: Vec<AppStatus>) -> DaemonStatus {
    DaemonStatus {
        version: "0.1.0".into(),
        pid: 1,
        started_at: at("02:00:00"),
        apps,
        problems: Vec::new(),
    }
}

/// Packs whatever the folder holds: what a release is, the daemon's own packer knows.
fn pack(folder: &Path, writer: &mut dyn Write) -> io::Result<()> {
    let mut archive = tar::Builder::new(writer);
    archive.follow_symlinks(false);
    archive.append_dir_all(".", folder)?;
    archive.into_inner()?.flush()
}

//! Deploys and rollbacks from the command line: what is sent, what is shown, how it ends.

use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::fake::{
    Fake, accepted, app_event, at, deployment, events, now, refused, release, shop, shop_with, vial,
};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::tz::TimeZone;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::broadcast;
use vial::cli::exit::Exit;
use vial::cli::look::Look;
use vial::cli::view_plan;
use vial_protocol::request::Rollback;
use vial_protocol::{
    Code, DatabasePlan, Deployment, Effect, EnvironmentPlan, Event, Kind, Migration, Plan, Problem,
    Reversal, Slot, Standing, Status,
};

/// The app's deployments as the daemon would have them, and changes to them.
#[derive(Clone)]
struct Story {
    now: Arc<Mutex<Deployment>>,
    changes: broadcast::Sender<Event>,
}

impl Story {
    fn at(deployment: Deployment) -> Self {
        Story { now: Arc::new(Mutex::new(deployment)), changes: broadcast::channel(16).0 }
    }

    fn goes_on(&self, deployment: Deployment) {
        *self.now.lock().unwrap() = deployment.clone();
        // Nobody may be listening yet: who comes later sees the present.
        drop(self.changes.send(app_event(shop_with(deployment))));
    }

    fn routes(&self) -> Router {
        let (events_of, one) = (self.clone(), self.clone());
        Router::new()
            .route(
                "/v1/events",
                get(move || async move {
                    let later = events_of.changes.subscribe();
                    let now = events_of.now.lock().unwrap().clone();
                    events(vec![app_event(shop_with(now))], Some(later))
                }),
            )
            .route(
                "/v1/apps/shop/deployments/{n}",
                get(move |Path(number): Path<u64>| async move {
                    assert_eq!(number, 7);
                    let now = one.now.lock().unwrap().clone();
                    Json(now)
                }),
            )
    }

    /// Waits until someone follows.
    async fn is_followed(&self) {
        while self.changes.receiver_count() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn failed(kind: Kind) -> Deployment {
    let mut failed = deployment(kind, Status::Failed);
    failed.steps.truncate(2);
    failed.error = Some(
        Problem::new(
            Code::Exited,
            "v1.4.3 still serves. v2.0.0 exited during start with status 1:",
        )
        .log(vec!["** (RuntimeError) no DATABASE_URL\x1b[2J".into()])
        .next("`vial logs shop --slot green`"),
    );
    failed
}

pub fn plan() -> Plan {
    Plan {
        app: "shop".into(),
        from: release(7, "2.0.0"),
        from_deployment: 7,
        to: release(5, "1.4.2"),
        to_deployment: 5,
        to_last_live_at: Some(at("02:15:00")),
        slot: Slot::Blue,
        hot: false,
        standby: None,
        to_served_ms: None,
        to_health: None,
        expected_ms: None,
        cancels: None,
        migrations: vec![Standing {
            migration: Migration {
                version: 20_260_301_000_000,
                name: "add_coupons".into(),
                app: "shop".into(),
                folder: "repo/migrations".into(),
                effect: Effect::Additive,
                reversal: Reversal::Reversible,
                does: vec!["creates the table coupons".into()],
                loses: vec!["coupons is dropped with what is in it".into()],
            },
            brought_by: 7,
        }],
        applies: Vec::new(),
        database: DatabasePlan::Keep,
        environment: EnvironmentPlan::default(),
        warnings: Vec::new(),
        digest: "d1".into(),
    }
}

#[test]
fn a_plan_says_how_long_it_takes_and_how_its_target_did() {
    let look = Look { width: Some(80), zone: TimeZone::UTC, now: now(), colour: false };
    let told = |expected_ms, to_served_ms, to_health: Option<&str>| {
        let to_health = to_health.map(str::to_owned);
        view_plan::render(&Plan { expected_ms, to_served_ms, to_health, ..plan() }, &look)
    };
    let shown = told(Some(940), Some(7_300_000), Some("without a restart"));
    let release = "  Release   v1.4.2 last took the traffic 02:15:00 (1 h ago) and served 2 h, \
                   without a restart\n";
    assert!(shown.contains(release), "{shown}");
    assert!(shown.contains("\n  Takes     starts anew: about 0.9 s\n"), "{shown}");
    let shown = told(Some(35), Some(90_000), None);
    assert!(shown.contains("(1 h ago) and served 1 m\n"), "{shown}");
    assert!(shown.contains("\n  Takes     starts anew: about 35 ms\n"), "{shown}");
    let shown = told(None, None, None);
    assert!(!shown.contains("Takes") && !shown.contains("served"), "{shown}");
}

#[test]
fn a_plan_names_the_variables_that_differ_and_where_their_values_come_from() {
    let look = Look { width: Some(80), zone: TimeZone::UTC, now: now(), colour: false };
    let env = |differs: &[&str], renewed: &[&str]| {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let (differs, renewed) = (names(differs), names(renewed));
        let environment = EnvironmentPlan { version: 2, today: 4, differs, renewed };
        let shown = view_plan::render(&Plan { environment, ..plan() }, &look);
        shown.split_once("  Env  ").map(|(_, env)| env.trim_start().to_owned())
    };
    assert_eq!(env(&[], &[]), None, "it starts with today's in any case");
    assert_eq!(
        env(&[], &["PASSWORD"]).unwrap(),
        "today's of what is secret and was changed: PASSWORD\n"
    );
    assert_eq!(
        env(&["POOL", "SIZE"], &["PASSWORD"]).unwrap(),
        "its own (version 2), not today's, of: POOL, SIZE
            today's of what is secret: PASSWORD
            `--env current` takes today's of all\n"
    );
}

const PLAN: &str = "\
Roll back shop: v2.0.0 (#7) → v1.4.2 (#5)
  Release   v1.4.2 last took the traffic 02:15:00 (1 h ago)
  Slot      blue; it is started and checked first; the release that serves goes on until then
  Database  left alone: 1 migration that v1.4.2 does not know will stay
            20260301000000 add_coupons (shop, #7): additive
";

fn a_release() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("bin")).unwrap();
    std::fs::create_dir_all(folder.path().join("releases")).unwrap();
    std::fs::write(folder.path().join("bin/shop"), "#!/bin/sh\n").unwrap();
    std::os::unix::fs::symlink("shop", folder.path().join("bin/link")).unwrap();
    folder
}

#[tokio::test]
async fn a_folder_is_packed_sent_and_followed_until_the_bake_is_over() {
    let story = Story::at(deployment(Kind::Deploy, Status::Starting));
    let took = story.clone();
    let fake = Fake::new(story.routes().route(
        "/v1/apps/shop/deployments",
        post(|RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes| async move {
            assert_eq!(query.as_deref(), Some("reason=new%20checkout"));
            assert_eq!(headers["idempotency-key"].len(), 32);
            assert_eq!(headers["transfer-encoding"], "chunked");
            let mut names: Vec<String> = tar::Archive::new(&body[..])
                .entries()
                .unwrap()
                .map(|entry| entry.unwrap())
                .map(|entry| {
                    format!("{} {:?}", entry.path().unwrap().display(), entry.header().entry_type())
                })
                .collect();
            names.sort();
            assert!(names.iter().any(|name| name.ends_with("bin/shop Regular")), "{names:?}");
            assert!(names.iter().any(|name| name.ends_with("bin/link Symlink")), "{names:?}");
            tokio::spawn(async move {
                took.is_followed().await;
                took.goes_on(deployment(Kind::Deploy, Status::Baking));
                took.goes_on(deployment(Kind::Deploy, Status::Succeeded));
            });
            accepted(Some(7), "Deployment #7 of shop is queued.")
        }),
    ));
    let folder = a_release();
    let ran = vial(&fake.path(), "deploy shop")
        .argument(folder.path().to_str().unwrap())
        .argument("--reason")
        .argument("new checkout")
        .run()
        .await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines.contains(&"Deploying  unpacking     412 ms"), "{}", ran.out);
    assert!(lines.contains(&"Deploying  starting     1168 ms"), "{}", ran.out);
    assert!(lines.contains(&"Live       baking      30000 ms"), "{}", ran.out);
    assert_eq!(
        lines.last(),
        Some(&"Deployed: v2.0.0 serves since 03:12:01 (1.6 s, 0 requests cut off).")
    );
}

#[tokio::test]
async fn the_moment_it_is_live_is_told_before_the_end() {
    let story = Story::at(deployment(Kind::Deploy, Status::Baking));
    let fake = Fake::new(story.routes().route(
        "/v1/apps/shop/deployments",
        post(|_: Bytes| async { accepted(Some(7), "Queued.") }),
    ));
    let run = vial(&fake.path(), "deploy shop -").typing(Cursor::new("tar"));
    let (interrupt, out) = (run.interrupt.clone(), run.out.clone());
    let running = tokio::spawn(run.run());
    while !out.text().contains("Live: v2.0.0 serves since 03:12:01") {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    interrupt.cancel();
    let ran = running.await.unwrap();
    assert_eq!(ran.exit, Exit::Interrupted);
    assert_eq!(
        ran.err,
        "Not watching any more; deployment #7 goes on. `vial status shop` shows where it stands, \
         `vial show shop 7` how it went.\n"
    );
}

#[tokio::test]
async fn a_failure_names_what_serves_the_cause_and_the_next_command() {
    for (kind, arguments, lead) in [
        (Kind::Deploy, "deploy shop -", "Not deployed: "),
        (Kind::Rollback, "rollback shop", "Not rolled back: "),
        (Kind::Restart, "restart shop", "Not restarted: "),
    ] {
        let fake = Fake::new(
            Story::at(failed(kind))
                .routes()
                .route(
                    "/v1/apps/shop/deployments",
                    post(|_: Bytes| async { accepted(Some(7), "Q.") }),
                )
                .route(
                    "/v1/apps/shop/rollback",
                    get(|| async { Json(plan()) }).post(|| async { accepted(Some(7), "Q.") }),
                )
                .route("/v1/apps/shop/restart", post(|| async { accepted(Some(7), "Q.") })),
        );
        let ran = vial(&fake.path(), arguments).run().await;
        assert_eq!(ran.exit, Exit::Failed);
        assert_eq!(
            ran.err,
            format!(
                "{lead}v1.4.3 still serves. v2.0.0 exited during start with status 1:\n  │ ** \
                 (RuntimeError) no DATABASE_URL\nNext: `vial logs shop --slot green`\n"
            )
        );
        let ran = vial(&fake.path(), arguments).argument("--json").run().await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Failed, ""));
        assert_eq!(serde_json::from_str::<Deployment>(&ran.out).unwrap(), failed(kind));
    }
}

#[tokio::test]
async fn what_was_taken_back_during_its_bake_has_failed() {
    let mut taken_back = deployment(Kind::Deploy, Status::RolledBack);
    taken_back.rolled_back_by = Some(8);
    let fake = Fake::new(Story::at(taken_back).routes().route(
        "/v1/apps/shop/deployments",
        post(|_: Bytes| async { accepted(Some(7), "Queued.") }),
    ));
    let ran = vial(&fake.path(), "deploy shop - --quiet").run().await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Failed, ""));
    assert_eq!(
        ran.err,
        "Taken back: v2.0.0 was live until deployment #8 took it back.\nNext: `vial show shop 8`\n"
    );
}

#[tokio::test]
async fn detached_it_returns_once_the_release_was_taken() {
    let fake = Fake::new(Router::new().route(
        "/v1/apps/shop/deployments",
        post(|_: Bytes| async { accepted(Some(7), "Deployment #7 of shop is queued.") }),
    ));
    let ran = vial(&fake.path(), "deploy shop - --detach").run().await;
    assert_eq!(ran.exit, Exit::Done);
    assert_eq!(
        ran.out,
        "Deployment #7 of shop is queued.\nIt goes on by itself: `vial show shop 7`\n"
    );
}

/// Yields bytes for ever, and says when it is no longer read.
struct Endless;

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(7);
        Ok(buffer.len())
    }
}

#[tokio::test]
async fn a_refusal_that_comes_before_the_body_was_read_is_heard() {
    let problem =
        Problem::new(Code::TooLarge, "The archive is larger than 1 GiB.").next("`vial doctor`");
    let answer = problem.clone();
    let fake = Fake::new(
        Router::new()
            .route("/v1/apps/shop/deployments", post(move || async move { refused(&answer) })),
    );
    for _ in 0..20 {
        let ran = vial(&fake.path(), "deploy shop -").typing(Endless).run().await;
        assert_eq!(ran.exit, Exit::Refused);
        assert_eq!(ran.err, "The archive is larger than 1 GiB.\nNext: `vial doctor`\n");
    }
}

#[tokio::test]
async fn a_refusal_is_heard_from_a_peer_that_closes_at_once_with_the_body_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vial.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 512];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            let body = serde_json::to_string(&Problem::new(Code::Forbidden, "Not you.")).unwrap();
            let answer =
                format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    for _ in 0..50 {
        let ran = vial(&path, "deploy shop -").typing(Endless).run().await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Refused, "Not you.\n"));
    }
    server.abort();
}

/// Blocks for ever, as a pipe does whose writer waits.
struct Waits(std::sync::mpsc::Receiver<()>);

impl Read for Waits {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(0)
    }
}

#[tokio::test]
async fn a_refusal_does_not_wait_for_an_input_that_waits() {
    let fake = Fake::new(Router::new().route(
        "/v1/apps/shop/deployments",
        post(|| async {
            refused(&Problem::new(Code::InProgress, "Deployment #6 is in progress."))
        }),
    ));
    let (end, waits) = std::sync::mpsc::channel();
    let ran = vial(&fake.path(), "deploy shop -").typing(Waits(waits)).run().await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Refused, "Deployment #6 is in progress.\n"));
    drop(end);
}

/// Fails after some bytes, as a disk does.
struct Breaks(usize);

impl Read for Breaks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("input/output error"));
        }
        let count = buffer.len().min(self.0);
        self.0 -= count;
        Ok(count)
    }
}

#[tokio::test]
async fn a_release_that_cannot_be_read_to_its_end_is_never_taken_for_whole() {
    let (whole, mut taken) = tokio::sync::mpsc::channel(4);
    let fake = Fake::new(Router::new().route(
        "/v1/apps/shop/deployments",
        post(move |body: Result<Bytes, axum::extract::rejection::BytesRejection>| async move {
            whole.send(body.is_ok()).await.unwrap();
            refused(&Problem::new(Code::BadRelease, "The archive was cut off."))
        }),
    ));
    let ran = vial(&fake.path(), "deploy shop -").typing(Breaks(700_000)).run().await;
    assert_eq!(ran.exit, Exit::Failed);
    assert_eq!(ran.err, "The release could not be read: input/output error.\n");
    // The handler may be dropped with its connection before it says so; it never sees a whole body.
    assert_ne!(
        tokio::time::timeout(Duration::from_millis(200), taken.recv()).await,
        Ok(Some(true))
    );
}

#[tokio::test]
async fn what_is_no_release_is_told_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("vial.sock");
    for (path, said) in [
        (folder.path().to_owned(), "it has no `releases` folder"),
        (folder.path().join("none.tar.gz"), "No such file"),
    ] {
        let ran = vial(&nowhere, "deploy shop").argument(path.to_str().unwrap()).run().await;
        assert_eq!(ran.exit, Exit::Usage);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    let ran = vial(&nowhere, "deploy shop -").on_terminal().run().await;
    assert_eq!(ran.exit, Exit::Usage);
}

#[tokio::test]
async fn following_goes_on_when_the_daemon_comes_back() {
    let story = Story::at(deployment(Kind::Deploy, Status::Starting));
    let routes = || {
        story.routes().route(
            "/v1/apps/shop/deployments",
            post(|_: Bytes| async { accepted(Some(7), "Queued.") }),
        )
    };
    let mut fake = Fake::new(routes());
    let run = vial(&fake.path(), "deploy shop -");
    let out = run.out.clone();
    let running = tokio::spawn(run.run());
    story.is_followed().await;
    fake.die().await;
    while !out.text().contains("the deployment goes on without it") {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    story.goes_on(deployment(Kind::Deploy, Status::Succeeded));
    fake.come_back(routes());
    let ran = running.await.unwrap();
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    let lost = "Connection to the daemon lost; the deployment goes on without it. Reconnecting…\n";
    assert!(ran.out.contains(&format!("{lost}Connected again.\n")), "{}", ran.out);
    assert_eq!(ran.out.matches("starting").count(), 1, "a step is told once: {}", ran.out);
}

/// Routes of a rollback that records what was asked for and succeeds. A plan fetched first has
/// this digest, and `d0` is stale.
fn rollback_routes(asked: &Arc<Mutex<Vec<Rollback>>>, digest: &str) -> Router {
    let mut shown = plan();
    shown.digest = digest.into();
    let asked = Arc::clone(asked);
    let mut done = deployment(Kind::Rollback, Status::Succeeded);
    done.release = Some(release(5, "1.4.2"));
    Story::at(done).routes().route(
        "/v1/apps/shop/rollback",
        get(move || async move { Json(shown) }).post(
            move |Json(request): Json<Rollback>| async move {
                let stale = request.digest.as_deref() == Some("d0");
                asked.lock().unwrap().push(request);
                if stale {
                    return refused(
                        &Problem::new(Code::StalePlan, "The plan changed.").plan(plan()),
                    );
                }
                accepted(Some(7), "Rolling back.")
            },
        ),
    )
}

#[tokio::test]
async fn a_rollback_shows_its_plan_and_sends_its_digest() {
    let asked = Arc::default();
    let fake = Fake::new(rollback_routes(&asked, "d1"));
    let ran = vial(&fake.path(), "rollback shop --to 5 --cancel --reason slow").run().await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    assert!(ran.out.starts_with(PLAN), "{}", ran.out);
    assert!(
        ran.out.ends_with(
            "Rolled back: v1.4.2 serves since 03:12:01 (1.6 s, 0 requests cut off). Migrations \
             unchanged: 1 that v1.4.2 does not know stays.\n"
        ),
        "{}",
        ran.out
    );
    let request = Rollback {
        to: Some(5),
        reason: Some("slow".into()),
        cancel: true,
        digest: Some("d1".into()),
        ..Rollback::default()
    };
    assert_eq!(*asked.lock().unwrap(), [request]);
}

#[tokio::test]
async fn a_plan_alone_changes_nothing() {
    let asked = Arc::default();
    let fake = Fake::new(rollback_routes(&asked, "d1"));
    let ran = vial(&fake.path(), "rollback shop --plan").run().await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Done, PLAN));
    let ran = vial(&fake.path(), "rollback shop --plan --json").run().await;
    assert_eq!(serde_json::from_str::<Plan>(&ran.out).unwrap(), plan());
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn on_a_terminal_it_asks_and_only_a_yes_is_a_yes() {
    let asked = Arc::default();
    let fake = Fake::new(rollback_routes(&asked, "d1"));
    for answer in ["n\n", "\n", "", "yess\n"] {
        let run = vial(&fake.path(), "rollback shop").on_terminal().typing(Cursor::new(answer));
        let ran = run.run().await;
        assert_eq!(ran.exit, Exit::Refused, "{answer:?}");
        assert!(ran.out.contains("Roll back? [y/N]"));
        assert_eq!(ran.err, "Nothing was changed.\n");
    }
    assert!(asked.lock().unwrap().is_empty());
    for (arguments, answer) in [("rollback shop", "Y\n"), ("rollback shop --yes", "")] {
        let run = vial(&fake.path(), arguments).on_terminal().typing(Cursor::new(answer));
        assert_eq!(run.run().await.exit, Exit::Done);
    }
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_plan_that_changed_is_asked_about_again_where_someone_can_answer() {
    let asked = Arc::default();
    let fake = Fake::new(rollback_routes(&asked, "d0"));
    let run = vial(&fake.path(), "rollback shop").on_terminal().typing(Cursor::new("y\ny\n"));
    let ran = run.run().await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, "The plan has changed meanwhile:\n"));
    assert_eq!(ran.out.matches("Roll back? [y/N]").count(), 2);

    let ran = vial(&fake.path(), "rollback shop").run().await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Refused, "The plan changed.\n"));
}

#[tokio::test]
async fn a_refusal_stands_as_the_daemon_says_it() {
    let said = "Nothing to roll back to: shop has one release. Deploy once more.";
    let fake = Fake::new(Router::new().route(
        "/v1/apps/shop/rollback",
        get(move || async move { refused(&Problem::new(Code::NothingToRollBackTo, said)) }),
    ));
    let ran = vial(&fake.path(), "rollback shop").run().await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Refused, ""));
    assert_eq!(ran.err, format!("{said}\n"));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let keys: Arc<Mutex<Vec<String>>> = Arc::default();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vial.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let seen = Arc::clone(&keys);
    let server = tokio::spawn(async move {
        for attempt in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let count = stream.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(&head[..count]).into_owned();
            let key = head.lines().find_map(|line| line.strip_prefix("idempotency-key: ")).unwrap();
            seen.lock().unwrap().push(key.to_owned());
            if attempt > 0 {
                let body = r#"{"deployment":null,"message":"shop is stopped."}"#;
                let answer = format!(
                    "HTTP/1.1 202 Accepted\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    let ran = vial(&path, "stop shop").run().await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Done, "shop is stopped.\n"));
    let keys = keys.lock().unwrap();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
    server.abort();
}

#[tokio::test]
async fn a_deployment_that_ended_before_anyone_looked_is_told_all_the_same() {
    let mut status = shop();
    status.last = None;
    let fake = Fake::new(
        Story::at(deployment(Kind::Restart, Status::Superseded))
            .routes()
            .route("/v1/apps/shop/restart", post(|| async { accepted(Some(7), "Queued.") })),
    );
    let ran = vial(&fake.path(), "restart shop --reason env").run().await;
    assert_eq!(ran.exit, Exit::Done);
    assert!(ran.out.ends_with("A later deployment has followed it.\n"), "{}", ran.out);
}

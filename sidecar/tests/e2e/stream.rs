//! The dashboard's one stream.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::json;
use tokio::time::{sleep, timeout};
use vial_protocol::live::{BuildTopic, Live, LogTopic, Topics};
use vial_protocol::{AppStatus, DaemonStatus, Slot, Status};

use super::QUICK;
use crate::figure;
use crate::support::browser::{Browser, Stream};
use crate::support::stub::Stub;
use crate::support::{Host, Repository, SOON, Setup, is_root, ports};

/// How long a log may take to be followed to its end.
const LONG: Duration = Duration::from_secs(60);

/// A host whose `shop` is a stub, which runs in the blue slot.
async fn stage() -> (Host, Browser) {
    let host = Setup::new().app("shop", QUICK).start().await;
    deploy(&host, 1).await;
    let browser = Browser::on_the_socket(&host);
    (host, browser)
}

async fn deploy(host: &Host, version: u32) {
    let archive = Stub::new(version).archive(host.folder.path());
    host.vial(&["deploy", "shop", archive.to_str().unwrap()]).await.ends(0);
}

/// What a release does: appends numbered lines to the slot's log.
struct Writer {
    log: File,
    next: u64,
}

impl Writer {
    fn new(host: &Host) -> Writer {
        let path: PathBuf = host.state.join("apps/shop/slots/blue.log");
        Writer { log: OpenOptions::new().append(true).open(path).unwrap(), next: 0 }
    }

    fn write(&mut self, count: u64) {
        let numbers = self.next..self.next + count;
        let text: String =
            numbers.map(|it| format!("{it:07} [info] GET /carts sent 200 in 3 ms\n")).collect();
        self.log.write_all(text.as_bytes()).unwrap();
        self.next += count;
    }
}

fn number_of(line: &str) -> Option<u64> {
    line.split_once(" [info] GET /carts")?.0.parse().ok()
}

fn blue(cursor: u64) -> Topics {
    let app = "shop".to_owned();
    Topics { logs: vec![LogTopic { app, slot: Slot::Blue, cursor }], ..Topics::default() }
}

/// What the status says of `shop`.
async fn shop(browser: &Browser) -> AppStatus {
    let status = browser.ask(Method::GET, "/v1/status", None).await.done();
    let mut status: DaemonStatus = serde_json::from_value(status).unwrap();
    status.apps.remove(0)
}

/// The status of `shop` that a stream comes to, which is the one that `/v1/status` has: a health
/// check may change both between two looks.
async fn until_they_agree(browser: &Browser, stream: &mut Stream) {
    let deadline = Instant::now() + SOON;
    loop {
        let told = stream.until("a status", app).await;
        let asked = shop(browser).await;
        if told == asked {
            return;
        }
        assert!(Instant::now() < deadline, "{told:#?}\n{asked:#?}");
    }
}

fn app(live: Live) -> Option<AppStatus> {
    match live {
        Live::App(status) => Some(*status),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_begins_with_all_that_is_there_and_tells_each_stage_in_order() {
    let host = Setup::new().app("shop", QUICK).app("store", QUICK).start().await;
    let browser = Browser::on_the_socket(&host);
    let mut stream = browser.stream().await;
    let before = stream.complete().await;
    let [Live::Problems { problems }, Live::App(first), Live::App(second)] = &before[..] else {
        panic!("{before:#?}")
    };
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!([&first.name, &second.name], ["shop", "store"]);

    deploy(&host, 1).await;
    let (mut revision, mut stages) = (first.revision, Vec::new());
    let last = stream
        .until("the deploy ends", |live| {
            let status = app(live).filter(|it| it.name == "shop")?;
            assert!(status.revision > revision, "{revision}, then {}", status.revision);
            revision = status.revision;
            let going = status.deployment.as_ref().or(status.last.as_ref());
            stages.extend(going.map(|it| it.status));
            stages.dedup();
            (status.deployment.is_none() && status.last.is_some()).then_some(status)
        })
        .await;
    assert!(stages.is_sorted(), "{stages:?}");
    assert_eq!(stages.last(), Some(&Status::Succeeded));
    assert!(stages.len() > 2, "{stages:?}");
    assert_eq!(last.active, Some(Slot::Blue));

    // An app that is taken out is told, and one that is wrong is a problem.
    std::fs::remove_file(host.path("apps/store.toml")).unwrap();
    std::fs::write(host.path("apps/broken.toml"), "name = 7\n").unwrap();
    host.vial(&["reload"]).await;
    let mut told = Vec::new();
    stream
        .until("the reload", |live| match live {
            Live::AppRemoved { name } => {
                told.push(name);
                (told.len() == 2).then_some(())
            }
            Live::Problems { problems } => {
                assert!(problems[0].message.contains("broken.toml"), "{problems:?}");
                told.push("a problem".into());
                (told.len() == 2).then_some(())
            }
            _ => None,
        })
        .await;
    told.sort();
    assert_eq!(told, ["a problem", "store"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_goes_on_at_its_cursor_over_lost_streams_with_no_line_lost_or_doubled() {
    const LINES: u64 = 20_000;
    let (mut host, browser) = stage().await;
    let mut writer = Writer::new(&host);
    let writing = tokio::spawn(async move {
        while writer.next < LINES {
            writer.write(20);
            sleep(Duration::from_millis(10)).await;
        }
    });
    let (mut cursor, mut next, mut streams, mut killed) = (0, 0, 0, false);
    let reading = async {
        while next < LINES {
            let mut stream = browser.stream().await;
            browser.wants(&stream, &blue(cursor)).await.done();
            streams += 1;
            let until = next + LINES / 5;
            while next < until.min(LINES) {
                match stream.next().await.expect("it goes on") {
                    Live::Log { app, chunk } => {
                        assert_eq!((app.as_str(), chunk.slot, chunk.gap), ("shop", Slot::Blue, 0));
                        for number in chunk.lines.iter().filter_map(|it| number_of(&it.text)) {
                            assert_eq!(number, next);
                            next += 1;
                        }
                        cursor = chunk.cursor;
                    }
                    Live::Lost { problem, .. } => panic!("{problem}"),
                    _ => {}
                }
            }
            if next > LINES / 2 && !killed {
                killed = true;
                host.kill_daemon();
                host.start_daemon().await;
            }
        }
    };
    timeout(LONG, reading).await.expect("all lines come");
    writing.await.unwrap();
    assert!(streams >= 4 && killed, "{streams} streams");
    figure!("{LINES} lines over {streams} streams and a kill of the daemon: each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_does_not_read_makes_nothing_grow_and_misses_no_line() {
    const LINES: u64 = 200_000;
    let (host, browser) = stage().await;
    let mut stream = browser.stream().await;
    stream.complete().await;
    browser.wants(&stream, &blue(0)).await.done();
    let mut writer = Writer::new(&host);
    writer.write(1000);
    sleep(Duration::from_millis(500)).await;
    let before = super::idle::kib(host.daemon_pid(), "VmRSS:");
    for _ in 0..20 {
        writer.write(LINES / 20);
        host.vial(&["stop", "shop"]).await.ends(0);
        host.vial(&["start", "shop"]).await.ends(0);
    }
    let grown = super::idle::kib(host.daemon_pid(), "VmRSS:").saturating_sub(before);
    let size = std::fs::metadata(host.state.join("apps/shop/slots/blue.log")).unwrap().len();
    figure!("a browser that does not read: {grown} KiB more for {} KiB of log", size >> 10);
    assert!(u64::from(grown) < (size >> 10) / 2, "{grown} KiB for {} KiB", size >> 10);

    let newest = shop(&browser).await.revision;
    let (mut next, mut revision, mut statuses) = (0, 0, 0);
    let reading = async {
        while next < writer.next || revision < newest {
            match stream.next().await.expect("it goes on") {
                Live::Log { chunk, .. } => {
                    for number in chunk.lines.iter().filter_map(|it| number_of(&it.text)) {
                        assert_eq!(number, next);
                        next += 1;
                    }
                }
                Live::App(status) => {
                    assert!(status.revision > revision, "{revision}, then {}", status.revision);
                    (revision, statuses) = (status.revision, statuses + 1);
                }
                _ => {}
            }
        }
    };
    timeout(LONG, reading).await.expect("it catches up");
    // Each stop and start changes the status several times; of those, most are old by now.
    figure!("of {newest} revisions {statuses} were told");
    assert!(statuses < 40, "{statuses} statuses were kept for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_asked_for_any_more_ends_at_once() {
    let (host, browser) = stage().await;
    let mut stream = browser.stream().await;
    stream.complete().await;
    let mut writer = Writer::new(&host);
    browser.wants(&stream, &blue(0)).await.done();
    writer.write(10);
    let cursor = stream
        .until("the lines", |live| match live {
            Live::Log { chunk, .. } => {
                let last = chunk.lines.last().and_then(|it| number_of(&it.text));
                (last == Some(9)).then_some(chunk.cursor)
            }
            _ => None,
        })
        .await;
    browser.wants(&stream, &Topics::default()).await.done();
    // Told in between, so that the stream has heard of it.
    let revision = shop(&browser).await.revision;
    host.vial(&["stop", "shop"]).await.ends(0);
    stream.until("a later status", |live| app(live).filter(|it| it.revision > revision)).await;
    writer.write(10);
    host.vial(&["start", "shop"]).await.ends(0);
    let runs = |status: &AppStatus| status.slots[0].health.as_ref().is_some_and(|it| it.healthy);
    stream
        .until("it runs", |live| {
            assert!(!matches!(live, Live::Log { .. }), "{live:?}");
            app(live).filter(runs)
        })
        .await;
    browser.wants(&stream, &blue(cursor)).await.done();
    let first = stream
        .until("the lines", |live| match live {
            Live::Log { chunk, .. } => chunk.lines.iter().find_map(|it| number_of(&it.text)),
            _ => None,
        })
        .await;
    assert_eq!(first, 10);

    let unknown = LogTopic { app: "shpo".into(), slot: Slot::Blue, cursor: 0 };
    let topics = Topics { logs: vec![unknown.clone()], ..Topics::default() };
    browser.wants(&stream, &topics).await.done();
    let problem = stream
        .until("what is lost", |live| match live {
            Live::Lost { app, problem } => {
                assert_eq!(app, "shpo");
                Some(problem)
            }
            _ => None,
        })
        .await;
    assert_eq!(problem.next.as_deref(), Some("did you mean `shop`?"));
    let many = Topics { logs: vec![unknown; 9], ..Topics::default() };
    browser.wants(&stream, &many).await.refused(400, "bad_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_the_daemon_a_new_stream_is_what_the_status_says() {
    let (mut host, browser) = stage().await;
    let mut stream = browser.stream().await;
    stream.complete().await;
    host.kill_daemon();
    while stream.next().await.is_some() {}
    host.start_daemon().await;
    let began = Instant::now();
    let mut stream = browser.stream().await;
    until_they_agree(&browser, &mut stream).await;
    figure!("a new stream agrees with the status after {} ms", began.elapsed().as_millis());
    // A daemon that is told to stop ends its streams, and does not wait for them.
    let ended = tokio::spawn(async move { while stream.next().await.is_some() {} });
    host.end_daemon(nix::sys::signal::Signal::SIGTERM).await;
    timeout(SOON, ended).await.expect("the stream ends").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_its_own_users_and_ends_with_the_session() {
    let port = ports::free();
    let host = Setup::new().app("shop", QUICK).plain_dashboard(port).start().await;
    deploy(&host, 1).await;
    let ada = Browser::log_in(&host, port, "ada", "admin").await;
    let bob = Browser::log_in(&host, port, "bob", "viewer").await;
    let mut stream = ada.stream().await;
    stream.complete().await;
    bob.wants(&stream, &Topics::default()).await.refused(404, "not_found");
    Browser::on_the_socket(&host)
        .wants(&stream, &Topics::default())
        .await
        .refused(404, "not_found");

    // The audit log is for admins, and what is done while it is followed comes once.
    let audit = Topics { audit: true, ..Topics::default() };
    let mut other = bob.stream().await;
    let began = other.complete().await;
    assert!(matches!(&began[0], Live::Problems { .. }), "{began:?}");
    bob.wants(&other, &audit).await.refused(403, "forbidden");
    ada.wants(&stream, &audit).await.done();
    for _ in 0..3 {
        ada.ask(Method::POST, "/v1/apps/shop/cancel", Some(&json!({}))).await;
    }
    let mut rows = Vec::new();
    stream
        .until("three rows", |live| match live {
            Live::Audit(row) => {
                assert_eq!((row.actor.as_str(), row.action.as_str()), ("ada", "cancel"));
                rows.push(row.number);
                (rows.len() == 3).then_some(())
            }
            _ => None,
        })
        .await;
    assert!(rows.is_sorted() && rows[2] - rows[0] == 2, "{rows:?}");

    let began = Instant::now();
    ada.ask(Method::DELETE, "/v1/session", None).await.done();
    while stream.next().await.is_some() {}
    figure!("a stream ends {} ms after its session", began.elapsed().as_millis());
    assert!(began.elapsed() < Duration::from_secs(5));
    browser_goes_on(&bob, &mut other, &host).await;
}

/// Another's stream has not ended.
async fn browser_goes_on(browser: &Browser, stream: &mut Stream, host: &Host) {
    let revision = shop(browser).await.revision;
    host.vial(&["stop", "shop"]).await.ends(0);
    stream.until("another's goes on", |live| app(live).filter(|it| it.revision > revision)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_app_uses_comes_at_once_and_every_two_seconds_while_it_is_asked_for() {
    let (host, browser) = stage().await;
    let mut stream = browser.stream().await;
    stream.complete().await;
    let asked = Topics { metrics: vec!["shop".into()], ..Topics::default() };
    browser.wants(&stream, &asked).await.done();
    let began = Instant::now();
    let (mut first, mut samples) = (None, Vec::new());
    stream
        .until("three samples", |live| match live {
            Live::Metrics(metrics) => {
                first.get_or_insert(began.elapsed());
                assert_eq!(metrics.app, "shop");
                let sample = metrics.samples.last().filter(|it| !it.slots.is_empty())?;
                assert!(sample.slots[0].memory > 0, "{metrics:?}");
                // A change of its health is told with the sample before it.
                if samples.last() != Some(&sample.at) {
                    samples.push(sample.at);
                }
                (samples.len() == 3).then_some(())
            }
            Live::Lost { problem, .. } => panic!("{problem}"),
            _ => None,
        })
        .await;
    figure!("the first metrics came after {} ms", first.unwrap().as_millis());
    assert!(first.unwrap() < Duration::from_secs(5), "{first:?}");
    let apart = samples.windows(2).map(|two| two[1].duration_since(two[0]).as_millis());
    let apart: Vec<i128> = apart.collect();
    assert!(apart.iter().all(|it| *it > 500), "{apart:?}");
    browser.wants(&stream, &Topics::default()).await.done();
    let revision = shop(&browser).await.revision;
    host.vial(&["stop", "shop"]).await.ends(0);
    stream.until("a later status", |live| app(live).filter(|it| it.revision > revision)).await;
    host.vial(&["start", "shop"]).await.ends(0);
    stream
        .until("it runs", |live| {
            assert!(!matches!(live, Live::Metrics { .. }), "{live:?}");
            app(live).filter(|it| it.slots[0].health.as_ref().is_some_and(|it| it.healthy))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_build_prints_comes_from_the_cursor_to_its_end() {
    let repository = |folder: &std::path::Path| {
        let repository = Repository::new(folder);
        let script = "for line in 1 2 3 4 5; do echo printed $line; sleep 0.1; done; false\n";
        repository.write("build.sh", script);
        repository.push("main", "A build that fails");
        repository
    };
    let (host, _repository) = super::builds::host(repository, "build = [\"sh build.sh\"]").await;
    let browser = Browser::on_the_socket(&host);
    let mut stream = browser.stream().await;
    stream.complete().await;
    let begun = browser.ask(Method::POST, "/v1/apps/shop/builds", Some(&json!({}))).await.done();
    let number = begun["deployment"].as_u64().unwrap();
    let of = |cursor| {
        let app = "shop".to_owned();
        Topics { builds: vec![BuildTopic { app, number, cursor }], ..Topics::default() }
    };
    browser.wants(&stream, &of(0)).await.done();
    let mut lines = Vec::new();
    let end = follow_build(&mut stream, &mut lines).await;
    let printed = |lines: &[String]| lines.iter().filter(|it| it.starts_with("printed ")).count();
    assert_eq!(printed(&lines), 5, "{lines:?}");
    // From its end there is nothing more, and from its beginning all of it again.
    browser.wants(&stream, &of(end)).await.done();
    let mut none = Vec::new();
    assert_eq!(follow_build(&mut stream, &mut none).await, end);
    assert!(none.is_empty(), "{none:?}");
    let mut stream = browser.stream().await;
    browser.wants(&stream, &of(0)).await.done();
    let mut again = Vec::new();
    follow_build(&mut stream, &mut again).await;
    assert_eq!(again, lines);
}

/// Reads what a build prints to its end; the cursor there.
async fn follow_build(stream: &mut Stream, lines: &mut Vec<String>) -> u64 {
    stream
        .until("the build's end", |live| match live {
            Live::BuildLog { chunk, .. } => {
                lines.extend(chunk.lines.into_iter().map(|it| it.text));
                chunk.ended.then_some(chunk.cursor)
            }
            Live::Lost { problem, .. } => panic!("{problem}"),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_socket_too_a_stream_obeys_its_own_user_only() {
    if !is_root() {
        println!("SKIPPED: to be somebody else takes root");
        return;
    }
    let (host, browser) = stage().await;
    let mut stream = browser.stream().await;
    stream.complete().await;
    let user = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let put = |stream: &str| {
        let mut curl = std::process::Command::new("curl");
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", "-d", "{}"])
            .arg("--unix-socket")
            .arg(host.socket())
            .arg(format!("http://vial/v1/streams/{stream}"))
            .current_dir("/");
        curl
    };
    let mut as_nobody = put(&stream.id);
    as_nobody.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    assert_eq!(as_nobody.output().unwrap().stdout, b"404");
    assert_eq!(put(&stream.id).output().unwrap().stdout, b"204");
    assert_eq!(put("0123").output().unwrap().stdout, b"404");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_browsers_are_told_the_same_at_nearly_the_same_time() {
    let (host, browser) = stage().await;
    let follow = |mut stream: Stream| {
        tokio::spawn(async move {
            let mut seen = HashMap::new();
            stream
                .until("it runs again", |live| {
                    let status = app(live)?;
                    seen.insert(status.revision, Instant::now());
                    let healthy = status.slots[0].health.as_ref().is_some_and(|it| it.healthy);
                    (healthy && seen.len() > 3).then_some(())
                })
                .await;
            seen
        })
    };
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = browser.stream().await;
        stream.complete().await;
        streams.push(follow(stream));
    }
    host.vial(&["stop", "shop"]).await.ends(0);
    host.vial(&["start", "shop"]).await.ends(0);
    let second = streams.pop().unwrap().await.unwrap();
    let first = streams.pop().unwrap().await.unwrap();
    let both = first.iter().filter_map(|(revision, at)| {
        let other = second.get(revision)?;
        Some(at.max(other).duration_since(*at.min(other)))
    });
    let apart: Vec<Duration> = both.collect();
    assert!(!apart.is_empty());
    let most = apart.iter().max().unwrap();
    figure!("two browsers: {} states, at most {} ms apart", apart.len(), most.as_millis());
    assert!(*most < Duration::from_millis(500), "{apart:?}");
}

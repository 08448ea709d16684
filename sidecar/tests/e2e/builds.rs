//! From a commit to a slot: real repositories, real builds of the shop.

use std::time::Duration;

use vial_protocol::{Code, Deployment, Kind, Status};

use super::QUICK;
use crate::figure;
use crate::support::{Host, Repository, Setup, processes};

/// The shop needs no packages.
const MIX: &str = "build = [\"mix release\"]";

/// A host whose shop is built from a repository.
pub(super) async fn host(
    repository: impl FnOnce(&std::path::Path) -> Repository,
    lines: &str,
) -> (Host, Repository) {
    let mut host = Setup::new().app("shop", QUICK).write();
    let repository = repository(host.folder.path());
    host.write_app(host.apps[0].clone(), &format!("{QUICK}\n{}", repository.source(lines)));
    host.start_daemon().await;
    host.start_caddy().await;
    (host, repository)
}

/// The shop with as much to compile as an app of some size has. Of the shop alone most of a build is
/// copying Erlang into the release.
fn a_large_shop(folder: &std::path::Path) -> Repository {
    let repository = Repository::shop(folder, 1);
    for number in 0..24 {
        let functions: String = (0..60)
            .map(|it| {
                format!(
                    "  def f{it}(%{{a: a}} = m, [c | d]) when a > {it} and is_list(d),\n    do: for({{k, v}} \
                     <- m, x <- d, v != x, do: \"#{{k}} #{{v}} #{{a}} #{{c}} {number}\")\n"
                )
            })
            .collect();
        let text = format!("defmodule Shop.Part{number} do\n{functions}end\n");
        repository.write(&format!("lib/parts/part{number}.ex"), &text);
    }
    repository.push("main", "Sell version 1");
    repository
}

fn building(deployment: &Deployment) -> i64 {
    let step = deployment.steps.iter().find(|it| it.status == Status::Building).unwrap();
    step.millis(step.ended_at.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_is_built_and_deployed_and_a_commit_that_does_not_compile_is_not() {
    let (host, repository) = host(a_large_shop, MIX).await;
    let said =
        host.vial(&["deploy", "shop", "--ref", "main", "--reason", "the first"]).await.ends(0);
    let said = said.says(&[
        "==> Fetching main of",
        "Sell version 1",
        "==> Command 1 of 1 (mix)",
        "Generated shop app",
        "==> Built.",
        "Deployed: v1.0.0 serves",
    ]);
    assert!(said.out.find("Generated shop app") < said.out.find("Deploying  unpacking"), "{said}");
    assert_eq!(host.serving().await, "1.0.0");
    let first = host.deployment(1).await;
    let commit = first.commit.clone().unwrap();
    assert_eq!((commit.reference.as_str(), commit.subject.as_str()), ("main", "Sell version 1"));
    assert_eq!(first.release.clone().unwrap().commit.as_ref(), Some(&commit.sha));
    host.vial(&["show", "shop", "1"]).await.ends(0).says(&["of main: Sell version 1", "by hand"]);

    // The same again, from what the first has left.
    let again = host.vial(&["redeploy", "shop"]).await.ends(0);
    again.says(&["Going on from the last good build", "Redeployed: v1.0.0 serves"]);
    let second = host.deployment(2).await;
    assert_eq!(second.kind, Kind::Redeploy);
    assert_eq!(second.commit.clone().unwrap().sha, commit.sha);
    let (cold, warm) = (building(&first), building(&second));
    figure!("a shop of some size: built in {cold} ms, and again in {warm} ms");
    let log = host.vial(&["logs", "shop", "--build", "2"]).await.ends(0);
    log.never_says(&["Compiling"]);
    // Of what is measured, copying Erlang into the release is the same both times.
    assert!(warm * 2 < cold, "{cold} ms, then {warm} ms");

    repository.write("lib/broken.ex", "defmodule Shop.Broken do\n  def f(, do: 1\nend\n");
    repository.push("main", "Break it");
    let said = host.vial(&["deploy", "shop", "--ref", "main"]).await.ends(1);
    said.says(&[
        "Not deployed",
        "v1.0.0 (#2) still serves",
        "lib/broken.ex:",
        "exited with status 1",
    ]);
    let third = host.deployment(3).await;
    let error = third.error.unwrap();
    assert_eq!((third.status, error.code), (Status::Failed, Code::BuildFailed));
    assert!(error.log.iter().any(|line| line.contains("lib/broken.ex:")), "{error:#?}");
    assert_eq!(host.serving().await, "1.0.0");
    host.vial(&["logs", "shop", "--build", "3"]).await.ends(0).says(&["lib/broken.ex:"]);
    host.vial(&["logs", "shop", "--build", "3", "-f"]).await.ends(0).says(&["lib/broken.ex:"]);
    nothing_left(&host).await;

    repository.git(&["rm", "--quiet", "lib/broken.ex"]);
    repository.version(2);
    host.vial(&["deploy", "shop", "--ref", "main"]).await.ends(0).says(&["v2.0.0 serves"]);

    // An older commit by its deployment: what came after it stays, and that is said.
    let said = host.vial(&["redeploy", "shop", "1", "--yes"]).await.ends(0);
    said.says(&["#1 is older than what serves (v2.0.0 #4)", "stay", "v1.0.0 serves"]);
    assert_eq!(host.deployment(5).await.commit.unwrap().sha, commit.sha);
    let shown: Deployment = host.vial(&["show", "shop", "5", "--json"]).await.ends(0).json();
    assert_eq!(shown.build.unwrap().of, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_no_commit_is_refused_before_anything_is_built() {
    let lines = "build = [\"touch /tmp/never\"]";
    let (host, repository) = host(Repository::new, lines).await;
    let sha = repository.push("main", "Nothing");
    for (wrong, says) in [
        ("nothing", "has no branch, tag or commit nothing"),
        ("--upload-pack=touch /tmp/x", "cannot be the name"),
        ("main:refs/heads/x", "cannot be the name"),
        (&sha[..10], "has no branch, tag or commit"),
        (&"0".repeat(40), "has no branch, tag or commit"),
    ] {
        let args = ["deploy", "shop", &format!("--ref={wrong}")];
        host.vial(&args).await.ends(1).says(&["Not deployed", says]);
    }
    host.vial(&["redeploy", "shop"]).await.ends(2).says(&["Nothing serves yet"]);
    host.vial(&["redeploy", "shop", "99"]).await.ends(3).says(&["no such deployment"]);
    nothing_left(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_cancelled_with_all_that_it_has_started() {
    let lines = "build = [\"echo begun; setsid sleep 987 & sleep 986\"]";
    let (host, repository) = host(Repository::new, lines).await;
    repository.push("main", "Sleep");
    for how in [["cancel", "shop"].as_slice(), &["rollback", "shop", "--cancel", "--yes"]] {
        let said = host.vial(&["deploy", "shop", "--ref", "main", "--detach"]).await.ends(0);
        assert!(said.out.contains("Deploy is #"), "{said}");
        let number = host.status("shop").await.deployment.unwrap().number;
        until_printed(&host, number, "begun").await;
        if how[0] == "rollback" {
            // There is nothing to go back to, which is no reason to leave the build running.
            host.vial(&["cancel", "shop"]).await.ends(0);
        } else {
            host.vial(how).await.ends(0).says(&["is cancelled"]);
        }
        let ended = host.until_ended(number).await;
        assert_eq!(ended.status, Status::Cancelled);
        nothing_builds(&host).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_wait_for_one_another_and_say_so() {
    let mut host = Setup::new().app("shop", QUICK).app("store", QUICK).write();
    let repository = Repository::new(host.folder.path());
    repository.push("main", "Wait");
    let gate = host.path("gate");
    let build = format!("build = [\"while [ ! -e {} ]; do sleep 0.05; done\"]", gate.display());
    for app in host.apps.clone() {
        host.write_app(app, &format!("{QUICK}\n{}", repository.source(&build)));
    }
    host.start_daemon().await;
    host.vial(&["deploy", "shop", "--ref", "main", "--detach"]).await.ends(0);
    until_printed(&host, 1, "Command 1").await;
    host.vial(&["deploy", "store", "--ref", "main", "--detach"]).await.ends(0);
    let waits = "waits for the build of shop #1; next in line";
    let said = |status: &vial_protocol::AppStatus| {
        let step = status.deployment.as_ref().and_then(|it| it.last_step().cloned());
        step.is_some_and(|it| it.outcome.as_deref() == Some(waits))
    };
    host.until("store", said).await;
    // Another one of the same app is refused while one is on its way.
    let again = host.vial(&["deploy", "shop", "--ref", "main"]).await.ends(3);
    again.says(&["Not deployed", "in progress"]);
    std::fs::write(&gate, "").unwrap();
    for app in ["shop", "store"] {
        let ended = host.until(app, |it| it.deployment.is_none()).await;
        let error = ended.last.unwrap().error.unwrap();
        assert!(error.message.contains("left no release"), "{app}: {error:#?}");
    }
}

async fn until_printed(host: &Host, number: u64, text: &str) {
    for _ in 0..400 {
        let path = host.state.join(format!("apps/shop/builds/{number}/build.log"));
        if std::fs::read_to_string(path).is_ok_and(|log| log.contains(text)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the build did not print {text:?}");
}

/// Nothing of a build is on the disk but its log and what the next may use.
pub(super) async fn nothing_left(host: &Host) {
    let work = host.state.join("apps/shop/build");
    for _ in 0..200 {
        if host.listing(&work) == ["cache", "git"] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:?} is left", host.listing(&work));
}

/// And nothing of it runs, where no slot does.
pub(super) async fn nothing_builds(host: &Host) {
    nothing_left(host).await;
    for _ in 0..200 {
        let running = host.processes();
        if running.iter().all(|pid| processes::name(*pid) == "epmd") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:?} still run", host.processes());
}

/// A web server that gives the files of a folder to whoever shows these credentials.
async fn serve(folder: std::path::PathBuf, authorization: &'static str) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let folder = folder.clone();
            tokio::spawn(async move {
                let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(0) | Err(_) => return,
                        Ok(count) => head.extend(&buffer[..count]),
                    }
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let path = head.split(' ').nth(1).unwrap().split('?').next().unwrap();
                let path = path.trim_start_matches("/repo.git/");
                let let_in = head.to_lowercase().contains(&authorization.to_lowercase());
                let (status, body) = match std::fs::read(folder.join(path)) {
                    _ if !let_in => ("401 Unauthorized", Vec::new()),
                    Ok(body) => ("200 OK", body),
                    Err(_) => ("404 Not Found", Vec::new()),
                };
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\nwww-authenticate: Basic realm=\"x\"\r\n\
                     content-length: {length}\r\nconnection: close\r\n\r\n"
                );
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&body).await;
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lets_git_in_and_stands_nowhere() {
    let mut host = Setup::new().app("shop", QUICK).write();
    let repository = Repository::new(host.folder.path());
    let sha = repository.push("main", "Private");
    repository.git(&["-C", &repository.bare.display().to_string(), "update-server-info"]);
    // git:PLANTED-TOKEN and ana:PLANTED-WORD
    let by_token = serve(repository.bare.clone(), "Basic Z2l0OlBMQU5URUQtVE9LRU4=").await;
    let by_word = serve(repository.bare.clone(), "Basic YW5hOlBMQU5URUQtV09SRA==").await;
    let token = host.path("token");
    std::fs::write(&token, "PLANTED-TOKEN\n").unwrap();
    let seen = "tr '\\\\0' '\\\\n' < /proc/self/environ; cat .git/config";
    let file = |git: &str, lines: &str| {
        let source = repository.source(&format!("build = [\"{seen}\"]\n{lines}"));
        let bare = format!("git = {:?}", repository.bare);
        format!("{QUICK}\n{}", source.replace(&bare, &format!("git = \"{git}\"")))
    };
    let by_file =
        file(&format!("http://127.0.0.1:{by_token}/repo.git"), &format!("token_file = {token:?}"));
    host.write_app(host.apps[0].clone(), &by_file);
    host.start_daemon().await;
    let deployed = async |host: &Host, number: u64| {
        let said = host.vial(&["deploy", "shop", "--ref", "main"]).await.ends(1);
        let said = said.never_says(&["PLANTED", "UExBTlRFRC1", "Z2l0OlBMQU5U", "YW5hOlBMQU5U"]);
        (said, host.deployment(number).await)
    };
    let (said, first) = deployed(&host, 1).await;
    said.says(&["Fetching main of http://127.0.0.1", "MIX_ENV=prod", "left no release"]);
    assert_eq!(first.commit.unwrap().sha, sha);

    let by_address = file(&format!("http://ana:PLANTED-WORD@127.0.0.1:{by_word}/repo.git"), "");
    host.write_app(host.apps[0].clone(), &by_address);
    host.vial(&["reload"]).await.ends(0);
    assert_eq!(deployed(&host, 2).await.1.commit.unwrap().sha, sha);

    let wrong = file(&format!("http://ana:PLANTED-NO@127.0.0.1:{by_word}/repo.git"), "");
    host.write_app(host.apps[0].clone(), &wrong);
    host.vial(&["reload"]).await.ends(0);
    let (said, third) = deployed(&host, 3).await;
    said.says(&["Asking for the branches failed"]);
    assert_eq!((third.commit, third.status), (None, Status::Failed));
    assert!(!host.daemon_log().contains("PLANTED"));
}

//! A repository that means harm: each harm is contained, and the log says what was stopped.

use std::path::Path;

use vial_protocol::{Code, Slot, Status};

use super::QUICK;
use super::builds::{host, nothing_builds};
use super::full_disk::Disk;
use crate::support::repository::BUILDER;
use crate::support::{Host, Repository, Setup, is_root};

/// A host whose build is this script of the repository.
async fn scripted(script: &str, lines: &str) -> Host {
    let build = format!("build = [\"sh ./evil.sh\"]\n{lines}");
    let repository = |folder: &Path| {
        let repository = Repository::new(folder);
        repository.write("evil.sh", script);
        repository.push("main", "Evil \u{1b}[2Jwords");
        repository
    };
    host(repository, &build).await.0
}

/// Deploys what cannot become a release; what was printed, and why it failed.
async fn fails(host: &Host) -> (String, String) {
    let said = host.vial(&["deploy", "shop", "--ref", "main"]).await.ends(1);
    assert!(!said.out.contains("\u{1b}[2J"), "{said}");
    let number = host.status("shop").await.last.unwrap().number;
    let deployment = host.deployment(number).await;
    assert_eq!(deployment.status, Status::Failed, "{deployment:#?}");
    let log = host.state.join(format!("apps/shop/builds/{number}/build.log"));
    nothing_builds(host).await;
    (std::fs::read_to_string(log).unwrap(), deployment.error.unwrap().message)
}

/// Whether a process with this in its command line runs.
fn runs(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|it| std::fs::read(it.path().join("cmdline")).ok());
    lines.map(|it| String::from_utf8_lossy(&it).into_owned()).any(|it| it.contains(word))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_reads_and_signals_nothing_but_its_own() {
    if !is_root() {
        println!("SKIPPED: only root builds as another user");
        return;
    }
    let script = r#"
id -un
[ -z "$VIAL_SOCKET$DATABASE_URL" ] && echo no-socket
for it in /proc/[0-9]*/environ; do tr '\0' '\n' < $it; done 2>/dev/null | grep PLANTED && echo LEAKED-ENVIRON
for it in vial.db apps/shop/cookie apps/shop/probe apps/shop/build/git/gitconfig \
          apps/shop/build/cache/key apps/shop/slots/blue.log ../shop.secrets; do
  cat ../../../../$it >/dev/null 2>&1 && echo LEAKED-$it
done
ls ../git ../cache ../../builds >/dev/null 2>&1 && echo LEAKED-FOLDERS
kill -9 $(cat ../../../../../daemon.pid) || echo not-signalled
for it in /proc/[0-9]*; do basename $it; done | wc -l | sed 's/^/sees /'
kill -9 -1
"#;
    let host = {
        let mut host = Setup::new().app("shop", QUICK).write();
        let repository = Repository::new(host.folder.path());
        repository.write("evil.sh", script);
        repository.push("main", "Evil");
        let secrets = host.path("shop.secrets");
        std::fs::write(&secrets, "DATABASE_URL=PLANTED-SECRET\n").unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600)).unwrap();
        let source = repository.source("build = [\"sh ./evil.sh\"]");
        let lines = format!("{QUICK}\nenv_file = {secrets:?}\n{source}");
        host.write_app(host.apps[0].clone(), &lines);
        host.start_daemon().await;
        host.start_caddy().await;
        host
    };
    host.deploy(1).await;
    let (daemon, app) = (host.daemon_pid(), host.pid("shop", Slot::Blue).await.unwrap());
    std::fs::write(host.path("daemon.pid"), daemon.to_string()).unwrap();
    let environ = std::fs::read(format!("/proc/{app}/environ")).unwrap();
    assert!(String::from_utf8_lossy(&environ).contains("PLANTED"), "there is nothing to read");

    let said = host.vial(&["deploy", "shop", "--ref", "main"]).await.ends(1);
    let said = said.says(&[BUILDER, "no-socket", "not-signalled", "v1.0.0 still serves"]);
    said.never_says(&["LEAKED", "PLANTED", "sees 99"]);
    let log = std::fs::read_to_string(host.state.join("apps/shop/builds/2/build.log")).unwrap();
    let sees = log.lines().find_map(|line| line.strip_prefix("sees ")).unwrap();
    assert!(sees.trim().parse::<u32>().unwrap() < 10, "it sees {sees} processes");
    assert_eq!((host.daemon_pid(), host.pid("shop", Slot::Blue).await), (daemon, Some(app)));
    assert_eq!(host.serving().await, "1.0.0");
    // Who builds is nobody to the daemon.
    host.vial_as(BUILDER, &["rollback", "shop", "--yes"]).await.ends(3).says(&["may not do this"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_outlives_its_time_ends_with_all_that_it_left() {
    let mark = format!("97{:06}", std::process::id());
    // What clears its environment and leaves its parents is found where the build has namespaces of
    // its own.
    let hidden = if is_root() { "env -i " } else { "" };
    let script = format!(
        "(setsid {hidden}sleep {mark}.5 &)\ntrap '' TERM HUP INT\nsleep {mark}.7 &\nsleep {mark}\n"
    );
    let host = scripted(&script, "timeout = \"2s\"").await;
    let (log, message) = fails(&host).await;
    for said in [&log, &message] {
        assert!(said.contains("killed: it took longer than 2 s"), "{said}");
    }
    assert!(!runs(&format!("sleep\0{mark}")), "something of it runs on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_forks_without_end_is_held_and_ended() {
    if !is_root() {
        println!("SKIPPED: only root builds as a user whose processes can be counted");
        return;
    }
    let script = "bomb() { bomb | bomb & }\nbomb\nsleep 60\n";
    let lines = "user = \"uucp\"\nprocesses = 100\ntimeout = \"3s\"";
    let host = scripted(script, lines).await;
    let (log, message) = fails(&host).await;
    let held = ["ork", "esource temporarily unavailable"].iter().any(|it| log.contains(it));
    assert!(held || message.contains("longer"), "{message}\n{log}");
    let uid = nix::unistd::User::from_name("uucp").unwrap().unwrap().uid.as_raw();
    let left = || {
        use std::os::unix::fs::MetadataExt;
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.filter(|it| it.metadata().is_ok_and(|it| it.uid() == uid)).count()
    };
    for _ in 0..100 {
        if left() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{} processes of it run on", left());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_prints_without_end_is_ended() {
    let host = scripted("yes 'more and more'", "output = \"64KiB\"").await;
    let (log, message) = fails(&host).await;
    assert!(message.contains("killed: it printed more than 65536 bytes"), "{message}");
    assert!(log.len() < 70_000 && log.contains("it printed more than"), "{} bytes", log.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_fills_the_disk_is_ended_before_it_is_full() {
    let Some(disk) = Disk::tmpfs(128) else { return };
    let script =
        "i=0; while :; do head -c 1000000 /dev/zero > big$i; i=$((i+1)); sleep 0.02; done\n";
    let mut host = Setup::new().app("shop", QUICK).state(disk.state()).write();
    let repository = Repository::new(host.folder.path());
    repository.write("evil.sh", script);
    repository.push("main", "Evil");
    let source = repository.source("build = [\"sh ./evil.sh\"]");
    let source = source.replace("\"1MiB\"", "\"64MiB\"");
    host.write_app(host.apps[0].clone(), &format!("{QUICK}\n{source}"));
    host.start_daemon().await;
    let said = host.vial(&["deploy", "shop", "--ref", "main"]).await.ends(1);
    said.says(&["Not deployed", "The build was killed", "67108864 must stay free"]);
    let error = host.deployment(1).await.error.unwrap();
    assert_eq!(error.code, Code::NoSpace);
    nothing_builds(&host).await;
    drop(host);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_hooks_and_links_of_a_repository_do_nothing() {
    let mut paths = (String::new(), String::new());
    let (host, repository) = host(
        |folder| {
            let repository = Repository::new(folder);
            let (made, hook) = (folder.join("made"), repository.bare.join("hooks/post-checkout"));
            std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
            std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", made.display())).unwrap();
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
            let pack = format!("uploadpack.packObjectsHook=touch {}", made.display());
            let bare = repository.bare.display().to_string();
            let (name, value) = pack.split_once('=').unwrap();
            repository.git(&["-C", &bare, "config", name, value]);
            paths = (made.display().to_string(), bare);
            repository
        },
        "build = [\"ln -s /etc out\"]\nrelease_path = \"out\"",
    )
    .await;
    repository.push("main", "Links");
    for name in ["$(touch${IFS}/tmp/x)", "`id`", "a;id", "a&id", "a|id", "a'b", "a\"b", "$HOME"] {
        repository.push(name, "A name");
        let said = host.vial(&["deploy", "shop", &format!("--ref={name}")]).await.ends(1);
        said.says(&[&format!("Fetching {name} of"), "left no release in out"]);
    }
    repository.git(&["tag", "main"]);
    repository.git(&["push", "--quiet", &paths.1, "refs/tags/main"]);
    assert!(!Path::new(&paths.0).exists(), "a hook ran");
    nothing_builds(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submodule_of_a_file_is_fetched_only_where_that_is_allowed() {
    let (host, repository) = host(
        |folder| {
            let other = Repository::new(&folder.join("apps"));
            other.write("secret", "a secret of the host");
            other.push("main", "Secret");
            let repository = Repository::new(folder);
            let bare = other.bare.display().to_string();
            let add = ["-c", "protocol.file.allow=always", "submodule", "add", "-b", "main", &bare];
            repository.git(&[&add[..], &["sub"]].concat());
            repository.push("main", "A submodule");
            repository
        },
        "build = [\"ls -A sub; cat sub/secret\"]",
    )
    .await;
    let said = host.vial(&["deploy", "shop", "--ref", "main"]).await.ends(1);
    said.never_says(&["a secret of the host"]);
    let lines = "build = [\"cat sub/secret\"]\nsubmodules = true";
    let mut host = host;
    host.reconfigure(&format!("{QUICK}\n{}", repository.source(lines))).await;
    let said = host.vial(&["deploy", "shop", "--ref", "main"]).await.ends(1);
    said.says(&["Fetching the submodules failed", "transport 'file' not allowed"])
        .never_says(&["a secret of the host"]);
    let lines = format!("{lines}\nprotocols = [\"file\"]");
    host.reconfigure(&format!("{QUICK}\n{}", repository.source(&lines))).await;
    let said = host.vial(&["deploy", "shop", "--ref", "main"]).await.ends(1);
    said.says(&["a secret of the host"]);
    nothing_builds(&host).await;
}

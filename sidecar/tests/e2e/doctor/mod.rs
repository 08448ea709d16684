//! `vial doctor` on a host that is broken in one way after another: a real daemon, a real Caddy,
//! real releases. Each time it names the cause and the cure, and nothing of it before and after.

mod stage;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use vial_protocol::{Code, Slot, SlotState};

use self::stage::{Stage, message};
use super::QUICK;
use crate::figure;
use crate::support::setup::Site;
use crate::support::{is_root, ports, processes};

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_set_up_is_found_with_its_cause_and_its_cure_until_it_is_mended() {
    let mut stage = Stage::new().await;
    let began = std::time::Instant::now();
    the_daemon(&mut stage).await;
    the_state(&mut stage).await;
    caddy(&mut stage).await;
    what_a_release_needs(&mut stage).await;
    the_configuration(&mut stage).await;
    the_unit(&mut stage).await;
    figure!("doctor found {} set-ups in {:.1} s", stage.count, began.elapsed().as_secs_f64());
    assert!(stage.failures.is_empty(), "{}", stage.failures.join("\n"));
    assert!(stage.count >= 15);
}

async fn the_daemon(stage: &mut Stage) {
    stage.host.kill_daemon();
    assert!(stage.host.socket().exists(), "kill -9 leaves it");
    let start = format!("`vial --config {} serve`", stage.file());
    let cause = &["The daemon is not running", "nothing listens on", "an earlier daemon left"];
    let cure = &["systemctl start vial", start.as_str()];
    stage.finds("a daemon that was killed, and its socket", cause, cure).await;
    stage.host.start_daemon().await;
    stage.is_mended().await;

    std::fs::remove_file(stage.host.socket()).unwrap();
    let holder = format!("a daemon runs on this state folder, process {}", stage.host.daemon_pid());
    let cure = &["the slots run on"];
    stage.finds("another daemon on the state folder", &[&holder, "its socket"], cure).await;
    stage.host.kill_daemon();
    stage.host.start_daemon().await;
    stage.is_mended().await;

    let pid = Pid::from_raw(i32::try_from(stage.host.daemon_pid()).unwrap());
    let low = |soft| {
        let before = rustix::process::getrlimit(Resource::Nofile);
        Rlimit { current: Some(soft), maximum: before.maximum }
    };
    let before = prlimit(pid, Resource::Nofile, low(256)).unwrap();
    let cause = "The daemon may open 256 files at most";
    stage.finds("a low limit of open files", &[cause], &["LimitNOFILE=", "ulimit -n"]).await;
    prlimit(pid, Resource::Nofile, before).unwrap();
    stage.is_mended().await;
}

async fn the_state(stage: &mut Stage) {
    let releases = stage.state("apps/shop/releases");
    std::fs::rename(releases.join("1"), releases.join("aside")).unwrap();
    stage
        .finds(
            "a release that was removed by hand",
            &["Release 1 of shop is in the history and not in", "nobody can go back to it"],
            &["Restore that folder from a backup", "deploy shop PATH`"],
        )
        .await;
    std::fs::rename(releases.join("aside"), releases.join("1")).unwrap();
    stage.is_mended().await;

    let state = stage.state("");
    if is_root() {
        mode(&state, 0o700);
        let cause = &["games cannot reach the releases in", "(mode 0700)"];
        let cure = format!("chmod o+x {}", state.display().to_string().trim_end_matches('/'));
        stage.finds("a state folder that is closed to the app", cause, &[&cure]).await;
    } else {
        mode(&state, 0o511);
        let cause = &["may not use the state folder", "has the mode 0511"];
        stage.finds("a state folder that is closed to the daemon", cause, &["chmod u+rwx"]).await;
    }
    mode(&state, 0o711);
    stage.is_mended().await;

    if let Some(disk) = &stage.disk {
        assert!(disk.set("size=300m"));
        let cure = &["Free some", "keep_releases", "journalctl --vacuum-size"];
        let cause = &["Only ", " MiB are free where", "loses its log for good"];
        stage.finds("a disk that is nearly full", cause, cure).await;
        assert!(stage.disk.as_ref().unwrap().set("size=4g"));
        stage.is_mended().await;
    }

    stage.host.end_daemon(Signal::SIGTERM).await;
    let database = stage.state("vial.db");
    // What is not in the file yet is beside it, and would mend it.
    let beside = ["vial.db-wal", "vial.db-shm"].map(|name| stage.state(name));
    let kept = beside.each_ref().map(|path| std::fs::read(path).ok());
    let backup = std::fs::read(&database).unwrap();
    for path in &beside {
        let _ = std::fs::remove_file(path);
    }
    std::fs::write(&database, vec![b'x'; 8192]).unwrap();
    stage.host.vial(&["serve"]).await.ends(1).says(&["cannot be opened", "restore a backup"]);
    let cause = &["The history", "vial.db cannot be used", "not a database"];
    let cure = &["-wal and -shm files", "restore a backup", "Running slots are not touched"];
    stage.finds("a damaged history", cause, cure).await;
    std::fs::write(&database, backup).unwrap();
    for (path, bytes) in beside.iter().zip(kept) {
        let _ = bytes.map(|bytes| std::fs::write(path, bytes).unwrap());
    }
    stage.host.start_daemon().await;
    stage.is_mended().await;
}

async fn caddy(stage: &mut Stage) {
    stage.host.stop_caddy();
    let cause = &["Caddy is not running", "nothing answers at its admin endpoint"];
    stage.finds("a Caddy that is down", cause, &["systemctl start caddy"]).await;
    stage.host.start_caddy().await;
    stage.is_mended().await;

    stage.host.change_site(Site::NotImported);
    let import = format!("import {}", stage.state("route/shop/Caddyfile").display());
    stage
        .finds(
            "a site that does not import the snippet",
            &["no site of it imports Vial's snippet for shop"],
            &[&import, "shop.localhost"],
        )
        .await;
    stage.host.change_site(Site::Imported);
    stage.is_mended().await;

    stage.host.kill_daemon();
    stage.host.apps[0].blue = ports::free();
    let shop = stage.host.apps[0].clone();
    stage.host.write_app(shop, QUICK);
    stage.host.start_daemon().await;
    let cause = &["Caddy still runs an older copy"];
    stage.finds("a Caddy with an old snippet", cause, &["systemctl reload caddy"]).await;
    stage.host.change_site(Site::Imported);
    stage.is_mended().await;

    std::fs::remove_file(stage.state("route/shop/Caddyfile")).unwrap();
    let cause = &["The snippet", "is gone", "Caddy refuses to start, or to reload"];
    stage.finds("a snippet that was deleted", cause, &["the daemon writes it again"]).await;
    stage.host.kill_daemon();
    stage.host.start_daemon().await;
    stage.is_mended().await;
}

async fn what_a_release_needs(stage: &mut Stage) {
    let port = stage.host.port("shop", Slot::Blue);
    let stranger = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let held = format!("Port {port}, which the blue slot of shop needs, is held by");
    let pid = format!("(process {})", std::process::id());
    let cure = &["End that process, or write other `ports` into", "shop.toml"];
    stage.finds("a stranger on a slot's port", &[&held, &pid], cure).await;
    drop(stranger);
    stage.is_mended().await;

    let all = processes::in_folder(&stage.host.state);
    let epmd = all.into_iter().find(|it| processes::name(*it) == "epmd");
    let port = epmd_port(epmd.unwrap());
    processes::signal(epmd.unwrap(), Signal::SIGKILL);
    let stranger = until_bound(port).await;
    let held = format!("Port {port}, where Vial's epmd should listen, is held by");
    let cure = &["End that process, or set another `epmd_port` in"];
    stage.finds("a stranger on epmd's port", &[&held, "no release can start"], cure).await;
    drop(stranger);
    stage.is_mended().await;

    let env = stage.programs.path().join("env");
    let lines = format!("{QUICK}\nenv_file = {env:?}");
    std::fs::write(&env, "A=1\n").unwrap();
    mode(&env, 0o600);
    stage.host.reconfigure(&lines).await;
    stage.is_mended().await;
    std::fs::remove_file(&env).unwrap();
    let cause = format!("The env_file {} does not exist, so the app cannot start", env.display());
    stage.finds("a missing env_file", &[&cause], &["Write it (mode 0600)", "shop.toml"]).await;
    std::fs::write(&env, "A=1\n").unwrap();
    mode(&env, 0o644);
    let cause = format!("Every user of this host can read {}", env.display());
    let cure = format!("chmod o-r {}", env.display());
    stage.finds("an env_file that everybody reads", &[&cause, "secrets"], &[&cure]).await;
    mode(&env, 0o600);
    stage.is_mended().await;
    std::fs::write(&env, "ERL_FLAGS=-heart\n").unwrap();
    let cause = &["ERL_FLAGS turns heart on", "Vial starts no release with it"];
    stage.finds("an environment with -heart", cause, &["Take -heart out of ERL_FLAGS"]).await;

    std::fs::write(&env, "SHOP_CRASH_AFTER_MS=1\n").unwrap();
    let green = stage.host.pid("shop", Slot::Green).await.unwrap();
    processes::signal(green, Signal::SIGKILL);
    stage.host.until("shop", |it| it.warnings.iter().any(|it| it.code == Code::CrashLoop)).await;
    let cause = &["v2.0.0 exits again and again", "without a minute of health"];
    let cure = &["logs shop --slot green`", "rollback shop`"];
    stage.finds("a crash loop", cause, cure).await;
    std::fs::write(&env, "A=1\n").unwrap();
    stage.host.vial(&["rollback", "shop"]).await.ends(0);
    stage.host.until_slot(Slot::Green, SlotState::Stopped).await;
    stage.is_mended().await;
    stage.host.reconfigure(QUICK).await;
}

fn epmd_port(pid: u32) -> u16 {
    let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    let mut words = line.split('\0').skip_while(|word| *word != "-port");
    words.nth(1).unwrap().parse().unwrap()
}

/// A port that was just given up may be ours a moment later.
async fn until_bound(port: u16) -> TcpListener {
    let deadline = std::time::Instant::now() + crate::support::SOON;
    loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => return listener,
            Err(error) => assert!(std::time::Instant::now() < deadline, "port {port}: {error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

async fn the_configuration(stage: &mut Stage) {
    let app = stage.host.path("apps/shop.toml");
    let before = std::fs::read_to_string(&app).unwrap();
    let without: Vec<&str> = before.lines().filter(|it| !it.starts_with("user")).collect();
    let nobody = format!("user = \"vial_has_no_such\"\n{}", without.join("\n"));
    std::fs::write(&app, nobody).unwrap();
    let hint = if is_root() { "adduser --system" } else { "leave `user` out" };
    let wrong = stage.wrong().await;
    assert!(wrong.iter().any(|it| message(it).contains(hint)), "{wrong:#?}");
    let cause = &["User \"vial_has_no_such\"", "shop.toml", hint];
    stage.finds("a user that does not exist", cause, &["reload`"]).await;
    std::fs::write(&app, format!("{before}\nbakee = \"1s\"\n")).unwrap();
    let cause = &["Unknown key `bakee`", "did you mean `bake`", "shop.toml"];
    stage.finds("a mistyped key", cause, &["reload`"]).await;
    std::fs::write(&app, before).unwrap();
    stage.is_mended().await;
}

/// systemd's answers, from a program of the same name: its unit is the daemon's.
async fn the_unit(stage: &mut Stage) {
    let drop_in = stage.programs.path().join("override.conf");
    let sound = format!(
        "LoadState=loaded\nMainPID={}\nFragmentPath=/lib/systemd/system/vial.service\n\
         DropInPaths={}\nNeedDaemonReload=no\nKillMode=process\nPrivateTmp=no\nWatchdogUSec=30s\n\
         OOMPolicy=continue\nRestart=always\nStartLimitIntervalUSec=0\nDelegate=yes\n",
        stage.host.daemon_pid(),
        drop_in.display()
    );
    let answers = stage.programs.path().join("answers");
    let program = stage.programs.path().join("systemctl");
    let script = "#!/bin/sh\n[ \"$1 $2\" = 'show vial.service' ] || exit 1\ncat ";
    std::fs::write(&program, format!("{script}{}\n", answers.display())).unwrap();
    mode(&program, 0o755);
    std::fs::write(&answers, &sound).unwrap();
    stage.is_mended().await;
    for (what, setting, was, is, cause, cure) in [
        (
            "a unit that kills its slots",
            "KillMode=control-group",
            "KillMode=process",
            "KillMode=control-group",
            "systemd ends every slot together with the daemon",
            "Write `KillMode=process` in",
        ),
        (
            "a unit with a /tmp of its own",
            "PrivateTmp=yes",
            "PrivateTmp=no",
            "PrivateTmp=yes",
            "they cannot write into /tmp",
            "Write `PrivateTmp=no` in",
        ),
        (
            "a unit without a watchdog",
            "WatchdogSec=0",
            "WatchdogUSec=30s",
            "WatchdogUSec=0",
            "a daemon that hangs stays so",
            "Write `WatchdogSec=30s` in",
        ),
    ] {
        std::fs::write(&drop_in, format!("[Service]\n{setting}\n")).unwrap();
        std::fs::write(&answers, sound.replace(was, is)).unwrap();
        let file = drop_in.display().to_string();
        stage.finds(what, &["vial.service has", cause], &[cure, &file, "daemon-reload"]).await;
        std::fs::write(&answers, &sound).unwrap();
        stage.is_mended().await;
    }
    // A unit that is not this daemon's says nothing of it.
    let other = sound.replace("KillMode=process", "KillMode=mixed");
    let pid = format!("MainPID={}", stage.host.daemon_pid());
    std::fs::write(&answers, other.replace(&pid, "MainPID=1")).unwrap();
    stage.is_mended().await;
}

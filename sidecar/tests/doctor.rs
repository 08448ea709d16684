//! `vial doctor` on a sound set-up, and on broken ones: each is found, with its cause and its cure.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod doctor_stage;

use std::fs;

use nix::unistd::geteuid;
use serde_json::{Value, json};

use doctor_stage::{Stage, app, exists, host, ports, stranger};

/// A daemon's own words.
fn status(version: &str, apps: &[Value]) -> Value {
    json!({
        "version": version,
        "pid": 1,
        "started_at": "2026-01-01T00:00:00Z",
        "apps": apps,
        "problems": [],
    })
}

/// What a daemon says of the shop.
fn shop(stage: &Stage, warnings: &[Value]) -> Value {
    let slot = |slot: &str, port: u16| {
        json!({
            "slot": slot, "state": "stopped", "release": null, "port": port,
            "node": format!("shop_{slot}@127.0.0.1"), "pid": null, "since": null, "restarts": 0,
            "health": null, "last_exit": null,
        })
    };
    json!({
        "name": "shop", "revision": 1, "desired": "running", "active": null, "serving": null,
        "serving_since": null, "slots": [slot("blue", stage.blue), slot("green", stage.green)],
        "deployment": null, "queued": null, "last": null,
        "rollback": {"target": null, "refusal": null},
        "route": {"mode": "file", "hosts": ["shop.localhost"], "problem": null},
        "warnings": warnings,
    })
}

#[test]
fn a_sound_set_up_is_all_right() {
    let stage = Stage::new();
    let mut daemon = stage.daemon();
    let _caddy = stage.caddy(&stage.import());
    let report = stage.doctor();
    // How full the disk is that the tests run on is not theirs to say.
    let wrong: Vec<_> = report.wrong().into_iter().filter(|it| *it != "disk").collect();
    assert!(wrong.is_empty(), "{wrong:?}: {}", report.text);
    assert_eq!(report.code, i32::from(report.wrong().contains(&"disk")), "{}", report.text);
    for subject in
        ["configuration", "state", "daemon", "app shop", "ports of shop", "route of shop"]
    {
        let fine = report.findings.iter().any(|it| it["subject"] == subject && it["level"] == "ok");
        assert!(fine, "{subject} was not looked at: {}", report.text);
    }
    if report.code == 0 {
        let (code, page) = stage.page(&[]);
        assert_eq!(code, 0, "{page}");
        assert!(page.ends_with("\nAll is well.\n"), "{page}");
        assert_eq!(stage.page(&["--quiet"]), (0, "All is well.\n".into()));
    }
    daemon.stop();
    stage.doctor().finds("problem", "The daemon is not running", "systemctl start vial");
}

#[test]
fn a_missing_host_file_is_found() {
    let stage = Stage::new();
    fs::remove_file(stage.at("vial.toml")).unwrap();
    let report = stage.doctor();
    let cause = format!("There is no configuration at {}", stage.file());
    report.finds("problem", &cause, "init` writes one");
}

#[test]
fn an_unknown_key_in_the_host_file_is_found_with_the_nearest_known_one() {
    let stage = Stage::new();
    stage.host("epmd_prot = 4370");
    let report = stage.doctor();
    report.finds("problem", "Unknown key `epmd_prot`", "systemctl restart vial");
    report.finds("problem", "did you mean `epmd_port`", "Correct it");
    report.finds("problem", "The daemon is not running", "serve");
}

#[test]
fn a_mistake_in_an_apps_file_is_found_with_its_line() {
    let stage = Stage::new();
    stage.shop("helth = { path = \"/\" }");
    let line = if geteuid().is_root() { "line 5" } else { "line 4" };
    let report = stage.doctor();
    report.finds("problem", "Unknown key `helth`", "reload`");
    report.finds("problem", line, "shop.toml");
}

#[test]
fn two_apps_that_want_one_port_are_found() {
    let stage = Stage::new();
    stage.write("apps/blog.toml", &app("blog", ports::free(), stage.green, ""));
    let cause = format!("Port {}, which shop wants for its green slot and blog", stage.green);
    let report = stage.doctor();
    report.finds("problem", &cause, "reload`");
}

#[test]
fn a_user_that_the_app_cannot_run_as_is_found() {
    let stage = Stage::new();
    stage.shop("user = \"vial_has_no_such\"");
    let hint = if geteuid().is_root() { "adduser --system" } else { "leave `user` out" };
    let report = stage.doctor();
    report.finds("problem", "User \"vial_has_no_such\"", "shop.toml");
    report.finds("problem", hint, "reload`");
}

#[test]
fn a_missing_env_file_is_found() {
    let stage = Stage::new();
    stage.shop("env_file = \"../none.env\"");
    let report = stage.doctor();
    report.finds("problem", "none.env does not exist, so the app cannot start", "mode 0600");
}

#[test]
fn an_env_file_that_everybody_can_read_is_found() {
    let stage = Stage::new();
    stage.shop("env_file = \"../shop.env\"");
    stage.write("shop.env", "SECRET_KEY_BASE=hush\n");
    let cure = format!("chmod o-r {}", stage.at("apps/../shop.env").display());
    let report = stage.doctor();
    report.finds("warning", "Every user of this host can read", &cure);
    stage.mode("shop.env", 0o666);
    stage.doctor().finds("warning", "Every user of this host can change", "chmod o-rwx");
    assert!(!report.text.contains("hush"), "{}", report.text);
}

#[test]
fn an_env_file_that_cannot_be_understood_is_found_without_its_secret() {
    let stage = Stage::new();
    stage.shop("env_file = \"../shop.env\"");
    stage.write("shop.env", "A=1\nB=hush # comment\n");
    stage.mode("shop.env", 0o600);
    let report = stage.doctor();
    report.finds("problem", "cannot be understood in line 2", "single quotes");
    assert!(!report.text.contains("hush"), "{}", report.text);
}

#[test]
fn a_socket_that_a_dead_daemon_left_is_found() {
    let stage = Stage::new();
    stage.daemon().kill();
    let report = stage.doctor();
    report.finds("problem", "which an earlier daemon left behind", "systemctl start vial");
}

#[test]
fn a_daemon_whose_socket_was_removed_is_found_by_its_lock() {
    let stage = Stage::new();
    let daemon = stage.daemon();
    fs::remove_file(stage.at("run/vial.sock")).unwrap();
    let cause = format!("a daemon runs on this state folder, process {}", daemon.pid());
    stage.doctor().finds("problem", &cause, "systemctl restart vial");
}

#[test]
fn a_daemon_of_another_version_is_found() {
    let stage = Stage::new();
    stage.fake_daemon(&status("0.0.1", &[shop(&stage, &[])]));
    let report = stage.doctor();
    report.finds("warning", "The daemon is vial 0.0.1", "systemctl restart vial");
}

#[test]
fn a_daemon_that_may_open_few_files_is_found() {
    let stage = Stage::new();
    let _daemon = stage.daemon_with_files("ulimit -n 512");
    let report = stage.doctor();
    report.finds("warning", "may open 512 files at most", "LimitNOFILE=");
}

#[test]
fn another_daemons_socket_is_found() {
    let (stage, other) = (Stage::new(), Stage::new());
    other.fake_daemon(&status("0.0.1", &[]));
    let socket = other.at("run/vial.sock");
    let report = stage.doctor_with(&["--socket", socket.to_str().unwrap()]);
    report.finds("warning", "The daemon was asked at", "Leave out --socket");
}

#[test]
fn an_app_that_the_daemon_does_not_know_yet_or_still_knows_is_found() {
    let stage = Stage::new();
    let _daemon = stage.daemon();
    stage.write("apps/blog.toml", &app("blog", ports::free(), ports::free(), ""));
    if geteuid().is_root() {
        fs::remove_file(stage.at("apps/shop.toml")).unwrap();
    }
    let report = stage.doctor();
    report.finds("warning", "blog is configured in", "reload`");
    fs::remove_file(stage.at("apps/blog.toml")).unwrap();
    let _ = fs::remove_file(stage.at("apps/shop.toml"));
    let report = stage.doctor();
    report.finds("warning", "shop has no file any more", "stop shop`");
}

#[test]
fn a_crash_loop_is_found_with_the_daemons_own_words() {
    let stage = Stage::new();
    let warning = json!({
        "code": "crash_loop",
        "message": "v2.0.0 exits again and again: 7 times without a minute of health between.",
        "next": "`vial logs shop --slot blue`, `vial rollback shop`",
    });
    stage.fake_daemon(&status(env!("CARGO_PKG_VERSION"), &[shop(&stage, &[warning])]));
    let report = stage.doctor();
    report.finds("problem", "v2.0.0 exits again and again", "rollback shop`");
}

#[test]
fn a_release_that_cannot_say_that_it_rests_is_found_where_it_shall_be_frozen() {
    let stage = Stage::new();
    let mut shop = shop(&stage, &[]);
    shop["active"] = json!("blue");
    shop["serving"] = json!({
        "number": 3, "name": "shop", "version": "2.0.0", "sha256": "", "size": 1, "erts": null,
        "elixir": null, "migrations": [], "unpacked_at": "2026-01-01T00:00:00Z",
    });
    stage.fake_daemon(&status(env!("CARGO_PKG_VERSION"), &[shop]));
    let libraries = stage.at("state/apps/shop/releases/3/lib");
    fs::create_dir_all(libraries.join("shop-2.0.0")).unwrap();
    let says = |report: &doctor_stage::Report| report.wrong().contains(&"standby of shop");
    assert!(!says(&stage.doctor()), "nothing is frozen where nobody asked for it");
    stage.shop("standby = { mode = \"frozen\" }");
    let report = stage.doctor();
    report.finds("warning", "so it will be stopped instead", "`mode = \"warm\"`");
    fs::create_dir(libraries.join("vial-0.1.0")).unwrap();
    assert!(!says(&stage.doctor()), "it can say so");
}

#[test]
fn a_state_folder_that_is_a_file_is_found() {
    let stage = Stage::new();
    stage.write("state", "");
    let report = stage.doctor();
    report.finds("problem", "state is a file", "another `state_dir`");
}

#[test]
fn a_state_folder_that_cannot_be_made_is_found() {
    let stage = Stage::new();
    stage.write("vial.toml", &host(stage.admin, "vial.toml/state", ""));
    let report = stage.doctor();
    report.finds("problem", "is a file", "state_dir");
}

#[test]
fn a_state_folder_that_is_gone_under_the_daemon_is_found() {
    let stage = Stage::new();
    let _daemon = stage.daemon();
    fs::rename(stage.at("state"), stage.at("elsewhere")).unwrap();
    let report = stage.doctor();
    report.finds("problem", "is gone, and the daemon still runs", "not mounted");
}

#[test]
fn a_damaged_history_is_found() {
    let stage = Stage::new();
    stage.daemon().stop();
    for more in ["state/vial.db-wal", "state/vial.db-shm"] {
        let _ = fs::remove_file(stage.at(more));
    }
    fs::write(stage.at("state/vial.db"), [b'x'; 8192]).unwrap();
    let report = stage.doctor();
    report.finds("problem", "vial.db cannot be used", "restore a backup");
}

#[test]
fn a_release_that_is_recorded_and_gone_or_there_and_unknown_is_found() {
    let stage = Stage::new();
    stage.daemon().stop();
    let database = rusqlite::Connection::open(stage.at("state/vial.db")).unwrap();
    database
        .execute(
            "insert into releases (app, number, name, version, sha256, size, migrations, unpacked_at)
             values ('shop', 3, 'shop', '1.0.0', '', 5, '[]', 0)",
            [],
        )
        .unwrap();
    drop(database);
    let report = stage.doctor();
    report.finds("problem", "Release 3 of shop is in the history and not in", "deploy shop PATH`");
    let _daemon = stage.daemon();
    fs::create_dir(stage.at("state/apps/shop/releases/9")).unwrap();
    let report = stage.doctor();
    report.finds("warning", "releases/9 is in no history", "rm -r");
    assert!(exists(&stage.at("state/apps/shop/releases/9")), "it only looks");
}

#[test]
fn a_stranger_on_a_slots_port_is_found_with_and_without_the_daemon() {
    let mut stage = Stage::new();
    let (_held, port) = stranger();
    stage.green = port;
    stage.shop("");
    let cause = format!("Port {port}, which the green slot of shop needs, is held by ");
    let named = format!("(process {})", std::process::id());
    let report = stage.doctor();
    report.finds("problem", &cause, "End that process");
    report.finds("problem", &named, "other `ports`");
    let _daemon = stage.daemon();
    stage.doctor().finds("problem", &cause, "End that process");
}

#[test]
fn something_on_epmds_port_that_is_no_epmd_is_found() {
    let stage = Stage::new();
    let (_held, port) = stranger();
    stage.host(&format!("epmd_port = {port}"));
    let report = stage.doctor();
    report.finds("problem", "which does not answer as an epmd does", "another `epmd_port`");
}

#[test]
fn a_caddy_that_is_not_installed_is_found() {
    let mut stage = Stage::new();
    stage.path = Some("/nonexistent".into());
    let report = stage.doctor();
    report.finds("problem", "not installed, or not in PATH", "apt-get install caddy");
}

#[test]
fn a_caddy_that_is_too_old_is_found() {
    let stage = Stage::new();
    stage.program("caddy", "echo v2.4.3 h1:abc=");
    let report = stage.doctor();
    report.finds("problem", "Caddy v2.4.3 is too old", "Install a newer one");
}

#[test]
fn a_caddy_that_does_not_run_is_found_once() {
    let stage = Stage::new();
    let report = stage.doctor();
    report.finds("problem", "Caddy is not running", "systemctl start caddy");
    let _daemon = stage.daemon();
    let report = stage.doctor();
    report.finds("problem", "Caddy is not running", "systemctl start caddy");
    assert_eq!(report.text.matches("Caddy is not running").count(), 1, "{}", report.text);
}

#[test]
fn a_site_without_the_snippet_is_found_with_the_line_to_add() {
    let stage = Stage::new();
    let _daemon = stage.daemon();
    let _caddy = stage.caddy("respond hello");
    let cure = format!("Put `{}` into the block of shop.localhost", stage.import());
    let report = stage.doctor();
    report.finds("problem", "no site of it imports Vial's snippet for shop", &cure);
}

#[test]
fn a_caddy_with_an_older_copy_of_the_snippet_is_found() {
    let mut stage = Stage::new();
    let mut daemon = stage.daemon();
    let _caddy = stage.caddy(&stage.import());
    daemon.stop();
    stage.blue = ports::free();
    stage.shop("");
    let _daemon = stage.daemon();
    stage.doctor().finds("problem", "Caddy still runs an older copy", "systemctl reload caddy");
}

#[test]
fn a_snippet_that_was_deleted_is_found_before_caddy_refuses_to_start() {
    let stage = Stage::new();
    let _daemon = stage.daemon();
    let _caddy = stage.caddy(&stage.import());
    fs::remove_file(stage.at("state/route/shop/Caddyfile")).unwrap();
    let report = stage.doctor();
    report.finds("problem", "Caddy refuses to start, or to reload", "systemctl restart vial");
}

#[test]
fn a_state_folder_below_a_private_tmp_of_caddys_unit_is_found() {
    let stage = Stage::new();
    stage.program("systemctl", "printf 'PrivateTmp=yes\\nProtectHome=no\\nUser=caddy\\n'");
    stage.write("vial.toml", &host(stage.admin, "/var/tmp/vial-doctor-none", ""));
    let report = stage.doctor();
    report.finds("problem", "Caddy's unit has PrivateTmp", "state_dir = \"/var/lib/vial\"");
}

#[test]
fn a_folder_that_is_closed_to_caddys_user_is_found() {
    let stage = Stage::new();
    // Whoever runs the tests, the app's user here must not be the one that cannot pass.
    stage.program("systemctl", "printf 'PrivateTmp=no\\nProtectHome=no\\nUser=daemon\\n'");
    stage.daemon().stop();
    stage.mode("state/route", 0o700);
    let report = stage.doctor();
    let cure = format!("chmod o+x {}", stage.at("state/route").canonicalize().unwrap().display());
    report.finds("warning", "A Caddy that runs as daemon cannot see", &cure);
}

#[test]
fn a_user_that_cannot_reach_its_releases_is_found() {
    if !geteuid().is_root() {
        // An app has a user of its own under root alone.
        return;
    }
    let stage = Stage::new();
    stage.daemon().stop();
    stage.mode("state", 0o700);
    let cure = format!("chmod o+x {}", stage.at("state").canonicalize().unwrap().display());
    stage.doctor().finds("problem", "nobody cannot reach the releases in", &cure);
}

#[test]
fn the_page_shows_cause_and_cure_in_the_order_of_mending() {
    let stage = Stage::new();
    stage.shop("env_file = \"../none.env\"");
    let (code, page) = stage.page(&["--quiet"]);
    assert_eq!(code, 1, "{page}");
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("no {part:?} in:\n{page}"));
    assert!(at("none.env does not exist") < at("The daemon is not running"), "{page}");
    assert!(at("The daemon is not running") < at("Caddy is not running"), "{page}");
    assert!(page.contains("Next: "), "{page}");
    assert!(page.ends_with(". Begin at the top.\n"), "{page}");
    assert!(!page.contains("\nok "), "{page}");
}

#[test]
fn a_log_that_its_file_system_cannot_free_is_named() {
    let stage = Stage::new();
    stage.shop("logs = { live = \"1MiB\" }");
    fs::create_dir_all(stage.at("state/apps/shop/slots/green.log.d")).unwrap();
    let text = "a line that a segment has too\n".repeat(200_000);
    stage.write("state/apps/shop/slots/green.log", &text);
    let finds = || {
        let report = stage.doctor();
        report.findings.iter().any(|it| it["subject"] == "logs of shop")
    };
    assert!(!finds(), "all of it is live");
    // As if it could not be freed: a daemon would punch a hole here.
    let segment = format!("{:020}-{:020}.zst", 0, text.len());
    stage.write(&format!("state/apps/shop/slots/green.log.d/{segment}"), "text");
    stage.doctor().finds(
        "warning",
        "green.log takes 5 MiB of the disk for lines that are compressed already",
        "freed when the green slot is started the next time",
    );
}

#[test]
fn secrets_that_others_may_read_are_found() {
    let stage = Stage::new();
    stage.host(&format!(
        "[notify.team]\nkind = \"slack\"\nurl_file = \"{0}\"\n\
         [notify.audit]\nurl = \"https://a.b\"\nsecret_file = \"{0}.none\"\n",
        stage.at("slack-url").display()
    ));
    stage.write("slack-url", "https://hooks.example.com/PLANTED");
    stage.mode("slack-url", 0o644);
    fs::create_dir_all(stage.at("state/apps/shop")).unwrap();
    stage.write("state/apps/shop/hook-secret", "known to the forge");
    stage.mode("state/apps/shop/hook-secret", 0o640);
    let report = stage.doctor();
    report.finds("problem", "slack-url holds a secret, and others may read it", "chmod 600");
    report.finds("problem", "hook-secret holds a secret, and others may read it", "chmod 600");
    report.finds("problem", "slack-url.none cannot be looked at", "correct its path");
    assert!(!report.text.contains("PLANTED"), "{}", report.text);
    stage.host("[notify.team]\nkind = \"slack\"\nurl = \"https://a.b/PLANTED\"\n");
    let report = stage.doctor();
    report.finds("warning", "`notify.team.url` is as good as a password", "url_file");
    assert!(!report.text.contains("PLANTED"), "{}", report.text);
}

#[test]
fn an_address_of_webhooks_that_a_stranger_has_is_found() {
    let stage = Stage::new();
    let (_stranger, port) = stranger();
    stage.host(&format!("[hooks]\nlisten = \"127.0.0.1:{port}\"\n"));
    let report = stage.doctor();
    report.finds("problem", "where webhooks shall be taken, is held by", "hooks.listen");
    let _daemon = stage.daemon();
    let report = stage.doctor();
    report.finds("problem", "where webhooks shall be taken, is held by", "End that process");
}

#[test]
fn a_repository_that_cannot_be_asked_is_found() {
    let stage = Stage::new();
    stage.shop("source = { git = \"https://example.com/shop.git\" }\n");
    let mut app = shop(&stage, &[]);
    app["auto_deploy"] = json!({
        "on": true, "branch": "main",
        "failing": {
            "since": "2026-01-01T00:00:00Z", "attempts": 4, "error": "fatal: no such host",
            "next_at": "2026-01-01T00:10:00Z",
        },
    });
    stage.fake_daemon(&status(env!("CARGO_PKG_VERSION"), &[app]));
    let report = stage.doctor();
    report.finds(
        "warning",
        "could not be asked for main (4 attempts): fatal: no such host",
        "[source]",
    );
}

//! What the route says when it does not work, and that it changes nothing then.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Caddy, Stage};
use vial::route::{Obstacle, Ports, Route, RouteProblem, Settings, SwitchError, Token};
use vial_protocol::Slot::{Blue, Green};

#[tokio::test(flavor = "multi_thread")]
async fn a_snippet_that_is_not_imported_is_named_at_once_with_the_line_to_add() {
    let stage = Stage::new().await;
    let route = stage.prepared(stage.settings());
    let site = format!("http://localhost:{} {{\nrespond hello\n}}\n", stage.site);
    let _caddy = stage.caddy(&site).await;
    let begun = Instant::now();
    let error = route.switch(Green).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    assert!(matches!(error, SwitchError::NotTried(RouteProblem::NotImported { .. })), "{error}");
    assert!(error.to_string().contains("Nothing was changed"), "{error}");
    let line = format!("import {}/Caddyfile", stage.path("state/route/shop").display());
    let next = route.check(Blue).await.unwrap_err().next();
    assert!(next.contains(&line) && next.contains("localhost {") && next.contains("reload"));
    assert_eq!(route.flagged().unwrap(), Blue);

    // As told: add the line, reload.
    stage.write_caddyfile(&format!("admin 127.0.0.1:{}", stage.admin), &stage.plain_site(&route));
    reload(&stage);
    route.switch(Green).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_that_does_not_run_is_said_so_and_the_flag_stays() {
    let stage = Stage::new().await;
    let (route, mut caddy) = stage.plain(stage.settings()).await;
    route.switch(Green).await.unwrap();
    caddy.kill();
    for problem in [route.check(Green).await.unwrap_err(), never_asked(&stage).await] {
        assert!(matches!(problem, RouteProblem::NoCaddy { .. }), "{problem}");
        assert!(problem.to_string().contains("connection refused"), "{problem}");
        assert!(problem.next().contains("systemctl start caddy"));
    }
    let error = route.switch(Blue).await.unwrap_err();
    assert!(matches!(error, SwitchError::NotTried(RouteProblem::NoCaddy { .. })), "{error}");
    assert_eq!(route.flagged().unwrap(), Green);
}

async fn never_asked(stage: &Stage) -> RouteProblem {
    Route::new(stage.settings()).unwrap().check(Green).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_that_runs_an_older_copy_is_told_apart_from_one_without_any() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    route.switch(Blue).await.unwrap();
    let other = Ports { blue: stage.green.port, green: stage.blue.port };
    let moved = stage.prepared(Settings { ports: other, ..stage.settings() });
    let error = moved.switch(Green).await.unwrap_err();
    assert!(matches!(error, SwitchError::NotTried(RouteProblem::Stale { .. })), "{error}");
    assert!(error.next().contains("caddy reload"), "{}", error.next());
    reload(&stage);
    moved.switch(Green).await.unwrap();
    assert_eq!(stage.who().await, "blue", "which has the port that was green's");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_endpoint_that_refuses_this_address_is_said_so() {
    let stage = Stage::new().await;
    let route = stage.prepared(stage.settings());
    let global = format!("admin 127.0.0.1:{} {{\norigins caddy.example\n}}", stage.admin);
    let _caddy = stage.caddy_with(&global, &stage.plain_site(&route)).await;
    let problem = route.check(Blue).await.unwrap_err();
    assert!(matches!(problem, RouteProblem::AdminUnreachable { .. }), "{problem}");
    assert!(problem.to_string().contains("403"), "{problem}");
    assert!(problem.next().contains("origins"), "{}", problem.next());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_that_answers_the_probe_but_not_the_admin_endpoint_is_no_missing_caddy() {
    let stage = Stage::new().await;
    let probe = format!("http://127.0.0.1:{}", stage.site).parse().unwrap();
    let route = stage.prepared(Settings { probe: Some(probe), ..stage.settings() });
    let _caddy = stage.caddy_with("admin off", &stage.plain_site(&route)).await;
    let problem = route.check(Blue).await.unwrap_err();
    assert!(matches!(problem, RouteProblem::AdminUnreachable { .. }), "{problem}");
    route.switch(Green).await.unwrap();
}

/// As when root ran `caddy reload`: the import was read by root, the flag is looked for by Caddy's
/// own user.
#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_of_another_user_that_cannot_pass_a_folder_is_told_which() {
    const NOBODY: u32 = 65534;
    if !nix::unistd::Uid::effective().is_root() {
        eprintln!("not run: only root can start a Caddy of another user");
        return;
    }
    let stage = Stage::new().await;
    let route = stage.prepared(stage.settings());
    let state = stage.path("state");
    mode(stage.folder.path(), 0o755);
    mode(&state, 0o700);
    stage.write_caddyfile(&format!("admin 127.0.0.1:{}", stage.admin), &stage.plain_site(&route));
    let adapted = Caddy::run(stage.folder.path(), &["adapt", "--config", "Caddyfile"]);
    std::fs::write(stage.path("caddy.json"), adapted.stdout).unwrap();
    let home = stage.path("home");
    std::fs::create_dir_all(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(NOBODY), Some(NOBODY)).unwrap();
    let run = ["--config", "caddy.json"];
    let _caddy = Caddy::start_as(stage.folder.path(), &run, Some(NOBODY)).await;

    let error = route.switch(Green).await.unwrap_err();
    let RouteProblem::FolderHidden { obstacle, .. } = error.problem() else { panic!("{error}") };
    assert_eq!(obstacle, &Obstacle::Closed { path: state.clone(), mode: 0o700 });
    assert!(error.to_string().contains(state.to_str().unwrap()), "{error}");
    assert_eq!(error.next(), format!("Run `chmod o+x {}`.", state.display()));
    assert_eq!(route.flagged().unwrap(), Blue);
    assert!(route.check(Blue).await.is_err(), "known before the first deploy is lost on it");
    assert_eq!(route.prepare().unwrap().closed, Some((state.clone(), 0o700)));

    // As told.
    mode(&state, 0o711);
    route.check(Blue).await.unwrap();
    route.switch(Green).await.unwrap();
    assert_eq!(stage.who().await, "green");

    // Hidden again while green is active: Caddy sends everything to blue, silently. That is said,
    // and the way back to blue is open.
    mode(&state, 0o700);
    assert_eq!(stage.who().await, "blue");
    let problem = route.check(Green).await.unwrap_err();
    assert!(matches!(problem, RouteProblem::FolderHidden { .. }), "{problem}");
    route.switch(Blue).await.unwrap();
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A Caddy in a container may have a copy of the folder: it sees the snippet, not the flag.
#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_caddy_does_not_follow_is_put_back_within_its_deadline() {
    let stage = Stage::new().await;
    let route = stage.prepared(stage.settings());
    stage.write_caddyfile(&format!("admin 127.0.0.1:{}", stage.admin), &stage.plain_site(&route));
    let adapted = Caddy::run(stage.folder.path(), &["adapt", "--config", "Caddyfile"]);
    let folder = stage.path("state/route/shop");
    let copy = stage.path("copy");
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(folder.join("Caddyfile"), copy.join("Caddyfile")).unwrap();
    let root = |path: &Path| format!("\"root\":\"{}\"", path.display());
    let json = String::from_utf8(adapted.stdout).unwrap().replace(&root(&folder), &root(&copy));
    assert!(json.contains(&root(&copy)));
    std::fs::write(stage.path("caddy.json"), json).unwrap();
    let _caddy = Caddy::start(stage.folder.path(), &["--config", "caddy.json"]).await;

    let begun = Instant::now();
    let error = route.switch(Green).await.unwrap_err();
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(1500) && took < Duration::from_secs(6), "{took:?}");
    assert!(matches!(error, SwitchError::PutBack { back: Blue, .. }), "{error}");
    assert!(error.to_string().contains("blue answers through Caddy instead of green"), "{error}");
    assert_eq!(route.flagged().unwrap(), Blue);
    route.check(Blue).await.unwrap();
}

#[tokio::test]
async fn a_flag_changed_by_another_hand_is_told_as_that() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    route.switch(Green).await.unwrap();
    std::fs::remove_file(stage.path("state/route/shop/green")).unwrap();
    let problem = route.check(Green).await.unwrap_err();
    assert!(problem.to_string().contains("Vial's route folder says blue"), "{problem}");
    route.switch(Green).await.unwrap();
    route.check(Green).await.unwrap();
}

#[tokio::test]
async fn names_that_mean_something_in_a_caddyfile_are_refused() {
    let stage = Stage::new().await;
    let refused = |settings: Settings| {
        let problem = Route::new(settings).err();
        assert!(matches!(problem, Some(RouteProblem::Unwritable { .. })), "{problem:?}");
    };
    for app in ["", "a b", "shop{env.X}", "shop\nrespond", "shop\"", "a*"] {
        refused(Settings { app: app.into(), ..stage.settings() });
    }
    for folder in ["/with space", "/a{$X}", "relative", "/a*", "/a\n", "/a[b]", "/a\"b"] {
        refused(Settings { folder: folder.into(), ..stage.settings() });
    }
}

#[tokio::test]
async fn the_secret_is_in_no_message_and_not_in_the_snippet() {
    let stage = Stage::new().await;
    let secret = "swordfish-swordfish";
    let settings = Settings { token: Token::new(secret), ..stage.settings() };
    let route = stage.prepared(settings.clone());
    assert!(!format!("{settings:?}").contains(secret));
    assert!(!route.snippet().unwrap().contains(secret));
    assert!(!route.check(Blue).await.unwrap_err().to_string().contains(secret));
}

fn reload(stage: &Stage) {
    let address = format!("127.0.0.1:{}", stage.admin);
    Caddy::run(stage.folder.path(), &["reload", "--config", "Caddyfile", "--address", &address]);
}

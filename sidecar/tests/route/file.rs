//! The route by flag file, through a real Caddy.

use std::process::Output;
use std::time::{Duration, Instant};

use crate::support::client::{Load, Socket, Stream, get, request, send};
use crate::support::{Caddy, Stage};
use hyper::Request;
use vial::route::{Address, ConfirmedBy, Route, Settings};
use vial_protocol::Slot::{Blue, Green};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switching_under_load_fails_no_request_and_keeps_streams_and_websockets() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    assert_eq!(stage.who().await, "blue");
    let mut socket = Socket::open(stage.site).await;
    let mut stream = Stream::open(stage.site).await;
    let load = Load::start(stage.site);
    for to in [Green, Blue].into_iter().cycle().take(20) {
        let switched = route.switch(to).await.unwrap();
        assert!(switched.confirmed >= switched.flip);
        assert_eq!(stage.who().await, to.as_str(), "after the switch was confirmed");
        assert_eq!(route.flagged().unwrap(), to);
    }
    let tally = load.stop().await;
    assert!(tally.failed.is_empty(), "{tally:?}");
    assert!(tally.answered["blue"] > 20 && tally.answered["green"] > 20, "{tally:?}");
    assert!(socket.echoes().await, "the WebSocket that was opened before the first switch");
    assert!(stream.flows().await, "the stream that was opened before the first switch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_to_the_active_slot_only_asks() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    for to in [Blue, Green, Green] {
        let switched = route.switch(to).await.unwrap();
        let ConfirmedBy::Probe(target) = switched.confirmed_by else { panic!() };
        assert_eq!(target.address, Address::Tcp(([127, 0, 0, 1], stage.site).into()));
        assert_eq!((target.host.as_str(), target.tls), ("localhost", false));
        route.check(to).await.unwrap();
    }
    let wrong = route.check(Blue).await.unwrap_err();
    assert!(wrong.to_string().contains("green answers through Caddy instead of blue"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_sees_no_probe_and_a_client_without_the_secret_learns_nothing() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    route.switch(Green).await.unwrap();
    route.switch(Blue).await.unwrap();
    route.check(Blue).await.unwrap();
    assert_eq!((stage.blue.probed(), stage.green.probed()), (0, 0));
    assert_eq!((stage.blue.heads(), stage.green.heads()), (0, 0));

    let stranger = Request::get("/")
        .header("host", "localhost")
        .header("vial-probe", "a guess")
        .body(http_body_util::Empty::new())
        .unwrap();
    for request in [request("/"), stranger] {
        let answer = send(stage.site, request).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(!answer.headers().contains_key("vial-slot"), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_marks_its_own_answers_cannot_pass_for_caddy() {
    let stage = Stage::new().await;
    let settings = stage.settings();
    let site = format!(
        "http://localhost:{} {{\nheader Vial-Slot green\nrespond \"I am green\"\n}}\n",
        stage.site
    );
    let route = stage.prepared(Settings {
        admin: None,
        probe: Some(format!("http://127.0.0.1:{}", stage.site).parse().unwrap()),
        ..settings
    });
    let _caddy = stage.caddy(&site).await;
    let error = route.switch(Green).await.unwrap_err();
    assert!(error.to_string().contains("without the mark"), "{error}");
    assert_eq!(route.flagged().unwrap(), Blue);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forced_reloads_during_switches_never_leave_traffic_on_the_wrong_slot() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    let folder = stage.folder.path().to_owned();
    let admin = format!("127.0.0.1:{}", stage.admin);
    let reloads = tokio::task::spawn_blocking(move || -> Vec<Output> {
        let reload = ["reload", "--force", "--config", "Caddyfile", "--address", &admin];
        (0..8).map(|_| Caddy::run(&folder, &reload)).collect()
    });
    let mut switches = 0;
    while !reloads.is_finished() || switches < 10 {
        for to in [Green, Blue] {
            route.switch(to).await.unwrap();
            // Caddy may reset a connection while it reloads; a wrong slot it must not answer.
            if let Ok(who) = get(stage.site, "/").await {
                assert_eq!(who, to.as_str());
            }
            switches += 1;
        }
    }
    reloads.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_that_is_killed_and_started_again_keeps_the_slot() {
    let stage = Stage::new().await;
    let (route, mut caddy) = stage.plain(stage.settings()).await;
    route.switch(Green).await.unwrap();
    caddy.start_again().await;
    assert_eq!(stage.who().await, "green");
    route.check(Green).await.unwrap();
    route.switch(Blue).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_waits_for_a_caddy_that_is_about_to_be_back() {
    let stage = Stage::new().await;
    let (route, mut caddy) = stage.plain(stage.settings()).await;
    route.switch(Blue).await.unwrap();
    caddy.kill();
    let (switched, ()) = tokio::join!(route.switch(Green), caddy.start_again());
    switched.unwrap();
    assert_eq!(stage.who().await, "green");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_over_tls_with_a_certificate_of_nobody_is_asked_all_the_same() {
    let stage = Stage::new().await;
    let route = stage.prepared(Settings { hosts: vec![], ..stage.settings() });
    let import = route.settings().import_line();
    let sites = format!("https://*.shop.example:{} {{\ntls internal\n{import}\n}}\n", stage.site);
    let _caddy = stage.caddy(&sites).await;
    for to in [Green, Blue] {
        let switched = route.switch(to).await.unwrap();
        let ConfirmedBy::Probe(target) = switched.confirmed_by else { panic!() };
        assert!(target.tls);
        assert_eq!(target.host, "vial-probe.shop.example");
    }
    let hosts = vec!["elsewhere.example".into(), "a.shop.example".into()];
    let named = Route::new(Settings { hosts, ..route.settings().clone() }).unwrap();
    let ConfirmedBy::Probe(target) = named.switch(Green).await.unwrap().confirmed_by else {
        panic!()
    };
    assert_eq!(target.host, "a.shop.example", "a name of the app's own is preferred");

    // A person who gives the address need not say that it speaks TLS.
    let probe = Some(format!("127.0.0.1:{}", stage.site).parse().unwrap());
    let settings = Settings { admin: None, probe, ..named.settings().clone() };
    let settings = Settings { hosts: vec!["a.shop.example".into()], ..settings };
    Route::new(settings).unwrap().switch(Blue).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_behind_a_login_or_a_redirect_is_asked_all_the_same() {
    let stage = Stage::new().await;
    let route = stage.prepared(stage.settings());
    let import = route.settings().import_line();
    let hash = "JDJhJDEwJEVCNmdaNEg2Ti5iejRMYkF3MFZhZ3VtV3E1SzBWZEZ5Q3VWc0tzOEJwZE9TaFlZdEVkZDhX";
    let port = stage.site;
    let walls = [format!("basicauth {{\nbob {hash}\n}}"), "redir / /elsewhere".to_owned()];
    for wall in walls {
        let site = format!("http://localhost:{port} {{\n{wall}\nencode gzip\n{import}\n}}\n");
        let _caddy = stage.caddy(&site).await;
        for to in [Green, Blue] {
            route.switch(to).await.unwrap();
        }
        assert_ne!(send(port, request("/")).await.unwrap().status(), 200, "the wall stands");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_apps_share_a_site_under_paths_of_their_own() {
    let stage = Stage::new().await;
    let shop = stage.prepared(stage.settings());
    let blog = stage.prepared(Settings {
        app: "the-blog".into(),
        folder: stage.path("state/route/the-blog"),
        ..stage.settings()
    });
    let import = |route: &Route| route.settings().import_line();
    let site = format!(
        "http://localhost:{} {{\nhandle /shop/* {{\n{}\n}}\nhandle_path /blog/* {{\n{}\n}}\n\
         handle {{\nrespond \"neither\"\n}}\n}}\n",
        stage.site,
        import(&shop),
        import(&blog)
    );
    let _caddy = stage.caddy(&site).await;
    blog.switch(Green).await.unwrap();
    shop.check(Blue).await.unwrap();
    blog.check(Green).await.unwrap();
    assert_eq!(get(stage.site, "/shop/").await.unwrap(), "blue");
    assert_eq!(get(stage.site, "/blog/").await.unwrap(), "green");
    assert_eq!(stage.who().await, "neither");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_endpoint_may_be_a_unix_socket() {
    let stage = Stage::new().await;
    let socket = stage.path("admin.sock");
    let address = Address::Unix(socket.clone());
    let route = stage.prepared(Settings { admin: Some(address), ..stage.settings() });
    let global = format!("admin unix/{}", socket.display());
    let _caddy = stage.caddy_with(&global, &stage.plain_site(&route)).await;
    route.switch(Green).await.unwrap();
    route.check(Green).await.unwrap();
    assert!(route.in_flight().await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_admin_endpoint_the_given_address_is_asked() {
    let stage = Stage::new().await;
    let probe = format!("http://127.0.0.1:{}", stage.site).parse().unwrap();
    let settings = Settings { admin: None, probe: Some(probe), ..stage.settings() };
    let route = stage.prepared(settings.clone());
    let _caddy = stage.caddy_with("admin off", &stage.plain_site(&route)).await;
    route.switch(Green).await.unwrap();
    route.check(Green).await.unwrap();
    assert_eq!(route.in_flight().await, None);

    let nowhere = Route::new(Settings { probe: None, ..settings }).unwrap();
    let error = nowhere.check(Green).await.unwrap_err();
    assert!(error.next().contains("probe ="), "{error} {}", error.next());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_moved_to_another_port_is_found_again() {
    let mut stage = Stage::new().await;
    let (route, mut caddy) = stage.plain(stage.settings()).await;
    route.check(Blue).await.unwrap();
    caddy.kill();
    stage.site = crate::support::ports::free();
    let _caddy = stage.caddy(&stage.plain_site(&route)).await;
    let begun = Instant::now();
    route.check(Blue).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn preparing_again_changes_nothing_and_keeps_the_flag() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    route.switch(Green).await.unwrap();
    let again = route.prepare().unwrap();
    assert!(!again.changed);
    assert_eq!(route.flagged().unwrap(), Green);
    assert_eq!(std::fs::read_to_string(&again.snippet).unwrap(), route.snippet().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_stay_out_of_the_access_log() {
    let stage = Stage::new().await;
    let route = stage.prepared(stage.settings());
    let log = stage.path("access.log");
    let import = route.settings().import_line();
    let site =
        format!(":{} {{\nlog {{\noutput file {}\n}}\n{import}\n}}\n", stage.site, log.display());
    let _caddy = stage.caddy(&site).await;
    route.switch(Green).await.unwrap();
    route.check(Green).await.unwrap();
    get(stage.site, "/a-client").await.unwrap();
    // Caddy writes the line after it has answered.
    let deadline = Instant::now() + Duration::from_secs(5);
    let written = loop {
        let written = std::fs::read_to_string(&log).unwrap_or_default();
        if written.contains("/a-client") || Instant::now() > deadline {
            break written;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(written.lines().count(), 1, "{written}");
    assert!(written.contains("/a-client"), "{written}");
}

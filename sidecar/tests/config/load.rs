//! Good files, several at once, and what they must not share.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use vial::config::{
    Address, Check, Config, ConfigError, Distribution, HostConfig, LogFormat, LogLevel, Mode,
    Ports, RouteMode, Start, location,
};
use vial_protocol::{Code, Slot, StandbyMode};

const SECOND: Duration = Duration::from_secs(1);

struct Host(TempDir);

impl Host {
    fn new(text: &str) -> Host {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("vial.toml"), text).unwrap();
        fs::create_dir(folder.path().join("apps")).unwrap();
        Host(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn app(self, name: &str, text: &str) -> Host {
        fs::write(self.path(&format!("apps/{name}.toml")), text).unwrap();
        self
    }

    fn load(&self, privileged: bool) -> Config {
        Config::load_as(&self.path("vial.toml"), privileged).unwrap()
    }
}

fn app(name: &str, blue: u16, more: &str) -> String {
    format!("name = \"{name}\"\nports = {{ blue = {blue}, green = {} }}\n{more}\n", blue + 1)
}

fn names(config: &Config) -> Vec<&str> {
    config.apps.keys().map(String::as_str).collect()
}

fn broken(config: &Config) -> Vec<&str> {
    config.broken.iter().map(String::as_str).collect()
}

fn messages(config: &Config) -> String {
    config.problems.iter().map(|problem| format!("{}\n", problem.message)).collect()
}

#[test]
fn an_empty_host_file_means_what_is_usual() {
    let host = Host::new("");
    let config = host.load(false);
    let file = host.path("vial.toml");
    assert_eq!(config.host, HostConfig::usual(&file));
    assert_eq!(config.host.socket(), Path::new("/run/vial/vial.sock"));
    assert_eq!(config.host.state_dir, Path::new("/var/lib/vial"));
    assert_eq!(config.host.apps_dir, host.path("apps"));
    assert_eq!(config.host.caddy.admin.unwrap().to_string(), "127.0.0.1:2019");
    assert_eq!(config.host.limits.upload_idle, 60 * SECOND);
    assert!(config.apps.is_empty() && config.problems.is_empty() && config.warnings.is_empty());
}

#[test]
fn a_full_host_file_is_read_with_its_paths_from_its_own_folder() {
    let host = Host::new(include_str!("fixtures/vial.toml"));
    let read = host.load(false).host;
    assert_eq!(read.state_dir, host.path("state"));
    assert_eq!(read.run_dir, host.path("run"));
    assert_eq!(read.socket(), host.path("api.sock"));
    assert_eq!(read.apps_dir, host.path("sites"));
    assert_eq!(read.operators_group, "ops");
    assert_eq!(read.epmd_port, Some(4370));
    assert_eq!(read.caddy.admin, Some(Address::Unix(host.path("caddy/admin.sock"))));
    assert_eq!(read.caddy.mode, RouteMode::Admin);
    assert_eq!(read.caddy.probe, Some("127.0.0.1:8443".parse().unwrap()));
    assert_eq!(read.limits.release_bytes, 512 << 20);
    assert_eq!(read.limits.release_entries, 1000);
    assert_eq!(read.limits.release_ratio, 50);
    assert_eq!(read.limits.upload_idle, 5 * SECOND);
    assert_eq!(read.limits.request_bytes, 65536);
    assert_eq!(read.log.level, LogLevel::Debug);
    assert_eq!(read.log.format, LogFormat::Json);
}

#[test]
fn the_socket_is_in_the_run_folder_and_must_fit_the_kernel() {
    let host = Host::new("run_dir = \"run\"\n[caddy]\nadmin = \"off\"");
    let read = host.load(false).host;
    assert_eq!(read.socket(), host.path("run/vial.sock"));
    assert_eq!(read.caddy.admin, None);
    let long = Host::new(&format!("\nrun_dir = \"/{}\"", "r".repeat(100)));
    let error = Config::load_as(&long.path("vial.toml"), false).unwrap_err().to_string();
    assert!(error.contains("a socket path of 111 bytes"), "{error}");
    assert!(error.contains("line 2") && error.contains("choose a shorter `run_dir`"), "{error}");
}

#[test]
fn a_minimal_app_has_everything_usual_filled_in() {
    let host = Host::new("").app("shop", &app("shop", 4000, ""));
    let config = host.load(false);
    let shop = &config.apps["shop"];
    assert_eq!(shop.release, "shop");
    assert_eq!(shop.user, None);
    assert_eq!(shop.port(Slot::Green), Some(4001));
    assert!(shop.is_worker());
    assert_eq!(shop.node(Slot::Blue), "shop_blue@127.0.0.1");
    assert_eq!(shop.health.check, Check::Http { path: "/health".into(), status: 200 });
    assert_eq!(shop.health.deadline, 60 * SECOND);
    assert_eq!(shop.health.successes, 2);
    assert_eq!(shop.drain_timeout, 30 * SECOND);
    assert_eq!(shop.stop_timeout, 60 * SECOND);
    assert_eq!(shop.bake, 30 * SECOND);
    assert_eq!(shop.standby.mode, StandbyMode::Cold);
    assert_eq!((shop.start, shop.mode), (Start::Script, None));
    assert_eq!(shop.keep_releases, 5);
    assert_eq!((shop.logs.live, shop.logs.keep), (64 << 20, 1 << 30));
    assert_eq!(shop.logs.lasts, 30 * 24 * 3600 * SECOND);
    assert_eq!(shop.distribution, Distribution::Loopback);
    assert_eq!((&shop.migrate, &shop.source), (&None, &None));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_full_app_is_read_and_what_does_not_hold_yet_is_warned_of() {
    let host = Host::new("").app("shop", include_str!("fixtures/shop.toml"));
    let config = host.load(false);
    assert_eq!(messages(&config), "");
    let shop = &config.apps["shop"];
    assert_eq!(shop.release, "shop_web");
    assert_eq!(shop.ports, Some(Ports { blue: 4000, green: 4001 }));
    assert_eq!(shop.hosts, ["shop.example.com", "*.shop.example.com"]);
    assert_eq!(shop.env_file, Some(host.path("apps/env/shop")));
    let green: Vec<_> = shop.slot_env.of(Slot::Green).iter().collect();
    assert_eq!(green, [("METRICS_PORT", "9569")]);
    assert_eq!(shop.node(Slot::Green), "shop_green@10.0.0.7");
    let check = Check::Http { path: "/health?deep=1".into(), status: 204 };
    assert_eq!(shop.health.check, check);
    assert_eq!(shop.health.deadline, 90 * SECOND);
    assert_eq!(shop.health.successes, 3);
    assert_eq!(shop.health.interval, SECOND / 2);
    assert_eq!(shop.verify, ["/", "/login"]);
    assert_eq!(shop.drain_timeout, 20 * SECOND);
    assert_eq!(shop.stop_timeout, 90 * SECOND);
    assert_eq!(shop.bake, 120 * SECOND);
    assert_eq!((shop.standby.mode, shop.standby.lasts), (StandbyMode::Frozen, 600 * SECOND));
    assert_eq!((shop.standby.rest, shop.standby.otherwise), (20 * SECOND, StandbyMode::Warm));
    assert_eq!((shop.start, shop.mode), (Start::Direct, Some(Mode::Interactive)));
    assert_eq!(shop.keep_releases, 7);
    assert_eq!((shop.logs.live, shop.logs.keep), (8 << 20, 0));
    assert_eq!(shop.logs.lasts, 36 * 3600 * SECOND);
    assert_eq!(shop.distribution, Distribution::Cluster);
    assert_eq!(shop.migrate.as_deref(), Some("Shop.Release.migrate()"));
    assert_eq!(shop.repos, ["Shop.Repo", "Shop.Archive.Repo"]);
    let source = shop.source.as_ref().unwrap();
    assert_eq!(source.git, "https://example.com/shop.git");
    assert_eq!(source.branch, "release/main");
    assert!(source.auto_deploy);
    assert_eq!(source.build.len(), 2);
    let warnings: Vec<_> = config.warnings.iter().map(|warning| &warning.message).collect();
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn a_worker_needs_no_ports_and_is_healthy_by_command_or_by_being_alive() {
    let host = Host::new("")
        .app("mailer", "name = \"mailer\"\nhealth = { command = [\"bin/check\", \"-q\"] }\n")
        .app("cron", "name = \"cron\"\nhealth = { alive = \"3s\" }\n")
        .app("plain", "name = \"plain\"\nhosts = []\n");
    let config = host.load(false);
    assert_eq!(messages(&config), "");
    let check = |name: &str| &config.apps[name].health.check;
    assert_eq!(*check("mailer"), Check::Command(vec!["bin/check".into(), "-q".into()]));
    assert_eq!(*check("cron"), Check::Alive(3 * SECOND));
    assert_eq!(*check("plain"), Check::Alive(5 * SECOND));
    assert!(config.apps.values().all(|app| app.is_worker() && app.ports.is_none()));
}

#[test]
fn one_broken_app_takes_out_only_itself() {
    let host = Host::new("")
        .app("blog", &app("blog", 4010, ""))
        .app("shop", "name = \"shop\"\nbake = 30\n")
        .app("wiki", &app("wiki", 4020, ""));
    let config = host.load(false);
    assert_eq!(names(&config), ["blog", "wiki"]);
    assert_eq!(broken(&config), ["shop"]);
    let problem = &config.problems[0];
    assert_eq!(problem.code, Code::Configuration);
    assert!(problem.message.contains("shop.toml, line 2, column 8"), "{}", problem.message);
    let next = problem.next.as_deref().unwrap();
    assert!(next.contains("shop.toml") && next.contains("vial reload"), "{next}");
}

#[test]
fn files_that_are_no_apps_are_left_alone_and_wrong_names_are_not() {
    let host = Host::new("").app("shop", &app("shop", 4000, ""));
    for other in ["README", "shop.toml~", "shop.toml.bak", ".shop.toml.swp", ".hidden.toml"] {
        fs::write(host.path(&format!("apps/{other}")), "not toml").unwrap();
    }
    let config = host.load(false);
    assert_eq!((names(&config), broken(&config)), (vec!["shop"], vec![]));
    let config = host.app("My-Shop", &app("shop", 4100, "")).load(false);
    assert_eq!((names(&config), broken(&config)), (vec!["shop"], vec!["My-Shop"]));
    assert!(messages(&config).contains("\"My-Shop\" as an app's name"), "{}", messages(&config));
}

#[test]
fn a_missing_apps_folder_means_no_apps_but_one_that_is_a_file_is_an_error() {
    let host = Host::new("apps_dir = \"elsewhere\"");
    assert!(host.load(false).apps.is_empty());
    let host = Host::new("apps_dir = \"vial.toml\"");
    let error = Config::load_as(&host.path("vial.toml"), false).unwrap_err();
    assert!(matches!(error, ConfigError::Unreadable { .. }), "{error}");
}

#[test]
fn a_missing_host_file_says_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    let error = Config::load(&folder.path().join("vial.toml")).unwrap_err();
    assert!(matches!(error, ConfigError::Missing { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("vial init") && text.contains("VIAL_CONFIG"), "{text}");
}

#[test]
fn apps_that_want_the_same_port_are_both_named_and_the_later_is_taken_out() {
    let host = Host::new("epmd_port = 4300\n[caddy]\nadmin = \"localhost:2019\"")
        .app("blog", &app("blog", 4000, ""))
        .app("shop", &app("shop", 4001, ""))
        .app("wiki", &app("wiki", 4002, ""))
        .app("zoo", &app("zoo", 2018, ""))
        .app("zebra", &app("zebra", 4300, ""));
    let config = host.load(false);
    // wiki's blue port is shop's green one, but shop is out.
    assert_eq!(names(&config), ["blog", "wiki"]);
    assert_eq!(broken(&config), ["shop", "zebra", "zoo"]);
    let said = messages(&config);
    let first = said.lines().next().unwrap();
    assert!(first.contains("port 4001, which shop wants for its blue slot"), "{first}");
    assert!(first.contains("blog (its green slot, "), "{first}");
    assert!(first.contains("apps/shop.toml, line 2, column 9"), "{first}");
    assert!(said.contains("2019") && said.contains("Caddy's admin address"), "{said}");
    assert!(said.contains("port 4300") && said.contains("`epmd_port`"), "{said}");
}

#[test]
fn apps_that_want_the_same_host_are_both_named_and_the_later_is_taken_out() {
    let host = Host::new("")
        .app("blog", &app("blog", 4000, "hosts = [\"a.example.com\"]"))
        .app("shop", &app("shop", 4010, "hosts = [\"b.example.com\", \"A.example.com\"]"))
        .app("wiki", &app("wiki", 4020, "hosts = [\"*.example.com\"]"));
    let config = host.load(false);
    assert_eq!(names(&config), ["blog", "wiki"]);
    let said = messages(&config);
    assert!(said.contains("host \"a.example.com\", which shop wants and blog ("), "{said}");
    assert!(said.contains("shop.toml, line 3, column 9"), "{said}");
}

#[test]
fn a_broken_app_keeps_nothing_from_another() {
    let host = Host::new("")
        .app("blog", &app("blog", 4000, "bake = 30"))
        .app("shop", &app("shop", 4000, ""));
    assert_eq!(names(&host.load(false)), ["shop"]);
}

#[test]
fn a_daemon_that_is_root_wants_a_distinct_unprivileged_user_for_each_app() {
    let host = Host::new("")
        .app("a", &app("a", 4000, "user = \"nobody\""))
        .app("b", &app("b", 4010, "user = \"nobody\""))
        .app("c", &app("c", 4020, "user = \"root\""))
        .app("d", &app("d", 4030, ""))
        .app("e", &app("e", 4040, "user = \"no-such-user-of-vial\""))
        .app("f", &app("f", 4050, "user = \"daemon\""));
    let config = host.load(true);
    assert_eq!(names(&config), ["a", "f"]);
    let user = config.apps["a"].user.as_ref().unwrap();
    assert_eq!(user.name, "nobody");
    assert!(user.uid != 0 && user.gid != 0);
    let said = messages(&config);
    for fragment in [
        "user \"nobody\", which b wants and a (",
        "apps/b.toml, line 3, column 8",
        "user \"root\", which is root,",
        "`user` is missing in",
        "adduser --system --group d",
        "there is no such user on this host",
    ] {
        assert!(said.contains(fragment), "{fragment} is missing in {said}");
    }
}

#[test]
fn a_daemon_that_is_not_root_starts_apps_as_itself_only() {
    let own = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
    let host = Host::new("")
        .app("a", &app("a", 4000, &format!("user = \"{own}\"")))
        .app("b", &app("b", 4010, &format!("user = \"{own}\"")))
        .app("c", &app("c", 4020, "user = \"daemon\""));
    let config = host.load(false);
    assert_eq!(names(&config), ["a", "b"]);
    assert_eq!(config.apps["a"].user.as_ref().unwrap().name, own);
    assert!(messages(&config).contains("only a daemon that runs as root"), "{}", messages(&config));
}

#[test]
fn a_user_among_the_operators_is_warned_of() {
    let gid = nix::unistd::User::from_name("nobody").unwrap().unwrap().gid;
    let group = nix::unistd::Group::from_gid(gid).unwrap().unwrap().name;
    let host = Host::new(&format!("operators_group = \"{group}\""))
        .app("a", &app("a", 4000, "user = \"nobody\""));
    let config = host.load(true);
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].message.contains("may control every app"));
    assert!(host.load(false).warnings.is_empty());
}

#[test]
fn a_file_that_everybody_may_write_is_not_for_a_daemon_that_is_root() {
    let host = Host::new("").app("a", &app("a", 4000, "user = \"nobody\""));
    let everybody = fs::Permissions::from_mode(0o666);
    fs::set_permissions(host.path("apps/a.toml"), everybody.clone()).unwrap();
    let config = host.load(true);
    assert_eq!(broken(&config), ["a"]);
    assert!(messages(&config).contains("chmod o-w"), "{}", messages(&config));
    fs::set_permissions(host.path("vial.toml"), everybody).unwrap();
    assert!(Config::load_as(&host.path("vial.toml"), true).is_err());
    assert!(Config::load_as(&host.path("vial.toml"), false).is_ok());
}

#[test]
fn two_loads_of_the_same_files_are_equal_and_a_change_shows_in_its_app_alone() {
    let host = Host::new("")
        .app("blog", &app("blog", 4010, ""))
        .app("shop", include_str!("fixtures/shop.toml"));
    let before = host.load(false);
    assert_eq!(before, host.load(false));
    let host = host.app("blog", &app("blog", 4010, "bake = \"31s\""));
    let after = host.load(false);
    assert_ne!(before.apps["blog"], after.apps["blog"]);
    assert_eq!(before.apps["shop"], after.apps["shop"]);
}

#[test]
fn a_moved_folder_means_itself() {
    let host =
        Host::new("state_dir = \"state\"").app("shop", &app("shop", 4000, "env_file = \"e\""));
    let moved = tempfile::tempdir().unwrap();
    fs::rename(host.path("apps"), moved.path().join("apps")).unwrap();
    fs::rename(host.path("vial.toml"), moved.path().join("vial.toml")).unwrap();
    let config = Config::load_as(&moved.path().join("vial.toml"), false).unwrap();
    assert_eq!(config.host.state_dir, moved.path().join("state"));
    assert_eq!(config.apps["shop"].env_file, Some(moved.path().join("apps/e")));
}

#[test]
fn the_flag_comes_before_the_variable_and_the_variable_before_the_usual_place() {
    let (flag, variable) = (Path::new("a.toml"), "b.toml".as_ref());
    assert_eq!(location(Some(flag), Some(variable)), Path::new("a.toml"));
    assert_eq!(location(None, Some(variable)), Path::new("b.toml"));
    assert_eq!(location(None, Some("".as_ref())), Path::new("/etc/vial/vial.toml"));
    assert_eq!(location(None, None), Path::new("/etc/vial/vial.toml"));
}

#[test]
fn a_folder_that_no_caddyfile_can_name_is_refused_for_the_state() {
    use std::os::unix::ffi::OsStrExt;
    let host = Host::new("");
    for name in [b"a b".as_slice(), b"a\xff"] {
        let folder = host.0.path().join(std::ffi::OsStr::from_bytes(name));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("vial.toml"), "state_dir = \"state\"").unwrap();
        let error = HostConfig::load(&folder.join("vial.toml")).unwrap_err().to_string();
        assert!(
            error.contains("`state_dir` is \"state\"") && error.contains("Caddyfile"),
            "{error}"
        );
    }
}

#[test]
fn who_builds_runs_nothing_and_operates_nothing() {
    let source = |user: &str| format!("[source]\ngit = \"/srv/a.git\"\nuser = \"{user}\"");
    let runs = |user: &str, builder: &str| format!("user = \"{user}\"\n{}", source(builder));
    let host = Host::new("")
        .app("a", &app("a", 4000, &runs("nobody", "nobody")))
        .app("b", &app("b", 4010, &runs("daemon", "games")))
        .app("c", &app("c", 4020, &runs("list", "daemon")))
        .app("d", &app("d", 4030, "user = \"games\""))
        .app("e", &app("e", 4040, &runs("irc", "games")));
    let config = host.load(true);
    // Several apps may share a builder.
    assert_eq!(names(&config), ["b", "e"]);
    let said = messages(&config);
    for fragment in [
        "user \"nobody\", who builds a and runs a,",
        "user \"daemon\", who builds c and runs b (",
        "user \"games\", who runs d and builds b (",
    ] {
        assert!(said.contains(fragment), "{fragment} is missing in {said}");
    }
    let gid = nix::unistd::User::from_name("games").unwrap().unwrap().gid;
    let group = nix::unistd::Group::from_gid(gid).unwrap().unwrap().name;
    let host = Host::new(&format!("operators_group = \"{group}\""))
        .app("b", &app("b", 4010, &runs("daemon", "games")));
    assert!(messages(&host.load(true)).contains("and so could whatever is pushed"));
}

//! What `vial init` writes loads without change, and says what is true.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use vial::config::{
    AppConfig, Config, Dashboard, HostConfig, Ports, app_template, check_names, host_template,
    own_host_template, write_new,
};

const PORTS: Ports = Ports { blue: 4000, green: 4001 };

struct Host(TempDir);

impl Host {
    fn new(text: &str) -> Host {
        let host = Host(tempfile::tempdir().unwrap());
        write_new(&host.file(), text).unwrap();
        host
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("vial.toml")
    }

    /// The app with this text, which must be without mistake or warning.
    fn shop(&self, text: &str, privileged: bool) -> AppConfig {
        let path = self.0.path().join("apps/shop.toml");
        let _ = fs::remove_file(&path);
        write_new(&path, text).unwrap();
        let mut config = Config::load_as(&self.file(), privileged).unwrap();
        assert!(config.problems.is_empty(), "{:?}", config.problems);
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        config.apps.remove("shop").unwrap()
    }
}

/// A template with each `# key = value` line set, but for those with one of these in them.
fn set(text: &str, but: &[&str]) -> String {
    let is_setting = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        line.contains(" = ") && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if is_setting(rest) && !but.iter().any(|but| rest.contains(but)) => rest,
        _ => line,
    });
    lines.map(|line| format!("{line}\n")).collect()
}

fn settings(text: &str) -> usize {
    text.lines().filter(|line| !line.starts_with(['#', '[']) && !line.is_empty()).count()
}

#[test]
fn the_templates_load_without_change() {
    let host = Host::new(&host_template());
    assert_eq!(HostConfig::load(&host.file()).unwrap(), HostConfig::usual(&host.file()));

    let text = app_template("shop", "shop_web", PORTS, &["shop.example.com"], Some("nobody"));
    let shop = host.shop(&text, true);
    assert_eq!((shop.name.as_str(), shop.release.as_str()), ("shop", "shop_web"));
    assert_eq!(shop.ports, Some(PORTS));
    assert_eq!(shop.hosts, ["shop.example.com"]);
    assert_eq!(shop.user.unwrap().name, "nobody");

    let worker = host.shop(&app_template("shop", "shop", PORTS, &[], None), false);
    assert!(worker.is_worker() && worker.user.is_none());
}

#[test]
fn every_host_that_was_asked_for_stands_in_the_file() {
    let host = Host::new("");
    let shop =
        host.shop(&app_template("shop", "shop", PORTS, &["a.example", "*.b.example"], None), false);
    assert_eq!(shop.hosts, ["a.example", "*.b.example"]);
}

#[test]
fn the_file_of_a_daemon_of_ones_own_keeps_everything_beside_it() {
    let host = Host::new(&own_host_template());
    let read = HostConfig::load(&host.file()).unwrap();
    assert_eq!(read.state_dir, host.0.path().join("state"));
    assert_eq!(read.socket(), host.0.path().join("run/vial.sock"));
}

#[test]
fn a_name_that_the_file_would_be_refused_for_is_refused_before() {
    let refused = |name, release, hosts: &[&str], user| {
        check_names(name, release, hosts, user).unwrap_err().to_string()
    };
    check_names("shop", "shop", &["Shop.example", "*.a.example"], Some("www-data")).unwrap();
    assert!(refused("../x", "x", &[], None).starts_with("an app's name cannot be \"../x\""));
    assert!(refused("x", "X", &[], None).starts_with("a release's name cannot be"));
    assert!(refused("x", "x", &["a", "http://b"], None).contains("http://b"));
    assert!(refused("x", "x", &[], Some("-x")).starts_with("a user cannot be"));
}

#[test]
fn what_the_host_template_calls_usual_is_what_holds() {
    let examples = ["unix//", "epmd_port", "apps_dir", "probe", "listen", "hosts", "proxies"];
    let text = set(&host_template(), &examples)
        .replace("socket = \"/run/vial/vial.sock\"", "# (tried below)");
    assert_eq!(settings(&text), 13);
    let host = Host::new(&text);
    assert_eq!(HostConfig::load(&host.file()).unwrap(), HostConfig::usual(&host.file()));

    let all = Host::new(&set(&host_template(), &["unix//"]));
    let read = HostConfig::load(&all.file()).unwrap();
    assert_eq!(read.socket(), HostConfig::usual(&all.file()).socket());
    assert!(read.epmd_port.is_some() && read.caddy.probe.is_some());
    assert_eq!(read.hooks, Some(([127, 0, 0, 1], 4180).into()));
    let usual = Dashboard::at(([127, 0, 0, 1], 4181).into());
    assert_eq!(read.dashboard, Some(Dashboard { hosts: vec!["vial.example.com".into()], ..usual }));
}

#[test]
fn what_the_app_template_calls_usual_is_what_holds() {
    let host = Host::new("");
    let template = app_template("shop", "shop", PORTS, &["a.example.com"], None);
    let examples = [
        "user =",
        "env_file",
        "slot_env",
        "verify",
        "mode = \"interactive\"",
        "migrate",
        "repos",
        "source",
    ];
    let text = set(&template, &examples);
    assert_eq!(settings(&text), 4 + 10);
    assert_eq!(host.shop(&template, false), host.shop(&text, false));
}

#[test]
fn every_example_of_the_app_template_is_right() {
    let host = Host::new("");
    let template = app_template("shop", "shop", PORTS, &[], None);
    let shop = host.shop(&set(&template, &["user ="]), false);
    assert_eq!(shop.hosts, ["shop.example.com"]);
    assert_eq!(shop.env_file, Some("/etc/vial/env/shop".into()));
    assert_eq!(shop.slot_env.blue.iter().count(), 1);
    assert_eq!(shop.verify, ["/", "/login"]);
    assert_eq!(shop.migrate.as_deref(), Some("Shop.Release.migrate()"));
    assert_eq!(shop.repos, ["Shop.Repo"]);
    let source = shop.source.unwrap();
    assert_eq!(source.timeout, std::time::Duration::from_secs(1800));
    assert_eq!((source.output, source.keep_free), (32 << 20, 512 << 20));
}

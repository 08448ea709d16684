//! Reads an app's file.

use std::ops::RangeInclusive;
use std::time::Duration;

use vial_protocol::StandbyMode;

use super::app::{AppConfig, Distribution, Logs, Mode, Ports, SlotEnv, Standby, Start};
use super::document::Document;
use super::entry::{Entry, quoted};
use super::finding::{Finding, Place};
use super::section::Section;
use super::users::{Daemon, UserIds};
use super::{app_source, health, notify, text, variables};

const KEYS: &[&str] = &[
    "name",
    "release",
    "user",
    "ports",
    "hosts",
    "env_file",
    "slot_env",
    "node_host",
    "health",
    "verify",
    "drain",
    "stop",
    "bake",
    "standby",
    "start",
    "mode",
    "keep_releases",
    "logs",
    "distribution",
    "migrate",
    "repos",
    "source",
    "notify",
];

const PORTS: &str = "ports = { blue = 4000, green = 4001 }";

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MIB: u64 = 1 << 20;

/// An app, and where in its file stands what it must not share with another.
#[derive(Debug)]
pub(super) struct AppFile {
    pub config: AppConfig,
    pub warnings: Vec<Finding>,
    pub user_at: Option<Place>,
    pub ports_at: Option<Place>,
    pub hosts_at: Option<Place>,
}

/// Reads the file of the app `stem`.
pub(super) fn read(
    document: Document,
    stem: &str,
    daemon: &Daemon,
) -> Result<AppFile, Vec<Finding>> {
    let (mut file, warnings) = document.interpret(|document, table| {
        read_root(&Section::root(document, table, KEYS), stem, daemon)
    })?;
    file.warnings = warnings;
    Ok(file)
}

fn read_root(root: &Section<'_, '_>, stem: &str, daemon: &Daemon) -> AppFile {
    let name = read_name(root, stem);
    let release = root.get("release").and_then(|release| {
        release.text_that(
            text::is_release_name,
            "it must be a release's name as `mix release` has it: a small letter, then small \
             letters, digits and _, such as \"shop\"",
        )
    });
    let hosts = read_hosts(root);
    let ports = read_ports(root, !hosts.is_empty());
    let has_ports = root.get("ports").is_some();
    let config = AppConfig {
        release: release.unwrap_or_else(|| name.clone()),
        name,
        user: read_user(root, stem, daemon),
        health: health::read(root, !hosts.is_empty(), has_ports),
        verify: read_verify(root, has_ports),
        ports,
        hosts,
        env_file: root
            .get("env_file")
            .and_then(|file| file.file("it must be a file's path, such as \"/etc/vial/env/shop\"")),
        slot_env: read_slot_env(root),
        node_host: read_node_host(root),
        drain_timeout: read_timeout(root, "drain", 30 * SECOND, "drain = { timeout = \"30s\" }"),
        stop_timeout: read_timeout(root, "stop", 60 * SECOND, "stop = { timeout = \"60s\" }"),
        bake: read_duration(root, "bake", Duration::ZERO..=24 * HOUR, 30 * SECOND),
        standby: read_standby(root),
        start: root
            .get("start")
            .and_then(|word| word.word(&[Start::Script, Start::Direct].map(|it| (it.as_str(), it))))
            .unwrap_or(Start::Script),
        mode: root.get("mode").and_then(|word| {
            word.word(&[Mode::Embedded, Mode::Interactive].map(|it| (it.as_str(), it)))
        }),
        keep_releases: root
            .get("keep_releases")
            .and_then(|number| number.number(2..=100, "a number of releases", "5"))
            .unwrap_or(5),
        logs: read_logs(root),
        distribution: root
            .get("distribution")
            .and_then(|word| {
                word.word(&[
                    ("loopback", Distribution::Loopback),
                    ("cluster", Distribution::Cluster),
                ])
            })
            .unwrap_or(Distribution::Loopback),
        migrate: root.get("migrate").and_then(|migrate| {
            migrate.secret().text_that(
                |expression| !expression.trim().is_empty() && expression.len() <= 16 * 1024,
                "it must be an Elixir expression, such as \"Shop.Release.migrate()\"",
            )
        }),
        repos: read_repos(root),
        source: app_source::read(root, daemon),
        notify: notify::read(root),
    };
    let at = |key| root.get(key).map(|entry: Entry<'_, '_>| root.document().place(entry.start()));
    AppFile {
        config,
        warnings: Vec::new(),
        user_at: at("user"),
        ports_at: at("ports"),
        hosts_at: at("hosts"),
    }
}

fn read_name(root: &Section<'_, '_>, stem: &str) -> String {
    let Some(entry) = root.get("name") else {
        root.missing("name", &format!("add `name = \"{stem}\"`"));
        return stem.to_owned();
    };
    let expected = "it must be a small letter, then at most 31 small letters, digits and _, such \
                    as \"shop\"";
    if let Some(name) = entry.text_that(text::is_app_name, expected)
        && name != stem
    {
        entry.wrong(&format!(
            "the file's name says {}; they must be the same: rename the file to {name}.toml, or \
             write \"{stem}\" here",
            quoted(stem)
        ));
    }
    stem.to_owned()
}

fn read_user(root: &Section<'_, '_>, stem: &str, daemon: &Daemon) -> Option<UserIds> {
    let Some(entry) = root.get("user") else {
        if daemon.privileged {
            root.missing(
                "user",
                &format!(
                    "the daemon runs as root and a release must not: make a user that is this \
                     app's alone, with `adduser --system --group {stem}`, and add `user = \
                     \"{stem}\"`"
                ),
            );
        }
        return None;
    };
    let name = entry.text_that(
        text::is_user_name,
        "it must be the name of a user on this host, such as \"shop\"",
    )?;
    match daemon.user(&name) {
        Ok(user) => Some(user),
        Err(no) => {
            root.document().find(Some(entry.start()), no.what, no.hint);
            None
        }
    }
}

fn read_ports(root: &Section<'_, '_>, routed: bool) -> Option<Ports> {
    if root.get("ports").is_none() {
        if routed {
            root.missing("ports", &format!("add `{PORTS}`"));
        }
        return None;
    }
    let table = root.table("ports", &["blue", "green"], PORTS)?;
    let port = |key| {
        let Some(entry) = table.get(key) else {
            table.missing(key, &format!("add `{key} = 4000`"));
            return None;
        };
        entry.number(1..=u16::MAX, "a port", "4000")
    };
    let (blue, green) = (port("blue"), port("green"));
    let (blue, green) = (blue?, green?);
    if blue == green {
        table.get("green")?.wrong("both slots run at once while one takes over: give each a port");
        return None;
    }
    Some(Ports { blue, green })
}

fn read_hosts(root: &Section<'_, '_>) -> Vec<String> {
    let Some(entry) = root.get("hosts") else { return Vec::new() };
    let items = entry.items("hosts = [\"shop.example.com\"]").unwrap_or_default();
    let mut hosts: Vec<String> = Vec::new();
    for item in items {
        let expected = "it must be a host name alone, without scheme, port or path, such as \
                        \"shop.example.com\" or \"*.example.com\"; letters outside a-z as \
                        punycode";
        let right = |host: &str| text::is_host(&host.to_lowercase());
        let Some(host) = item.text_that(right, expected) else { continue };
        let host = host.to_lowercase();
        if hosts.contains(&host) {
            item.wrong("it is listed twice: take one away");
        } else {
            hosts.push(host);
        }
    }
    hosts
}

fn read_verify(root: &Section<'_, '_>, ports: bool) -> Vec<String> {
    let Some(entry) = root.get("verify") else { return Vec::new() };
    let items = entry.items("verify = [\"/\", \"/login\"]").unwrap_or_default();
    if !ports && !items.is_empty() {
        entry.wrong("without `ports` there is nothing to ask: add `ports`, or take this away");
    }
    items.iter().filter_map(|item| item.text_that(text::is_request_path, health::PATH)).collect()
}

fn read_slot_env(root: &Section<'_, '_>) -> SlotEnv {
    let example = "slot_env = { blue = { METRICS_PORT = \"9568\" } }";
    let Some(table) = root.table("slot_env", &["blue", "green"], example) else {
        return SlotEnv::default();
    };
    let vars = |key| table.get(key).map(|entry| variables::read(&entry)).unwrap_or_default();
    SlotEnv { blue: vars("blue"), green: vars("green") }
}

fn read_node_host(root: &Section<'_, '_>) -> String {
    let host = root.get("node_host").and_then(|host| {
        host.text_that(
            text::is_node_host,
            "it must be an IPv4 address or a host name with a dot in it, because Erlang refuses \
             others in a node's name, such as \"127.0.0.1\" or \"app1.internal\"",
        )
    });
    host.unwrap_or_else(|| "127.0.0.1".into())
}

fn read_standby(root: &Section<'_, '_>) -> Standby {
    let mut standby = Standby {
        mode: StandbyMode::Cold,
        lasts: 900 * SECOND,
        rest: 10 * SECOND,
        otherwise: StandbyMode::Cold,
    };
    let example = "standby = { mode = \"frozen\", for = \"15m\" }";
    let keys = &["mode", "for", "rest", "otherwise"];
    let Some(table) = root.table("standby", keys, example) else { return standby };
    standby.lasts = read_duration(&table, "for", SECOND..=24 * HOUR, standby.lasts);
    standby.rest = read_duration(&table, "rest", SECOND / 10..=600 * SECOND, standby.rest);
    let modes = [StandbyMode::Cold, StandbyMode::Warm, StandbyMode::Frozen];
    let words = modes.map(|mode| (mode.as_str(), mode));
    let mode = table.get("mode").and_then(|entry| entry.word(&words));
    standby.mode = mode.unwrap_or(standby.mode);
    let otherwise = table.get("otherwise").and_then(|entry| entry.word(&words[..2]));
    standby.otherwise = otherwise.unwrap_or(standby.otherwise);
    standby
}

fn read_logs(root: &Section<'_, '_>) -> Logs {
    let mut logs = Logs { live: 64 * MIB, keep: 1024 * MIB, lasts: 30 * DAY };
    let example = "logs = { live = \"64MiB\", keep = \"1GiB\", for = \"30d\" }";
    let Some(table) = root.table("logs", &["live", "keep", "for"], example) else { return logs };
    if let Some(live) = table.get("live") {
        logs.live = live.bytes(MIB..=16 * 1024 * MIB, "\"64MiB\"").unwrap_or(logs.live);
    }
    if let Some(keep) = table.get("keep") {
        logs.keep = keep.bytes(0..=1024 * 1024 * MIB, "\"1GiB\"").unwrap_or(logs.keep);
    }
    logs.lasts = read_duration(&table, "for", HOUR..=3650 * DAY, logs.lasts);
    logs
}

fn read_repos(root: &Section<'_, '_>) -> Vec<String> {
    let Some(entry) = root.get("repos") else { return Vec::new() };
    let items = entry.items("repos = [\"Shop.Repo\"]").unwrap_or_default();
    let expected = "it must be a module's name, such as \"Shop.Repo\"";
    items.iter().filter_map(|item| item.text_that(text::is_module, expected)).collect()
}

fn read_timeout(
    root: &Section<'_, '_>,
    key: &'static str,
    usual: Duration,
    example: &str,
) -> Duration {
    let Some(table) = root.table(key, &["timeout"], example) else { return usual };
    read_duration(&table, "timeout", Duration::ZERO..=HOUR, usual)
}

fn read_duration(
    table: &Section<'_, '_>,
    key: &'static str,
    bounds: RangeInclusive<Duration>,
    usual: Duration,
) -> Duration {
    table.get(key).and_then(|entry| entry.duration(bounds)).unwrap_or(usual)
}

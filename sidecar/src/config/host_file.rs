//! Reads the host file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::address::{Address, SOCKET_PATH_BYTES};
use super::document::Document;
use super::entry::Entry;
use super::finding::{Finding, shown};
use super::host::{Caddy, Dashboard, HostConfig, Limits, Log, LogFormat, LogLevel, RouteMode};
use super::section::Section;
use super::{notify, text};

const KEYS: &[&str] = &[
    "state_dir",
    "run_dir",
    "socket",
    "apps_dir",
    "operators_group",
    "epmd_port",
    "caddy",
    "limits",
    "build",
    "log",
    "hooks",
    "dashboard",
    "notify",
];

/// Reads the host file.
pub(super) fn read(document: Document) -> Result<(HostConfig, Vec<Finding>), Vec<Finding>> {
    document.interpret(|document, table| read_root(&Section::root(document, table, KEYS)))
}

fn read_root(root: &Section<'_, '_>) -> HostConfig {
    let mut host = HostConfig::usual(root.document().path());
    let folder = |key, example: &str| {
        let expected = format!("it must be the path of a folder, such as \"{example}\"");
        root.get(key).and_then(|entry| entry.file(&expected))
    };
    host.state_dir = read_state_dir(root).unwrap_or(host.state_dir);
    host.run_dir = folder("run_dir", "/run/vial").unwrap_or(host.run_dir);
    host.apps_dir = folder("apps_dir", "/etc/vial/apps").unwrap_or(host.apps_dir);
    host.socket = root
        .get("socket")
        .and_then(|socket| socket.file("it must be a path, such as \"/run/vial/vial.sock\""));
    let length = host.socket().as_os_str().len();
    if length > SOCKET_PATH_BYTES {
        root.document().find(
            root.get("socket").or(root.get("run_dir")).map(|entry| entry.start()),
            format!("a socket path of {length} bytes"),
            format!("the kernel takes at most {SOCKET_PATH_BYTES}: choose a shorter `run_dir`"),
        );
    }
    if let Some(group) = root.get("operators_group") {
        let expected = "it must be the name of a group on this host, such as \"vial\"";
        let group = group.text_that(text::is_user_name, expected);
        host.operators_group = group.unwrap_or(host.operators_group);
    }
    host.epmd_port =
        root.get("epmd_port").and_then(|port| port.number(1..=u16::MAX, "a port", "4369"));
    host.caddy = read_caddy(root);
    host.limits = read_limits(root);
    if let Some(table) = root.table("build", &["parallel"], "[build]")
        && let Some(entry) = table.get("parallel")
    {
        let parallel = entry.number(1..=64, "a number of builds", "1");
        host.builds = parallel.unwrap_or(host.builds);
    }
    host.log = read_log(root);
    host.hooks = read_hooks(root);
    host.dashboard = read_dashboard(root);
    host.notify = notify::read(root);
    host
}

fn read_state_dir(root: &Section<'_, '_>) -> Option<PathBuf> {
    let entry = root.get("state_dir")?;
    let path = entry.file("it must be the path of a folder, such as \"/var/lib/vial\"")?;
    let plain = |c: char| !c.is_whitespace() && !"{}\"`*\\#".contains(c);
    if path.to_str().is_some_and(|text| text.chars().all(plain)) {
        return Some(path);
    }
    // Also where the character comes from the folder that a relative path starts from.
    entry.wrong(&format!(
        "it is written into a Caddyfile, so {} must be UTF-8 without spaces and without {{ }} \" ` \
         * \\ #",
        shown(&path)
    ));
    None
}

fn read_caddy(root: &Section<'_, '_>) -> Caddy {
    let mut caddy = Caddy::default();
    let example = "[caddy]";
    let Some(table) = root.table("caddy", &["admin", "mode", "probe"], example) else {
        return caddy;
    };
    let folder = root.document().folder();
    let admin = table.get("admin");
    if let Some(admin) = &admin {
        let off = admin.text_that(|_| true, ADMIN).is_some_and(|text| text == "off");
        caddy.admin = if off { None } else { read_address(admin, folder).or(caddy.admin) };
    }
    if let Some(mode) = table.get("mode") {
        let modes = [("file", RouteMode::File), ("admin", RouteMode::Admin)];
        caddy.mode = mode.word(&modes).unwrap_or(caddy.mode);
        if caddy.mode == RouteMode::Admin && caddy.admin.is_none() {
            mode.wrong("that mode needs Caddy's admin address, and `caddy.admin` is \"off\"");
        }
    }
    caddy.probe = table.get("probe").and_then(|probe| read_address(&probe, folder));
    caddy
}

const ADMIN: &str = "it must be an address, such as \"127.0.0.1:2019\" or \
                     \"unix//run/caddy/admin.sock\"";

fn read_address(entry: &Entry<'_, '_>, folder: &Path) -> Option<Address> {
    let text = entry.text(ADMIN)?;
    let address = text.parse::<Address>().and_then(|address| address.within(folder));
    address.map_err(|error| entry.wrong(&error.to_string())).ok()
}

fn read_limits(root: &Section<'_, '_>) -> Limits {
    let mut limits = Limits::default();
    let keys =
        &["release_bytes", "release_entries", "release_ratio", "upload_idle", "request_bytes"];
    let Some(table) = root.table("limits", keys, "[limits]") else { return limits };
    if let Some(entry) = table.get("release_bytes") {
        let bytes = entry.bytes(1 << 10..=1 << 40, "\"2GiB\"");
        limits.release_bytes = bytes.unwrap_or(limits.release_bytes);
    }
    if let Some(entry) = table.get("release_entries") {
        let entries = entry.number(1..=10_000_000, "a number of files", "100000");
        limits.release_entries = entries.unwrap_or(limits.release_entries);
    }
    if let Some(entry) = table.get("release_ratio") {
        let ratio = entry.number(1..=100_000, "a ratio", "200");
        limits.release_ratio = ratio.unwrap_or(limits.release_ratio);
    }
    if let Some(entry) = table.get("upload_idle") {
        let idle = entry.duration(Duration::from_millis(100)..=Duration::from_secs(3600));
        limits.upload_idle = idle.unwrap_or(limits.upload_idle);
    }
    if let Some(entry) = table.get("request_bytes") {
        let bytes = entry.bytes(1 << 10..=1 << 30, "\"1MiB\"");
        limits.request_bytes = bytes.unwrap_or(limits.request_bytes);
    }
    limits
}

fn read_hooks(root: &Section<'_, '_>) -> Option<SocketAddr> {
    let table = root.table("hooks", &["listen"], "[hooks]")?;
    read_listen(&table.get("listen")?, "127.0.0.1:4180")
}

fn read_listen(listen: &Entry<'_, '_>, example: &str) -> Option<SocketAddr> {
    let expected = format!("it must be an IP address with a port, such as \"{example}\"");
    let address = listen.text(&expected)?.parse().ok();
    if address.is_none() {
        listen.wrong(&expected);
    }
    address
}

fn read_dashboard(root: &Section<'_, '_>) -> Option<Dashboard> {
    let table = root.table("dashboard", &["listen", "hosts", "proxies"], "[dashboard]")?;
    let (hosts, proxies) = (table.get("hosts"), table.get("proxies"));
    let Some(listen) = table.get("listen") else {
        if hosts.is_some() || proxies.is_some() {
            table.missing("listen", "say where it listens: `listen = \"127.0.0.1:4181\"`");
        }
        return None;
    };
    let mut dashboard = Dashboard::at(read_listen(&listen, "127.0.0.1:4181")?);
    if let Some(hosts) = hosts {
        let expected = "it must be a host name alone, without scheme, port or path, such as \
                        \"vial.example.com\"";
        let plain = |host: &str| text::is_host(&host.to_lowercase()) && !host.contains('*');
        let items = hosts.items("[\"vial.example.com\"]").unwrap_or_default();
        let named = items.iter().filter_map(|host| host.text_that(plain, expected));
        dashboard.hosts = named.map(|host| host.to_lowercase()).collect();
    }
    if let Some(proxies) = proxies {
        let expected = "it must be the IP address of a proxy, such as \"127.0.0.1\"";
        let items = proxies.items("[\"127.0.0.1\", \"::1\"]").unwrap_or_default();
        let read = items.iter().filter_map(|proxy| {
            let address = proxy.text(expected)?.parse::<std::net::IpAddr>().ok();
            if address.is_none() {
                proxy.wrong(expected);
            }
            address.map(|it| it.to_canonical())
        });
        dashboard.proxies = read.collect();
    }
    Some(dashboard)
}

fn read_log(root: &Section<'_, '_>) -> Log {
    let mut log = Log::default();
    let Some(table) = root.table("log", &["level", "format"], "[log]") else { return log };
    if let Some(level) = table.get("level") {
        let levels =
            [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace];
        log.level = level.word(&levels.map(|level| (level.as_str(), level))).unwrap_or_default();
    }
    if let Some(format) = table.get("format") {
        let formats = [
            ("auto", LogFormat::Auto),
            ("journal", LogFormat::Journal),
            ("human", LogFormat::Human),
            ("json", LogFormat::Json),
        ];
        log.format = format.word(&formats).unwrap_or_default();
    }
    log
}

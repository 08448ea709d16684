//! Where the dashboard is: whether the daemon has its address, and who can get at it.

use std::os::unix::fs::MetadataExt;

use super::finding::Finding;
use super::ports::described;
use super::scene::SetUp;
use crate::slot::port;

const SUBJECT: &str = "dashboard";

pub(super) fn check(set: &SetUp<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = address(set).into_iter().collect();
    findings.extend(open(set));
    findings.extend(kept(set));
    findings
}

/// Whether the daemon has the address.
fn address(set: &SetUp<'_>) -> Option<Finding> {
    let dashboard = set.config.host.dashboard.as_ref()?;
    let listen = dashboard.listen;
    let daemon = set.scene.listener.map(|listener| listener.pid);
    let found = port::listener(listen.port()).ok()?;
    match (found, daemon) {
        (Some(found), Some(daemon)) if found.pid == Some(daemon) => {
            let text = format!("At {}, on {listen}.", dashboard.url());
            Some(Finding::ok(SUBJECT, text))
        }
        // Whose it is cannot be seen from here.
        (Some(found), _) if found.pid.is_none() => None,
        (Some(found), _) => Some(Finding::problem(
            SUBJECT,
            format!(
                "Port {}, where the dashboard shall be, is held by {}: there is none.",
                listen.port(),
                described(&found)
            ),
            format!(
                "End that process, or write another `dashboard.listen` into {}; then {}.",
                set.scene.file.display(),
                set.scene.start("restart")
            ),
        )),
        (None, Some(_)) => Some(Finding::problem(
            SUBJECT,
            format!("The daemon does not listen at {listen}: there is no dashboard."),
            format!(
                "{}: it reads `[dashboard]` when it starts, and its log says what is wrong with it.",
                set.scene.start("restart")
            ),
        )),
        (None, None) => None,
    }
}

/// Whether others may read what passwords and sessions are known by.
fn kept(set: &SetUp<'_>) -> Option<Finding> {
    set.config.host.dashboard.as_ref()?;
    let database = set.layout().database();
    let shown = database.display();
    let mode = database.metadata().ok()?.mode();
    (mode & 0o077 != 0).then(|| {
        Finding::problem(
            SUBJECT,
            format!(
                "Others than its owner may use {shown} (mode {:04o}), which has the hashes of the \
                 passwords.",
                mode & 0o7777
            ),
            format!(
                "Run `chmod 0600 {shown}`; take the passwords for known if others use this host."
            ),
        )
    })
}

/// What others could read on the way, and who is refused.
fn open(set: &SetUp<'_>) -> Vec<Finding> {
    let Some(dashboard) = &set.config.host.dashboard else { return Vec::new() };
    let file = set.scene.file.display();
    let mut findings = Vec::new();
    let local = dashboard.listen.ip().to_canonical().is_loopback();
    if !local {
        findings.push(Finding::warning(
            SUBJECT,
            format!(
                "It listens on {}, which other hosts can reach, and without TLS: a proxy on another \
                 host hands passwords on in plain.",
                dashboard.listen
            ),
            format!(
                "Write `listen = \"127.0.0.1:{}\"` into {file} and let a Caddy on this host pass it \
                 on; or keep that network to the proxy alone.",
                dashboard.listen.port()
            ),
        ));
        let own = |proxy: &std::net::IpAddr| proxy.is_loopback();
        if dashboard.proxies.iter().all(own) && !dashboard.hosts.is_empty() {
            findings.push(Finding::problem(
                SUBJECT,
                "It is for a proxy on another host, and believes none but those on this one: each \
                 request is refused, since nobody says that it came over https.",
                format!("Name the proxy in `dashboard.proxies` in {file}."),
            ));
        }
    }
    if dashboard.hosts.is_empty() && !local {
        findings.push(Finding::problem(
            SUBJECT,
            format!("No `hosts` are named for {}: each request is refused.", dashboard.listen),
            format!("Write `hosts = [\"vial.example.com\"]` into {file}."),
        ));
    } else if dashboard.hosts.is_empty() {
        findings.push(Finding::hint(
            SUBJECT,
            format!(
                "No `hosts` are named: it is answered on this host alone, at {}. Behind a proxy, \
                 each request by another name is refused.",
                dashboard.url()
            ),
            format!("Write `hosts = [\"vial.example.com\"]` into {file}, or reach it by `ssh -L`."),
        ));
    }
    // A host that is an app's own would answer with that app's pages, or hand them the session.
    for app in set.apps() {
        for host in dashboard.hosts.iter().filter(|host| app.hosts.contains(host)) {
            findings.push(Finding::problem(
                SUBJECT,
                format!(
                    "{host} is a host of {} too: that app's scripts could do what whoever is logged \
                     in may.",
                    app.name
                ),
                format!("Give the dashboard a host of its own in {file}."),
            ));
        }
    }
    findings
}

//! What no two apps may share, and no app with the host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vial_protocol::Slot;

use super::app_file::AppFile;
use super::finding::{Finding, Place, shown};
use super::host::HostConfig;

/// The apps after the check.
pub(super) struct Checked {
    /// Those that share nothing with one before them.
    pub kept: BTreeMap<String, AppFile>,
    /// The others, by name, with what is wrong.
    pub refused: Vec<(String, Vec<Finding>)>,
}

/// Takes out each app that wants what one before it, or the host, has already; in the order of
/// their names.
pub(super) fn check(
    host: &HostConfig,
    apps: BTreeMap<String, (PathBuf, AppFile)>,
    privileged: bool,
) -> Checked {
    let mut taken = Taken::by(host, privileged);
    let mut checked = Checked { kept: BTreeMap::new(), refused: Vec::new() };
    for (name, (path, app)) in apps {
        let findings = taken.conflicts(&path, &app);
        if findings.is_empty() {
            taken.take(&path, &app);
            checked.kept.insert(name, app);
        } else {
            checked.refused.push((name, findings));
        }
    }
    checked
}

/// Who has what, as a message names them.
struct Taken {
    ports: BTreeMap<u16, String>,
    hosts: BTreeMap<String, String>,
    /// Absent where all apps run as the daemon does anyway.
    users: Option<BTreeMap<u32, String>>,
    /// Who builds; several apps may share one.
    builders: Option<BTreeMap<u32, String>>,
    operators: String,
}

impl Taken {
    fn by(host: &HostConfig, privileged: bool) -> Taken {
        let mut ports = BTreeMap::new();
        if let Some(port) = host.caddy.admin.as_ref().and_then(super::Address::local_port) {
            ports.insert(port, "Caddy's admin address".to_owned());
        }
        if let Some(port) = host.caddy.probe.as_ref().and_then(super::Address::local_port) {
            ports.insert(port, "Caddy, at `caddy.probe`".to_owned());
        }
        if let Some(hooks) = host.hooks {
            ports.insert(hooks.port(), "the webhooks, at `hooks.listen`".to_owned());
        }
        if let Some(dashboard) = &host.dashboard {
            ports
                .insert(dashboard.listen.port(), "the dashboard, at `dashboard.listen`".to_owned());
        }
        if let Some(port) = host.epmd_port {
            ports.insert(port, "epmd, at `epmd_port`".to_owned());
        }
        Taken {
            ports,
            hosts: BTreeMap::new(),
            users: privileged.then(BTreeMap::new),
            builders: privileged.then(BTreeMap::new),
            operators: host.operators_group.clone(),
        }
    }

    fn conflicts(&self, path: &Path, app: &AppFile) -> Vec<Finding> {
        let name = &app.config.name;
        let mut findings = Vec::new();
        let mut find = |place: Option<Place>, what: String, hint: String| {
            findings.push(Finding { file: path.to_owned(), place, what, hint });
        };
        for slot in Slot::BOTH {
            let Some(port) = app.config.port(slot) else { continue };
            if let Some(owner) = self.ports.get(&port) {
                find(
                    app.ports_at,
                    format!("port {port}, which {name} wants for its {slot} slot and {owner} has,"),
                    "choose another port".into(),
                );
            }
        }
        for host in &app.config.hosts {
            if let Some(owner) = self.hosts.get(host) {
                find(
                    app.hosts_at,
                    format!("host \"{host}\", which {name} wants and {owner} has,"),
                    "a host leads to one app: take it away from one of them".into(),
                );
            }
        }
        if let (Some(users), Some(user)) = (&self.users, &app.config.user)
            && let Some(owner) = users.get(&user.uid)
        {
            find(
                app.user_at,
                format!("user \"{}\", which {name} wants and {owner} has,", user.name),
                "each app needs a user of its own, so that none can read or stop another".into(),
            );
        }
        let builder = app.config.source.as_ref().and_then(|it| it.user.as_ref());
        if let (Some(users), Some(builder)) = (&self.users, builder) {
            let own = app.config.user.as_ref().filter(|user| user.uid == builder.uid);
            let owner = users.get(&builder.uid).cloned().or(own.map(|_| name.clone()));
            if let Some(owner) = owner {
                find(
                    app.user_at,
                    format!("user \"{}\", who builds {name} and runs {owner},", builder.name),
                    "what is pushed must not read what runs: let a user of its own build".into(),
                );
            }
            if builder.is_member(&self.operators) {
                find(
                    app.user_at,
                    format!("user \"{}\", who builds {name},", builder.name),
                    format!(
                        "members of the group {0} may control every app, and so could whatever is \
                         pushed: take it out with `gpasswd -d {1} {0}`",
                        self.operators, builder.name
                    ),
                );
            }
        }
        if let (Some(builders), Some(user)) = (&self.builders, &app.config.user)
            && let Some(owner) = builders.get(&user.uid)
        {
            find(
                app.user_at,
                format!("user \"{}\", who runs {name} and builds {owner},", user.name),
                "what is pushed must not read what runs: let a user of its own build".into(),
            );
        }
        findings
    }

    fn take(&mut self, path: &Path, app: &AppFile) {
        let name = &app.config.name;
        let file = shown(path);
        for slot in Slot::BOTH {
            if let Some(port) = app.config.port(slot) {
                self.ports.insert(port, format!("{name} (its {slot} slot, {file})"));
            }
        }
        for host in &app.config.hosts {
            self.hosts.insert(host.clone(), format!("{name} ({file})"));
        }
        if let (Some(users), Some(user)) = (&mut self.users, &app.config.user) {
            users.insert(user.uid, format!("{name} ({file})"));
        }
        let builder = app.config.source.as_ref().and_then(|it| it.user.as_ref());
        if let (Some(builders), Some(user)) = (&mut self.builders, builder) {
            builders.insert(user.uid, format!("{name} ({file})"));
        }
    }
}

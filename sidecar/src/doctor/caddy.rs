//! Caddy: its version, whether it can be asked, and whether it sees the route folder.

use std::path::Path;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};

use super::access::{Want, Who};
use super::finding::Finding;
use super::program::{self, Unasked};
use super::route::{self, Looked};
use super::scene::SetUp;
use crate::config::{Address, RouteMode};

const SUBJECT: &str = "caddy";
/// The oldest in which a switch by file was measured to lose nothing.
const OLDEST: Version = Version { major: 2, minor: 6 };
/// From here on a reload can leave WebSockets open.
const KEEPS_STREAMS: Version = Version { major: 2, minor: 7 };
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn check(set: &SetUp<'_>) -> Vec<Finding> {
    if set.apps().all(|app| app.is_worker()) {
        return Vec::new();
    }
    let looked = route::look(set).await;
    let follows = looked.iter().any(Looked::is_right);
    let (installed, version) = installed(follows).await;
    let mut findings = vec![installed];
    if looked.iter().all(|looked| looked.finding(set).is_none()) {
        findings.extend(admin(set).await);
    }
    if set.config.host.caddy.mode == RouteMode::File && !follows {
        findings.extend(hidden(set).await);
    }
    let away = looked.iter().find(|looked| looked.has_no_caddy());
    for finding in looked
        .iter()
        // That Caddy is away is said once; what it would say of each app is not known then.
        .filter(|looked| away.is_none_or(|away| !looked.has_no_caddy() || looked.app == away.app))
        .filter_map(|looked| looked.finding(set))
    {
        let known = findings.iter().any(|known| known.message == finding.message);
        if !known || !finding.level.is_wrong() {
            findings.push(finding);
        }
    }
    findings.extend(migrate_requests(version));
    findings
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    minor: u32,
}

/// From `2.6.2` or `v2.11.7 h1:…`.
fn version(text: &str) -> Option<Version> {
    let word = text.split_ascii_whitespace().next()?;
    let mut parts = word.trim_start_matches('v').split('.');
    let mut part = || parts.next()?.parse().ok();
    Some(Version { major: part()?, minor: part()? })
}

async fn installed(follows: bool) -> (Finding, Option<Version>) {
    let text = match program::ask("caddy", &["version"]).await {
        Ok(text) => text,
        // One in a container has its program there.
        Err(error) if follows => {
            return (
                Finding::ok(SUBJECT, format!("It answers. Its version is not known: {error}.")),
                None,
            );
        }
        Err(error) => {
            let cure = match error {
                Unasked::Missing => {
                    "Install Caddy 2.6 or later: `apt-get install caddy`. If it runs in a \
                     container, see `mode` under [caddy] in vial.toml."
                }
                _ => "Run `caddy version` and see what it says; install it anew if need be.",
            };
            return (
                Finding::problem(
                    SUBJECT,
                    format!("The program `caddy` cannot be used: {error}."),
                    cure,
                ),
                None,
            );
        }
    };
    let shown: String = text.trim().chars().take(40).collect();
    let Some(version) = version(&text) else {
        let message = format!("Its version cannot be understood: {shown:?}.");
        let cure = "Vial needs 2.6 or later; look at `caddy version`.";
        return (Finding::hint(SUBJECT, message, cure), None);
    };
    let word = shown.split_ascii_whitespace().next().unwrap_or_default();
    let finding = if version < OLDEST {
        Finding::problem(
            SUBJECT,
            format!("Caddy {word} is too old: Vial's snippet needs 2.6 or later."),
            "Install a newer one from Debian 12 or later, or from https://caddyserver.com/docs/install.",
        )
    } else {
        Finding::ok(SUBJECT, format!("Caddy {word}."))
    };
    (finding, Some(version))
}

/// Whether the admin endpoint takes connections, where no route could be asked for.
async fn admin(set: &SetUp<'_>) -> Option<Finding> {
    let address = set.config.host.caddy.admin.as_ref()?;
    let connected = tokio::time::timeout(PATIENCE, async {
        match address {
            Address::Tcp { host, port } => {
                TcpStream::connect((host.as_str(), *port)).await.map(|_| ())
            }
            Address::Unix(path) => UnixStream::connect(path).await.map(|_| ()),
        }
    });
    let detail = match connected.await {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer within 2 s".into(),
    };
    Some(Finding::problem(
        SUBJECT,
        format!(
            "Caddy is not running: nothing answers at its admin endpoint {address} ({detail})."
        ),
        "Start it: `systemctl start caddy`, and look at `journalctl -u caddy`. If it runs, its \
         admin endpoint is off or elsewhere: say so under [caddy] in vial.toml (`admin`, `probe`).",
    ))
}

/// What systemd does to Caddy's unit.
#[derive(Debug, Default, PartialEq, Eq)]
struct Unit {
    private_tmp: bool,
    protect_home: bool,
    user: Option<String>,
}

impl Unit {
    /// Absent where there is no systemd.
    async fn ask() -> Option<Unit> {
        let args = ["show", "caddy.service", "--property=PrivateTmp,ProtectHome,User"];
        program::ask("systemctl", &args).await.ok().map(|text| Unit::read(&text))
    }

    fn read(text: &str) -> Unit {
        let value = |key: &str| {
            text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::trim)
        };
        Unit {
            private_tmp: matches!(value("PrivateTmp"), Some("yes" | "disconnected")),
            protect_home: matches!(value("ProtectHome"), Some("yes" | "tmpfs")),
            user: value("User").filter(|user| !user.is_empty()).map(str::to_owned),
        }
    }

    /// The sandbox that gives Caddy another view of a folder.
    fn hides(&self, folder: &Path) -> Option<&'static str> {
        let below = |roots: &[&str]| roots.iter().any(|root| folder.starts_with(root));
        if self.private_tmp && below(&["/tmp", "/var/tmp"]) {
            return Some("PrivateTmp");
        }
        (self.protect_home && below(&["/home", "/root", "/run/user"])).then_some("ProtectHome")
    }
}

/// Whether Caddy will see the flag, where it could not be asked. It takes an unseen flag for blue,
/// silently.
async fn hidden(set: &SetUp<'_>) -> Option<Finding> {
    let folder = set.config.host.state_dir.join("route");
    let there = folder.ancestors().find(|above| above.exists())?;
    let unit = Unit::ask().await;
    if let Some(by) = unit.as_ref().and_then(|unit| unit.hides(&folder)) {
        return Some(Finding::problem(
            SUBJECT,
            format!(
                "Caddy's unit has {by}, so Caddy cannot see {}, and would send everything to blue.",
                folder.display()
            ),
            format!(
                "Move Vial's state: `state_dir = \"/var/lib/vial\"` in {}. Or turn it off with \
                 `systemctl edit caddy`: `[Service]` and `{by}=no`.",
                set.scene.file.display()
            ),
        ));
    }
    let name = unit.and_then(|unit| unit.user).unwrap_or_else(|| "caddy".to_owned());
    let closed = Who::named(&name)?.stopped(there, Want::Pass).ok()??;
    Some(Finding::warning(
        SUBJECT,
        format!(
            "A Caddy that runs as {name} cannot see {}: {} is closed to it (mode {:04o}). It would \
             send everything to blue.",
            folder.display(),
            closed.path.display(),
            closed.mode
        ),
        format!("Run `chmod o+x {}`.", closed.path.display()),
    ))
}

/// What a reload of Caddy by hand costs. Vial itself never reloads it.
fn migrate_requests(version: Option<Version>) -> Option<Finding> {
    let setting = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_migrate_req").ok()?;
    let streams = match version {
        Some(version) if version < KEEPS_STREAMS => {
            " and closes every WebSocket; from Caddy 2.7 on, `stream_close_delay` keeps those"
        }
        _ => "; `stream_close_delay` in a reverse_proxy keeps its WebSockets",
    };
    (setting.trim() == "0").then(|| {
        Finding::hint(
            SUBJECT,
            format!(
                "Vial never reloads Caddy. When you do, it resets connections that it has not \
                 taken yet{streams}."
            ),
            "`sysctl -w net.ipv4.tcp_migrate_req=1` keeps those connections (and a file in \
             /etc/sysctl.d makes it stay).",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_every_caddy_says_them() {
        for (text, expected) in [
            ("2.6.2\n", Some((2, 6))),
            ("v2.11.7 h1:abc=\n", Some((2, 11))),
            ("v1.0.5", Some((1, 0))),
            ("(devel)", None),
            ("", None),
        ] {
            assert_eq!(version(text).map(|it| (it.major, it.minor)), expected, "{text:?}");
        }
        assert!(Version { major: 2, minor: 10 } > OLDEST);
        assert!(Version { major: 1, minor: 9 } < OLDEST);
    }

    #[test]
    fn a_sandbox_hides_what_lies_below_it_alone() {
        let unit = Unit::read("PrivateTmp=yes\nProtectHome=yes\nUser=caddy\n");
        assert_eq!(unit.user.as_deref(), Some("caddy"));
        assert_eq!(unit.hides(Path::new("/tmp/vial/route")), Some("PrivateTmp"));
        assert_eq!(unit.hides(Path::new("/home/a/vial")), Some("ProtectHome"));
        assert_eq!(unit.hides(Path::new("/var/lib/vial")), None);
        assert_eq!(unit.hides(Path::new("/tmpx")), None);
        let open = Unit::read("PrivateTmp=no\nProtectHome=read-only\nUser=\n");
        assert_eq!(open, Unit::default());
        assert_eq!(open.hides(Path::new("/tmp/vial")), None);
    }
}

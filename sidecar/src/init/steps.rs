//! What comes after the files were written, in the order in which it works.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};
use serde_json::json;
use vial::config::{DEFAULT_FILE, HostConfig};

use super::{NewApp, link};

/// What was done, and what comes next.
pub(super) struct Written {
    pub(super) wrote: Vec<PathBuf>,
    /// What was there already.
    pub(super) kept: Vec<PathBuf>,
    pub(super) steps: Vec<Step>,
}

/// One thing to do.
pub(super) struct Step {
    /// What for.
    say: String,
    /// What to type or paste, as it is.
    lines: Vec<String>,
}

impl Step {
    fn new(say: impl Into<String>, lines: impl IntoIterator<Item = String>) -> Step {
        Step { say: say.into(), lines: lines.into_iter().collect() }
    }
}

impl Written {
    /// For people.
    pub(super) fn page(&self, brief: bool) -> String {
        let mut page = String::new();
        for path in &self.wrote {
            page.push_str(&format!("Wrote {}.\n", path.display()));
        }
        for path in &self.kept {
            page.push_str(&format!("{} was there already and stays as it is.\n", path.display()));
        }
        if brief {
            return page;
        }
        page.push_str("\nNext, in this order:\n");
        for (at, step) in self.steps.iter().enumerate() {
            page.push_str(&format!("\n{}. {}\n", at + 1, step.say));
            for line in &step.lines {
                page.push_str(&format!("     {line}\n"));
            }
        }
        page
    }

    /// For programs.
    pub(super) fn json(&self) -> String {
        let next: Vec<_> = self
            .steps
            .iter()
            .map(|step| json!({ "say": step.say, "text": step.lines.join("\n") }))
            .collect();
        let said = json!({ "wrote": self.wrote, "kept": self.kept, "next": next });
        format!("{said:#}")
    }
}

/// What comes next on this host.
pub(super) fn steps(host: &HostConfig, app: Option<&NewApp>) -> Vec<Step> {
    let runs = UnixStream::connect(host.socket()).is_ok();
    let Some(app) = app else {
        let init = vial(host, "init NAME --host www.example.com");
        return vec![Step::new("Write an app's file:", [init]), dashboard(host, runs)];
    };
    let mut steps = Vec::new();
    if let Some(user) = app.user.as_ref().filter(|_| geteuid().is_root())
        && matches!(User::from_name(user), Ok(None))
    {
        let line = format!(
            "useradd --system --user-group --no-create-home --shell /usr/sbin/nologin {user}"
        );
        steps.push(Step::new("Make the user that its releases run as:", [line]));
    }
    let file = host.apps_dir.join(format!("{}.toml", app.name));
    steps.push(Step::new(format!("Look through {}.", file.display()), []));
    steps.push(match (runs, is_usual(host)) {
        (true, _) => Step::new("Tell the daemon:", [vial(host, "reload")]),
        (false, true) => Step::new("Start the daemon:", ["systemctl enable --now vial".to_owned()]),
        (false, false) => Step::new("Start the daemon, and let it run:", [vial(host, "serve")]),
    });
    if !app.hosts.is_empty() {
        let snippet = host.state_dir.join("route").join(&app.name).join("Caddyfile");
        let block = [
            format!("{} {{", app.hosts.join(", ")),
            format!("    import {}", snippet.display()),
            "}".to_owned(),
        ];
        // An import of a file that is not there yet would keep Caddy from starting.
        steps.push(Step::new(
            "Once the daemon runs, put this into the Caddyfile (/etc/caddy/Caddyfile):",
            block,
        ));
        steps.push(Step::new("Tell Caddy:", ["systemctl reload caddy".to_owned()]));
    }
    steps.push(Step::new("See whether all is well:", [vial(host, "doctor")]));
    let deploy = vial(host, &format!("deploy {} _build/prod/rel/{}", app.name, app.release));
    steps.push(Step::new("Bring the first release (a folder, or a .tar.gz of one):", [deploy]));
    steps.push(dashboard(host, runs));
    steps
}

/// How somebody comes into the dashboard first; the link itself where a daemon with one runs that
/// nobody has come into yet.
fn dashboard(host: &HostConfig, runs: bool) -> Step {
    let link = vial(host, "login-link NAME");
    let Some(dashboard) = &host.dashboard else {
        let say = format!(
            "For the dashboard, set `listen` under `[dashboard]` in {} and start the daemon again. \
             This makes the link by which you come in first:",
            host.file.display()
        );
        return Step::new(say, [link]);
    };
    if runs && let Some(url) = link::first(host) {
        let say = "Open this in a browser and choose your password; it serves once, for an hour:";
        return Step::new(say, [url]);
    }
    let say =
        format!("Make the link by which you come into the dashboard, at {}:", dashboard.url());
    Step::new(say, [link])
}

fn is_usual(host: &HostConfig) -> bool {
    host.file == Path::new(DEFAULT_FILE)
}

/// A command as it must be typed for this configuration.
fn vial(host: &HostConfig, command: &str) -> String {
    if is_usual(host) {
        return format!("vial {command}");
    }
    format!("vial --config {} {command}", quoted(&host.file.to_string_lossy()))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/-_.+@=,~:".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_to_a_shell() {
        assert_eq!(quoted("/srv/vial.toml"), "/srv/vial.toml");
        assert_eq!(quoted("/srv/it's here"), "'/srv/it'\\''s here'");
    }
}

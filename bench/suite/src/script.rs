//! The ground of `bench/script/rollback.sh`: a Caddy and two colours of a release, without Vial.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use vial::slot::{Identity, Process, User};
use vial_demo::place::{HOST, free_ports};
use vial_demo::probe::Question;
use vial_demo::program::{Program, end, last_lines};
use vial_demo::trouble::{Trouble, trying};
use vial_protocol::Slot;

/// How long a program may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one colour starts with.
#[derive(Debug, Clone)]
pub struct Colour {
    /// The release's program.
    pub program: PathBuf,
    /// Its environment, but for the port.
    pub env: BTreeMap<String, String>,
}

/// All that runs.
pub struct Ground {
    folder: TempDir,
    script: PathBuf,
    user: Option<User>,
    http: u16,
    drain: &'static str,
    caddy: Option<Program>,
}

impl Ground {
    /// Makes the folder, starts the blue release as the script would, and a Caddy. `colours` says
    /// what each starts with, in the folder.
    ///
    /// # Errors
    /// Where one of them does not come to serve. Then nothing of it is left.
    pub async fn start(
        script: &Path,
        user: Option<&str>,
        drain: &'static str,
        colours: impl FnOnce(&Path, [u16; 2]) -> Result<[Colour; 2], Trouble>,
    ) -> Result<Ground, Trouble> {
        let user = match user {
            Some(name) => User::find(name).map_err(trying("the user of the apps"))?,
            None => None,
        };
        let folder = tempfile::Builder::new()
            .prefix("vial-bench-script-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .map_err(trying("a temporary folder"))?;
        let ports = free_ports(4)?;
        let &[http, admin, blue, green] = ports.as_slice() else {
            return Err(Trouble::Waited { what: "finding free ports".into(), seconds: 1 });
        };
        let own = folder.path().join("rollback.sh");
        fs::copy(script, &own).map_err(trying("the script"))?;
        let mut ground = Ground { folder, script: own, user, http, drain, caddy: None };
        let colours = colours(ground.root(), [blue, green])?;
        ground.write(&colours, admin, [blue, green]).map_err(trying("the script's folder"))?;
        match ground.run().await {
            Ok(()) => Ok(ground),
            Err(trouble) => {
                let _ = ground.end().await;
                Err(trouble)
            }
        }
    }

    fn write(&self, colours: &[Colour; 2], admin: u16, ports: [u16; 2]) -> std::io::Result<()> {
        let write = |name: &str, text: &str| fs::write(self.root().join(name), text);
        for ((slot, colour), port) in Slot::BOTH.iter().zip(colours).zip(ports) {
            let mut text = format!("PORT={port}\nVIAL_SLOT={slot}\n");
            let _ = writeln!(text, "RELEASE={}", quoted(&colour.program.to_string_lossy()));
            for (name, value) in &colour.env {
                if name != "PORT" && name != "VIAL_SLOT" {
                    let _ = writeln!(text, "{name}={}", quoted(value));
                }
            }
            write(&format!("{slot}.env"), &text)?;
        }
        write("current", "blue\n")?;
        let [blue, _] = ports;
        write(
            "Caddyfile",
            &format!(
                "{{\n\tadmin 127.0.0.1:{admin}\n\tauto_https off\n}}\n\n\
                 http://{HOST}:{} {{\n\tbind 127.0.0.1\n\treverse_proxy 127.0.0.1:{blue}\n}}\n",
                self.http
            ),
        )?;
        let Some(user) = &self.user else { return Ok(()) };
        let files = fs::read_dir(self.root())?.flatten().map(|it| it.path());
        for path in files.chain([self.root().to_owned()]) {
            chown(path, Some(user.uid), Some(user.gid))?;
        }
        Ok(())
    }

    async fn run(&mut self) -> Result<(), Trouble> {
        // As the script starts one: whoever starts it goes, so that its end is seen by its pid.
        let first = "(set -a; . ./blue.env; exec setsid \"$RELEASE\" start) \
                     >>blue.log 2>&1 </dev/null & echo $! >blue.pid";
        let begun = self.shell(first).status().map_err(trying("the first release"))?;
        if !begun.success() {
            return Err(Trouble::Missing("the script's first release was not started".into()));
        }
        let home = self.root().join("caddy");
        fs::create_dir_all(&home).map_err(trying("Caddy's folder"))?;
        if let Some(user) = &self.user {
            chown(&home, Some(user.uid), Some(user.gid)).map_err(trying("Caddy's folder"))?;
        }
        let mut run = Command::new("caddy");
        run.args(["run", "--adapter", "caddyfile", "--config"]).arg(self.root().join("Caddyfile"));
        run.current_dir(&home);
        for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            run.env(name, &home);
        }
        let log = self.root().join("caddy.log");
        let caddy = Program::start("the script's Caddy", run, self.user.as_ref(), &log)?;
        let address = self.address();
        let caddy = self.caddy.insert(caddy);
        caddy.until(PATIENCE, async || TcpStream::connect(address).await.ok()).await?;
        let serves = self.home().first(PATIENCE, |it| it.status == 200).await;
        serves.map(drop).ok_or_else(|| Trouble::Program {
            name: "the script's first release",
            how: "does not answer".into(),
            log: last_lines(&self.root().join("blue.log")),
        })
    }

    fn shell(&self, text: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(text).current_dir(self.root()).stdin(Stdio::null());
        self.plain(&mut command);
        command
    }

    /// As whom it runs, and with what: nothing of this process's own.
    fn plain(&self, command: &mut Command) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let home = self.root().join("caddy");
        command.env_clear().env("PATH", path).env("LANG", "C.UTF-8").env("HOME", home);
        command.env("DRAIN", self.drain);
        if let Some(user) = &self.user {
            command.uid(user.uid).gid(user.gid);
        }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    /// What Caddy listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.http).into()
    }

    /// What visitors ask for.
    #[must_use]
    pub fn home(&self) -> Question {
        Question { address: self.address(), host: HOST.into(), path: "/" }
    }

    /// Which colour serves.
    #[must_use]
    pub fn serves(&self) -> Slot {
        let current = fs::read_to_string(self.root().join("current")).unwrap_or_default();
        current.trim().parse().unwrap_or(Slot::Blue)
    }

    /// Runs the script. When it began, and when the other colour first answered a visitor, who asks
    /// every so often.
    ///
    /// # Errors
    /// Where it fails, or nobody answers.
    pub async fn roll_back(&self, every: Duration) -> Result<Duration, Trouble> {
        let mut script = Command::new("/bin/sh");
        script.arg(&self.script).arg(self.root()).stdin(Stdio::null());
        self.plain(&mut script);
        let to = self.serves().other();
        let home = self.home();
        let began = Instant::now();
        let (ended, answered) = tokio::join!(
            tokio::process::Command::from(script).kill_on_drop(true).output(),
            home.first_every(every, PATIENCE, |it| it.slot.as_deref() == Some(to.as_str())),
        );
        let ended = ended.map_err(trying("the script"))?;
        if !ended.status.success() {
            return Err(Trouble::Program {
                name: "rollback.sh",
                how: format!("failed: {}", String::from_utf8_lossy(&ended.stderr).trim()),
                log: last_lines(&self.root().join(format!("{to}.log"))),
            });
        }
        answered.map(|at| at - began).ok_or_else(|| Trouble::Waited {
            what: format!("an answer of {to} through the script's Caddy"),
            seconds: PATIENCE.as_secs(),
        })
    }

    /// When which colour was told to end, in milliseconds since 1970.
    #[must_use]
    pub fn stops(&self) -> Vec<(u64, Slot)> {
        let text = fs::read_to_string(self.root().join("stopping")).unwrap_or_default();
        let stop = |line: &str| {
            let (at, slot) = line.split_once(' ')?;
            Some((at.parse().ok()?, slot.parse().ok()?))
        };
        text.lines().filter_map(stop).collect()
    }

    /// Ends all that was started, and removes the folder.
    ///
    /// # Errors
    /// What could not be ended.
    pub async fn end(mut self) -> Result<(), Trouble> {
        let mut ended = match self.caddy.take() {
            Some(caddy) => caddy.end(PATIENCE).await,
            None => Ok(()),
        };
        for slot in Slot::BOTH {
            let pid = fs::read_to_string(self.root().join(format!("{slot}.pid")));
            let pid = pid.ok().and_then(|it| it.trim().parse().ok());
            // A pid may be another's by now: only what was started in our folder is ours.
            let ours = pid.filter(|pid| self.is_ours(*pid));
            let identity = ours.and_then(|pid| Identity::of(pid).ok().flatten());
            if let Some(Ok(Some(process))) = identity.map(|it| Process::adopt(&it)) {
                ended = ended.and(end("a release of the script", &process, PATIENCE).await);
            }
        }
        sleep(Duration::from_millis(50)).await;
        let path = self.root().display().to_string();
        ended.and(self.folder.close().map_err(trying(path)))
    }

    fn is_ours(&self, pid: u32) -> bool {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let home = format!("HOME={}", self.root().display());
        environment.split(|byte| *byte == 0).any(|it| it.starts_with(home.as_bytes()))
    }
}

/// As a shell reads it back.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_quoted_is_read_back_by_a_shell() {
        let text = "it's $HOME `id` \"x\" \\";
        let read = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("printf %s {}", super::quoted(text)))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(read.stdout).unwrap(), text);
    }
}

//! The environment of what is started from a release: the release itself, and its helpers.
//!
//! From the weakest to the strongest: what is inherited of the daemon's own, by an allowlist;
//! what a release expects anyway; the app's `env_file`, what `vial env` keeps for it, and its
//! `slot_env`; what Vial must decide itself, because the slot would not be the slot otherwise.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use vial_protocol::Slot;

use super::direct::secret;
use super::family::MARKER;

/// Who may reach the Erlang distribution of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// This host only: epmd and the node listen on 127.0.0.1.
    Loopback,
    /// Other hosts too: whoever has the cookie.
    Cluster,
}

/// All that the environment of a start is made of.
#[derive(Debug, Clone)]
pub struct StartEnvironment {
    /// The app's name.
    pub app: String,
    /// The release's name.
    pub release_name: String,
    /// The slot.
    pub slot: Slot,
    /// Marks everything that is started with this environment; another one for each start.
    pub run_id: String,
    /// The slot's port; absent for a worker.
    pub port: Option<u16>,
    /// The host part of the node's name.
    pub node_host: String,
    /// The app's secret: letters and digits.
    pub cookie: String,
    /// What the nodes of helpers are given for a cookie, where the app's must not stand on their
    /// command line: something that nobody else has. The app's cookie, where absent.
    pub helper_cookie: Option<String>,
    /// The folder in which nodes find the cookie that is not on their command line.
    pub nodes: PathBuf,
    /// When a release loads its modules, `RELEASE_MODE`; as the app's own environment says where
    /// absent.
    pub mode: Option<&'static str>,
    /// A folder of the slot, for the release to write in.
    pub tmp: PathBuf,
    /// Where the BEAM writes what it knew when it crashed.
    pub crash_dump: PathBuf,
    /// The home folder of the user that it runs as.
    pub home: PathBuf,
    /// That user's name.
    pub user: String,
    /// The daemon's socket.
    pub vial_socket: PathBuf,
    /// The NIF that the daemon was shipped with, where it lies beside it.
    pub nif: Option<PathBuf>,
    /// The port of the daemon's own epmd.
    pub epmd_port: u16,
    /// Who may reach its distribution.
    pub distribution: Distribution,
    /// The daemon's own environment, of which little is taken.
    pub inherited: Vec<(OsString, OsString)>,
    /// From the app's `env_file`.
    pub env_file: Vec<(String, String)>,
    /// What `vial env` keeps for it.
    pub kept: Vec<(String, String)>,
    /// From the app's `slot_env`, for this slot.
    pub slot_env: Vec<(String, String)>,
}

/// A whole environment.
pub type Variables = Vec<(OsString, OsString)>;

/// What a release may know of the daemon's own environment.
const INHERITED: [&str; 4] = ["PATH", "LANG", "LANGUAGE", "TZ"];

/// What an app's own environment must not set: the release's scripts set these for their own use,
/// and the daemon's supervisor for its.
const DROPPED: [&str; 14] = [
    "RELEASE_ROOT",
    "RELEASE_VSN",
    "RELEASE_COMMAND",
    "RELEASE_PROG",
    "RELEASE_SYS_CONFIG",
    "BINDIR",
    "ROOTDIR",
    "EMU",
    "PROGNAME",
    "HEART_COMMAND",
    "NOTIFY_SOCKET",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
];

/// What Vial decides itself, whatever an app's own environment says.
const DECIDED: [&str; 8] = [
    "RELEASE_NAME",
    "RELEASE_NODE",
    "RELEASE_COOKIE",
    "RELEASE_TMP",
    "RELEASE_DISTRIBUTION",
    "ERL_CRASH_DUMP",
    "ERL_EPMD_PORT",
    "ERL_EPMD_ADDRESS",
];

/// Why a variable is not an app's own to set; `routed` is whether its slots have ports.
#[must_use]
pub fn reserved(name: &str, routed: bool) -> Option<&'static str> {
    match name {
        _ if name.starts_with("VIAL_") => Some("Vial tells a release by it where it runs"),
        _ if DROPPED.contains(&name) => {
            Some("the release's scripts or the service manager set it for their own use")
        }
        "PORT" if routed => Some("each slot has its own; `ports` in the app's file says which"),
        _ if DECIDED.contains(&name) => Some("Vial sets it for each slot"),
        _ => None,
    }
}

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The name of the node in a slot: `shop_blue@127.0.0.1`.
#[must_use]
pub fn node_name(app: &str, slot: Slot, node_host: &str) -> String {
    format!("{app}_{slot}@{node_host}")
}

impl StartEnvironment {
    /// For `bin/NAME start`.
    #[must_use]
    pub fn for_start(&self) -> Variables {
        let mut variables = self.common();
        variables.entry("PHX_SERVER".into()).or_insert_with(|| "true".into());
        if let Some(mode) = self.mode {
            variables.insert("RELEASE_MODE".into(), mode.into());
        }
        // The release's own env.sh has the last word on RELEASE_NODE; only what stands first on
        // the emulator's command line beats it, and that is this. The script shall not name the
        // node as well: the emulator would warn of it twice in each log. No cookie here: of two,
        // OTP 25 takes neither but the one in the home folder.
        variables.insert("RELEASE_DISTRIBUTION".into(), "none".into());
        // epmd is Vial's business: one that the release started would be of its family.
        self.flags(&mut variables, format!("-name {} -start_epmd false", self.node()));
        finish(variables)
    }

    /// For `bin/NAME eval`: a node of its own without a name, which serves nothing.
    #[must_use]
    pub fn for_helper(&self) -> Variables {
        let mut variables = self.common();
        variables.remove(&OsString::from("PHX_SERVER"));
        variables.insert("RELEASE_DISTRIBUTION".into(), "none".into());
        // The script puts it on the command line, and the node calls nobody.
        if let Some(cookie) = &self.helper_cookie {
            variables.insert("RELEASE_COOKIE".into(), cookie.clone().into());
        }
        finish(variables)
    }

    /// For the commands of [`Remote`](super::remote::Remote), which talk to the node in the slot.
    #[must_use]
    pub fn for_remote(&self) -> Variables {
        let mut variables = self.common();
        variables.remove(&OsString::from("PHX_SERVER"));
        variables.insert("RELEASE_DISTRIBUTION".into(), "name".into());
        self.flags(&mut variables, "-start_epmd false");
        finish(variables)
    }

    /// The same, for a command that finds the cookie in the file.
    #[must_use]
    pub fn for_remote_by_file(&self) -> Variables {
        let mut variables = self.common();
        variables.remove(&OsString::from("PHX_SERVER"));
        variables.insert("RELEASE_DISTRIBUTION".into(), "name".into());
        let home = variables.get(&OsString::from("HOME")).cloned().unwrap_or_default();
        let mut flags = OsString::from("-start_epmd false");
        for flag in secret::flags(home) {
            flags.push(" ");
            flags.push(escaped(&flag));
        }
        self.flags(&mut variables, &flags);
        variables.insert(secret::VARIABLE.into(), self.nodes.clone().into());
        finish(variables)
    }

    /// The name of the node in the slot.
    #[must_use]
    pub fn node(&self) -> String {
        node_name(&self.app, self.slot, &self.node_host)
    }

    fn common(&self) -> BTreeMap<OsString, OsString> {
        let mut variables = BTreeMap::new();
        let mut set = |name: &str, value: OsString| variables.insert(OsString::from(name), value);
        set("PATH", PATH.into());
        // The BEAM takes file names and output for Latin-1 without it.
        set("LANG", "C.UTF-8".into());
        set("HOME", self.home.clone().into());
        set("USER", self.user.clone().into());
        set("LOGNAME", self.user.clone().into());
        for (name, value) in &self.inherited {
            let known = name.to_str().filter(|n| INHERITED.contains(n) || n.starts_with("LC_"));
            if let Some(name) = known {
                set(name, value.clone());
            }
        }
        for (name, value) in self.env_file.iter().chain(&self.kept).chain(&self.slot_env) {
            if !DROPPED.contains(&name.as_str()) && !name.starts_with("VIAL_") {
                set(name, value.into());
            }
        }
        if let Some(port) = self.port {
            set("PORT", port.to_string().into());
        }
        set("RELEASE_NAME", self.release_name.clone().into());
        set("RELEASE_NODE", self.node().into());
        set("RELEASE_COOKIE", self.cookie.clone().into());
        set("RELEASE_TMP", self.tmp.clone().into());
        set("ERL_CRASH_DUMP", self.crash_dump.clone().into());
        set("ERL_EPMD_PORT", self.epmd_port.to_string().into());
        if self.distribution == Distribution::Loopback {
            set("ERL_EPMD_ADDRESS", "127.0.0.1".into());
        }
        set("VIAL_APP", self.app.clone().into());
        set("VIAL_SLOT", self.slot.as_str().into());
        set("VIAL_SOCKET", self.vial_socket.clone().into());
        if let Some(nif) = &self.nif {
            set("VIAL_NIF", nif.clone().into());
        }
        set(MARKER, self.run_id.clone().into());
        variables
    }

    /// Puts flags of ours before the app's own ERL_AFLAGS: of two, the emulator heeds the first,
    /// also of two `-kernel` settings.
    fn flags(&self, variables: &mut BTreeMap<OsString, OsString>, flags: impl AsRef<OsStr>) {
        let mut all = flags.as_ref().to_owned();
        if self.distribution == Distribution::Loopback {
            // Whatever the node's name says, it would listen on 0.0.0.0 otherwise.
            all.push(" -kernel inet_dist_use_interface {127,0,0,1}");
        }
        if let Some(own) = variables.get(&OsString::from("ERL_AFLAGS")) {
            all.push(" ");
            all.push(own);
        }
        variables.insert("ERL_AFLAGS".into(), all);
    }
}

/// One word for the emulator, which splits its variables at blanks.
fn escaped(word: &OsStr) -> OsString {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) || byte > 127;
    let bytes = word.as_bytes().iter().flat_map(|byte| {
        let escape = (!plain(*byte)).then_some(b'\\');
        escape.into_iter().chain([*byte])
    });
    OsString::from_vec(bytes.collect())
}

fn finish(variables: BTreeMap<OsString, OsString>) -> Variables {
    variables.into_iter().collect()
}

#[cfg(test)]
#[path = "environment_tests.rs"]
mod tests;

//! What a route is made from.

use std::fmt;
use std::path::PathBuf;

use vial_protocol::Slot;

use super::address::{Address, ProbeAddress};
use super::problem::RouteProblem;

/// The snippet's name in the route folder.
pub(super) const FILE: &str = "Caddyfile";

/// Everything that one app's route needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The app's name.
    pub app: String,
    /// The app's route folder, `<state>/route/<app>`; nothing else may write there.
    pub folder: PathBuf,
    /// The port of each slot.
    pub ports: Ports,
    /// The host names that the app answers to. The first is asked for where Caddy's own
    /// configuration names none.
    pub hosts: Vec<String>,
    /// The app's secret, kept with its state: see [`Token`].
    pub token: Token,
    /// Caddy's admin endpoint; `None` where it is off, and then `probe` is needed.
    pub admin: Option<Address>,
    /// Where to ask which slot answers, instead of what Caddy's configuration says.
    pub probe: Option<ProbeAddress>,
    /// How Caddy is told.
    pub mode: Mode,
}

/// How Caddy is told which slot to send traffic to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// By a file that Caddy looks for at each request: no reload. The default.
    File,
    /// By its admin API, for a Caddy that cannot see the host's files.
    Admin {
        /// The host under which Caddy reaches the slots: `127.0.0.1`, or what a Caddy in a
        /// container calls this host.
        dial_host: String,
    },
}

/// The port of each slot, on loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Blue's.
    pub blue: u16,
    /// Green's.
    pub green: u16,
}

impl Ports {
    /// One slot's port.
    #[must_use]
    pub fn of(self, slot: Slot) -> u16 {
        match slot {
            Slot::Blue => self.blue,
            Slot::Green => self.green,
        }
    }

    /// The slot that a port belongs to.
    #[must_use]
    pub fn slot(self, port: u16) -> Option<Slot> {
        Slot::BOTH.into_iter().find(|slot| self.of(*slot) == port)
    }
}

/// A random secret, at least 16 bytes as text, one an app.
///
/// Two words are derived from it: what the probe sends, so that strangers learn nothing from
/// Caddy, and what Caddy answers, so that an app which sees the probe cannot answer in its place.
/// Both stand in the snippet, which the users of this host can read: what they could learn is
/// which slot is active. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Token(secret.into())
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Settings {
    /// The host and port under which Caddy reaches a slot, as in its configuration.
    #[must_use]
    pub fn dial(&self, slot: Slot) -> String {
        let host = match &self.mode {
            Mode::File => "127.0.0.1",
            Mode::Admin { dial_host } => dial_host,
        };
        let port = self.ports.of(slot);
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// The line that belongs into the app's site block.
    #[must_use]
    pub fn import_line(&self) -> String {
        format!("import {}", self.folder.join(FILE).display())
    }

    /// Refuses what would mean something else in a Caddyfile than what it says: placeholders,
    /// quotes, spaces, and the characters of a glob.
    pub(super) fn check(&self) -> Result<(), RouteProblem> {
        let plain = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || more.contains(c))
        };
        let refused = |what: &'static str, value: String| RouteProblem::Unwritable { what, value };
        if !plain(&self.app, "-_.") {
            return Err(refused("the app's name", self.app.clone()));
        }
        let folder = self.folder.to_str().filter(|path| plain(path, "/-_.+@=,~:"));
        if folder.is_none() || !self.folder.is_absolute() {
            return Err(refused("the route folder", self.folder.display().to_string()));
        }
        if let Mode::Admin { dial_host } = &self.mode
            && !plain(dial_host, "-_.:")
        {
            return Err(refused("the host that Caddy dials", dial_host.clone()));
        }
        Ok(())
    }
}

//! What can be wrong with a route, in the words that a person reads.

use std::io;
use std::path::PathBuf;

use vial_protocol::Slot;

use super::visible::Obstacle;

/// Why Caddy does not send traffic where it should, or cannot be asked.
///
/// The app's task receives it, for its status, `vial doctor` and a failed switch. The message says
/// what happened and why; [`RouteProblem::next`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RouteProblem {
    /// Nothing listens where Caddy was expected.
    #[error("Caddy is not running: nothing answers at {at} ({detail}).")]
    NoCaddy {
        /// Where.
        at: String,
        /// What the system said.
        detail: String,
    },
    /// The admin endpoint could not be talked to.
    #[error("Caddy's admin endpoint {admin} cannot be used: {detail}.")]
    AdminUnreachable {
        /// Where.
        admin: String,
        /// What was seen.
        detail: String,
        /// What to do about it.
        next: String,
    },
    /// The admin endpoint is off, and nobody said where to ask instead.
    #[error(
        "Vial cannot find out where Caddy listens: its admin endpoint is set as off, and no probe \
         address is set."
    )]
    NowhereToAsk,
    /// No site of the running Caddy has the snippet.
    #[error("Caddy runs, but no site of it imports Vial's snippet for {app}.")]
    NotImported {
        /// The app.
        app: String,
        /// The host names that the site should have.
        hosts: Vec<String>,
        /// The line to add.
        line: String,
    },
    /// The running Caddy has an older copy of the snippet: other ports or another secret.
    #[error(
        "Caddy still runs an older copy of Vial's snippet for {app} than the one on disk, {file}."
    )]
    Stale {
        /// The app.
        app: String,
        /// The snippet.
        file: PathBuf,
    },
    /// Caddy cannot see the flag file, so that it sends all traffic to blue, silently.
    #[error("Caddy cannot see Vial's files in {folder}, so it sends everything to blue: {}.", obstacle.why())]
    FolderHidden {
        /// The route folder.
        folder: PathBuf,
        /// What stands between.
        obstacle: Obstacle,
    },
    /// Another slot answers than should.
    #[error("{answered} answers through Caddy instead of {expected}{}.", flag_words(*.flagged, *.expected))]
    WrongSlot {
        /// Which should.
        expected: Slot,
        /// Which does.
        answered: Slot,
        /// What the route folder says.
        flagged: Slot,
    },
    /// Something answered, or nothing in time, but not with Vial's mark.
    #[error("Caddy could not be asked which slot it sends traffic to: {detail} at {at}.")]
    NoAnswer {
        /// Where it was asked.
        at: String,
        /// What was seen.
        detail: String,
    },
    /// Caddy's admin API refused to change the upstream.
    #[error("Caddy did not take the new upstream: {detail}.")]
    NotPatched {
        /// What it said.
        detail: String,
    },
    /// The route folder could not be read or written.
    #[error("{what} {path} failed: {source}.")]
    Folder {
        /// What was tried: "writing".
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A setting that cannot be written into a Caddyfile.
    #[error(
        "{what} {value:?} cannot stand in a Caddyfile as it is: letters, digits and a few signs only."
    )]
    Unwritable {
        /// Which.
        what: &'static str,
        /// Its value.
        value: String,
    },
}

fn flag_words(flagged: Slot, expected: Slot) -> String {
    if flagged == expected {
        String::new()
    } else {
        format!(": Vial's route folder says {flagged}, changed by something other than this switch")
    }
}

impl RouteProblem {
    /// What to do next.
    #[must_use]
    pub fn next(&self) -> String {
        match self {
            RouteProblem::NoCaddy { .. } => "Start it: `systemctl start caddy`, and look at \
                `journalctl -u caddy`. If it runs, its admin endpoint is off or elsewhere: say so \
                under [caddy] in vial.toml (`admin`, `probe`)."
                .into(),
            RouteProblem::AdminUnreachable { next, .. } => next.clone(),
            RouteProblem::NowhereToAsk => "Set `probe = \"127.0.0.1:443\"` under [caddy] in \
                vial.toml: an address where Caddy serves the app's site."
                .into(),
            RouteProblem::NotImported { hosts, line, .. } => {
                let site = hosts.first().map_or("its site".to_owned(), |host| format!("{host} {{ … }}"));
                format!(
                    "Put `{line}` into the block of {site} in the Caddyfile, then run `systemctl \
                     reload caddy` (or `caddy reload`)."
                )
            }
            RouteProblem::Stale { .. } => {
                "Run `systemctl reload caddy` (or `caddy reload`), so that it reads it.".into()
            }
            RouteProblem::FolderHidden { obstacle, .. } => obstacle.cure(),
            RouteProblem::WrongSlot { .. } => "Run `vial doctor`; `vial restart APP` switches \
                again. If Caddy was just reloaded or restarted by hand, look at its Caddyfile."
                .into(),
            RouteProblem::NoAnswer { .. } => "Look at `journalctl -u caddy`, and at whether the \
                site answers there at all; where it cannot (client certificates, a proxy protocol), \
                set another address as `probe` under [caddy] in vial.toml."
                .into(),
            RouteProblem::NotPatched { .. } => "Look at `journalctl -u caddy`; if it was being \
                reloaded, try again."
                .into(),
            RouteProblem::Folder { .. } => {
                "Check the folder's owner, mode and disk: the daemon must be able to write there."
                    .into()
            }
            RouteProblem::Unwritable { .. } => {
                "Rename it, or move the state folder (`state_dir` in vial.toml) to a plain path.".into()
            }
        }
    }

    /// Whether waiting a moment cannot change it, so that a switch need not.
    pub(super) fn is_final(&self) -> bool {
        match self {
            RouteProblem::NotImported { .. }
            | RouteProblem::Stale { .. }
            | RouteProblem::NowhereToAsk
            | RouteProblem::FolderHidden { .. }
            | RouteProblem::Folder { .. }
            | RouteProblem::Unwritable { .. } => true,
            RouteProblem::NoCaddy { .. }
            | RouteProblem::AdminUnreachable { .. }
            | RouteProblem::WrongSlot { .. }
            | RouteProblem::NoAnswer { .. }
            | RouteProblem::NotPatched { .. } => false,
        }
    }
}

/// Why a switch did not happen. Traffic goes where it went before, unless it is `Stuck`.
///
/// The app's task receives it and fails the deployment with it.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// Nothing was changed.
    #[error("{0} Nothing was changed.")]
    NotTried(#[source] RouteProblem),
    /// Caddy was told and did not follow, so that it was told the old slot again.
    #[error("{problem} The route was put back to {back}.")]
    PutBack {
        /// Why.
        #[source]
        problem: RouteProblem,
        /// The slot that has the traffic, as before.
        back: Slot,
    },
    /// Caddy was told, did not follow, and could not be told the old slot again.
    #[error("{problem} The route could not be put back to {back} either: {again}")]
    Stuck {
        /// Why it did not follow.
        #[source]
        problem: RouteProblem,
        /// The slot that should have had the traffic again.
        back: Slot,
        /// Why it could not be put back.
        again: Box<RouteProblem>,
    },
}

impl SwitchError {
    /// The problem with the route that it comes from.
    #[must_use]
    pub fn problem(&self) -> &RouteProblem {
        match self {
            SwitchError::NotTried(problem)
            | SwitchError::PutBack { problem, .. }
            | SwitchError::Stuck { problem, .. } => problem,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> String {
        match self {
            SwitchError::Stuck { again, .. } => again.next(),
            _ => self.problem().next(),
        }
    }
}

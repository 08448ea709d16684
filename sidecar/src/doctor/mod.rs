//! `vial doctor`: what is wrong with a set-up, why, and what mends it.
//!
//! It runs on the host beside the daemon, or in its absence, and changes nothing. [`examine`] looks
//! at the set-up once ([`scene`]: the configuration, what the daemon says, the history) and then
//! asks each subject in the order in which a person would mend them:
//!
//! ```text
//! configuration → state → disk → logs → environment → daemon → unit → apps → standby → start →
//! ports → pushes → dashboard → caddy → route → records
//! ```
//!
//! Each subject is a file with a `check` that takes the scene and gives [`Finding`]s: what is fine
//! is one too, so that a reader sees what was looked at. [`access`] tells whom the permissions keep
//! out of a folder, [`program`] runs what must be asked, [`view`] puts it all on a screen.
//!
//! It stands above everything that it looks at, like the command line; nothing may import it.

mod access;
mod apps;
mod caddy;
mod configuration;
mod daemon;
mod dashboard;
mod disk;
mod environment;
mod finding;
mod logs;
mod ports;
mod program;
mod pushes;
mod records;
mod route;
mod scene;
mod standby;
mod start;
mod state;
mod unit;
pub mod view;

use std::path::PathBuf;

pub use finding::{Finding, Level};

/// What to look at.
#[derive(Debug, Clone)]
pub struct Request {
    /// The host's configuration file.
    pub file: PathBuf,
    /// The socket that the other commands would call.
    pub socket: PathBuf,
}

/// Looks at everything, in the order in which a person would mend it.
pub async fn examine(request: &Request) -> Vec<Finding> {
    let scene = scene::Scene::look(request).await;
    let mut findings = configuration::check(&scene);
    if let Some(set) = scene.set_up() {
        findings.extend(state::check(&set));
        findings.extend(disk::check(&set));
        findings.extend(logs::check(&set));
        findings.extend(environment::check(&set));
    }
    findings.extend(daemon::check(&scene));
    findings.extend(unit::check(&scene).await);
    if let Some(set) = scene.set_up() {
        findings.extend(apps::check(&set));
        findings.extend(standby::check(&set));
        findings.extend(start::check(&set));
        findings.extend(ports::check(&set).await);
        findings.extend(pushes::check(&set));
        findings.extend(dashboard::check(&set));
        findings.extend(caddy::check(&set).await);
        findings.extend(records::check(&set));
    }
    if !scene.sees_all() {
        findings.push(Finding::hint(
            "doctor",
            "The history, the releases and who holds a port are for root and the daemon's user to \
             see.",
            "Run this with sudo to have them looked at too.",
        ));
    }
    for finding in &mut findings {
        finding.cure = finding.cure.take().map(|cure| scene.typed(&cure));
    }
    findings
}

//! The host's file and the apps' files.

use vial_protocol::Problem;

use super::finding::{Finding, Level};
use super::scene::Scene;
use crate::config::ConfigError;

const SUBJECT: &str = "configuration";

pub(super) fn check(scene: &Scene) -> Vec<Finding> {
    match &scene.config {
        Err(error) => vec![broken(scene, error)].into_iter().flatten().collect(),
        Ok(config) => {
            let file = scene.file.display();
            let apps = match config.apps.len() {
                _ if !config.broken.is_empty() => "The host's own settings are right".to_owned(),
                1 => "With 1 app".to_owned(),
                many => format!("With {many} apps"),
            };
            let mut findings = vec![Finding::ok(SUBJECT, format!("{file}. {apps}."))];
            let reload = || "Correct it, then `vial reload`.".to_owned();
            findings.extend(
                config
                    .problems
                    .iter()
                    .map(|problem| Finding { level: Level::Problem, ..told(problem, reload()) }),
            );
            findings.extend(
                config
                    .warnings
                    .iter()
                    .map(|problem| Finding { level: Level::Warning, ..told(problem, reload()) }),
            );
            if config.apps.is_empty() && config.problems.is_empty() {
                findings.push(Finding::hint(
                    SUBJECT,
                    "No app is configured yet.",
                    "`vial init NAME --host HOST` writes an app's file.",
                ));
            }
            findings
        }
    }
}

fn told(problem: &Problem, otherwise: String) -> Finding {
    let cure = problem.next.as_deref().map_or(otherwise, super::finding::sentence);
    Finding::problem(SUBJECT, super::finding::sentence(&problem.message), cure)
}

fn broken(scene: &Scene, error: &ConfigError) -> Vec<Finding> {
    let start = format!("Correct it, then {}.", scene.start("restart"));
    match error {
        ConfigError::Missing { file } => vec![Finding::problem(
            SUBJECT,
            format!("There is no configuration at {}.", file.display()),
            "`vial init` writes one. If yours is elsewhere, name it with --config or VIAL_CONFIG.",
        )],
        ConfigError::Unreadable { path, source } => vec![Finding::problem(
            SUBJECT,
            format!("{} cannot be read: {source}.", path.display()),
            "Run this with sudo, or correct the owner and the mode.",
        )],
        // The host file is read when the daemon starts, and not again.
        ConfigError::Invalid { problems, .. } => problems
            .iter()
            .map(|problem| {
                let message = super::finding::sentence(&problem.message);
                Finding::problem(SUBJECT, message, start.clone())
            })
            .collect(),
    }
}

//! How a deployment went, in a sentence, and the exit status that goes with it.

use vial_protocol::{Code, Deployment, Kind, Plan, Problem, Status};

use super::exit::Exit;
use super::look::{Look, Tone, took};
use super::{problem, text};

/// How a deployment that has ended went. `plan` is the one that was agreed to, for a rollback.
#[must_use]
pub fn sentence(
    app: &str,
    deployment: &Deployment,
    plan: Option<&Plan>,
    look: &Look,
) -> (String, Exit) {
    match deployment.status {
        Status::Succeeded | Status::Superseded => (success(deployment, plan, look), Exit::Done),
        Status::RolledBack => {
            let taken_back = deployment.error.clone().unwrap_or_else(|| {
                let by = deployment.rolled_back_by.map_or_else(
                    || "a rollback".to_owned(),
                    |number| format!("deployment #{number}"),
                );
                Problem::new(
                    Code::BakeFailed,
                    format!("{} was live until {by} took it back.", subject(deployment)),
                )
                .next(format!(
                    "`vial show {} {}`",
                    text::word(app),
                    deployment.rolled_back_by.unwrap_or(deployment.number)
                ))
            });
            (problem::render(&taken_back, "Taken back: ", look), Exit::Failed)
        }
        Status::Cancelled => {
            let cancelled = deployment.error.clone().unwrap_or_else(|| {
                Problem::new(
                    Code::Cancelled,
                    format!("deployment #{} ended before it was live.", deployment.number),
                )
            });
            (problem::render(&cancelled, "Cancelled: ", look), Exit::Failed)
        }
        _ => {
            let failed = deployment.error.clone().unwrap_or_else(|| {
                Problem::new(
                    Code::Internal,
                    format!("deployment #{} failed without a reason.", deployment.number),
                )
                .next(format!(
                    "`vial show {} {}`",
                    text::word(app),
                    deployment.number
                ))
            });
            (problem::render(&failed, &format!("Not {}: ", done(deployment)), look), Exit::Failed)
        }
    }
}

/// What is said the moment the release takes the traffic, while the deployment goes on.
#[must_use]
pub fn live(app: &str, deployment: &Deployment, look: &Look) -> String {
    let since = deployment.live_at.map_or_else(String::new, |at| format!(" {}", look.clock(at)));
    // A rollback has no bake: what it leaves is known to be bad.
    let now = if deployment.kind == Kind::Rollback { "the other slot drains" } else { "it bakes" };
    format!(
        "{} {} serves since{since}; now {now}.\n      Ctrl-C leaves it running; `vial show {} {}` looks again.",
        look.paint(Tone::Good, "Live:"),
        subject(deployment),
        text::word(app),
        deployment.number,
    )
}

/// What is said when the reader leaves before the end.
#[must_use]
pub fn left(app: &str, number: u64) -> String {
    let app = text::word(app);
    format!(
        "Not watching any more; deployment #{number} goes on. `vial status {app}` shows where it \
         stands, `vial show {app} {number}` how it went."
    )
}

fn success(deployment: &Deployment, plan: Option<&Plan>, look: &Look) -> String {
    let mut details = Vec::new();
    if let Some(live_at) = deployment.live_at {
        let millis = live_at.as_millisecond() - deployment.queued_at.as_millisecond();
        details.push(took(millis));
    }
    let drain = deployment.steps.iter().rfind(|step| step.status == Status::Draining);
    match drain {
        Some(step) if step.outcome.is_some() => {
            let outcome = step.outcome.as_deref().unwrap_or_default();
            details.push(text::word(outcome.trim_end_matches('.')));
        }
        Some(step) if step.ended_at.is_some() => details.push("0 requests cut off".into()),
        _ => {}
    }
    let mut done = done(deployment).to_owned();
    done[..1].make_ascii_uppercase();
    let mut said = format!(
        "{} {} serves",
        look.paint(Tone::Good, &format!("{done}:")),
        look.paint(Tone::Bold, &subject(deployment))
    );
    if let Some(at) = deployment.live_at {
        said.push_str(&format!(" since {}", look.clock(at)));
    }
    if !details.is_empty() {
        said.push_str(&format!(" ({})", details.join(", ")));
    }
    said.push('.');
    if deployment.kind == Kind::Rollback {
        if !deployment.reverts.is_empty() {
            let versions: Vec<String> =
                deployment.reverted.iter().map(|it| it.version.to_string()).collect();
            match versions.as_slice() {
                [] => said.push_str(" No migration had to be reverted."),
                _ => said.push_str(&format!(" Reverted: {}.", versions.join(", "))),
            }
            return said + "\n";
        }
        said.push_str(" Migrations unchanged");
        if let Some(plan) = plan.filter(|plan| !plan.migrations.is_empty()) {
            let count = plan.migrations.len();
            let stay = if count == 1 { "stays" } else { "stay" };
            said.push_str(&format!(": {count} that {} does not know {stay}", subject(deployment)));
        }
        said.push('.');
    }
    if deployment.status == Status::Superseded {
        said.push_str(" A later deployment has followed it.");
    }
    said + "\n"
}

fn done(deployment: &Deployment) -> &'static str {
    match deployment.kind {
        Kind::Deploy => "deployed",
        Kind::Rollback => "rolled back",
        Kind::Redeploy => "redeployed",
        Kind::Restart => "restarted",
    }
}

fn subject(deployment: &Deployment) -> String {
    deployment.release.as_ref().map_or_else(
        || format!("deployment #{}", deployment.number),
        |release| text::word(&release.label()),
    )
}

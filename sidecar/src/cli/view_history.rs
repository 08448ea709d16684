//! An app's deployments, as a table and one by one.

use vial_protocol::migration::Moved;
use vial_protocol::{Commit, Deployment, Kind, Status, Trigger};

use super::look::{Look, Tone, slot_tone, status_tone, took};
use super::table::{Cell, Table};
use super::{problem, text};

/// The history, newest first.
#[must_use]
pub fn table(app: &str, deployments: &[Deployment], look: &Look) -> String {
    if deployments.is_empty() {
        let app = text::word(app);
        return format!("{app} has no deployment yet. Next: `vial deploy {app} PATH`.\n");
    }
    let mut table =
        Table::new(&[" #", "Kind", "Release…", "Status", "Slot", "By…", "When", " Took", "Why…"]);
    for deployment in deployments {
        table.row([
            deployment.number.to_string().into(),
            kind(deployment.kind),
            release(deployment).into(),
            Cell::new(status(deployment), status_tone(deployment.status)),
            deployment
                .slot
                .map_or_else(Cell::default, |slot| Cell::new(slot.as_str(), slot_tone(slot))),
            text::word(&deployment.actor).into(),
            look.short_clock(deployment.queued_at).into(),
            taken(deployment).map_or_else(Cell::default, |millis| took(millis).into()),
            why(deployment).into(),
        ]);
    }
    table.render(look, "")
}

/// One deployment, wholly.
#[must_use]
pub fn one(app: &str, deployment: &Deployment, look: &Look) -> String {
    let mut shown = format!(
        "{} #{}: {} of {}, {}\n",
        look.paint(Tone::Bold, &text::word(app)),
        deployment.number,
        deployment.kind,
        release(deployment),
        look.paint(status_tone(deployment.status), &status(deployment)),
    );
    if let Some(error) = &deployment.error {
        shown.push_str(&problem::render(error, "", look));
    }
    shown.push('\n');
    for (name, value) in facts(deployment, look) {
        shown.push_str(&format!("  {}  {value}\n", look.paint(Tone::Dim, &format!("{name:<8}"))));
    }
    if !deployment.steps.is_empty() {
        shown.push('\n');
        let mut table = Table::new(&["Stage", "Step", "Began", " Took", "Outcome…"]);
        for step in &deployment.steps {
            let running = step.ended_at.is_none() && deployment.status.in_progress();
            let until = deployment.ended_at.unwrap_or(look.now);
            table.row([
                step.status.stage().into(),
                step.status.as_str().into(),
                look.clock(step.started_at).into(),
                Cell::new(took(step.millis(until)), if running { Tone::Warn } else { Tone::Plain }),
                step.outcome.as_deref().map_or_else(Cell::default, |said| text::word(said).into()),
            ]);
        }
        shown.push_str(&table.render(look, "  "));
    }
    shown
}

fn facts(deployment: &Deployment, look: &Look) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let asked = format!(
        "{} ({}) by {}",
        look.clock(deployment.queued_at),
        look.age(deployment.queued_at),
        text::word(&deployment.actor)
    );
    facts.push(("Asked", asked));
    if let Some(reason) = &deployment.reason {
        facts.push(("Why", text::word(reason)));
    }
    if let Some(built) = &deployment.commit {
        facts.push(("Commit", commit(built)));
    }
    if let Some(build) = &deployment.build {
        let again = build.of.map(|number| format!(" as #{number}")).unwrap_or_default();
        let trigger = match build.trigger {
            Trigger::ByHand => "by hand",
            Trigger::Push => "by a push",
            Trigger::Webhook => "by a webhook",
            Trigger::Poll => "by itself",
        };
        facts.push(("Build", format!("{}{again}, {trigger}", text::word(&build.reference))));
    }
    if let Some(slot) = deployment.slot {
        facts.push(("Slot", look.paint(slot_tone(slot), slot.as_str())));
    }
    if let Some(live_at) = deployment.live_at {
        let millis = live_at.as_millisecond() - deployment.queued_at.as_millisecond();
        facts.push(("Live", format!("{}, after {}", look.clock(live_at), took(millis))));
    }
    if let Some(ended_at) = deployment.ended_at {
        let millis = ended_at.as_millisecond() - deployment.queued_at.as_millisecond();
        facts.push(("Ended", format!("{}, after {}", look.clock(ended_at), took(millis))));
    }
    if let Some(replaces) = deployment.replaces {
        facts.push(("Replaced", format!("#{replaces}")));
    }
    for (name, moved) in [("Applied", &deployment.applied), ("Reverted", &deployment.reverted)] {
        if !moved.is_empty() {
            facts.push((name, migrations(moved)));
        }
    }
    if let Some(release) = &deployment.release {
        let versions: Vec<String> = [("ERTS", &release.erts), ("Elixir", &release.elixir)]
            .into_iter()
            .filter_map(|(name, version)| Some(format!("{name} {}", text::word(version.as_ref()?))))
            .collect();
        if !versions.is_empty() {
            facts.push(("Built by", versions.join(", ")));
        }
        if let (Some(commit), None) = (&release.commit, &deployment.commit) {
            facts.push(("Commit", text::word(commit)));
        }
        facts.push(("SHA-256", text::word(&release.sha256)));
    }
    facts
}

/// "3f2a9c1d0e of main: Sell tea"
#[must_use]
pub fn commit(commit: &Commit) -> String {
    let [sha, reference, subject] =
        [commit.short(), &commit.reference, &commit.subject].map(text::word);
    if commit.reference == commit.sha {
        return format!("{sha}: {subject}");
    }
    format!("{sha} of {reference}: {subject}")
}

/// "20240801000000 (Shop.Repo), 20240802000000 (Shop.Repo)"
fn migrations(moved: &[Moved]) -> String {
    let each = moved.iter().map(|it| format!("{} ({})", it.version, text::word(&it.repo)));
    each.collect::<Vec<_>>().join(", ")
}

fn kind(kind: Kind) -> Cell {
    let tone = match kind {
        Kind::Rollback => Tone::Warn,
        Kind::Deploy | Kind::Redeploy | Kind::Restart => Tone::Plain,
    };
    Cell::new(kind.as_str(), tone)
}

fn release(deployment: &Deployment) -> String {
    deployment
        .release
        .as_ref()
        .map_or_else(|| "no release yet".into(), |release| text::word(&release.label()))
}

fn status(deployment: &Deployment) -> String {
    match (deployment.status, deployment.rolled_back_by) {
        (Status::RolledBack, Some(by)) => format!("Rolled Back by #{by}"),
        (status, _) => status.stage().to_owned(),
    }
}

/// How long it was under way: until it was live, since what follows is waiting; else to its end.
fn taken(deployment: &Deployment) -> Option<i64> {
    let end = deployment.live_at.or(deployment.ended_at)?;
    Some(end.as_millisecond() - deployment.queued_at.as_millisecond())
}

fn why(deployment: &Deployment) -> String {
    match (&deployment.error, &deployment.reason) {
        (Some(error), _) => text::word(&error.message),
        (None, Some(reason)) => text::word(reason),
        (None, None) => String::new(),
    }
}

//! Looking at an app's migrations and moving them outside a deployment, by the files of one release.

use std::cmp::Reverse;

use vial_protocol::migration::{MigrationState, MigrationsReport};
use vial_protocol::request::Migrated;
use vial_protocol::{Code, Problem};

use super::handle::App;
use super::helpers::Purpose;
use super::jobs::evaluate::Evaluation;
use super::jobs::in_app::{self, Action, Heard};
use super::whereabouts::Whereabouts;

/// Where to move the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// To before this version.
    Down(u64),
    /// Up, by all that the release has.
    Up,
}

/// What is applied, as a release sees it; the one that serves where none is named.
///
/// # Errors
/// Where the release is not there, or could not tell.
pub async fn report(app: &App, release: Option<u64>) -> Result<MigrationsReport, Problem> {
    let place = app.whereabouts(release, None).await?;
    let heard = evaluate(app, &place, &Action::List).await?;
    let known = &place.release.migrations;
    Ok(MigrationsReport {
        release: place.release.number,
        label: place.label,
        migrations: heard
            .states
            .into_iter()
            .map(|it| MigrationState {
                migration: known.iter().find(|read| read.version == it.version).cloned(),
                repo: it.repo,
                version: it.version,
                name: it.name,
                applied: it.applied,
            })
            .collect(),
    })
}

/// Moves the database.
///
/// # Errors
/// Where a deployment is in progress, the release is not there or has no such migration, or a
/// migration failed: then what was moved before it stays, and the message says so.
pub async fn migrate(
    app: &App,
    actor: &str,
    release: Option<u64>,
    to: To,
) -> Result<Migrated, Problem> {
    let place = app.whereabouts(release, Some("No migration was moved")).await?;
    let (action, done) = match to {
        To::Up => (Action::UpAll, "Applied"),
        To::Down(version) => (Action::Down(down_to(app, &place, version)?), "Reverted"),
    };
    let number = place.release.number;
    tracing::info!(app = app.name(), actor, release = number, ?to, "moves migrations");
    let heard = evaluate(app, &place, &action).await?;
    tracing::info!(app = app.name(), release = number, moved = ?heard.moved, "moved");
    let message = match heard.moved.len() {
        0 => format!(
            "Nothing had to be {}: {} sees no such migration.",
            done.to_lowercase(),
            place.label
        ),
        1 => format!("{done} 1 migration of {}.", place.label),
        count => format!("{done} {count} migrations of {}.", place.label),
    };
    Ok(Migrated { release: number, moved: heard.moved, message })
}

/// The versions that the release has from this one on, newest first.
fn down_to(app: &App, place: &Whereabouts, version: u64) -> Result<Vec<u64>, Problem> {
    let mut versions: Vec<u64> =
        place.release.migrations.iter().map(|it| it.version).filter(|it| *it >= version).collect();
    versions.sort_unstable_by_key(|it| Reverse(*it));
    versions.dedup();
    if versions.last() == Some(&version) {
        return Ok(versions);
    }
    Err(Problem::new(
        Code::NotFound,
        format!(
            "No migration was moved: {} (#{}) has no migration {version}.",
            place.label, place.release.number
        ),
    )
    .next(format!(
        "`vial migrations {0} --release {1}` lists them; revert in the release that brought it",
        app.name(),
        place.release.number
    )))
}

/// In the running node where there is one, else beside it.
async fn evaluate(app: &App, place: &Whereabouts, action: &Action) -> Result<Heard, Problem> {
    let context = app.context();
    let ways: &[Evaluation] = match place.runs {
        true => &[Evaluation::Rpc, Evaluation::Eval],
        false => &[Evaluation::Eval],
    };
    let mut last = Problem::new(Code::Internal, "The release was not asked.");
    for how in ways {
        let number = place.release.number;
        match in_app::run(
            &context,
            place.slot,
            number,
            *how,
            &place.apps,
            (Purpose::Migrations, action),
        )
        .await
        {
            Ok(heard) if heard.done => return told(heard),
            Ok(heard) => {
                let ending = heard.ending.as_deref().unwrap_or("ended without a word");
                last = Problem::new(
                    Code::MigrationFailed,
                    format!("`{}` in {} {ending}.", how.verb(), place.label),
                )
                .next(format!("`vial migrations {}` shows what is applied", app.name()))
                .log(heard.output);
            }
            Err(problem) => last = problem,
        }
    }
    Err(last)
}

fn told(heard: Heard) -> Result<Heard, Problem> {
    let Some((what, next)) = heard.error else { return Ok(heard) };
    let moved: Vec<String> = heard.moved.iter().map(|it| it.version.to_string()).collect();
    let before = match moved.is_empty() {
        true => String::new(),
        false => format!(" Moved before that: {}.", moved.join(", ")),
    };
    let problem = Problem::new(Code::MigrationFailed, format!("{what}{before}")).log(heard.output);
    Err(match next {
        Some(next) => problem.next(next),
        None => problem,
    })
}

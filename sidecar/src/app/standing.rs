//! Which migrations stand between two releases, and what they mean. Pure.

use std::cmp::Reverse;

use vial_protocol::migration::{Effect, Migration, Reversal, Standing};
use vial_protocol::{DatabasePlan, MigrationChoice, Release};

use super::history::History;

/// How many of a migration's phrases a sentence holds.
const PHRASES: usize = 3;

/// The migrations that one release brings and the other does not know, oldest first.
pub fn between<'a>(
    knows: &'a Release,
    does_not: &'a Release,
) -> impl Iterator<Item = &'a Migration> {
    knows
        .migrations
        .iter()
        .filter(|it| !does_not.migrations.iter().any(|known| known.version == it.version))
}

/// The same, each with the deployment that first brought it.
#[must_use]
pub fn standing(history: &History, knows: &Release, does_not: &Release) -> Vec<Standing> {
    between(knows, does_not)
        .map(|migration| Standing {
            migration: migration.clone(),
            brought_by: history
                .releases()
                .find(|it| it.migrations.iter().any(|had| had.version == migration.version))
                .map_or(knows.number, |it| it.number),
        })
        .collect()
}

/// What a release's destructive migrations may break in the one that serves: "drops users.name".
#[must_use]
pub fn risk(brings: &Release, serves: &Release) -> Option<String> {
    let destructive: Vec<String> =
        between(brings, serves).filter(|it| it.effect == Effect::Destructive).map(does).collect();
    (!destructive.is_empty()).then(|| destructive.join("; "))
}

/// What a migration does, in a sentence: "drops users.name (20240301000000)".
#[must_use]
pub fn does(migration: &Migration) -> String {
    let what = match migration.does.as_slice() {
        [] => format!("runs {}", migration.name),
        phrases => phrases[..phrases.len().min(PHRASES)].join(", "),
    };
    format!("{what} ({})", migration.version)
}

/// What happens to the database in a rollback over these migrations.
#[must_use]
pub fn database(
    migrations: &[Standing],
    choice: Option<MigrationChoice>,
    force: bool,
) -> DatabasePlan {
    let destructive = migrations.iter().any(|it| it.migration.effect == Effect::Destructive);
    match choice {
        _ if migrations.is_empty() => DatabasePlan::Unchanged,
        Some(MigrationChoice::Revert) => {
            DatabasePlan::Revert { versions: newest_first(migrations) }
        }
        None if destructive && !force => DatabasePlan::Choose {
            choices: match irreversible(migrations) {
                Some(_) => vec![MigrationChoice::Keep],
                None => vec![MigrationChoice::Keep, MigrationChoice::Revert],
            },
        },
        Some(MigrationChoice::Keep) | None => DatabasePlan::Keep,
    }
}

/// The first that has no way down.
#[must_use]
pub fn irreversible(migrations: &[Standing]) -> Option<&Standing> {
    migrations.iter().find(|it| it.migration.reversal == Reversal::Irreversible)
}

fn newest_first(migrations: &[Standing]) -> Vec<u64> {
    let mut versions: Vec<u64> = migrations.iter().map(|it| it.migration.version).collect();
    versions.sort_unstable_by_key(|it| Reverse(*it));
    versions.dedup();
    versions
}

/// What is lost where they are reverted.
#[must_use]
pub fn losses(migrations: &[Standing]) -> Vec<String> {
    migrations.iter().rev().flat_map(|it| it.migration.loses.iter().cloned()).collect()
}

/// What a person should know of a rollback's plan before they agree to it.
#[must_use]
pub fn warnings(
    migrations: &[Standing],
    applies: &[Standing],
    database: &DatabasePlan,
    to: &str,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let reverts = matches!(database, DatabasePlan::Revert { .. });
    for Standing { migration, brought_by } in migrations {
        match (reverts, migration.effect) {
            (false, Effect::Destructive) => warnings
                .push(format!("#{brought_by} {}: {to} may fail on that schema.", does(migration))),
            (false, Effect::Unknown) => warnings.push(format!(
                "#{brought_by} {}: whether {to} works with it cannot be told.",
                does(migration)
            )),
            (true, _) if migration.reversal == Reversal::Unknown => warnings.push(format!(
                "#{brought_by} {}: whether it has a way down cannot be told.",
                does(migration)
            )),
            _ => {}
        }
    }
    if reverts {
        let losses = losses(migrations);
        if !losses.is_empty() {
            warnings.push(format!("Reverting loses data: {}.", losses.join("; ")));
        }
    }
    for Standing { migration, .. } in applies {
        if migration.effect == Effect::Destructive {
            warnings.push(format!(
                "{to} {}, if that is not applied already: until the switch the release that serves \
                 meets it.",
                does(migration)
            ));
        }
    }
    warnings
}

//! Fills a history through the store's own door, as the daemon writes it.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use vial::store::Store;
use vial::store::record::{Began, Record};
use vial_demo::trouble::{Trouble, trying};
use vial_protocol::{Kind, Release, Slot, Status};

/// So many deployments are committed at once: each commit waits for the disk.
const AT_ONCE: u64 = 250;
/// The time between two deployments.
const BETWEEN: SignedDuration = SignedDuration::from_mins(10);

/// Writes so many deployments of an app, each with its release and its steps: three deploys, then a
/// rollback, over and over.
pub(super) async fn fill(database: &Path, app: &str, deployments: u64) -> Result<(), Trouble> {
    let wrong = |error: &dyn std::fmt::Display| {
        trying("filling the history")(std::io::Error::other(error.to_string()))
    };
    let store = Store::open(database).map_err(|error| wrong(&error))?;
    // Makes the app's row.
    store.load(app, 1).await.map_err(|error| wrong(&error))?;
    let days = BETWEEN * i32::try_from(deployments).unwrap_or(i32::MAX);
    let mut now = Timestamp::now() - days;
    let mut number = 0;
    while number < deployments {
        let mut records = Vec::new();
        let mut releases = Vec::new();
        for _ in 0..AT_ONCE.min(deployments - number) {
            number += 1;
            one(number, &mut records);
            if !is_rollback(number) {
                releases.push(release(number, now));
            }
        }
        let numbers = releases.iter().map(|it| it.number).collect();
        for release in releases {
            store.release_added(app, release).await.map_err(|error| wrong(&error))?;
        }
        // What they left on the disk went long ago.
        store.releases_removed(app, numbers, now).await.map_err(|error| wrong(&error))?;
        store.commit(app, records, None, now).await.map_err(|error| wrong(&error))?;
        now += BETWEEN * i32::try_from(AT_ONCE).unwrap_or(1);
    }
    Ok(())
}

fn is_rollback(number: u64) -> bool {
    number.is_multiple_of(4)
}

/// What one deployment writes.
fn one(number: u64, records: &mut Vec<Record>) {
    let rollback = is_rollback(number);
    let release = if rollback { number - 2 } else { number };
    let slot = if number.is_multiple_of(2) { Slot::Green } else { Slot::Blue };
    let replaces = Some(number - 1).filter(|it| *it > 0);
    records.push(Record::Began(Began {
        number,
        kind: if rollback { Kind::Rollback } else { Kind::Deploy },
        release: rollback.then_some(release),
        actor: "anna".into(),
        reason: rollback.then(|| "the home page answers 500".into()),
        reverts: Vec::new(),
        build: None,
    }));
    let enter = |status| Record::Entered { number, status };
    if !rollback {
        records.push(enter(Status::Unpacking));
        records.push(Record::ReleaseChosen { number, release });
    }
    records.extend([
        Record::SlotChosen { number, slot, replaces },
        enter(Status::Starting),
        enter(Status::Verifying),
        enter(Status::Switching),
        Record::WentLive { number, slot },
        enter(Status::Draining),
        Record::Noted { number, outcome: "0 requests cut off".into() },
        enter(Status::Baking),
        Record::Ended { number, status: Status::Succeeded, error: None },
        Record::Settled { number, took_back: replaces.filter(|_| rollback) },
    ]);
}

fn release(number: u64, at: Timestamp) -> Release {
    Release {
        number,
        name: "stub".into(),
        version: format!("1.{number}.0"),
        sha256: format!("{number:064x}"),
        size: 25 << 20,
        erts: Some("13.1.5".into()),
        elixir: Some("1.14.0".into()),
        migrations: Vec::new(),
        unpacked_at: at,
        commit: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_filled_is_read_as_a_history_of_ended_deployments() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.db");
        fill(&path, "shop", 9).await.unwrap();
        let store = Store::open(&path).unwrap();
        let all = store.deployments("shop", None, 100).await.unwrap();
        assert_eq!(all.iter().map(|it| it.number).collect::<Vec<_>>(), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert!(all.iter().all(|it| !it.status.in_progress() && it.live_at.is_some()));
        assert_eq!(all[1].kind, Kind::Rollback);
        assert_eq!(all[2].rolled_back_by, Some(8));
        assert_eq!(all[1].release.as_ref().unwrap().version, "1.6.0");
        let one = store.deployment("shop", 8).await.unwrap().unwrap();
        assert_eq!(one.steps.len(), 5, "{:?}", one.steps);
        // Whatever the daemon asks for when it starts.
        let loaded = store.load("shop", 1000).await.unwrap();
        assert_eq!((loaded.next_number, loaded.releases.len()), (10, 0));
    }
}

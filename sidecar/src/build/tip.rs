//! What a branch of the repository stands for now, without building anything.

use std::io;
use std::time::Duration;

use super::error::BuildError;
use super::git::Git;
use super::log::BuildLog;
use super::place::Place;
use super::program::{Builder, Journal, Limits};
use super::work::enter;
use crate::config::Source;

/// How long the repository may take to say it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much Git may say while it does. A repository may have many branches, but two are asked for.
const OUTPUT: u64 = 64 << 10;

/// The whole commit id of the configured branch's tip; absent where the repository has none of that
/// name. Waits for whoever builds. Dropped, it leaves nothing running.
///
/// # Errors
/// Why the repository could not be asked, and what Git said.
pub async fn tip<J: Journal>(
    place: &Place,
    source: &Source,
    builder: &Builder,
    journal: &J,
) -> Result<Option<String>, (BuildError, Vec<String>)> {
    let bare = |error| (error, Vec::new());
    let _held = enter(place, builder).await.map_err(bare)?;
    let path = place.work().join("tip.log");
    let fresh = match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => BuildLog::create(&path, OUTPUT),
    };
    let mut log = fresh.map_err(|error| bare(BuildError::disk(&path)(error)))?;
    let limits = Limits::begin(PATIENCE, place.clone(), 0);
    let git = Git::open(source, place, builder, journal, &limits).map_err(bare)?;
    match git.tip(&source.branch, &mut log).await {
        // A tag of the same name is another thing.
        Ok(found) => {
            Ok(found.filter(|(name, _)| name.starts_with("refs/heads/")).map(|(_, sha)| sha))
        }
        Err(error) => Err((error, log.last())),
    }
}

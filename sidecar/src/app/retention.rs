//! Which releases may be removed: never one that a rollback could need. Pure.

use super::history::History;
use super::machine::State;
use vial_protocol::Slot;

/// The releases that nothing needs any more, oldest first: all but the newest `keep`, those in the
/// slots, those of the deployments in progress, and those that `vial rollback` goes back to now and
/// after the next deploy.
#[must_use]
pub fn removable(state: &State, history: &History, keep: usize) -> Vec<u64> {
    let mut needed: Vec<u64> =
        Slot::BOTH.iter().filter_map(|slot| state.slots.get(*slot).release).collect();
    needed.extend(state.current.as_ref().and_then(|it| it.release));
    // A deployment that is being unpacked has its number, but no row yet.
    needed.extend(state.current.as_ref().map(|it| it.number));
    needed.extend(state.queued.as_ref().and_then(|it| it.ask.release));
    let mut served: Vec<u64> = Vec::new();
    for release in
        history.before(u64::MAX).filter(|it| it.has_succeeded()).filter_map(|it| it.release)
    {
        if !served.contains(&release) {
            served.push(release);
        }
    }
    needed.extend(served.iter().take(keep.max(2)));
    let on_disk: Vec<u64> = history.releases().map(|it| it.number).collect();
    needed.extend(on_disk.iter().rev().take(keep));
    let surplus = on_disk.len().saturating_sub(keep);
    on_disk.into_iter().filter(|it| !needed.contains(it)).take(surplus).collect()
}

//! The state from what an earlier daemon wrote down.

use vial_protocol::{Deployment, Kind, Slot, StandbyMode, Status};

use super::command::Ask;
use super::state::{
    Current, Failing, Life, PerSlot, Queued, Revert, RevertStage, RunId, SlotLife, State,
};
use crate::app::standing;
use crate::store::load::Loaded;

impl State {
    /// The state that an earlier daemon left: what the store says, and the runs whose processes
    /// were found again. What to do about it, [`super::Event::Recovered`] decides.
    #[must_use]
    pub fn restored(loaded: &Loaded, alive: &[(Slot, RunId)]) -> State {
        let mut slots = PerSlot::<SlotLife>::default();
        for filled in &loaded.slots {
            let place = slots.get_mut(filled.slot);
            place.release = Some(filled.release);
            (place.environment, place.fresh) = (filled.environment, filled.fresh);
            place.rested = filled.speaks.then_some(false);
        }
        for (slot, run) in alive {
            let kept = loaded.standbys.get(slot);
            let place = slots.get_mut(*slot);
            place.life = match kept {
                _ if loaded.stopping.contains(run) => Life::Stopping { run: *run, again: false },
                Some(kept) if kept.keep.ready && kept.keep.mode == StandbyMode::Frozen => {
                    Life::Frozen { run: *run }
                }
                // Perhaps it did not come as far as its store says, or farther: that is looked at.
                Some(kept) if !kept.keep.ready => Life::Starting { run: *run },
                _ => Life::Running { run: *run, healthy: true },
            };
        }
        for (slot, kept) in &loaded.standbys {
            slots.get_mut(*slot).keep = Some(kept.keep);
        }
        let leaves = loaded.active.filter(|_| loaded.works.is_none()).map(Slot::other);
        let in_progress = |queued: bool| {
            loaded
                .deployments
                .iter()
                .find(|it| it.status.in_progress() && (it.status == Status::Queued) == queued)
        };
        State {
            desired: loaded.desired,
            active: loaded.active,
            serving: loaded.serving,
            works: loaded.works,
            leaves,
            slots,
            environment: loaded.environment,
            current: in_progress(false).map(|it| Current::restored(it, loaded)),
            queued: in_progress(true).map(|it| Queued {
                number: it.number,
                ask: Ask {
                    allow_destructive: it.build.as_ref().is_some_and(|it| it.allow_destructive),
                    build: it.build.clone(),
                    ..Ask::new(
                        it.kind,
                        it.release.as_ref().map(|release| release.number),
                        it.actor.clone(),
                        it.reason.clone(),
                    )
                },
            }),
            next_number: loaded.next_number,
            next_run: loaded.next_run,
        }
    }
}

impl Current {
    fn restored(row: &Deployment, loaded: &Loaded) -> Current {
        let replaced = row.replaces.or(loaded.serving);
        let replaced = replaced
            .and_then(|number| loaded.deployments.iter().find(|it| it.number == number))
            .and_then(|it| it.release.as_ref());
        let brings = matches!(row.kind, Kind::Deploy | Kind::Redeploy);
        let stage = match row.status {
            Status::Reverting => RevertStage::Begun,
            // A daemon that came back once already begins at `starting` again.
            Status::Starting if row.reverted.is_empty() => RevertStage::Wanted,
            _ => RevertStage::Done,
        };
        Current {
            number: row.number,
            kind: row.kind,
            status: row.status,
            release: row.release.as_ref().map(|release| release.number),
            environment: row.environment,
            slot: row.slot,
            replaces: row.replaces,
            risk: match (&row.release, replaced) {
                (Some(release), Some(replaced)) if brings => standing::risk(release, replaced),
                _ => None,
            },
            // Where it was not allowed, it has ended.
            allow_destructive: true,
            hot: false,
            revert: Revert { versions: row.reverts.clone(), stage, moved: row.reverted.clone() },
            failing: (row.status == Status::Restoring).then(|| Failing {
                // Whether it was cancelled is not kept: it did not succeed, and this says why.
                status: if row.error.is_some() { Status::Failed } else { Status::Cancelled },
                error: row.error.clone(),
            }),
        }
    }
}

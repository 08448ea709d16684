//! The way down.

use vial_protocol::Reversal;

use super::{Shown, loses};
use crate::change::{Back, Change, Step, What};
use crate::run::Trace;

/// Whether there is a way down, and what it loses.
pub(super) fn reverse(shown: &Shown) -> (Reversal, Vec<String>) {
    let (reversal, changes) = match (&shown.down, &shown.back) {
        (Some(down), _) => written(down),
        (None, Some(back)) => turned(back),
        (None, None) if shown.up.is_some() => (Reversal::Irreversible, Vec::new()),
        (None, None) => (Reversal::Unknown, Vec::new()),
    };
    let reversal = if shown.whole { reversal } else { Reversal::Unknown };
    if reversal == Reversal::Irreversible {
        return (reversal, Vec::new());
    }
    let mut all = loses::loses(&changes);
    if let (Some(up), Some(_)) = (&shown.up, &shown.down) {
        all.extend(loses::stays(up, &changes));
    }
    (reversal, all)
}

/// `down` as somebody wrote it.
fn written(down: &Trace) -> (Reversal, Vec<Change>) {
    let raises = |step: &&Step| step.does.iter().any(|change| change.what == What::Raise);
    let reversal = match down.steps.iter().find(raises) {
        Some(step) if step.sure => Reversal::Irreversible,
        Some(_) => Reversal::Unknown,
        None if down.whole => Reversal::Reversible,
        None => Reversal::Unknown,
    };
    (reversal, down.steps.iter().flat_map(|step| step.does.clone()).collect())
}

/// `change` as Ecto turns it round.
fn turned(back: &Trace) -> (Reversal, Vec<Change>) {
    let mut reversal = if back.whole { Reversal::Reversible } else { Reversal::Unknown };
    let mut changes = Vec::new();
    for step in back.steps.iter().rev() {
        match turn(step) {
            Turn::To(all) => changes.extend(all),
            Turn::Raises if step.sure => return (Reversal::Irreversible, Vec::new()),
            Turn::Raises => reversal = Reversal::Unknown,
            Turn::Unclear => {
                reversal = Reversal::Unknown;
                changes.extend(step.does.clone());
            }
        }
    }
    (reversal, changes)
}

enum Turn {
    To(Vec<Change>),
    Raises,
    Unclear,
}

fn turn(step: &Step) -> Turn {
    let raises = |changes: &[Change]| changes.iter().any(|it| it.what == What::Raise);
    if raises(&step.does) {
        return Turn::Raises;
    }
    match &step.back {
        Back::Raises => Turn::Raises,
        Back::Unclear => Turn::Unclear,
        Back::Written(back) if raises(back) => Turn::Raises,
        Back::Written(back) => Turn::To(back.clone()),
        // Going down it does what it did going up.
        Back::Again if step.does.is_empty() => Turn::To(Vec::new()),
        Back::Again => Turn::Unclear,
        Back::Turned => {
            let turned = step.does.iter().map(|change| {
                let what = change.what.turned()?;
                Some(Change { what, ..change.clone() })
            });
            turned.collect::<Option<Vec<_>>>().map_or(Turn::Raises, Turn::To)
        }
    }
}

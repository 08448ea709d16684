//! What changes mean to code that does not know them, and what turning them back loses.
//!
//! [`effect()`] is the table in the crate's documentation; [`phrase`] says a change in words;
//! [`reverse`] finds the way down, and [`loses`] what it costs.

mod effect;
mod loses;
mod modify;
mod phrase;
mod reverse;

pub(crate) use effect::effect;
pub(crate) use phrase::column;

use vial_protocol::{Effect, Reversal};

use crate::Reading;
use crate::bound;
use crate::change::Step;
use crate::run::Trace;

/// What a migration defines, and what running it has shown.
pub(crate) struct Shown {
    pub(crate) up: Option<Trace>,
    pub(crate) down: Option<Trace>,
    /// `change`, run backward.
    pub(crate) back: Option<Trace>,
    /// Whether all of the file was understood.
    pub(crate) whole: bool,
}

pub(crate) fn judge(shown: &Shown) -> Reading {
    let (mut effect, mut does) = match &shown.up {
        Some(up) => ahead(up),
        None => (Effect::Unknown, vec!["has no up or change that Vial can read".to_owned()]),
    };
    if !shown.whole {
        does.push(bound::NO_SYNTAX.to_owned());
        effect = worst(effect, Effect::Unknown);
    }
    let (reversal, loses) = reverse::reverse(shown);
    Reading { effect, reversal, does: bound::list(does), loses: bound::list(loses) }
}

/// A migration's effect, and its phrases, those that decide the effect first.
fn ahead(trace: &Trace) -> (Effect, Vec<String>) {
    let mut all = Vec::new();
    for Step { does, sure, .. } in &trace.steps {
        for change in does {
            if let Some(phrase) = phrase::phrase(change) {
                let phrase = if *sure { phrase } else { format!("{phrase}, under a condition") };
                all.push((effect(change), phrase));
            }
        }
    }
    if !trace.whole {
        all.push((Effect::Unknown, "is longer than Vial reads".to_owned()));
    }
    all.sort_by_key(|(effect, _)| std::cmp::Reverse(rank(*effect)));
    let effect = all.first().map_or(Effect::Additive, |(effect, _)| *effect);
    (effect, all.into_iter().map(|(_, phrase)| phrase).collect())
}

/// Destructive beats unknown, and unknown beats additive.
fn rank(effect: Effect) -> u8 {
    match effect {
        Effect::Destructive => 2,
        Effect::Unknown => 1,
        Effect::Additive => 0,
    }
}

fn worst(one: Effect, two: Effect) -> Effect {
    if rank(one) >= rank(two) { one } else { two }
}

/// Nothing can be told of the text.
pub(crate) fn unreadable(why: &str) -> Reading {
    Reading {
        effect: Effect::Unknown,
        reversal: Reversal::Unknown,
        does: vec![why.to_owned()],
        loses: Vec::new(),
    }
}

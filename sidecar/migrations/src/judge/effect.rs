//! What a change means to code that does not know it.

use vial_protocol::Effect;

use super::modify::{self, Modified};
use crate::change::{Change, Fill, Unique, What, is_key};

/// The effect of one change, as the table in the crate's documentation has it.
pub(crate) fn effect(change: &Change) -> Effect {
    let effect = match &change.what {
        What::Other { effect, .. } => *effect,
        What::Unread { .. } | What::Raise => Effect::Unknown,
        What::Flush => Effect::Additive,
        // Nobody else knows the table.
        _ if change.fresh => Effect::Additive,
        What::CreateTable { .. } | What::CreateIndex { unique: false, .. } => Effect::Additive,
        What::CreateIndex { unique: true, .. } | What::AddConstraint { .. } => Effect::Destructive,
        What::DropTable { .. }
        | What::RenameTable { .. }
        | What::RemoveColumn { .. }
        | What::RenameColumn { .. } => Effect::Destructive,
        What::AddColumn { fill: Fill::Refused, .. } => Effect::Destructive,
        What::AddColumn { .. } => Effect::Additive,
        What::ModifyColumn { to, from, .. } => match modify::modified(to, from.as_ref()) {
            Modified::Widened | Modified::Loosened | Modified::Same => Effect::Additive,
            Modified::Unsaid | Modified::OnDelete => Effect::Unknown,
            Modified::Type | Modified::NotNull | Modified::Reference | Modified::Refuses => {
                Effect::Destructive
            }
        },
        What::DropIndex { unique: Unique::No, .. } => Effect::Additive,
        What::DropIndex { .. } | What::RenameIndex { .. } => Effect::Unknown,
        What::DropConstraint { name: Some(name), .. } if !is_key(name) => Effect::Additive,
        What::DropConstraint { .. } => Effect::Unknown,
    };
    // What is added somewhere that cannot be read is not known to be only an addition.
    if effect == Effect::Additive && !change.clear { Effect::Unknown } else { effect }
}

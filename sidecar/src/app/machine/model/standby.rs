//! What of the world is frozen, and what the libraries in the releases do: they hear who shall work,
//! and say whether they came to rest.

use std::collections::BTreeSet;

use vial_protocol::{Slot, StandbyMode};

use super::world::{World, problem};
use super::{Cut, Op};
use crate::app::machine::*;

#[derive(Default)]
pub(super) struct Libraries {
    /// Stopped by SIGSTOP.
    frozen: BTreeSet<Slot>,
    /// Where queues are worked.
    working: BTreeSet<Slot>,
    /// Of whom the daemon knows.
    heard: BTreeSet<Slot>,
    /// Where nobody waited any longer for the rest.
    overdue: BTreeSet<Slot>,
    /// Nothing happens any more but what was begun.
    pub(super) ending: bool,
}

impl World {
    /// Two releases, each with a library that the daemon knows; what the first leaves may be kept.
    pub(super) fn deploys_twice(&mut self) {
        for _ in 0..2 {
            self.play(Op::Deploy { allow_destructive: true }, Cut::None);
            while self.state.current.is_some() {
                let next = self.jobs.iter().position(|it| !matches!(it, Effect::Watch { .. }));
                self.finish(next.unwrap(), true, Cut::None);
                for slot in Slot::BOTH {
                    self.hear(slot, Cut::None);
                }
            }
        }
    }

    pub(super) fn keep(&mut self, mode: StandbyMode, cut: Cut) {
        if let Ok(ask) = self.known().keep(mode, None) {
            self.feed(Event::Command(Command::Keep(ask)), cut);
        }
    }

    /// The library in a slot hears what the daemon says, and does it.
    pub(super) fn hear(&mut self, slot: Slot, cut: Cut) {
        let Some(run) = self.alive.get(&slot).copied() else { return };
        if self.libraries.frozen.contains(&slot) {
            return;
        }
        // Before it works for the first time it lets the daemon know that it is there.
        if !self.libraries.heard.contains(&slot) {
            if cut != Cut::BeforeCommit {
                self.libraries.heard.insert(slot);
            }
            return self.fact(Fact::Spoke { slot, run, rested: true }, cut);
        }
        let works = self.state.works == Some(slot);
        if works {
            self.libraries.working.insert(slot);
        } else {
            self.libraries.working.remove(&slot);
            self.libraries.overdue.remove(&slot);
        }
        let others = self.libraries.working.difference(&self.libraries.overdue).count();
        assert!(others <= 1, "both slots work: {:?}", self.state);
        self.fact(Fact::Spoke { slot, run, rested: !works }, cut);
    }

    /// What an effect does at once, where it is of a standby.
    pub(super) fn begin_standby(&mut self, effect: &Effect) {
        match effect {
            Effect::Freeze { slot, run } if self.alive.get(slot) == Some(run) => {
                assert!(!self.libraries.working.contains(slot), "{slot} is frozen at its work");
                self.libraries.frozen.insert(*slot);
            }
            Effect::Thaw { slot, .. } | Effect::Stop { slot, .. } => {
                self.libraries.frozen.remove(slot);
            }
            Effect::CheckHealth { slot, .. } => {
                assert!(!self.libraries.frozen.contains(slot), "{slot} is asked and frozen");
            }
            Effect::Rest { .. } | Effect::Keep { .. } | Effect::Unkeep => {
                self.jobs.retain(|it| !matches!(it, Effect::Rest { .. } | Effect::Keep { .. }));
            }
            Effect::HandOver { .. } => {
                self.jobs.retain(|it| !matches!(it, Effect::HandOver { .. }));
            }
            _ => {}
        }
    }

    pub(super) fn finish_standby(&mut self, effect: Effect, which: usize, well: bool, cut: Cut) {
        let alive = |slot, run| self.alive.get(&slot) == Some(&run);
        let fact = match effect {
            // The library holds still only where it works nothing; its time goes on meanwhile.
            Effect::Rest { slot, run } if alive(slot, run) => {
                let still = !self.libraries.working.contains(&slot);
                if well && still && which.is_multiple_of(2) {
                    self.jobs.push(effect);
                    Fact::HoldsStill { slot, run }
                } else {
                    Fact::Restless { slot, run, why: "a transaction is open".into() }
                }
            }
            Effect::Freeze { slot, run } if alive(slot, run) => Fact::Frozen { slot, run },
            Effect::Keep { slot, run, watched } if alive(slot, run) => {
                let (slot, problem) = (slot, problem());
                if watched && !which.is_multiple_of(3) && !self.libraries.ending {
                    self.jobs.push(effect);
                    match well {
                        true => Fact::Healthy { slot, run },
                        false => Fact::Unhealthy { slot, run, problem },
                    }
                } else {
                    Fact::KeptLongEnough { slot, run }
                }
            }
            Effect::HandOver { from, run } if alive(from, run) => {
                self.libraries.overdue.insert(from);
                Fact::HandOverDue { from, run }
            }
            _ => return,
        };
        self.fact(fact, cut);
    }

    pub(super) fn is_frozen(&self, slot: Slot) -> bool {
        self.libraries.frozen.contains(&slot)
    }

    pub(super) fn has_ended(&mut self, slot: Slot) {
        let Libraries { frozen, working, heard, overdue, .. } = &mut self.libraries;
        for set in [frozen, working, heard, overdue] {
            set.remove(&slot);
        }
    }

    pub(super) fn check_standby(&self) {
        let State { active, works, slots, .. } = &self.state;
        assert!(works.is_none() || works == active, "{works:?} works, {active:?} serves");
        for slot in Slot::BOTH {
            let place = slots.get(slot);
            assert!(
                !self.is_frozen(slot)
                    || matches!(place.life, Life::Resting { .. } | Life::Frozen { .. }),
                "{slot} is frozen and nobody knows: {place:?}"
            );
            assert!(
                self.is_frozen(slot) || !matches!(place.life, Life::Frozen { .. }),
                "{slot} is said to be frozen and runs"
            );
            assert!(place.keep.is_none() || *active != Some(slot), "the active slot is kept");
            let kept = matches!(place.life, Life::Resting { .. } | Life::Frozen { .. });
            assert!(!kept || place.keep.is_some(), "{slot} is kept for nothing");
        }
    }

    pub(super) fn standby_is_over(&self) {
        assert!(self.libraries.frozen.is_empty(), "{:?}", self.libraries.frozen);
        assert_eq!(self.state.leaves, None);
        assert_eq!(self.state.works, self.state.active);
    }
}

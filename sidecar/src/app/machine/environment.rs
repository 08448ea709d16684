//! Which version of the app's environment a release starts with.
//!
//! A deployment takes today's, or the one that it was asked for: a rollback asks for what its target
//! ran with. What is started again in its slot, because it exited, has what it had. Only what a
//! person starts anew (`vial start`, `vial restart`) takes today's.

use vial_protocol::Slot;

use super::step::Turn;
use crate::store::record::{EnvironmentChange, Record};

impl Turn {
    /// What starts from now on may take it; what runs has what it was started with.
    pub(super) fn change_environment(&mut self, change: EnvironmentChange) {
        self.state.environment.today = change.version;
        if change.is_secret() {
            self.state.environment.secrets = change.version;
        }
        self.record(Record::EnvironmentChanged(change));
        self.renew_standby();
    }

    /// The deployment in progress takes a version; today's where none was asked for.
    pub(super) fn choose_environment(&mut self, asked: Option<u64>) {
        let environment = asked.unwrap_or(self.state.environment.today);
        if let Some(current) = &mut self.state.current {
            current.environment = environment;
            let number = current.number;
            self.record(Record::EnvironmentChosen { number, environment });
        }
    }

    /// The release in a slot starts with today's from now on, as the deployment that serves has it.
    pub(super) fn take_todays(&mut self, slot: Slot) {
        let environment = self.state.environment.today;
        let place = self.state.slots.get_mut(slot);
        let Some(release) = place.release.filter(|_| place.environment != environment) else {
            return;
        };
        place.environment = environment;
        let fresh = place.fresh;
        self.record(Record::SlotFilled { slot, release, environment, fresh });
        if let Some(number) = self.state.serving {
            self.record(Record::EnvironmentChosen { number, environment });
        }
    }
}

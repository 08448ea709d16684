//! Where a release of an app is: in a slot, or only on the disk. Pure.

use vial_protocol::{Problem, Release, Slot};

use super::known::Known;
use super::machine::Life;
use super::refuse::Refuse;

/// Where a release is.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// It.
    pub release: Release,
    /// As people name it.
    pub label: String,
    /// Its slot, or the idle one, in whose surroundings it can be run beside.
    pub slot: Slot,
    /// Whether it runs there.
    pub runs: bool,
    /// The OTP applications that hold its migrations.
    pub apps: Vec<String>,
}

impl Known<'_> {
    /// Where a release is, by the number of a deployment that used it; the one that serves where
    /// none is named. With `changes`, which begins the refusal, no deployment may be on its way.
    ///
    /// # Errors
    /// The refusal.
    pub fn whereabouts(
        self,
        number: Option<u64>,
        changes: Option<&str>,
    ) -> Result<Whereabouts, Problem> {
        let refuse = Refuse::new(self);
        if let (Some(what), Some(current)) = (changes, &self.state.current)
            && !current.status.is_live()
        {
            return Err(refuse.in_progress(what));
        }
        let what = changes.unwrap_or("Nothing was asked");
        let Some(number) = number.or(self.state.serving) else {
            return Err(refuse.nothing_deployed(what));
        };
        let wanted = self.history.get(number).and_then(|it| it.release).unwrap_or(number);
        let Some(release) = self.history.release(wanted) else {
            return Err(refuse.no_such_release(what, number));
        };
        let there = Slot::BOTH.into_iter().find(|slot| {
            let place = self.state.slots.get(*slot);
            place.release == Some(wanted) && matches!(place.life, Life::Running { .. })
        });
        Ok(Whereabouts {
            label: self.label(wanted),
            slot: there.unwrap_or_else(|| self.state.idle()),
            runs: there.is_some(),
            apps: self.migrating_apps(wanted),
            release: release.clone(),
        })
    }
}

//! The route by flag file: Caddy looks for a file at each request, and nothing is reloaded.

use tokio::sync::Mutex;
use tokio::time::Instant;
use vial_protocol::Slot;

use super::admin::Admin;
use super::flag::Flag;
use super::probe::{Prober, Seen};
use super::problem::{RouteProblem, SwitchError};
use super::settings::Settings;
use super::switched::{ConfirmedBy, DEADLINE, Switched};

/// The route of one app, by flag file.
pub struct FileRoute {
    pub(super) settings: Settings,
    pub(super) admin: Option<Admin>,
    flag: Flag,
    prober: Prober,
    /// One switch at a time.
    turn: Mutex<()>,
}

impl FileRoute {
    pub(super) fn new(settings: Settings) -> Self {
        FileRoute {
            admin: settings.admin.clone().map(Admin::new),
            flag: Flag::new(&settings.folder),
            prober: Prober::new(&settings),
            turn: Mutex::new(()),
            settings,
        }
    }

    /// See [`super::Route::switch`].
    pub(super) async fn switch(&self, to: Slot) -> Result<Switched, SwitchError> {
        let _turn = self.turn.lock().await;
        let before = self.flag.read().map_err(SwitchError::NotTried)?;
        let seen = self.prober.ready(DEADLINE).await;
        match seen.map_err(SwitchError::NotTried)? {
            // Blue is where a Caddy that sees nothing sends everything: that switch still holds.
            Seen::Hidden if to == Slot::Green => {
                return Err(SwitchError::NotTried(self.prober.hidden()));
            }
            Seen::Hidden | Seen::Slot(_) => {}
        }

        let begun = Instant::now();
        if before != to {
            self.flag.turn(to).map_err(SwitchError::NotTried)?;
        }
        let flip = begun.elapsed();
        let flag = self.flag.clone();
        let kept = tokio::task::spawn_blocking(move || flag.keep());
        let confirmed = self.prober.confirm(to, DEADLINE).await;
        let took = begun.elapsed();
        let kept = kept.await.unwrap_or_else(|error| {
            let source = std::io::Error::other(error);
            Err(super::flag::failed("syncing", self.settings.folder.clone(), source))
        });
        match confirmed.and_then(|(_, target)| kept.map(|()| target)) {
            Ok(target) => {
                Ok(Switched { flip, confirmed: took, confirmed_by: ConfirmedBy::Probe(target) })
            }
            Err(problem) => Err(self.put_back(before, problem)),
        }
    }

    /// See [`super::Route::assert`].
    pub(super) async fn assert(&self, to: Slot) -> Result<(), RouteProblem> {
        let _turn = self.turn.lock().await;
        self.flag.turn(to)?;
        self.flag.keep()
    }

    fn put_back(&self, back: Slot, problem: RouteProblem) -> SwitchError {
        match self.flag.turn(back).and_then(|()| self.flag.keep()) {
            Ok(()) => SwitchError::PutBack { problem, back },
            Err(again) => SwitchError::Stuck { problem, back, again: Box::new(again) },
        }
    }

    /// See [`super::Route::check`].
    pub(super) async fn check(&self, expected: Slot) -> Result<(), RouteProblem> {
        match self.prober.ask().await?.0 {
            Seen::Hidden => return Err(self.prober.hidden()),
            Seen::Slot(answered) if answered != expected => {
                return Err(self.prober.wrong(answered)?);
            }
            Seen::Slot(_) => {}
        }
        if let Some(admin) = &self.admin {
            admin.tells().await.map_err(|error| admin.unreachable(error))?;
        }
        Ok(())
    }

    pub(super) fn flagged(&self) -> Result<Slot, RouteProblem> {
        self.flag.read()
    }
}

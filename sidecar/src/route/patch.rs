//! The route by Caddy's admin API, for a Caddy that cannot see the host's files.
//!
//! A switch changes the one upstream in the running configuration. Caddy takes every change as a
//! new configuration, and that is what this mode loses by its nature against the flag file:
//!
//! - every WebSocket is closed, through every site of that Caddy, unless it is 2.7 or later and
//!   `stream_close_delay` is set;
//! - idle keep-alive connections are closed, so that a client which does not notice sees an error
//!   (some 20 for each switch at 2,000 requests a second);
//! - Caddy 2.6 resets connections that wait in the old listener's queue: about one request a
//!   switch at that rate (`net.ipv4.tcp_migrate_req=1` avoids it);
//! - the change is lost when Caddy restarts or is reloaded from a file that it was made without.
//!   The snippet is therefore written anew after each switch; [`AdminRoute::check`] says when Caddy
//!   came back with the other slot, and a switch to the same slot asserts it again.
//!
//! Every change carries the tag of the configuration that it was made for, and is made anew where
//! somebody else's came first.

use std::time::Duration;

use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use vial_protocol::Slot;

use super::admin::{Admin, AdminError, Patched};
use super::config::{Upstreams, port_of};
use super::flag::Flag;
use super::probe::Prober;
use super::problem::{RouteProblem, SwitchError};
use super::settings::Settings;
use super::switched::{ConfirmedBy, DEADLINE, Switched};
use crate::patience::attended;

/// How long Caddy may take to run the new configuration: 0.4 s with 3,000 sites.
const DEADLINE_TO_CHANGE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The route of one app, by Caddy's admin API.
pub struct AdminRoute {
    pub(super) settings: Settings,
    pub(super) admin: Admin,
    /// Which slot is active, for the snippet that the next reload reads. Caddy does not look at it.
    flag: Flag,
    prober: Prober,
    turn: Mutex<()>,
}

impl AdminRoute {
    pub(super) fn new(settings: Settings) -> Result<Self, RouteProblem> {
        let admin = settings.admin.clone().ok_or(RouteProblem::NowhereToAsk)?;
        Ok(AdminRoute {
            admin: Admin::new(admin),
            flag: Flag::new(&settings.folder),
            prober: Prober::new(&settings),
            turn: Mutex::new(()),
            settings,
        })
    }

    /// See [`super::Route::switch`].
    pub(super) async fn switch(&self, to: Slot) -> Result<Switched, SwitchError> {
        let _turn = self.turn.lock().await;
        let begun = Instant::now();
        // Not asked through Caddy: the slot that has the traffic may be dead, and this switch the
        // way out.
        let lists = self.lists(DEADLINE).await.map_err(SwitchError::NotTried)?;
        let before = lists.iter().find_map(|list| self.slot(list)).unwrap_or(to);
        let turned = self.turn(to).await;
        let flip = begun.elapsed();
        let confirmed = match turned {
            Ok(()) => self.prober.confirm(to, DEADLINE).await,
            Err(problem) => Err(problem),
        };
        let took = begun.elapsed();
        let recorded = confirmed.and_then(|(_, target)| self.record(to).map(|()| target));
        match recorded {
            Ok(target) => Ok(Switched {
                flip,
                confirmed: took,
                confirmed_by: ConfirmedBy::ConfigurationAndProbe(target),
            }),
            Err(problem) => Err(self.put_back(before, problem).await),
        }
    }

    /// See [`super::Route::assert`].
    pub(super) async fn assert(&self, to: Slot) -> Result<(), RouteProblem> {
        let _turn = self.turn.lock().await;
        self.record(to)?;
        self.turn(to).await
    }

    async fn put_back(&self, back: Slot, problem: RouteProblem) -> SwitchError {
        let again = match self.turn(back).await {
            Ok(()) => self.record(back),
            Err(again) => Err(again),
        };
        match again {
            Ok(()) => SwitchError::PutBack { problem, back },
            Err(again) => SwitchError::Stuck { problem, back, again: Box::new(again) },
        }
    }

    /// Keeps the slot for the next reload.
    fn record(&self, slot: Slot) -> Result<(), RouteProblem> {
        self.flag.turn(slot)?;
        self.flag.keep()?;
        super::snippet::write(&self.settings, slot).map(drop)
    }

    /// Changes every list that does not dial `to`, until the configuration that Caddy shows has
    /// none.
    async fn turn(&self, to: Slot) -> Result<(), RouteProblem> {
        let mut last = None;
        tokio::select! {
            biased;
            turned = self.turn_until_done(to, &mut last) => turned,
            () = attended(DEADLINE_TO_CHANGE) => Err(last.unwrap_or_else(|| {
                let detail = "its configuration kept changing".into();
                RouteProblem::NotPatched { detail }
            })),
        }
    }

    async fn turn_until_done(
        &self,
        to: Slot,
        last: &mut Option<RouteProblem>,
    ) -> Result<(), RouteProblem> {
        let dial = self.settings.dial(to);
        loop {
            let (lists, tag) = match self.read().await {
                Ok(read) => read,
                Err(problem) if problem.is_final() => return Err(problem),
                // Caddy opens its admin endpoint anew with each configuration.
                Err(problem) => {
                    *last = Some(problem);
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let Some(list) = lists.iter().find(|list| list.dial != dial) else { return Ok(()) };
            let upstreams = json!([{ "dial": dial }]);
            match self.admin.patch(&list.path, tag.as_deref(), &upstreams).await {
                Ok(Patched::Done) => {}
                Ok(Patched::Changed) => sleep(PAUSE).await,
                Err(AdminError::Down(said) | AdminError::Broken(said)) => {
                    *last = Some(RouteProblem::NotPatched { detail: said });
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(self.admin.problem(error)),
            }
        }
    }

    /// The lists in the running configuration, waiting for Caddy to be there.
    async fn lists(&self, limit: Duration) -> Result<Vec<Upstreams>, RouteProblem> {
        let mut last = None;
        let found = async {
            loop {
                match self.read().await {
                    Ok((lists, _)) => return Ok(lists),
                    Err(problem) if problem.is_final() => return Err(problem),
                    Err(problem) => last = Some(problem),
                }
                sleep(PAUSE).await;
            }
        };
        tokio::select! {
            biased;
            found = found => found,
            () = attended(limit) => Err(last.unwrap_or_else(super::probe::too_late)),
        }
    }

    async fn read(&self) -> Result<(Vec<Upstreams>, Option<String>), RouteProblem> {
        let (config, tag) = self.admin.config().await.map_err(|error| self.admin.problem(error))?;
        let found = self.prober.find(&config);
        if found.upstreams.is_empty() {
            return Err(self.prober.missing(found.stale));
        }
        Ok((found.upstreams, tag))
    }

    fn slot(&self, list: &Upstreams) -> Option<Slot> {
        self.settings.ports.slot(port_of(&list.dial)?)
    }

    /// See [`super::Route::check`]. Reads the configuration only: a probe would go to the app.
    pub(super) async fn check(&self, expected: Slot) -> Result<(), RouteProblem> {
        let (lists, _) = self.read().await?;
        match lists.iter().filter_map(|list| self.slot(list)).find(|slot| *slot != expected) {
            Some(answered) => Err(self.prober.wrong(answered)?),
            None => Ok(()),
        }
    }

    pub(super) fn flagged(&self) -> Result<Slot, RouteProblem> {
        self.flag.read()
    }
}

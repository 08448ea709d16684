//! How traffic is sent to a slot: one app's route through Caddy.
//!
//! [`Route`] is the way in, an enum over two implementations: there will not be a third from
//! outside, its futures stay unboxed and `Send`, and a caller needs no type parameter.
//!
//! - `file` (the default): Caddy looks for a flag file at each request. A switch is one rename,
//!   loses no request and closes no WebSocket. `flag` is that file.
//! - `patch`: a switch changes Caddy's running configuration through its admin API, for a Caddy
//!   that cannot see the host's files. Its head says what that costs.
//!
//! What both share, and how it flows: `settings` says where and for whom; `snippet` writes what the
//! user imports into the site block; `probe` asks through Caddy which slot answers, where `config`
//! found in Caddy's configuration that it listens, over `http` and `tls`; `admin` reads that
//! configuration and the counters by which `drain` waits, as seldom as `asked` lets it; `switched` is what a switch came to;
//! `problem` has all that can be wrong, in words, and `visible` why Caddy may not see the flag;
//! `address` is where things listen.
//!
//! A leaf: it knows slots, ports and Caddy. It must never import deployments, the API, releases,
//! processes or the store, and changes nothing in Caddy but, in admin mode, the one upstream.

mod address;
mod admin;
mod asked;
mod config;
mod drain;
mod file;
mod flag;
mod http;
mod patch;
mod probe;
mod problem;
mod settings;
mod snippet;
mod switched;
mod tls;
mod visible;

use std::sync::Arc;
use std::time::Duration;

use vial_protocol::Slot;

pub use address::{Address, BadAddress, ProbeAddress};
pub use drain::{Counted, CountedBy, Drained, InFlight};
pub use file::FileRoute;
pub use patch::AdminRoute;
pub use probe::Target;
pub use problem::{RouteProblem, SwitchError};
pub use settings::{Mode, Ports, Settings, Token};
pub use snippet::Prepared;
pub use switched::{ConfirmedBy, Switched};
pub use visible::Obstacle;

/// One app's route through Caddy.
pub enum Route {
    /// By flag file.
    File(FileRoute),
    /// By Caddy's admin API.
    Admin(AdminRoute),
}

impl Route {
    /// A route as the settings say. Touches nothing.
    pub fn new(settings: Settings) -> Result<Route, RouteProblem> {
        settings.check()?;
        Ok(match settings.mode {
            Mode::File => Route::File(FileRoute::new(settings)),
            Mode::Admin { .. } => Route::Admin(AdminRoute::new(settings)?),
        })
    }

    /// `file` or `admin`, as in the configuration and a status.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        match self {
            Route::File(_) => "file",
            Route::Admin(_) => "admin",
        }
    }

    /// What it was made from.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        match self {
            Route::File(route) => &route.settings,
            Route::Admin(route) => &route.settings,
        }
    }

    /// Makes Caddy send traffic to a slot, and asks through Caddy whether it does. Where it does
    /// not within two seconds, the former slot is put back.
    ///
    /// Switching to the slot that has the traffic already only asks, and in admin mode repairs what
    /// has come undone. Dropped half-way it leaves one slot or the other in place, never neither:
    /// switch again.
    pub async fn switch(&self, to: Slot) -> Result<Switched, SwitchError> {
        match self {
            Route::File(route) => route.switch(to).await,
            Route::Admin(route) => route.switch(to).await,
        }
    }

    /// Names a slot as the one that gets the traffic, whether or not Caddy is there to follow: for
    /// a daemon that comes back and knows which slot is active. In admin mode it fails where Caddy
    /// is not there, and the snippet is right all the same.
    pub async fn assert(&self, to: Slot) -> Result<(), RouteProblem> {
        match self {
            Route::File(route) => route.assert(to).await,
            Route::Admin(route) => route.assert(to).await,
        }
    }

    /// Waits until a slot has no request in flight, at most as long as said.
    pub async fn drained(&self, slot: Slot, deadline: Duration) -> Drained {
        drain::drained(self.admin(), self.settings(), slot, deadline).await
    }

    /// Whether Caddy sends traffic to the slot that it should, and can be asked. Costs one or two
    /// small requests, for every few seconds and for `vial doctor`: that its admin endpoint could be asked
    /// a moment ago, for whichever app, is enough.
    pub async fn check(&self, expected: Slot) -> Result<(), RouteProblem> {
        match self {
            Route::File(route) => route.check(expected).await,
            Route::Admin(route) => route.check(expected).await,
        }
    }

    /// The requests in flight to both slots; `None` where Caddy cannot be asked.
    pub async fn in_flight(&self) -> Option<InFlight> {
        drain::in_flight(self.admin(), self.settings()).await
    }

    /// Which slot the route folder names: in file mode, where Caddy sends traffic.
    pub fn flagged(&self) -> Result<Slot, RouteProblem> {
        match self {
            Route::File(route) => route.flagged(),
            Route::Admin(route) => route.flagged(),
        }
    }

    /// What the user imports into the app's site block.
    pub fn snippet(&self) -> Result<String, RouteProblem> {
        Ok(snippet::text(self.settings(), self.flagged()?))
    }

    /// Creates the route folder, readable for Caddy, and writes the snippet: before anyone is told
    /// to import it, because Caddy refuses to start with an import of a missing file. Call it at
    /// each start; the flag stays as it is.
    pub fn prepare(&self) -> Result<Prepared, RouteProblem> {
        snippet::prepare(self.settings(), self.flagged()?)
    }

    fn admin(&self) -> Option<&admin::Admin> {
        match self {
            Route::File(route) => route.admin.as_ref(),
            Route::Admin(route) => Some(&route.admin),
        }
    }
}

/// The requests in flight of many routes, in their order: a Caddy is asked once for all of them.
pub async fn in_flight(routes: &[Option<Arc<Route>>]) -> Vec<Counted> {
    let through = |route| Some((Route::admin(route)?, Route::settings(route)));
    let routes: Vec<_> = routes.iter().map(|it| it.as_deref().and_then(through)).collect();
    drain::counted(&routes).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_can_be_used_from_any_task() {
        fn send<T: Send>(_: &T) {}
        let route = Route::new(Settings {
            app: "shop".into(),
            folder: "/nonexistent/route/shop".into(),
            ports: Ports { blue: 1, green: 2 },
            hosts: vec![],
            token: Token::new("secret"),
            admin: None,
            probe: None,
            mode: Mode::File,
        })
        .unwrap();
        send(&route);
        send(&route.switch(Slot::Green));
        send(&route.check(Slot::Green));
        send(&route.drained(Slot::Green, Duration::ZERO));
        send(&route.in_flight());
    }
}

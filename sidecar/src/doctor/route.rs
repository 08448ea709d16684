//! Whether Caddy sends each app's traffic where it should.

use std::fs;

use futures_util::future::join_all;
use vial_protocol::{Code, Problem};

use super::finding::{Finding, sentence};
use super::scene::SetUp;
use crate::config::AppConfig;
use crate::daemon::routing;
use crate::route::{Route, RouteProblem};

/// What was seen of one app's route.
pub(super) struct Looked {
    pub(super) app: String,
    pub(super) seen: Seen,
}

/// What was seen.
pub(super) enum Seen {
    /// Caddy was asked, and is right.
    Right,
    /// Caddy was asked, or could not be.
    Wrong(RouteProblem),
    /// Caddy was not asked by us: what the daemon says.
    Told(Problem),
    /// The daemon says that all is well.
    ToldRight,
    /// The snippet is gone from the disk.
    NoSnippet,
    /// The daemon has not prepared it yet.
    Unprepared,
    /// It is closed to us.
    Closed,
}

/// Asks for every app that has a route, at once.
pub(super) async fn look(set: &SetUp<'_>) -> Vec<Looked> {
    let routed = set.apps().filter(|app| !app.is_worker());
    join_all(
        routed.map(|app| async { Looked { app: app.name.clone(), seen: ask(set, app).await } }),
    )
    .await
}

async fn ask(set: &SetUp<'_>, app: &AppConfig) -> Seen {
    let layout = set.layout();
    let told = set.status(&app.name).and_then(|status| status.route.as_ref()?.problem.clone());
    let token = match fs::read_to_string(layout.app(&app.name).probe()) {
        Ok(token) => token,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Seen::Unprepared,
        Err(_) => {
            return match (told, set.status(&app.name).and_then(|status| status.active)) {
                (Some(problem), _) => Seen::Told(problem),
                (None, Some(_)) => Seen::ToldRight,
                (None, None) => Seen::Closed,
            };
        }
    };
    if !layout.route(&app.name).join("Caddyfile").exists() {
        return Seen::NoSnippet;
    }
    let settings = match routing::settings(&set.config.host, &layout, app, token.trim()) {
        Ok(Some(settings)) => settings,
        Ok(None) => return Seen::ToldRight,
        Err(error) => {
            let problem = Problem::new(Code::Route, error.to_string());
            return Seen::Told(problem.next("correct `admin` or `probe` under [caddy]"));
        }
    };
    let asked = async {
        let route = Route::new(settings)?;
        let status = set.status(&app.name);
        // While a deployment moves the traffic, the folder knows better than a status of before.
        let moving = status.is_some_and(|status| status.deployment.is_some());
        let active = status.and_then(|status| status.active).filter(|_| !moving);
        let expected = active.map_or_else(|| route.flagged(), Ok)?;
        route.check(expected).await
    };
    match asked.await {
        Err(problem) => Seen::Wrong(problem),
        // Another user may be kept from what we could do.
        Ok(()) => match told.filter(|_| set.scene.own_user.uid != set.scene.daemon_user.uid) {
            Some(problem) => Seen::Told(problem),
            None => Seen::Right,
        },
    }
}

impl Looked {
    /// Whether Caddy follows the route folder, as far as anybody can tell.
    pub(super) fn is_right(&self) -> bool {
        matches!(self.seen, Seen::Right | Seen::ToldRight)
    }

    /// Whether it is Caddy as a whole that is not there.
    pub(super) fn has_no_caddy(&self) -> bool {
        matches!(self.seen, Seen::Wrong(RouteProblem::NoCaddy { .. }))
    }

    /// What to say of it.
    pub(super) fn finding(&self, set: &SetUp<'_>) -> Option<Finding> {
        let app = &self.app;
        let subject = format!("route of {app}");
        Some(match &self.seen {
            Seen::Right => Finding::ok(subject, "Caddy sends its traffic to the right slot."),
            Seen::ToldRight => Finding::ok(subject, "The daemon finds it right."),
            Seen::Wrong(problem) => {
                let subject = if is_of_caddy(problem) { "caddy".into() } else { subject };
                Finding::problem(subject, problem.to_string(), problem.next().replace("APP", app))
            }
            Seen::Told(problem) => Finding::problem(
                subject,
                sentence(&problem.message),
                problem.next.as_deref().map(sentence).unwrap_or_default(),
            ),
            Seen::NoSnippet => Finding::problem(
                subject,
                format!(
                    "The snippet {} is gone. Caddy refuses to start, or to reload, with an import \
                     of a missing file.",
                    set.layout().route(app).join("Caddyfile").display()
                ),
                format!(
                    "Run {}: the daemon writes it again, and the slots run on.",
                    set.scene.start("restart")
                ),
            ),
            Seen::Unprepared | Seen::Closed => return None,
        })
    }
}

/// Whether a problem is the same for every app.
fn is_of_caddy(problem: &RouteProblem) -> bool {
    matches!(
        problem,
        RouteProblem::NoCaddy { .. }
            | RouteProblem::AdminUnreachable { .. }
            | RouteProblem::NowhereToAsk
    )
}

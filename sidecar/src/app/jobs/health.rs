//! Asking the active slot for its health, and the times to wait for.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;
use vial_protocol::{Code, Health, Problem, Slot};

use super::Looked;
use crate::app::context::Context;
use crate::app::machine::Fact;
use crate::app::message::{Message, Sight};
use crate::beat::beat;
use crate::config::Check;
use crate::patience::attended;
use crate::slot::health::{Answer, once};

/// So many failures in a row are a verdict: one may be a hiccup.
const FAILURES: u32 = 3;
/// After a failure it is asked again soon, so that the verdict does not wait for the interval.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// While a deployment bakes, it is asked at least this often.
const BAKING_INTERVAL: Duration = Duration::from_secs(1);
/// A bake that went on without a daemon ends no sooner than it was looked at: three failures and
/// the time between them.
const LAST_LOOK: Duration = Duration::from_secs(2);
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// So long healthy, and earlier exits are forgotten.
const STEADY: Duration = Duration::from_secs(60);
/// The first wait before a slot is started again; it doubles with each exit.
const FIRST_RESTART: Duration = Duration::from_millis(100);
/// The longest.
const LAST_RESTART: Duration = Duration::from_secs(30);

/// Asks a running release once. One answer decides, but not one hiccup of a connection.
pub(in crate::app) async fn check_now(context: Arc<Context>, looked: Looked) -> Fact {
    let Looked { slot, run, .. } = looked;
    let Some(probe) = super::launch::probe(&context, looked) else {
        return Fact::Healthy { slot, run };
    };
    let mut answer = once(&probe, PATIENCE).await;
    if answer.wrong().is_some() {
        tokio::time::sleep(ASK_AGAIN).await;
        answer = once(&probe, PATIENCE).await;
    }
    match answer.wrong() {
        None => Fact::Healthy { slot, run },
        Some(detail) => Fact::Unhealthy { slot, run, problem: unhealthy(&context, looked, detail) },
    }
}

/// What is asked for an app's health, as a sentence begins.
pub(in crate::app) fn asked(context: &Context) -> String {
    match &context.config.health.check {
        Check::Http { path, .. } => format!("Its health check {path}"),
        Check::Command(_) => "Its health command".into(),
        Check::Alive(_) => "Its health check".into(),
    }
}

fn unhealthy(context: &Context, looked: Looked, detail: &str) -> Problem {
    let slot = looked.slot;
    let detail = context.vault.mask(detail);
    Problem::new(
        Code::Unhealthy,
        format!("The release in {slot} is not healthy. {} said: {detail}.", asked(context)),
    )
    .next(format!("`vial logs {} --slot {slot}`", context.app()))
    .log(super::last_lines(context, slot, looked.log_offset))
}

/// Asks the active slot for as long as it is watched.
pub(in crate::app) async fn watch(
    context: Arc<Context>,
    looked: Looked,
    baking: bool,
    tell: mpsc::Sender<Message>,
) {
    let Looked { slot, run, .. } = looked;
    let interval = match baking {
        true => context.config.health.interval.min(BAKING_INTERVAL),
        false => context.config.health.interval,
    };
    let probe = super::launch::probe(&context, looked);
    let mut failures = 0;
    let mut said: Option<bool> = None;
    let mut healthy_since = Some(Instant::now());
    loop {
        let answer = match &probe {
            Some(probe) => once(probe, PATIENCE).await,
            // Being alive is all that is asked, and its exit is told by itself.
            None => Answer::Healthy { millis: 0 },
        };
        let (healthy, detail) = match &answer {
            Answer::Healthy { millis } => (true, format!("answered in {millis} ms")),
            wrong => (false, wrong.wrong().unwrap_or_default().to_owned()),
        };
        failures = if healthy { 0 } else { failures + 1 };
        let verdict = healthy || failures >= FAILURES;
        if verdict && said != Some(healthy) {
            said = Some(healthy);
            let health = Health { healthy, detail: detail.clone(), since: Timestamp::now() };
            let fact = match healthy {
                true => Fact::Healthy { slot, run },
                false => {
                    Fact::Unhealthy { slot, run, problem: unhealthy(&context, looked, &detail) }
                }
            };
            let sight = Message::Seen(Sight::Health { slot, run, health });
            if tell.send(sight).await.is_err() || tell.send(Message::Fact(fact)).await.is_err() {
                return;
            }
        }
        if !healthy {
            healthy_since = None;
        } else if healthy_since.get_or_insert_with(Instant::now).elapsed() >= STEADY {
            // Once is enough, until it was unhealthy again or another run is watched.
            if said == Some(true) {
                let _ = tell.send(Message::Fact(Fact::Steady { slot, run })).await;
            }
            healthy_since = Instant::now().checked_add(STEADY * 60).or(healthy_since);
        }
        let undecided = !healthy && failures < FAILURES;
        match undecided {
            true => tokio::time::sleep(ASK_AGAIN.min(interval)).await,
            false => tokio::time::sleep_until(beat(interval)).await,
        }
    }
}

/// Waits for the end of a bake of which so much has passed, perhaps in an earlier daemon. Time in
/// which this one was stopped is none in which the release was looked at.
pub(in crate::app) async fn bake(context: Arc<Context>, number: u64, passed: Duration) -> Fact {
    let whole = context.config.bake;
    attended(whole.saturating_sub(passed).max(whole.min(LAST_LOOK))).await;
    Fact::Baked { number }
}

/// Waits until a slot may be started again.
pub(in crate::app) async fn restart_after(slot: Slot, attempt: u32) -> Fact {
    let wait = match attempt {
        0 => Duration::ZERO,
        exits => FIRST_RESTART.saturating_mul(1 << (exits - 1).min(16)).min(LAST_RESTART),
    };
    tokio::time::sleep(wait).await;
    Fact::RestartDue { slot }
}

//! A rollback against a start by hand, in pairs, in turns.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use vial_protocol::{Slot, Status};

use crate::by_hand::{self, With};
use crate::ground::{Ground, STEP};
use crate::place::APP;
use crate::spread::Spread;
use crate::timeline::step_ms;
use crate::trouble::Trouble;

/// Both ways to bring the same release back, once each.
#[derive(Debug, Clone, Serialize)]
pub struct Pair {
    /// Which release.
    pub version: String,
    /// Whether the rollback came before the start by hand.
    pub rollback_first: bool,
    /// From the start of `vial rollback` to the release's first answer through Caddy.
    pub rollback_ms: f64,
    /// From the start of `bin/shop start` to its first healthy answer.
    pub by_hand_ms: f64,
    /// Of the rollback: until the release was healthy.
    pub starting_ms: i64,
    /// Of the rollback: whose the port is.
    pub verifying_ms: i64,
    /// Of the rollback: the switch.
    pub switching_ms: i64,
}

/// What all the pairs say.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The rollbacks.
    pub rollback: Spread,
    /// The starts by hand.
    pub by_hand: Spread,
    /// The difference within each pair.
    pub within_pairs: Spread,
    /// The difference of the medians.
    pub difference_ms: f64,
    /// The ratio of the medians.
    pub ratio: f64,
    /// All of them.
    pub pairs: Vec<Pair>,
}

/// One of the two releases that take turns.
#[derive(Debug, Clone)]
pub struct Turn {
    number: u64,
    version: String,
}

/// Deploys both, so that each can be gone back to.
///
/// # Errors
/// Where one does not go live.
pub async fn prepare(ground: &Ground, shop: &Path) -> Result<[Turn; 2], Trouble> {
    let deploy = async |version: u32| {
        let number = ground.deploy(&shop.join(format!("shop-{version}.tar.gz"))).await?;
        ground.settled().await?;
        Ok::<_, Trouble>(Turn { number, version: format!("{version}.0.0") })
    };
    Ok([deploy(1).await?, deploy(2).await?])
}

/// Measures one pair. `turn` must not be the release that serves, and its slot must be empty.
///
/// # Errors
/// Where either does not come to serve.
pub async fn measure(
    ground: &Ground,
    with: &With,
    turn: &Turn,
    rollback_first: bool,
) -> Result<Pair, Trouble> {
    let home = ground.home();
    let by_hand =
        async || by_hand::start(&ground.place, with, idle(ground), turn.number, &home).await;
    let before = if rollback_first { None } else { Some(by_hand().await?) };
    let (rollback, number) = roll_back(ground, turn).await?;
    let by_hand = match before {
        Some(took) => took,
        None => by_hand().await?,
    };
    let deployment = ground.client.deployment(APP, number).await?;
    let step = |status| step_ms(&deployment, status).unwrap_or_default();
    Ok(Pair {
        version: turn.version.clone(),
        rollback_first,
        rollback_ms: millis(rollback),
        by_hand_ms: millis(by_hand),
        starting_ms: step(Status::Starting),
        verifying_ms: step(Status::Verifying),
        switching_ms: step(Status::Switching),
    })
}

async fn roll_back(ground: &Ground, turn: &Turn) -> Result<(Duration, u64), Trouble> {
    let home = ground.home();
    let to = turn.number.to_string();
    let arguments = ["rollback", APP, "--to", &to, "--yes", "--quiet"];
    let began = Instant::now();
    let (ended, answered) = tokio::join!(
        ground.vial(&arguments),
        home.first(STEP, |answer| answer.version.as_ref() == Some(&turn.version)),
    );
    ended?;
    ground.settled().await?;
    let answered = answered.ok_or_else(|| Trouble::Waited {
        what: format!("an answer of {}", turn.version),
        seconds: STEP.as_secs(),
    })?;
    let last = ground.client.deployments(APP, None, Some(1)).await?;
    Ok((answered - began, last.first().map_or(0, |it| it.number)))
}

fn idle(ground: &Ground) -> Slot {
    let active = ground.watch.now().and_then(|status| status.active);
    active.map_or(Slot::Blue, Slot::other)
}

impl Comparison {
    /// Of at least one pair.
    #[must_use]
    pub fn of(pairs: Vec<Pair>) -> Option<Comparison> {
        let rollback = Spread::of(pairs.iter().map(|it| it.rollback_ms))?;
        let by_hand = Spread::of(pairs.iter().map(|it| it.by_hand_ms))?;
        Some(Comparison {
            rollback,
            by_hand,
            within_pairs: Spread::of(pairs.iter().map(|it| it.rollback_ms - it.by_hand_ms))?,
            difference_ms: rollback.median - by_hand.median,
            ratio: rollback.median / by_hand.median,
            pairs,
        })
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

//! Killed at random instants, while deploys and rollbacks go on under load.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use vial_protocol::request::{Restart, Rollback};

use super::kinds::Kind;
use super::stage::{Beam, Stage};
use super::truth;
use crate::figure;
use crate::support::stub::Stub;
use crate::support::{archive, is_soak};

/// Kills the daemon so many times.
async fn kill(beam: Beam, kills: usize, longest: u64) {
    let seed: u64 = rand::rng().random();
    println!("seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let kind = Kind::Deploy;
    let mut stage = Stage::new(beam, kind.usual(beam), "bake = \"300ms\"\n").await;
    let releases = match beam {
        Beam::Stub => [1, 2, 3].map(|it| stage.stub(&Stub::new(it).migrations(1))),
        Beam::Shop => [12, 13, 12].map(archive),
    };
    stage.deployed(&releases[0]).await;
    stage.deployed(&releases[1]).await;
    stage.send(500);
    let mut accepted = 0;
    let mut rests = 0;
    for kill in 0..kills {
        let client = stage.host.client.clone();
        let what = random.random_range(0..10);
        let instant = Duration::from_micros(random.random_range(0..longest * 1000));
        let ask = async {
            match what {
                0..4 => stage.deploy(&releases[what % 3]).await.map(Some),
                4 => client.restart("shop", &Restart::default()).await.map(|it| it.deployment),
                _ => {
                    let cancel = what % 2 == 0;
                    let back = Rollback { cancel, ..Rollback::default() };
                    client.rollback("shop", &back).await.map(|it| it.deployment)
                }
            }
        };
        // Refused or not, answered or not: what counts is what is true afterwards.
        let asked = tokio::time::timeout(instant, ask).await;
        accepted += usize::from(matches!(asked, Ok(Ok(_))));
        if asked.is_ok() {
            tokio::time::sleep(instant / 2).await;
        }
        stage.host.kill_daemon();
        stage.host.start_daemon().await;
        // Mostly the next one dies while it still recovers.
        if random.random_bool(0.4) || kill + 1 == kills {
            rests += 1;
            let status = stage.rest().await;
            let at = format!("seed {seed}, kill {kill}, {what}, after {instant:?}");
            truth::holds(&stage, &status, &at).await;
        }
    }
    let history = stage.history().await.len();
    let sent = stage.sent().await;
    figure!(
        "{beam:?}: {kills} kills at random instants, {accepted} answers, {history} deployments, \
         looked at {rests} times; {sent} requests, 0 failed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_at_any_instant_loses_no_request_and_tells_no_lie() {
    kill(Beam::Stub, if is_soak() { 300 } else { 20 }, 400).await;
}

/// The same with real releases: `bin/test --soak`.
#[tokio::test(flavor = "multi_thread")]
async fn nor_does_it_with_real_releases() {
    if !is_soak() {
        println!("SKIPPED: takes minutes; `bin/test --soak` runs it.");
        return;
    }
    kill(Beam::Shop, 300, 2500).await;
}

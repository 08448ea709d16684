//! Killed at each named point, for each kind of deployment.

use crate::figure;
use crate::kinds::{Come, Kind};
use crate::stage::Stage;
use crate::truth;

/// Passes through once to learn the points, and then dies at each of them.
async fn die_everywhere(kind: Kind) {
    let mut stage = Stage::new(kind.lines()).await;
    kind.prepare(&stage).await;
    stage.passed();
    kind.ask(&stage).await;
    let status = stage.rest().await;
    truth::holds(&stage, &status, "undisturbed").await;
    let points = stage.passed();
    assert!(points.len() > 5, "{points:?}");
    if kind.loses_nothing() {
        kind.prepare(&stage).await;
        stage.send();
    }
    for (index, point) in points.iter().enumerate() {
        kind.prepare(&stage).await;
        let before = stage.history().await.len();
        stage.arm(point);
        kind.ask(&stage).await;
        let died = stage.died().await;
        stage.disarm();
        if !died {
            let told = stage.host.status("shop").await;
            panic!("{kind:?}: {point:?} was not reached: {:?}\n{told:#?}", stage.passed());
        }
        stage.host.start_daemon().await;
        kind.mend(&stage).await;
        let status = stage.rest().await;
        let at = format!("{kind:?}, died at {point:?}");
        truth::holds(&stage, &status, &at).await;
        let came = |to: &str| {
            let named = |it: &&String| it.starts_with("journal: after") && it.contains(to);
            points.iter().position(|it| named(&it)).is_some_and(|first| first <= index)
        };
        let come = Come { begun: came("Began"), starting: came("Entered starting") };
        let mut since = stage.history().await;
        since.truncate(since.len() - before);
        since.reverse();
        let words: Vec<String> =
            since.iter().map(|it| format!("{} {}", it.kind, it.status)).collect();
        assert!(kind.allows(&words, come), "{at}: {words:?}, {come:?}\n{since:#?}");
        let applied = stage.applied();
        assert!(kind.fits(&words, &applied), "{at}: {words:?}, applied {applied:?}");
    }
    let sent = if kind.loses_nothing() { stage.sent().await } else { 0 };
    figure!("{kind:?}: killed at {} points, {sent} requests, 0 failed", points.len());
}

macro_rules! kinds {
    ($($name:ident: $kind:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                die_everywhere(Kind::$kind).await;
            }
        )*
    };
}

kinds! {
    a_deploy_is_finished_or_undone: Deploy,
    a_deploy_that_is_not_healthy_fails_once: DeployUnhealthy,
    a_deploy_that_dies_while_it_bakes_is_taken_back: DeployDying,
    a_rollback_is_finished: RollBack,
    a_rollback_within_the_bake_is_finished: RollBackWithinTheBake,
    a_rollback_that_reverts_is_finished: RollBackReverting,
    a_rollback_that_failed_after_it_reverted_restores: RollBackRestoring,
    a_restart_is_finished: Restart,
    a_cancelled_deploy_ends: Cancel,
    an_app_that_is_stopped_and_started_is_one_or_the_other: StopAndStart,
    a_release_that_died_is_started_again: Crash,
}

//! Push, and see it live: what is deployed by itself, and what is not.

use std::time::Duration;

use vial_protocol::{AppStatus, Status, Trigger};

use super::{Stage, git};

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_live_without_touching_anything_else_and_what_was_rolled_back_waits() {
    let stage = Stage::new("auto_deploy = true").await;
    let secret = stage.secret().await;
    let first = stage.head();
    stage.host.until_ended(1).await;
    assert_eq!(stage.host.serving().await, "1.0.0");
    // After each deployment Vial looks by itself; what is pushed then is the webhook's to tell.
    let ended = stage.host.deployment(1).await.ended_at;
    let looked = |it: &AppStatus| it.auto_deploy.as_ref().is_some_and(|it| it.looked_at > ended);
    stage.host.until("shop", looked).await;

    let second = stage.commit("2");
    stage.push("main");
    assert_eq!(stage.tell(&secret).await.0, 202);
    let deployed = stage.host.until_ended(2).await;
    assert_eq!(stage.host.serving().await, "2.0.0");
    assert_eq!(deployed.commit.as_ref().map(|it| it.sha.clone()), Some(second.clone()));
    assert_eq!(deployed.build.unwrap().trigger, Trigger::Webhook);
    assert_eq!(deployed.actor, "vial");

    stage.host.vial(&["rollback", "shop", "--yes"]).await.ends(0);
    assert_eq!(stage.host.serving().await, "1.0.0");
    let why = format!("{} was rolled back (#2), so it waits for the next commit", &second[..10]);
    let said = why.clone();
    stage
        .host
        .until("shop", move |it| {
            it.auto_deploy.as_ref().is_some_and(|it| it.note.as_deref() == Some(&said))
        })
        .await;
    stage.host.vial(&["status", "shop"]).await.ends(0).says(&[
        "Auto-deploy",
        "on, from main",
        &why,
    ]);
    // The same commit is told of again, and stays where it is.
    let looked = stage.host.status("shop").await.auto_deploy.unwrap().looked_at;
    assert_eq!(stage.tell(&secret).await.0, 202);
    stage
        .host
        .until("shop", move |it| it.auto_deploy.as_ref().is_some_and(|it| it.looked_at > looked))
        .await;
    assert_eq!(stage.note().await, why);
    assert_eq!(stage.commits().await.len(), 3);

    let third = stage.commit("2");
    stage.push("main");
    stage.tell(&secret).await;
    stage.host.until_ended(4).await;
    assert_eq!(stage.host.serving().await, "2.0.0", "the next commit deploys on top");

    // The branch is set back to what served first.
    git(&stage.work(), &["reset", "-q", "--hard", &first]);
    stage.push("main");
    stage.tell(&secret).await;
    stage.host.until_ended(5).await;
    assert_eq!(stage.host.serving().await, "1.0.0");
    let commits = stage.commits().await;
    let expected = [&first, &second, "", &third, &first];
    assert_eq!(commits.iter().map(|it| it.1.as_str()).collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_pushes_during_a_build_only_the_newest_is_deployed() {
    let mut stage = Stage::new("auto_deploy = true").await;
    let secret = stage.secret().await;
    stage.host.until_ended(1).await;
    let slow = stage.slow_commit("2", 12);
    stage.push("main");
    stage.tell(&secret).await;
    // What is built is the tip that was fetched.
    let fetched = |it: &AppStatus| it.deployment.as_ref().is_some_and(|it| it.commit.is_some());
    stage.host.until("shop", fetched).await;
    let skipped: Vec<String> = (0..3).map(|_| stage.commit("1")).collect();
    stage.push("main");
    assert_eq!(stage.tell(&secret).await.0, 202);
    let newest = stage.commit("1");
    stage.push("main");
    assert_eq!(stage.tell(&secret).await.0, 202);
    stage.host.until_ended(2).await;
    // It was told of before the daemon died, so it is not forgotten.
    stage.host.kill_daemon();
    stage.host.start_daemon().await;
    let last = stage.host.until_ended(3).await;
    assert_eq!(last.commit.map(|it| it.sha), Some(newest));
    let commits = stage.commits().await;
    assert_eq!(commits.len(), 3, "{commits:?}");
    assert_eq!(commits[1].1, slow);
    assert!(commits.iter().all(|it| !skipped.contains(&it.1)), "{commits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_build_is_tried_once_and_the_old_release_serves() {
    let stage = Stage::new("auto_deploy = true").await;
    let secret = stage.secret().await;
    stage.host.until_ended(1).await;
    let broken = stage.commit("none");
    stage.push("main");
    stage.tell(&secret).await;
    let failed = stage.host.until_ended(2).await;
    assert_eq!(failed.status, Status::Failed);
    assert_eq!(stage.host.serving().await, "1.0.0");
    let why = format!("{} failed (#2), so it waits for the next commit", &broken[..10]);
    for _ in 0..2 {
        let looked = stage.host.status("shop").await.auto_deploy.unwrap().looked_at;
        stage.tell(&secret).await;
        stage
            .host
            .until("shop", move |it| {
                it.auto_deploy.as_ref().is_some_and(|it| it.looked_at > looked)
            })
            .await;
    }
    assert_eq!(stage.note().await, why);
    assert_eq!(stage.commits().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_polled_is_found_again_when_it_was_away() {
    let stage = Stage::new("poll = \"5s\"").await;
    let off = stage.host.vial(&["auto-deploy", "shop"]).await.ends(0);
    off.says(&["auto-deploy: off"]);
    let away = stage.host.path("away.git");
    std::fs::rename(stage.forge(), &away).unwrap();
    stage.host.vial(&["auto-deploy", "shop", "on"]).await.ends(0).says(&["Auto-deploy is on"]);
    stage
        .host
        .until("shop", |it| it.auto_deploy.as_ref().is_some_and(|it| it.failing.is_some()))
        .await;
    stage
        .host
        .vial(&["status", "shop"])
        .await
        .ends(0)
        .says(&["the repository cannot be asked since"]);
    assert!(stage.commits().await.is_empty());
    std::fs::rename(&away, stage.forge()).unwrap();
    // Whoever mended it need not wait.
    stage.host.vial(&["auto-deploy", "shop", "on"]).await.ends(0);
    stage.host.until_ended(1).await;
    stage.commit("2");
    stage.push("main");
    let begun = tokio::time::Instant::now();
    let deployed = stage.host.until_ended(2).await;
    assert_eq!(deployed.build.unwrap().trigger, Trigger::Poll);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(stage.host.serving().await, "2.0.0");
}

//! A day of pushes with the shop's real builds.

use vial_protocol::{AppStatus, Code, Kind, Status};

use super::super::QUICK;
use super::Stage;
use crate::support::{Repository, Setup, ports};

/// A host whose shop is built by Mix from a repository that tells of each push.
async fn stage() -> (Stage, Repository) {
    let hooks = ports::free();
    let listens = format!("[hooks]\nlisten = \"127.0.0.1:{hooks}\"\n");
    let mut host = Setup::new().app("shop", QUICK).host(&listens).write();
    let repository = Repository::shop(host.folder.path(), 1);
    let source = repository.source("auto_deploy = true\nbuild = [\"mix release\"]");
    host.write_app(host.apps[0].clone(), &format!("{QUICK}\n{source}"));
    host.start_daemon().await;
    host.start_caddy().await;
    (Stage { host, hooks }, repository)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_built_and_live_and_what_was_rolled_back_is_not_pushed_in_again() {
    let (stage, repository) = stage().await;
    let host = &stage.host;
    let secret = stage.secret().await;
    let first = stage.head();
    host.until_ended(1).await;
    assert_eq!(host.serving().await, "1.0.0");

    // A push, and another while that is built.
    repository.version(2);
    assert_eq!(stage.tell(&secret).await.0, 202);
    // What is built is the tip when its build begins.
    let fetched = |it: &AppStatus| {
        it.deployment.as_ref().is_some_and(|it| it.number == 2 && it.commit.is_some())
    };
    host.until("shop", fetched).await;
    repository.write("notes.txt", "more\n");
    let newest = repository.push("main", "Take notes");
    assert_eq!(stage.tell(&secret).await.0, 202);
    let built = host.until_ended(3).await;
    assert_eq!((built.status, built.commit.unwrap().sha), (Status::Succeeded, newest.clone()));
    assert_eq!(host.deployment(2).await.status, Status::Superseded);
    assert_eq!(host.serving().await, "2.0.0");

    // Taken back, it stays away; the next commit does not.
    host.vial(&["rollback", "shop", "--to", "1", "--yes"]).await.ends(0);
    assert_eq!(host.serving().await, "1.0.0");
    let looked = host.status("shop").await.auto_deploy.unwrap().looked_at;
    assert_eq!(stage.tell(&secret).await.0, 202);
    host.until("shop", move |it| it.auto_deploy.as_ref().is_some_and(|it| it.looked_at > looked))
        .await;
    assert!(stage.note().await.contains("was rolled back (#3)"), "{}", stage.note().await);
    assert_eq!(stage.commits().await.len(), 4);
    repository.write("notes.txt", "better\n");
    repository.push("main", "Take better notes");
    stage.tell(&secret).await;
    assert_eq!(host.until_ended(5).await.status, Status::Succeeded);
    assert_eq!(host.serving().await, "2.0.0");

    // Another environment, and the same commit built with it.
    host.set("GREETING", "good morning", &[]).await.ends(0).says(&["vial redeploy shop"]);
    host.vial(&["redeploy", "shop", "--yes"]).await.ends(0).says(&["Redeployed: v2.0.0 serves"]);
    let redeployed = host.deployment(6).await;
    assert_eq!((redeployed.kind, redeployed.environment), (Kind::Redeploy, 1));
    let greeting = ["rpc", "shop", "IO.puts(System.get_env(\"GREETING\"))"];
    host.vial(&greeting).await.ends(0).says(&["good morning"]);

    // One that does not compile: its last lines name the error, and the old slot serves.
    repository.write("lib/broken.ex", "defmodule Shop.Broken do\n  def f(, do: 1\nend\n");
    repository.push("main", "Break it");
    stage.tell(&secret).await;
    let error = host.until_ended(7).await.error.unwrap();
    assert_eq!(error.code, Code::BuildFailed, "{error:#?}");
    assert!(error.log.iter().any(|line| line.contains("lib/broken.ex:")), "{error:#?}");
    assert_eq!(host.serving().await, "2.0.0");

    // The branch is set back, by force.
    repository.git(&["reset", "--quiet", "--hard", &first]);
    repository.push("main", "Begin again");
    stage.tell(&secret).await;
    assert_eq!(host.until_ended(8).await.status, Status::Succeeded);
    assert_eq!(host.serving().await, "1.0.0");
}

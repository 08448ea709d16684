//! Who may do what: root, an app's own user, and a stranger, on one socket.

use vial_protocol::{DaemonStatus, Status};

use super::QUICK;
use crate::support::setup::user;
use crate::support::{Setup, is_root};

#[tokio::test(flavor = "multi_thread")]
async fn an_apps_user_acts_on_its_own_app_and_a_stranger_on_none() {
    if !is_root() {
        println!("SKIPPED: to be somebody else takes root");
        return;
    }
    let host = Setup::new().app("shop", QUICK).app("store", QUICK).start().await;
    host.deploy(1).await;
    host.deploy(2).await;
    let stranger = "nobody";
    for args in [
        &["status", "shop"][..],
        &["history", "shop"],
        &["logs", "shop"],
        &["rollback", "shop", "--yes"],
        &["stop", "shop"],
        &["rpc", "shop", "System.halt()"],
        &["reload"],
    ] {
        host.vial_as(stranger, args)
            .await
            .ends(3)
            .says(&["nobody may not", "Next: ask an operator"]);
    }
    let seen: DaemonStatus = host.vial_as(stranger, &["status", "--json"]).await.ends(0).json();
    assert!(seen.apps.is_empty(), "{seen:#?}");

    let own = user(0);
    let seen: DaemonStatus = host.vial_as(own, &["status", "--json"]).await.ends(0).json();
    let names: Vec<&str> = seen.apps.iter().map(|app| app.name.as_str()).collect();
    assert_eq!(names, ["shop"]);
    host.vial_as(own, &["status", "store"]).await.ends(3).says(&[&format!("{own} may not")]);
    host.vial_as(own, &["reload"]).await.ends(3).says(&[&format!("{own} may not")]);
    host.vial_as(own, &["rollback", "shop"]).await.ends(0).says(&["v1.0.0 serves"]);
    assert_eq!(host.deployment(3).await.actor, own);
    assert_eq!(host.serving().await, "1.0.0");

    // What an operator began, only an operator ends.
    let number = host.deploy_detached(4).await;
    host.until_deployment(number, |it| it == Status::Starting).await;
    for args in [&["cancel", "shop"][..], &["rollback", "shop", "--cancel", "--to", "2"]] {
        host.vial_as(own, args)
            .await
            .ends(3)
            .says(&[&format!("#{number} was begun by"), "may cancel only what it began itself"]);
    }
    host.vial(&["cancel", "shop"]).await.ends(0);
}

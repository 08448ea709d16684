//! From inside the app: its own node sees what Vial sees, and takes a bad deploy back. The shops 14
//! and 15 have the library inside.

use vial_protocol::{Kind, Status};

use super::QUICK;
use super::migrations::{MOVE_PRICES, applied, deploy, home, with_database};
use crate::figure;
use crate::support::terminal::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn by_rpc_the_node_tells_its_status_and_plan_and_takes_itself_back() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 14).await;
    deploy(&host, 15).await;
    let ask = async |expression: &str| {
        let said = host.vial(&["rpc", "shop", expression]).await;
        figure!("{expression}\n{}{}", said.out, said.err);
        said.ends(0)
    };
    ask("Vial.status() |> IO.inspect()").await.says(&["shop", "v15.0.0", "green"]);
    ask("{:ok, it} = Vial.status(); IO.inspect({it.active, it.serving.version, Vial.active?()})")
        .await
        .says(&["{:green, \"15.0.0\", true}"]);
    ask("{:ok, plan} = Vial.plan(); IO.inspect({plan.to.version, plan.database})")
        .await
        .says(&["{\"14.0.0\", {:choose, [:keep, :revert]}}"]);
    ask("{:error, error} = Vial.rollback(); IO.inspect(error.reason)")
        .await
        .says(&[":destructive", "migrations: :revert"]);
    assert_eq!(host.serving().await, "15.0.0");
    ask("{:ok, _} = Vial.rollback(migrations: :revert, reason: \"500s\", wait: false)").await;
    host.until_deployment(3, |it| it == Status::Succeeded).await;
    assert_eq!(home(&host).await, (200, "14.0.0".into()));
    let rollback = host.deployment(3).await;
    assert_eq!((rollback.kind, rollback.reason.as_deref()), (Kind::Rollback, Some("500s")));
    assert!(rollback.actor.ends_with(" at shop_green@127.0.0.1"), "{}", rollback.actor);
    assert!(!applied(&host).await.contains(&MOVE_PRICES));
}

#[tokio::test(flavor = "multi_thread")]
async fn from_its_console_a_person_sees_the_rollback_through_until_the_node_is_stopped() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 14).await;
    deploy(&host, 15).await;
    let mut terminal = Terminal::open(&host, &["console", "shop"]);
    terminal.until_it_shows("iex(shop_green@127.0.0.1)1>");
    terminal.types(b"Vial.status()\r");
    terminal.until_it_shows("v15.0.0");
    terminal.types(b"Vial.rollback(migrations: :revert)\r");
    terminal.until_it_shows("v14.0.0");
    terminal.until_it_shows("will be stopped");
    host.until_deployment(3, |it| it == Status::Succeeded).await;
    figure!("the console showed:\n{}", terminal.screen);
    assert_eq!(home(&host).await, (200, "14.0.0".into()));
}

//! From inside the app: its own node sees what Vial sees, and takes a bad deploy back. The shops 14
//! and 15 have the library inside.

use vial_protocol::{Kind, Status};

use super::migrations::{MOVE_PRICES, applied, database_lines, deploy, home, with_database};
use super::{BAKING, QUICK};
use crate::figure;
use crate::support::releases::text;
use crate::support::terminal::Terminal;
use crate::support::{Host, SOON, archive};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_told_when_its_slot_loses_the_traffic_and_when_it_has_it_again() {
    let (mut host, folder) = with_database(QUICK).await;
    deploy(&host, 14).await;
    let register = "for {on, role} <- [on_active: :active, on_standby: :standby], \
                    do: apply(Vial, on, [fn -> :persistent_term.put(:role, role) end])";
    host.vial(&["rpc", "shop", register]).await.ends(0);
    let role = async |host: &Host, expected: &str| {
        let ask = "IO.inspect({Vial.slot(), Vial.active?(), :persistent_term.get(:role)})";
        let deadline = std::time::Instant::now() + SOON;
        loop {
            let said = host.vial(&["rpc", "shop", ask, "--slot", "blue"]).await.ends(0);
            if said.out.contains(expected) {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "{expected}\n{said}");
        }
    };
    role(&host, "{:blue, true, :active}").await;
    host.reconfigure(&database_lines(BAKING, folder.path(), "")).await;
    let path = archive(15);
    let args = ["deploy", "shop", text(&path), "--allow-destructive", "--detach"];
    host.vial(&args).await.ends(0);
    host.until_deployment(2, |it| it == Status::Baking).await;
    role(&host, "{:blue, false, :standby}").await;
    host.vial(&["rollback", "shop", "--revert-migrations"]).await.ends(0);
    role(&host, "{:blue, true, :active}").await;
    assert_eq!(home(&host).await, (200, "14.0.0".into()));
}

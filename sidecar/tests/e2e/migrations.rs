//! Migrations between two releases: what stands in the way, what is reverted, and what happens when
//! that fails. The shops from version 8 on have a database; v12 fails on the schema of v8 to v10,
//! and its health check does not see it.

use std::path::Path;

use nix::sys::signal::Signal;
use vial_protocol::migration::{Applied, MigrationsReport};
use vial_protocol::{Code, DatabasePlan, Plan, Slot, Status};

use super::{BAKING, QUICK};
use crate::figure;
use crate::support::releases::text;
use crate::support::terminal::Terminal;
use crate::support::{Host, archive, processes};

pub const MOVE_PRICES: u64 = 20_240_801_000_000;
const MIGRATES: &str = "migrate = \"Shop.Release.migrate()\"\nrepos = [\"Shop.Repo\"]";

/// A host whose shop has a database, and the folder that this lies in.
pub async fn with_database(lines: &str) -> (Host, tempfile::TempDir) {
    with_database_and(lines, "").await
}

/// The same, and what else the green slot's environment says.
async fn with_database_and(lines: &str, green: &str) -> (Host, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(folder.path(), open).unwrap();
    (Host::shop(&database_lines(lines, folder.path(), green)).await, folder)
}

/// What the file of an app says that has a database.
pub fn database_lines(lines: &str, folder: &Path, green: &str) -> String {
    let file = folder.join("shop.db");
    format!(
        "{lines}\n{MIGRATES}\n\
         slot_env = {{ blue = {{ SHOP_DB = {file:?} }}, green = {{ SHOP_DB = {file:?}{green} }} }}"
    )
}

pub async fn deploy(host: &Host, version: u32) {
    let path = archive(version);
    let args = ["deploy", "shop", text(&path), "--allow-destructive"];
    host.vial(&args).await.ends(0);
}

pub async fn home(host: &Host) -> (u16, String) {
    let page = host.get("shop", "/").await;
    (page.status, page.version)
}

pub async fn applied(host: &Host) -> Vec<u64> {
    let report: MigrationsReport =
        host.vial(&["migrations", "shop", "--json"]).await.ends(0).json();
    let up = report.migrations.iter().filter(|it| it.applied == Applied::Up);
    up.map(|it| it.version).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_additive_migration_is_left_alone_and_recorded_by_the_deploy_that_applied_it() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    host.vial(&["deploy", "shop", text(&archive(13))]).await.ends(0);
    let brought = host.deployment(2).await;
    assert_eq!(brought.applied.len(), 1, "{brought:#?}");
    assert_eq!(brought.applied[0].version, 20_241_225_000_000);
    let plan: Plan = host.vial(&["rollback", "shop", "--plan", "--json"]).await.ends(0).json();
    assert_eq!(plan.database, DatabasePlan::Keep, "{plan:#?}");
    host.vial(&["rollback", "shop"]).await.ends(0).says(&["Migrations unchanged: 1 that v12.0.0"]);
    assert_eq!(home(&host).await, (200, "12.0.0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destructive_deploy_wants_to_be_allowed_and_its_rollback_wants_to_be_told() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    host.vial(&["deploy", "shop", text(&archive(8))]).await.ends(3).says(&[
        "Not deployed: v8.0.0 (#2)",
        "drops products.price_cents",
        "v12.0.0 meets a schema that it does not know. Nothing has changed.",
        "--allow-destructive",
    ]);
    assert_eq!(host.deployment(2).await.status, Status::Cancelled);
    assert_eq!(home(&host).await, (200, "12.0.0".into()));
    deploy(&host, 8).await;
    assert_eq!(home(&host).await, (200, "8.0.0".into()));

    let refused = host.vial(&["rollback", "shop"]).await;
    figure!("a rollback over a destructive migration says:\n{}{}", refused.out, refused.err);
    refused.ends(3).says(&[
        "Not rolled back: v8.0.0",
        "drops products.price_cents",
        "v12.0.0 (#1) may fail on that schema. Nothing has changed.",
        "--revert-migrations",
        "--keep-migrations",
    ]);
    assert_eq!(home(&host).await, (200, "8.0.0".into()));

    // Kept: the release before it is there again, and its page is not.
    host.vial(&["rollback", "shop", "--keep-migrations"]).await.ends(0).says(&["v12.0.0 serves"]);
    assert_eq!(home(&host).await.0, 500);
    assert_eq!(host.get("shop", "/health").await.status, 200);
    // What was left can still revert them.
    let version = MOVE_PRICES.to_string();
    host.vial(&["migrations", "shop", "--down-to", &version])
        .await
        .ends(3)
        .says(&["v12.0.0 (#1) has no migration 20240801000000"]);
    let down = ["migrations", "shop", "--release", "3", "--down-to", &version];
    host.vial(&down).await.ends(0).says(&["Reverted 1 migration of v8.0.0", &version]);
    host.vial(&down).await.ends(0).says(&["Nothing had to be reverted"]);
    assert_eq!(home(&host).await, (200, "12.0.0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_older_release_does_not_know_is_reverted_before_the_switch() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    deploy(&host, 8).await;
    assert!(applied(&host).await.contains(&MOVE_PRICES));
    let said = host.vial(&["rollback", "shop", "--revert-migrations"]).await;
    figure!("a rollback that reverts says:\n{}", said.out);
    said.ends(0).says(&[
        "Migrating",
        "reverting",
        "Rolled back: v12.0.0",
        "Reverted: 20240801000000",
    ]);
    assert_eq!(home(&host).await, (200, "12.0.0".into()));
    assert!(!applied(&host).await.contains(&MOVE_PRICES));
    let rollback = host.deployment(3).await;
    let steps: Vec<Status> = rollback.steps.iter().map(|it| it.status).collect();
    assert_eq!(
        steps[..4],
        [Status::Starting, Status::Reverting, Status::Verifying, Status::Switching],
        "{rollback:#?}"
    );
    assert_eq!(rollback.reverts, [MOVE_PRICES]);
    host.vial(&["show", "shop", "3"]).await.ends(0).says(&["Reverted 20240801000000 (Shop.Repo)"]);
    host.vial(&["show", "shop", "2"]).await.ends(0).says(&["Applied 20240801000000 (Shop.Repo)"]);
    assert_eq!(rollback.reverted.len(), 1);
    // Forward again: the migration is applied before it starts.
    host.vial(&["rollback", "shop", "--to", "2"]).await.ends(0).says(&["v8.0.0 serves"]);
    assert_eq!(home(&host).await, (200, "8.0.0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_without_a_way_down_can_only_be_kept() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    deploy(&host, 9).await;
    host.vial(&["rollback", "shop"]).await.ends(3).says(&[
        "drops products.price_cents",
        "20240901000000 has no way down, so that reverting is not offered",
    ]);
    host.vial(&["rollback", "shop", "--revert-migrations"])
        .await
        .ends(3)
        .says(&["that migration has no way down. Nothing has changed.", "--keep-migrations"]);
    assert_eq!(home(&host).await, (200, "9.0.0".into()));
    host.vial(&["rollback", "shop", "--force"]).await.ends(0).says(&["v12.0.0 serves"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_down_that_fails_leaves_the_newer_release_and_says_what_is_down() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    deploy(&host, 10).await;
    let said = host.vial(&["rollback", "shop", "--revert-migrations"]).await;
    figure!("a revert that fails midway says:\n{}", said.err);
    said.ends(1).says(&[
        "Not rolled back: v10.0.0 still serves. The migrations were not reverted",
        "Down are now 20241002000000; not reverted: 20241001000000",
        "vial migrations shop --release 2 --up",
    ]);
    let failed = host.deployment(3).await;
    let code = failed.error.as_ref().map(|it| it.code);
    assert_eq!((failed.status, code), (Status::Failed, Some(Code::RevertFailed)));
    assert_eq!(failed.reverted.len(), 1, "{failed:#?}");
    assert_eq!(host.serving().await, "10.0.0");
    host.vial(&["migrations", "shop", "--release", "2", "--up"])
        .await
        .ends(0)
        .says(&["Applied 1 migration of v10.0.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_older_release_is_not_healthy_after_the_revert_the_schema_comes_back() {
    let (mut host, folder) = with_database(QUICK).await;
    deploy(&host, 11).await;
    deploy(&host, 8).await;
    let impatient = format!("{QUICK}\nhealth = {{ deadline = \"4s\" }}");
    host.reconfigure(&database_lines(&impatient, folder.path(), "")).await;
    host.vial(&["rollback", "shop", "--revert-migrations"])
        .await
        .ends(1)
        .says(&["Not rolled back: v8.0.0 still serves", "v11.0.0 was not healthy within"]);
    let failed = host.deployment(3).await;
    assert!(failed.steps.iter().any(|it| it.status == Status::Restoring), "{failed:#?}");
    assert_eq!(failed.reverted, [], "{failed:#?}");
    assert!(applied(&host).await.contains(&MOVE_PRICES));
    assert_eq!(home(&host).await, (200, "8.0.0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_somebody_else_holds_is_waited_for_a_while_and_nothing_is_changed() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    deploy(&host, 8).await;
    let holds = host.vial(&["rpc", "shop", "spawn(fn -> Shop.Release.hold_lock(60_000) end)"]);
    holds.await.ends(0);
    let began = std::time::Instant::now();
    let said = host.vial(&["rollback", "shop", "--revert-migrations"]).await;
    figure!("a revert behind a lock ends after {} s:\n{}", began.elapsed().as_secs(), said.err);
    said.ends(1).says(&["Nothing was reverted", "lock"]);
    assert_eq!(home(&host).await, (200, "8.0.0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_may_die_while_migrations_are_reverted() {
    let (mut host, _folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    deploy(&host, 8).await;
    let holds = host.vial(&["rpc", "shop", "spawn(fn -> Shop.Release.hold_lock(3_000) end)"]);
    holds.await.ends(0);
    host.vial(&["rollback", "shop", "--revert-migrations", "--detach"]).await.ends(0);
    host.until_deployment(3, |it| it == Status::Reverting).await;
    host.vial(&["cancel", "shop"]).await.ends(3).says(&["has touched the database"]);
    host.kill_daemon();
    host.start_daemon().await;
    host.until_deployment(3, |it| it == Status::Succeeded).await;
    assert_eq!(home(&host).await, (200, "12.0.0".into()));
    assert_eq!(host.deployment(3).await.reverted.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_rollback_the_release_that_was_left_reverts_in_a_clean_console() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    deploy(&host, 8).await;
    host.vial(&["rollback", "shop", "--keep-migrations"]).await.ends(0);
    assert_eq!(home(&host).await.0, 500);
    let mut terminal = Terminal::open(&host, &["console", "shop", "--release", "2"]);
    terminal.until_it_shows("A clean IEx on v8.0.0 (#2): no traffic");
    terminal.until_it_shows("iex(1)>");
    terminal.types(b"Ecto.Migrator.run(Shop.Repo, :down, to: 20240801000000)\r");
    terminal.until_it_shows("Shop.Repo.Migrations.MovePrices down");
    // What was reverted, between the colours of a list.
    terminal.until_it_shows("20240801000000\u{1b}");
    assert_eq!(home(&host).await, (200, "12.0.0".into()));
    terminal.types(b"List.keymember?(Application.started_applications(), :shop, 0)\r");
    terminal.until_it_shows("false");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_what_has_to_be_said_is_asked_for() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    let path = archive(8);
    let mut terminal = Terminal::open(&host, &["deploy", "shop", text(&path)]);
    terminal.until_it_shows("Deploy it all the same? [y/N]");
    terminal.types(b"n\r");
    terminal.until_it_shows("Nothing was changed.");
    assert_eq!(host.serving().await, "12.0.0");
    let mut terminal = Terminal::open(&host, &["deploy", "shop", text(&path)]);
    terminal.until_it_shows("Deploy it all the same? [y/N]");
    terminal.types(b"y\r");
    terminal.until_it_shows("v8.0.0 serves since");
    let mut terminal = Terminal::open(&host, &["rollback", "shop"]);
    terminal.until_it_shows("[k]eep the migrations, [r]evert them, or [C]ancel?");
    figure!("a terminal shows:\n{}", terminal.screen);
    terminal.types(b"\r");
    terminal.until_it_shows("Nothing was changed.");
    assert_eq!(host.serving().await, "8.0.0");
    let mut terminal = Terminal::open(&host, &["rollback", "shop"]);
    terminal.until_it_shows("or [C]ancel?");
    terminal.types(b"r\r");
    terminal.until_it_shows("Reverted: 20240801000000");
    assert_eq!(home(&host).await, (200, "12.0.0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_answer_any_more_has_its_migrations_reverted_beside_it() {
    let (host, _folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    deploy(&host, 8).await;
    let pid = host.pid("shop", Slot::Green).await.unwrap();
    processes::signal(pid, Signal::SIGSTOP);
    let said = host.vial(&["rollback", "shop", "--revert-migrations"]).await;
    said.ends(0).says(&["Rolled back: v12.0.0", "Reverted: 20240801000000"]);
    assert_eq!(home(&host).await, (200, "12.0.0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destructive_deploy_that_ends_before_the_switch_says_that_its_migration_stays() {
    let slow = ", SHOP_START_DELAY_MS = \"60000\"";
    let (mut host, folder) = with_database_and(QUICK, slow).await;
    deploy(&host, 12).await;
    let impatient = format!("{QUICK}\nhealth = {{ deadline = \"4s\" }}");
    host.reconfigure(&database_lines(&impatient, folder.path(), slow)).await;
    let path = archive(8);
    let args = ["deploy", "shop", text(&path), "--allow-destructive", "--detach"];
    host.vial(&args).await.ends(0);
    host.until_deployment(2, |it| it == Status::Starting).await;
    host.vial(&["cancel", "shop"]).await.ends(0);
    let says = |number: u64| {
        format!("`vial migrations shop --release {number} --down-to {MOVE_PRICES}` reverts")
    };
    host.vial(&["show", "shop", "2"]).await.ends(0).says(&[
        "It was cancelled after its migrations began.",
        "v12.0.0 may be failing: v8.0.0 (#2) drops products.price_cents",
        &says(2),
    ]);
    host.vial(&args[..4]).await.ends(1).says(&[
        "Not deployed: v12.0.0 still serves.",
        "was not healthy within",
        "v12.0.0 may be failing: v8.0.0 (#3) drops products.price_cents",
        &says(3),
    ]);
    assert_eq!(home(&host).await.0, 500);
    let version = MOVE_PRICES.to_string();
    host.vial(&["migrations", "shop", "--release", "3", "--down-to", &version]).await.ends(0);
    assert_eq!(home(&host).await, (200, "12.0.0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destructive_deploy_that_dies_in_its_bake_is_left_to_a_person_and_the_alarm_stays() {
    let (mut host, folder) = with_database(QUICK).await;
    deploy(&host, 12).await;
    host.reconfigure(&database_lines(BAKING, folder.path(), "")).await;
    let path = archive(8);
    let args = ["deploy", "shop", text(&path), "--allow-destructive", "--detach"];
    host.vial(&args).await.ends(0);
    host.until_deployment(2, |it| it == Status::Baking).await;
    let old = host.pid("shop", Slot::Blue).await.unwrap();
    processes::signal(host.pid("shop", Slot::Green).await.unwrap(), Signal::SIGKILL);
    host.until_deployment(2, |it| it == Status::Failed).await;
    let alarm = host.vial(&["status", "shop"]).await;
    figure!("the alarm:\n{}{}", alarm.out, alarm.err);
    alarm.says(&[
        "v8.0.0 failed after it went live and serves still: it was not taken back by itself",
        "drops products.price_cents",
        "v12.0.0 may fail on that schema",
        "vial rollback shop --plan",
    ]);
    assert_eq!(host.pid("shop", Slot::Blue).await, Some(old), "the old slot runs on");
    host.vial(&["rollback", "shop", "--revert-migrations"]).await.ends(0).says(&["v12.0.0 serves"]);
    assert_eq!(home(&host).await, (200, "12.0.0".into()));
}

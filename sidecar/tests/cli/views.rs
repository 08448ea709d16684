//! What a reader sees: tables and pages that fit 80 columns, whatever the names are.

use crate::fake::{Fake, at, daemon, deployment, refused, shop, shop_with, slot, vial};
use axum::routing::get;
use axum::{Json, Router};
use vial::cli::exit::Exit;
use vial::cli::look;
use vial_protocol::{
    Code, Deployment, Environment, Health, Kind, Problem, RollbackOffer, Slot, SlotState, Status,
    Variable,
};

fn fits(text: &str) {
    for line in text.lines() {
        assert!(look::width(line) <= 80, "{} columns: {line}", look::width(line));
        assert_eq!(line, line.trim_end(), "trailing spaces");
    }
}

#[tokio::test]
async fn the_status_of_an_app_shows_what_serves_and_whether_it_can_go_back() {
    let fake = Fake::new(Router::new().route("/v1/apps/shop", get(|| async { Json(shop()) })));
    let ran = vial(&fake.path(), "status shop").run().await;
    assert_eq!(ran.exit, Exit::Done);
    assert_eq!(
        ran.out,
        "\
shop: v2.0.0 serves since 03:12:01 (2 m ago) from green

  Slot     State    Health           Release      Port    Pid  Started
  ▸ green  running  ok, 200 in 3 ms  v2.0.0 (#7)  4001  41234  3 m ago
    blue   stopped                   v1.4.2 (#5)  4000

  Rollback     to v1.4.2 (#5): `vial rollback shop`
  Last         #7 deploy of v2.0.0 by anna: Succeeded 2 m ago
  Route        shop.example.com through Caddy (file)
"
    );
    fits(&ran.out);
}

#[tokio::test]
async fn the_environment_is_a_list_of_names_and_says_what_does_not_serve_yet() {
    let variable = |name: &str, secret| Variable {
        name: name.into(),
        secret,
        version: 3,
        set_at: at("03:12:00"),
        set_by: "anna".into(),
        value: None,
    };
    let environment = Environment {
        version: 3,
        serving: Some(2),
        pending: vec!["DATABASE_URL".into()],
        variables: vec![variable("DATABASE_URL", true), variable("POOL_SIZE", false)],
    };
    let route = get(move || async move { Json(environment) });
    let fake = Fake::new(Router::new().route("/v1/apps/shop/env", route));
    let ran = vial(&fake.path(), "env shop list").run().await;
    assert_eq!(ran.exit, Exit::Done);
    assert_eq!(
        ran.out,
        "\
Name          Marked  Version  Set    By
DATABASE_URL  secret  3        03:12  anna
POOL_SIZE             3        03:12  anna
Not in what serves yet: DATABASE_URL. `vial restart shop` starts it with today's, without a build.
"
    );
}

#[tokio::test]
async fn warnings_come_before_everything_but_the_headline() {
    let mut status = shop_with(deployment(Kind::Deploy, Status::Starting));
    status.warnings.push(
        Problem::new(Code::CrashLoop, "v2.0.0 has exited 4 times in the last minute.")
            .log(vec!["** (Boom)".into()])
            .next("`vial logs shop`"),
    );
    status.slots[1].restarts = 4;
    status.slots[1].state = SlotState::Backoff;
    status.slots[1].last_exit = Some("exited with status 1".into());
    status.rollback = RollbackOffer {
        target: None,
        refusal: Some(
            Problem::new(Code::InProgress, "Deployment #7 is in progress.")
                .next("`vial rollback shop --cancel`"),
        ),
    };
    let fake =
        Fake::new(Router::new().route("/v1/apps/shop", get(move || async move { Json(status) })));
    let ran = vial(&fake.path(), "status shop").run().await;
    assert_eq!(
        ran.out,
        "\
shop: v2.0.0 serves since 03:12:01 (2 m ago) from green
! v2.0.0 has exited 4 times in the last minute.
    │ ** (Boom)
  Next: `vial logs shop`

  Slot     State    Health           Release      Port    Pid  Started
  ▸ green  backoff  ok, 200 in 3 ms  v2.0.0 (#7)  4001  41234  3 m ago
    blue   stopped                   v1.4.2 (#5)  4000

  In progress  #7 deploy of v2.0.0 by anna: Deploying (starting) for 3 m 00 s
  Green        exited with status 1; started again 4 times
  Rollback     not now: Deployment #7 is in progress. Next: `vial rollback shop --cancel`
  Last         #7 deploy of v2.0.0 by anna: Succeeded 2 m ago
  Route        shop.example.com through Caddy (file)
"
    );
}

#[tokio::test]
async fn every_table_fits_80_columns_with_the_longest_names() {
    let long = "v".repeat(60) + "漢字";
    let mut status = shop_with(deployment(Kind::Deploy, Status::Baking));
    status.name = "an-app-with-a-name-as-long-as-forty-chars".into();
    status.serving.as_mut().unwrap().version = long.clone();
    status.route.as_mut().unwrap().hosts = vec!["shop.example.com".into(), long.clone()];
    for slot in &mut status.slots {
        slot.release.as_mut().unwrap().version = long.clone();
        slot.health = Some(Health {
            healthy: false,
            detail: "connection refused, and a long story about it".into(),
            since: at("03:00:00"),
        });
    }
    let mut rows: Vec<Deployment> = [Kind::Deploy, Kind::Rollback, Kind::Restart]
        .into_iter()
        .map(|kind| deployment(kind, Status::Succeeded))
        .collect();
    rows[0].status = Status::RolledBack;
    rows[0].rolled_back_by = Some(123_456);
    rows[1].number = 123_456;
    for row in &mut rows {
        row.release.as_mut().unwrap().version = long.clone();
        row.actor = "a.very.long.user.name".into();
        row.reason = Some("because\tthe \x1b]0;t\x07checkout\nfails for everyone".into());
        row.queued_at = "2026-02-28T22:00:00Z".parse().unwrap();
    }
    let (name, one) = (status.name.clone(), rows[0].clone());
    let fake = Fake::new(
        Router::new()
            .route("/v1/status", get(move || async move { Json(daemon(vec![status, shop()])) }))
            .route("/v1/apps/shop/deployments", get(move || async move { Json(rows) }))
            .route("/v1/apps/shop/deployments/7", get(move || async move { Json(one) })),
    );
    for arguments in ["status", "apps", "history shop"] {
        let ran = vial(&fake.path(), arguments).run().await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
        fits(&ran.out);
        assert!(!ran.out.contains('\x1b'));
        if arguments != "history shop" {
            assert!(ran.out.contains(&name[..5]), "{}", ran.out);
        }
        println!("$ vial {arguments}\n{}", ran.out);
    }
    let ran = vial(&fake.path(), "show shop 7").run().await;
    assert!(ran.out.contains("because the checkout fails for everyone"), "{}", ran.out);
}

#[tokio::test]
async fn the_history_names_kind_outcome_person_and_cause() {
    let mut failed = deployment(Kind::Deploy, Status::Failed);
    failed.number = 9;
    failed.error = Some(Problem::new(Code::Exited, "v2.0.0 still serves."));
    let mut rollback = deployment(Kind::Rollback, Status::Succeeded);
    rollback.number = 8;
    rollback.reason = None;
    let mut taken_back = deployment(Kind::Deploy, Status::RolledBack);
    taken_back.rolled_back_by = Some(8);
    let rows = vec![failed, rollback, taken_back];
    let fake = Fake::new(Router::new().route(
        "/v1/apps/shop/deployments",
        get(move |axum::extract::RawQuery(query): axum::extract::RawQuery| async move {
            assert_eq!(query.as_deref(), Some("before=10&limit=3"));
            Json(rows)
        }),
    ));
    let ran = vial(&fake.path(), "history shop -n 3 --before 10").run().await;
    assert_eq!(
        ran.out,
        "\
#  Kind      Release  Status             Slot   By    When     Took  Why
9  deploy    v2.0.0   Failed             green  anna  03:12  32.0 s  v2.0.0 sti…
8  rollback  v2.0.0   Succeeded          green  anna  03:12   1.6 s
7  deploy    v2.0.0   Rolled Back by #8  green  anna  03:12   1.6 s  new checko…
"
    );
}

#[tokio::test]
async fn one_deployment_is_shown_with_its_steps() {
    let fake = Fake::new(Router::new().route(
        "/v1/apps/shop/deployments/7",
        get(|| async { Json(deployment(Kind::Deploy, Status::Succeeded)) }),
    ));
    let ran = vial(&fake.path(), "show shop 7").run().await;
    assert_eq!(
        ran.out,
        "\
shop #7: deploy of v2.0.0, Succeeded

  Asked     03:12:00 (3 m ago) by anna
  Why       new checkout
  Slot      green
  Live      03:12:01, after 1.6 s
  Ended     03:12:32, after 32.0 s
  Replaced  #5
  Built by  ERTS 13.1.5, Elixir 1.14.0
  SHA-256   9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f

  Stage      Step       Began       Took
  Deploying  unpacking  03:12:00  412 ms
  Deploying  starting   03:12:00   1.1 s
  Verifying  verifying  03:12:01   20 ms
  Verifying  switching  03:12:01   40 ms
  Live       draining   03:12:01  360 ms
  Live       baking     03:12:02  30.0 s
"
    );
}

#[tokio::test]
async fn an_app_without_a_release_and_a_host_without_apps_say_how_to_begin() {
    let mut fresh = shop();
    fresh.serving = None;
    fresh.active = None;
    fresh.last = None;
    fresh.slots = vec![slot(Slot::Blue, SlotState::Stopped, None)];
    fresh.rollback = RollbackOffer {
        target: None,
        refusal: Some(Problem::new(
            Code::NothingToRollBackTo,
            "Nothing to roll back to: shop has no release.",
        )),
    };
    let fake = Fake::new(
        Router::new()
            .route("/v1/apps/shop", get(move || async move { Json(fresh) }))
            .route("/v1/status", get(|| async { Json(daemon(vec![])) }))
            .route("/v1/apps/shop/deployments", get(|| async { Json(Vec::<Deployment>::new()) })),
    );
    for (arguments, said) in [
        ("status shop", "shop has no release yet. `vial deploy shop PATH` brings one.\n"),
        ("status", "No apps yet. Next: `vial init APP`, then `vial reload`.\n"),
        ("apps", "No apps yet. Next: `vial init APP`, then `vial reload`.\n"),
        ("history shop", "shop has no deployment yet. Next: `vial deploy shop PATH`.\n"),
    ] {
        let ran = vial(&fake.path(), arguments).run().await;
        assert_eq!(ran.exit, Exit::Done);
        assert!(ran.out.starts_with(said), "{}", ran.out);
    }
}

#[tokio::test]
async fn json_is_the_protocol_itself_and_a_refusal_too() {
    let problem = Problem::new(Code::UnknownApp, "No app `web` here.").next("`vial apps`");
    let no_app = problem.clone();
    let fake = Fake::new(
        Router::new()
            .route("/v1/apps/shop", get(|| async { Json(shop()) }))
            .route("/v1/apps/web", get(move || async move { refused(&no_app) })),
    );
    let ran = vial(&fake.path(), "status shop --json").run().await;
    assert_eq!(serde_json::from_str::<vial_protocol::AppStatus>(&ran.out).unwrap(), shop());

    let ran = vial(&fake.path(), "status web --json").run().await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Refused, ""));
    assert_eq!(serde_json::from_str::<Problem>(&ran.out).unwrap(), problem);

    let ran = vial(&fake.path(), "status web").run().await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Refused, ""));
    assert_eq!(ran.err, "No app `web` here.\nNext: `vial apps`\n");
}

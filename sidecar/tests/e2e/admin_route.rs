//! The route through Caddy's admin API, end to end.

use vial_load::Load;

use super::under_load::target;
use crate::figure;
use crate::support::look::millis_to_live;
use crate::support::{Host, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn through_the_admin_api_a_release_is_deployed_and_taken_back_without_a_lost_request() {
    let lines = "bake = \"0s\"\ndrain = { timeout = \"5s\" }\nstop = { timeout = \"5s\" }";
    let mut host: Host = Setup::new().app("shop", lines).caddy("mode = \"admin\"").start().await;
    host.deploy(1).await;
    assert_eq!(host.status("shop").await.route.unwrap().mode, "admin");
    let load = Load::new(target(&host)).keep_alive(40, 4).fresh(20).slow(5, 300).start();
    host.deploy(2).await;
    assert_eq!(host.serving().await, "2.0.0");
    host.reconfigure(&lines.replace("0s", "10m")).await;
    host.deploy_until_live(1).await;
    host.vial(&["rollback", "shop"]).await.ends(0).says(&["v2.0.0 serves"]);
    assert_eq!(host.serving().await, "2.0.0");
    let report = load.stop().await;
    let rollback = host.deployment(4).await;
    figure!(
        "admin mode: {} requests, {} failed; a rollback within the bake was live after {} ms",
        report.sent(),
        report.failed(),
        millis_to_live(&rollback)
    );
    assert_eq!(report.failed(), 0, "{report}");
}

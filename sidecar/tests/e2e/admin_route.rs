//! The route through Caddy's admin API, end to end.
//!
//! A change of Caddy's configuration closes its idle keep-alive connections and may reset one that
//! waits in the old listener's queue: this mode loses those by its nature, and nothing else.

use vial_load::{Class, Load};

use super::under_load::target;
use crate::figure;
use crate::support::look::millis_to_live;
use crate::support::{Host, Setup};

/// Kept connections, each of which a switch may close under a request that was just sent.
const CONNECTIONS: u32 = 4;
/// Two deploys and a rollback, and one queued connection each.
const MOST: u64 = 3 * (CONNECTIONS as u64 + 1);

#[tokio::test(flavor = "multi_thread")]
async fn through_the_admin_api_a_switch_costs_closed_connections_and_no_request_in_flight() {
    let lines = "bake = \"0s\"\ndrain = { timeout = \"5s\" }\nstop = { timeout = \"5s\" }";
    let mut host: Host = Setup::new().app("shop", lines).caddy("mode = \"admin\"").start().await;
    host.deploy(1).await;
    assert_eq!(host.status("shop").await.route.unwrap().mode, "admin");
    let load = Load::new(target(&host)).keep_alive(40, CONNECTIONS).fresh(20).slow(5, 300).start();
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
    assert!(report.failed() <= MOST, "{report}");
    for failure in &report.failures {
        assert!(failure.what.ends_with("before the response"), "{failure:?}: {report}");
        assert_ne!(failure.class, Class::Slow, "a request in flight was cut off: {report}");
    }
}

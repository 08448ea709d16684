//! What other tools wait by default before and after they switch: from their documentation, not
//! measured. A rollback there is a deploy of an older release, so that these waits stand in it.

use crate::results::Elsewhere;

/// One row: the tool, what it waits for, where that is written.
const ROWS: [(&str, &str, &str); 6] = [
    (
        "Kamal",
        "asks /up once a second until it answers (`deploy_timeout` 30 s); drains for up to 30 s",
        "basecamp/kamal: lib/kamal/configuration/docs/{proxy,configuration}.yml",
    ),
    (
        "Dokku",
        "10 s after the start of a container, before the switch; 60 s before the old one is ended",
        "dokku.com/docs/deployment/zero-downtime-deploys",
    ),
    (
        "Nomad",
        "10 s of health (`min_healthy_time`) before an allocation counts",
        "developer.hashicorp.com/nomad/docs/job-specification/update",
    ),
    (
        "DeployEx",
        "looks every 5 s for what to deploy (`deploy_schedule_interval_ms`); gives up after 10 min",
        "thiagoesteves/deployex: guides/docs/yaml/README.md",
    ),
    (
        "Coolify",
        "for the container's own health check, at Docker's interval; without one, for its start",
        "coolify.io/docs/applications/deployments/rolling-updates",
    ),
    (
        "Potions",
        "starts the previous slot's release and checks its health; \"in seconds\", no figures",
        "potions.io/docs/rollbacks",
    ),
];

/// When all of them were read.
const READ: &str = "2026-11-30";

/// The rows.
#[must_use]
pub fn waits() -> Vec<Elsewhere> {
    let row = |(tool, waits, source): &(&str, &str, &str)| Elsewhere {
        tool: (*tool).into(),
        waits: (*waits).into(),
        source: (*source).into(),
        read: READ.into(),
    };
    ROWS.iter().map(row).collect()
}

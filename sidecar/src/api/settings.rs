//! What an app's file says, for those who look.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use vial_protocol::Slot;
use vial_protocol::settings::{Port, Settings, SourceSettings};

use super::Shared;
use super::caller::Caller;
use super::openapi::{OfApp, Refusals};
use crate::build::address::Address;
use crate::config::{AppConfig, HostConfig, Source};

/// The configuration of an app, as the daemon has read it.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/settings",
    operation_id = "settings",
    params(OfApp),
    responses((status = 200, description = "As the daemon has read it", body = Settings), Refusals)
)]
pub(super) async fn settings(
    State(shared): State<Shared>,
    Caller { app, .. }: Caller,
) -> Json<Settings> {
    Json(told(&app.context().config, &shared.host))
}

fn told(config: &AppConfig, host: &HostConfig) -> Settings {
    let port = |slot| config.port(slot).map(|port| Port { slot, port });
    Settings {
        file: host.apps_dir.join(format!("{}.toml", config.name)).display().to_string(),
        user: config.user.as_ref().map(|it| it.name.clone()),
        hosts: config.hosts.clone(),
        ports: Slot::BOTH.into_iter().filter_map(port).collect(),
        health: config.health.words(),
        verify: config.verify.clone(),
        drain_ms: millis(config.drain_timeout),
        stop_ms: millis(config.stop_timeout),
        bake_ms: millis(config.bake),
        standby: config.standby.mode.to_string(),
        standby_ms: millis(config.standby.lasts),
        start: config.start.as_str().into(),
        mode: config.mode.map(|it| it.as_str().into()),
        keep_releases: config.keep_releases,
        migrate: config.migrate.clone(),
        repos: config.repos.clone(),
        source: config.source.as_ref().map(|it| source(&config.name, it, host)),
    }
}

fn source(app: &str, source: &Source, host: &HostConfig) -> SourceSettings {
    SourceSettings {
        git: Address::parse(&source.git).bare,
        branch: source.branch.clone(),
        build: source.build.iter().map(|it| without_arguments(it)).collect(),
        hook: host.hooks.map(|_| format!("/hooks/{app}")),
    }
}

/// A command as everybody may see it: what Vial runs by itself is no secret, an argument of another
/// one may be.
fn without_arguments(command: &str) -> String {
    if Source::is_usual_command(command) {
        return command.into();
    }
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    // A variable that is set before the program has its value there.
    let program = program.split_once('=').map_or(program, |(name, _)| name);
    if words.next().is_none() { program.into() } else { format!("{program} …") }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_without_what_may_be_a_secret() {
        for (command, shown) in [
            ("mix deps.get --only prod", "mix deps.get --only prod"),
            ("mix hex.organization auth acme --key s3cret", "mix …"),
            ("TOKEN=s3cret ./fetch", "TOKEN …"),
            ("TOKEN=s3cret", "TOKEN"),
            ("./build", "./build"),
        ] {
            assert_eq!(without_arguments(command), shown);
        }
    }
}

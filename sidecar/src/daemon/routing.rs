//! An app's route, as the configuration and the state folder describe it.

use std::str::FromStr;

use crate::app::paths::Layout;
use crate::config::{self, AppConfig, HostConfig};
use crate::route::{self, BadAddress};

/// What an app's route is made from; absent for a worker. `token` is the app's secret of
/// [`crate::app::paths::AppLayout::probe`].
///
/// # Errors
/// Where an address of the configuration cannot be connected to.
pub fn settings(
    host: &HostConfig,
    layout: &Layout,
    app: &AppConfig,
    token: &str,
) -> Result<Option<route::Settings>, BadAddress> {
    let Some(ports) = app.ports.filter(|_| !app.is_worker()) else { return Ok(None) };
    let caddy = &host.caddy;
    Ok(Some(route::Settings {
        app: app.name.clone(),
        folder: layout.route(&app.name),
        ports: route::Ports { blue: ports.blue, green: ports.green },
        hosts: app.hosts.clone(),
        token: route::Token::new(token),
        admin: caddy.admin.as_ref().map(parse).transpose()?,
        probe: caddy.probe.as_ref().map(parse).transpose()?,
        mode: match caddy.mode {
            config::RouteMode::File => route::Mode::File,
            config::RouteMode::Admin => route::Mode::Admin { dial_host: "127.0.0.1".into() },
        },
    }))
}

/// An address of the configuration as the route has it: the text is what both agree on.
fn parse<T: FromStr>(address: &config::Address) -> Result<T, T::Err> {
    address.to_string().parse()
}

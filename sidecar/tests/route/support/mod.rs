//! A stage for the route's tests: two upstreams, a real Caddy, and a light load, each on free
//! loopback ports and in a folder of its own.

pub mod caddy;
pub mod client;
#[path = "../../support/ports.rs"]
pub mod ports;
pub mod upstream;

use std::path::PathBuf;

use tempfile::TempDir;
use vial::route::{Address, Mode, Ports, Route, Settings, Token};

pub use caddy::Caddy;
pub use upstream::Upstream;

/// Two upstreams and a folder; a Caddy is started on it as each test wants.
pub struct Stage {
    pub blue: Upstream,
    pub green: Upstream,
    pub admin: u16,
    pub site: u16,
    pub folder: TempDir,
}

impl Stage {
    pub async fn new() -> Stage {
        Stage {
            blue: Upstream::start("blue").await,
            green: Upstream::start("green").await,
            admin: ports::free(),
            site: ports::free(),
            folder: tempfile::Builder::new().prefix("vial-route-").tempdir().unwrap(),
        }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn settings(&self) -> Settings {
        Settings {
            app: "shop".into(),
            folder: self.path("state/route/shop"),
            ports: Ports { blue: self.blue.port, green: self.green.port },
            hosts: vec!["localhost".into()],
            token: Token::new("a secret that is long enough"),
            admin: Some(Address::Tcp(([127, 0, 0, 1], self.admin).into())),
            probe: None,
            mode: Mode::File,
        }
    }

    pub fn admin_settings(&self) -> Settings {
        Settings { mode: Mode::Admin { dial_host: "127.0.0.1".into() }, ..self.settings() }
    }

    /// A prepared route, and a Caddy that serves the plain site with its snippet.
    pub async fn plain(&self, settings: Settings) -> (Route, Caddy) {
        let route = self.prepared(settings);
        let caddy = self.caddy(&self.plain_site(&route)).await;
        (route, caddy)
    }

    pub fn prepared(&self, settings: Settings) -> Route {
        let route = Route::new(settings).unwrap();
        route.prepare().unwrap();
        route
    }

    pub fn plain_site(&self, route: &Route) -> String {
        format!("http://localhost:{} {{\n{}\n}}\n", self.site, route.settings().import_line())
    }

    /// Starts Caddy with these sites and the admin endpoint on a TCP port.
    pub async fn caddy(&self, sites: &str) -> Caddy {
        self.caddy_with(&format!("admin 127.0.0.1:{}", self.admin), sites).await
    }

    /// Starts Caddy with these global options and sites.
    pub async fn caddy_with(&self, global: &str, sites: &str) -> Caddy {
        self.write_caddyfile(global, sites);
        Caddy::start(self.folder.path(), &["--config", "Caddyfile", "--adapter", "caddyfile"]).await
    }

    pub fn write_caddyfile(&self, global: &str, sites: &str) {
        let text = format!(
            "{{\n{global}\nskip_install_trust\nlocal_certs\nauto_https disable_redirects\n}}\n{sites}"
        );
        std::fs::write(self.path("Caddyfile"), text).unwrap();
    }

    /// The body of `/` through Caddy on a connection of its own.
    pub async fn who(&self) -> String {
        client::get(self.site, "/").await.unwrap()
    }
}

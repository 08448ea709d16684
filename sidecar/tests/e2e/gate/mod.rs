//! Who gets in by the dashboard's address, against the running daemon: a test for each sentence of it.
//!
//! [`browser`] asks as a browser does, or as somebody who is none; [`table`] has everybody ask for
//! everything.

mod browser;

mod audit;
mod commands;
mod door;
mod links;
mod logins;
mod sessions;
mod setup;
mod table;
mod tokens;

use vial_protocol::access::{NewUser, Role};

use self::browser::{Answer, Browser};
use super::QUICK;
use crate::support::{Host, Setup, ports};

/// Everybody's password here.
const PASSWORD: &str = "correct horse battery staple";

/// A host with a dashboard.
struct Stage {
    host: Host,
    port: u16,
}

impl Stage {
    /// With the app `shop` and a user of each role, called as it.
    async fn new() -> Stage {
        Stage::with("").await
    }

    /// The same with more under `[dashboard]`.
    async fn with(lines: &str) -> Stage {
        let port = ports::free();
        let dashboard = format!("[dashboard]\nlisten = \"127.0.0.1:{port}\"\n{lines}");
        let mut host = Setup::new().app("shop", QUICK).host(&dashboard).write();
        host.start_daemon().await;
        let stage = Stage { host, port };
        for role in Role::ALL {
            stage.user(role.as_str(), role).await;
        }
        stage.until_it_listens().await;
        stage
    }

    async fn until_it_listens(&self) {
        let deadline = std::time::Instant::now() + crate::support::SOON;
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(
                std::time::Instant::now() < deadline,
                "no dashboard: {}",
                self.host.daemon_log()
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    async fn user(&self, name: &str, role: Role) {
        let user = NewUser { name: name.into(), role, password: PASSWORD.into() };
        self.host.client.add_user(&user).await.unwrap();
    }

    /// A browser that nobody has logged in with.
    fn browser(&self) -> Browser {
        Browser::new(self.port)
    }

    /// A browser of the user with this role.
    async fn logged_in(&self, role: Role) -> Browser {
        let mut browser = self.browser();
        browser.log_in(role.as_str(), PASSWORD).await.is(200);
        browser
    }

    /// The same, and the password was given again.
    async fn fresh(&self, role: Role) -> Browser {
        let browser = self.logged_in(role).await;
        browser.confirm(PASSWORD).await.is(200);
        browser
    }

    /// A program with a token of this role.
    async fn program(&self, role: Role) -> Browser {
        let made = self.token(role.as_str(), role).await;
        self.browser().with_token(&made.secret)
    }

    async fn token(&self, name: &str, role: Role) -> vial_protocol::access::NewToken {
        let asked = vial_protocol::access::AskToken { name: name.into(), role, days: 1 };
        self.host.client.add_token(&asked).await.unwrap()
    }

    /// Changes what the daemon keeps, as time would.
    fn sql(&self, sql: &str) {
        let database = rusqlite::Connection::open(self.host.state.join("vial.db")).unwrap();
        database.busy_timeout(crate::support::SOON).unwrap();
        database.execute_batch(sql).unwrap();
    }
}

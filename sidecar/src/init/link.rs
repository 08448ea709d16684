//! The link by which the first user comes into the dashboard.

use std::env;
use std::time::Duration;

use nix::unistd::{User, getuid};
use vial::client::Client;
use vial::config::HostConfig;
use vial_protocol::access::{AskLink, Role};

/// A daemon that is busy is not waited for: the command is shown instead.
const PATIENCE: Duration = Duration::from_secs(5);

/// A link for whoever types this, where nobody can log in yet and the daemon lets them make one.
pub(super) fn first(host: &HostConfig) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let asked = AskLink { name: person()?, role: Role::Admin };
    runtime.block_on(async {
        let client = Client::new(host.socket());
        let made = tokio::time::timeout(PATIENCE, async {
            let none = client.users().await.ok()?.is_empty();
            if none { client.add_link(&asked).await.ok() } else { None }
        });
        made.await.ok()?.map(|it| it.url)
    })
}

/// Who types this, also behind sudo.
fn person() -> Option<String> {
    let sudo = env::var("SUDO_USER").ok().filter(|it| !it.is_empty());
    sudo.or_else(|| User::from_uid(getuid()).ok().flatten().map(|it| it.name))
}

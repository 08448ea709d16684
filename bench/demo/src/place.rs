//! A folder of our own with all that a daemon and a Caddy need to live beside every other.

use std::collections::hash_map::RandomState;
use std::fs::{self, Permissions};
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vial::slot::User;
use vial_protocol::Slot;

use crate::trouble::{Trouble, trying};

/// The app's name.
pub const APP: &str = "shop";
/// The host name that Caddy serves it under. What ends in `.localhost` needs no DNS.
pub const HOST: &str = "shop.localhost";

/// How the app is configured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whom its slots run as; needed where we are root.
    pub user: Option<String>,
    /// `bake`, as in the app's file.
    pub bake: &'static str,
    /// `drain.timeout`, as in the app's file.
    pub drain: &'static str,
    /// What else the app's file says.
    pub more: String,
}

/// The folder, and the ports that were free when it was made.
pub struct Place {
    folder: TempDir,
    /// What Caddy listens on for visitors.
    pub http: u16,
    /// Caddy's admin port.
    pub admin: u16,
    /// The port of the daemon's epmd.
    pub epmd: u16,
    /// What the daemon serves the dashboard on.
    pub dashboard: u16,
    blue: u16,
    green: u16,
}

impl Place {
    /// Makes the folder, with the configuration in it.
    ///
    /// # Errors
    /// Where the system does not let us.
    pub fn make(settings: &Settings) -> Result<Place, Trouble> {
        let folder = tempfile::Builder::new()
            .prefix("vial-demo-")
            // Caddy and the app's user pass through.
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .map_err(trying("a temporary folder"))?;
        let ports = free_ports(6)?;
        let &[http, admin, epmd, dashboard, blue, green] = ports.as_slice() else {
            return Err(Trouble::Waited { what: "finding free ports".into(), seconds: 1 });
        };
        let place = Place { folder, http, admin, epmd, dashboard, blue, green };
        place.write(settings).map_err(trying(place.root().display().to_string()))?;
        Ok(place)
    }

    fn write(&self, settings: &Settings) -> std::io::Result<()> {
        let Place { http, admin, epmd, dashboard, .. } = self;
        fs::write(
            self.config(),
            format!(
                "state_dir = \"state\"\nrun_dir = \"run\"\nepmd_port = {epmd}\n\n\
                 [caddy]\nadmin = \"127.0.0.1:{admin}\"\n\n\
                 [dashboard]\nlisten = \"127.0.0.1:{dashboard}\"\n"
            ),
        )?;
        fs::create_dir(self.root().join("apps"))?;
        self.write_app(settings)?;
        let snippet = self.state().join("route").join(APP).join("Caddyfile");
        fs::write(
            self.caddyfile(),
            format!(
                "{{\n\tadmin 127.0.0.1:{admin}\n\tauto_https off\n}}\n\n\
                 http://{HOST}:{http} {{\n\tbind 127.0.0.1\n\timport {}\n}}\n",
                snippet.display()
            ),
        )
    }

    /// Writes the app's file anew; whoever reads it must be told.
    ///
    /// # Errors
    /// Where the system does not let us.
    pub fn write_app(&self, settings: &Settings) -> std::io::Result<()> {
        let Place { blue, green, .. } = self;
        let Settings { user, bake, drain, more } = settings;
        let user = user.as_ref().map_or_else(String::new, |it| format!("user = {it:?}\n"));
        fs::write(
            self.root().join("apps/shop.toml"),
            format!(
                "name = \"{APP}\"\n{user}ports = {{ blue = {blue}, green = {green} }}\n\
                 hosts = [\"{HOST}\"]\nbake = \"{bake}\"\ndrain = {{ timeout = \"{drain}\" }}\n\
                 {more}\n"
            ),
        )
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The daemon's configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root().join("vial.toml")
    }

    /// The daemon's state folder.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root().join("state")
    }

    /// The daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.root().join("run/vial.sock")
    }

    /// Caddy's configuration.
    #[must_use]
    pub fn caddyfile(&self) -> PathBuf {
        self.root().join("Caddyfile")
    }

    /// Makes a folder that a user may write in.
    ///
    /// # Errors
    /// Where the system does not let us.
    pub fn folder_of(&self, name: &str, user: Option<&User>) -> Result<PathBuf, Trouble> {
        let path = self.root().join(name);
        let made = fs::create_dir_all(&path).and_then(|()| match user {
            Some(user) => std::os::unix::fs::chown(&path, Some(user.uid), Some(user.gid)),
            None => Ok(()),
        });
        made.map_err(trying(path.display().to_string()))?;
        Ok(path)
    }

    /// What Caddy listens on for visitors.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.http))
    }

    /// A slot's port.
    #[must_use]
    pub fn port(&self, slot: Slot) -> u16 {
        match slot {
            Slot::Blue => self.blue,
            Slot::Green => self.green,
        }
    }

    /// Removes the folder.
    ///
    /// # Errors
    /// Where the system does not let us.
    pub fn remove(self) -> Result<(), Trouble> {
        let path = self.root().display().to_string();
        self.folder.close().map_err(trying(path))
    }
}

/// Ports that nobody listens on, below those that the kernel gives to outgoing connections.
///
/// # Errors
/// Where there are too few.
pub fn free_ports(count: usize) -> Result<Vec<u16>, Trouble> {
    const RANGE: std::ops::Range<u16> = 10_000..30_000;
    const TRIES: usize = 1000;
    // All are held until all are found, so that they differ.
    let mut held = Vec::new();
    for _ in 0..TRIES + count {
        if held.len() == count {
            return Ok(held.iter().map(|(_, port)| *port).collect());
        }
        let random =
            RandomState::new().build_hasher().finish() % u64::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(random).unwrap_or_default();
        // A listener on any address would be met by a bind to loopback only in part.
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
            held.push((listener, port));
        }
    }
    Err(Trouble::Waited { what: "finding free ports".into(), seconds: 1 })
}

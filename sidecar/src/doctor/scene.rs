//! What everything is judged from: one look at the configuration, the daemon and the history.

use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::geteuid;
use vial_protocol::{AppStatus, DaemonStatus};

use super::Request;
use super::access::Who;
use crate::app::paths::Layout;
use crate::client::{Client, ClientError, Why};
use crate::config::{AppConfig, Config, ConfigError, DEFAULT_FILE};
use crate::store::StoreError;
use crate::store::peek::{Peek, peek};

/// How long the daemon may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was seen.
pub(super) struct Scene {
    /// The host's configuration file.
    pub(super) file: PathBuf,
    /// The socket that was called.
    pub(super) socket: PathBuf,
    /// The configuration, as this Vial reads it.
    pub(super) config: Result<Config, ConfigError>,
    /// What the daemon says.
    pub(super) daemon: Result<DaemonStatus, ClientError>,
    /// Who listens on the socket, by the kernel.
    pub(super) listener: Option<Listener>,
    /// Whom the daemon runs as, or would.
    pub(super) daemon_user: Who,
    /// Whom this command runs as.
    pub(super) own_user: Who,
    /// The history; absent where there is none yet, or it is closed to us.
    pub(super) history: Option<Result<Peek, StoreError>>,
}

/// The daemon, by what the kernel says of its socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listener {
    pub(super) pid: u32,
    pub(super) uid: u32,
}

/// The scene where the host's configuration can be read.
#[derive(Clone, Copy)]
pub(super) struct SetUp<'a> {
    pub(super) scene: &'a Scene,
    pub(super) config: &'a Config,
}

impl Scene {
    /// Looks.
    pub(super) async fn look(request: &Request) -> Scene {
        let client = Client::new(&request.socket);
        let daemon = match tokio::time::timeout(PATIENCE, client.status()).await {
            Ok(answered) => answered,
            Err(_) => Err(ClientError::Unreachable {
                path: request.socket.clone(),
                why: Why::Silent(PATIENCE.as_secs()),
            }),
        };
        let file = std::path::absolute(&request.file).unwrap_or_else(|_| request.file.clone());
        let own = geteuid().as_raw();
        let listener = daemon.as_ref().ok().and_then(|it| listener(&request.socket, it.pid));
        // What the configuration may say depends on whether the daemon is root, and where the
        // history is, on the configuration.
        let first = Config::load_as(&file, listener.map_or(own, |listener| listener.uid) == 0);
        let database =
            first.as_ref().ok().map(|config| Layout::new(&config.host.state_dir).database());
        let owner = database.as_deref().and_then(|path| path.metadata().ok()).map(|it| it.uid());
        let uid = listener.map(|listener| listener.uid).or(owner).unwrap_or(own);
        let config = match listener {
            None if (uid == 0) != (own == 0) => Config::load_as(&file, uid == 0),
            _ => first,
        };
        let history = database
            .filter(|path| path.exists() && (own == 0 || own == uid))
            .map(|path| peek(&path));
        Scene {
            file,
            socket: request.socket.clone(),
            config,
            daemon,
            listener,
            daemon_user: Who::of(uid),
            own_user: Who::of(own),
            history,
        }
    }

    /// The scene, where there is a configuration to judge it by.
    pub(super) fn set_up(&self) -> Option<SetUp<'_>> {
        self.config.as_ref().ok().map(|config| SetUp { scene: self, config })
    }

    /// Whether we may look at what is the daemon's alone.
    pub(super) fn sees_all(&self) -> bool {
        self.own_user.uid == 0 || self.own_user.uid == self.daemon_user.uid
    }

    /// How the daemon is started.
    pub(super) fn start(&self, verb: &str) -> String {
        if self.is_usual() {
            format!("`systemctl {verb} vial`")
        } else {
            format!("`systemctl {verb} vial`, or `vial serve` where no unit runs it")
        }
    }

    /// A cure with its commands as they must be typed for this configuration.
    pub(super) fn typed(&self, cure: &str) -> String {
        if self.is_usual() {
            return cure.to_owned();
        }
        cure.replace("`vial ", &format!("`vial --config {} ", self.file.display()))
    }

    fn is_usual(&self) -> bool {
        self.file == Path::new(DEFAULT_FILE)
    }
}

impl<'a> SetUp<'a> {
    /// Where things are.
    pub(super) fn layout(&self) -> Layout {
        Layout::new(&self.config.host.state_dir)
    }

    /// Each app, by name.
    pub(super) fn apps(&self) -> impl Iterator<Item = &'a AppConfig> + use<'a> {
        self.config.apps.values()
    }

    /// The file of an app.
    pub(super) fn file_of(&self, app: &str) -> PathBuf {
        self.config.host.apps_dir.join(format!("{app}.toml"))
    }

    /// What the daemon says of an app; absent where it is away or does not know it.
    pub(super) fn status(&self, app: &str) -> Option<&'a AppStatus> {
        self.scene.daemon.as_ref().ok()?.apps.iter().find(|status| status.name == app)
    }

    /// The history, where it can be read.
    pub(super) fn history(&self) -> Option<&'a Peek> {
        self.scene.history.as_ref()?.as_ref().ok()
    }
}

/// The kernel names whoever opened the socket. Where that was systemd, for the daemon, the daemon's
/// own word must do for which process it is.
fn listener(socket: &Path, daemon: u32) -> Option<Listener> {
    let stream = UnixStream::connect(socket).ok()?;
    let peer = getsockopt(&stream.as_fd(), PeerCredentials).ok()?;
    if peer.pid() == 1 {
        let process = std::fs::metadata(format!("/proc/{daemon}")).ok()?;
        return Some(Listener { pid: daemon, uid: process.uid() });
    }
    Some(Listener { pid: u32::try_from(peer.pid()).ok()?, uid: peer.uid() })
}

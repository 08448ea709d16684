//! The Erlang port mapper: which node listens on which port.
//!
//! A release would start one by itself, as part of its own family; stopping that slot would then
//! take the names of all others with it. So Vial starts it first, in a session of its own and
//! without the marker, on a port of the daemon's own.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::cgroup;
use super::exit::Exit;
use super::process::Process;
use super::spawn::{Output, SpawnError, Spec, User, spawn};
use crate::patience::{attended, within};

/// How long one may take to listen, and to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// As much of an answer as is read: some thousand names.
const ANSWER: u64 = 256 << 10;

/// The epmd that a daemon wants to be there.
#[derive(Debug, Clone)]
pub struct Epmd {
    /// The `vial` binary.
    pub binary: PathBuf,
    /// The program: see [`program_of`].
    pub program: PathBuf,
    /// The port.
    pub port: u16,
    /// Whether other hosts may ask it.
    pub open: bool,
    /// Whom it runs as. A release's own epmd must not run as root: its maker would be root.
    pub user: Option<User>,
    /// Where it writes what goes wrong.
    pub log: PathBuf,
}

/// A name that epmd knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Without its host: `shop_blue`.
    pub name: String,
    /// The port of its distribution.
    pub port: u16,
}

/// Why there is no epmd; for the deployment's error.
#[derive(Debug, thiserror::Error)]
pub enum EpmdError {
    /// It could not be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It ended.
    #[error("epmd {exit} when it was started for port {port}. See {}.", log.display())]
    Exited {
        /// How.
        exit: Exit,
        /// The port.
        port: u16,
        /// Its log.
        log: PathBuf,
    },
    /// It does not listen.
    #[error("epmd does not answer on port {port}. See {}.", log.display())]
    Silent {
        /// The port.
        port: u16,
        /// Its log.
        log: PathBuf,
    },
}

/// The epmd in an unpacked release; the host's own where the release brings none.
#[must_use]
pub fn program_of(release: &Path) -> PathBuf {
    let folders = std::fs::read_dir(release).into_iter().flatten().flatten();
    let erts = folders.filter(|folder| folder.file_name().to_string_lossy().starts_with("erts-"));
    erts.map(|folder| folder.path().join("bin/epmd"))
        .find(|program| program.is_file())
        .unwrap_or_else(|| "epmd".into())
}

/// Sees to it that an epmd answers. The process, where one was started: it outlives us.
///
/// # Errors
/// Where none answers in the end.
pub async fn ensure(epmd: &Epmd) -> Result<Option<Process>, EpmdError> {
    match names(epmd.port).await {
        Ok(_) => Ok(None),
        Err(_) => start(epmd).await,
    }
}

/// Starts one where none answers. The process; `None` where someone else was faster.
///
/// # Errors
/// Where none answers in the end.
pub async fn start(epmd: &Epmd) -> Result<Option<Process>, EpmdError> {
    let mut args = vec!["-port".into(), epmd.port.to_string().into()];
    if !epmd.open {
        args.extend(["-address".into(), "127.0.0.1".into()]);
    }
    let waiting = spawn(&Spec {
        binary: epmd.binary.clone(),
        program: epmd.program.clone(),
        args,
        env: vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())],
        cwd: "/".into(),
        user: epmd.user.clone(),
        output: Output::Append(epmd.log.clone()),
        restraint: None,
    })?;
    if let Err(error) = cgroup::place_epmd(waiting.identity.pid) {
        tracing::warn!(%error, "epmd stays in the daemon's own cgroup");
    }
    let process = waiting.open()?;
    let answered = async {
        let mut pause = Duration::from_millis(2);
        while names(epmd.port).await.is_err() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    };
    let (port, log) = (epmd.port, epmd.log.clone());
    tokio::select! {
        () = answered => Ok(Some(process)),
        exit = process.exited() => match names(port).await {
            // Someone else was faster.
            Ok(_) => Ok(None),
            Err(_) => Err(EpmdError::Exited { exit, port, log }),
        },
        () = attended(PATIENCE) => Err(EpmdError::Silent { port, log }),
    }
}

/// Asks the epmd on a port which nodes it knows.
///
/// # Errors
/// Where none answers, or not as an epmd does.
pub async fn names(port: u16) -> io::Result<Vec<Node>> {
    let ask = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        // NAMES_REQ: two bytes of length, and the request's number.
        stream.write_all(&[0, 1, 110]).await?;
        let answered_by = stream.read_u32().await?;
        if answered_by != u32::from(port) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not an epmd"));
        }
        let mut text = Vec::new();
        stream.take(ANSWER).read_to_end(&mut text).await?;
        Ok(String::from_utf8_lossy(&text).lines().filter_map(node).collect())
    };
    within(PATIENCE, ask).await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
}

/// From `name shop_blue at port 40123`.
fn node(line: &str) -> Option<Node> {
    let (name, port) = line.strip_prefix("name ")?.rsplit_once(" at port ")?;
    Some(Node { name: name.to_owned(), port: port.trim().parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_an_answer_is_a_node_or_nothing() {
        let node_of = |line| node(line).map(|node| (node.name, node.port));
        assert_eq!(node_of("name shop_blue at port 40123"), Some(("shop_blue".into(), 40123)));
        assert_eq!(node_of("name x at port 70000"), None);
        assert_eq!(node_of("nonsense"), None);
    }

    #[test]
    fn a_releases_own_epmd_is_preferred_to_the_hosts() {
        let release = tempfile::tempdir().unwrap();
        assert_eq!(program_of(release.path()), Path::new("epmd"));
        let bin = release.path().join("erts-13.1.5/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("epmd"), "").unwrap();
        assert_eq!(program_of(release.path()), bin.join("epmd"));
    }
}

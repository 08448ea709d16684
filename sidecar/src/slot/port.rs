//! Who listens on a slot's port.
//!
//! A health check that answers proves nothing if another process holds the port: the switch would
//! then send the traffic to a stranger.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::identity::{Identity, sight};
use super::listening;

/// Who would take a connection to `127.0.0.1:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its pid; absent where its owner is another user's, whom we may not look at.
    pub pid: Option<u32>,
    /// The name of its program.
    pub name: Option<String>,
}

/// Why a port is not the slot's own; for the deployment's error.
#[derive(Debug, thiserror::Error)]
pub enum NotOurs {
    /// Another process listens.
    #[error(
        "Port {port} is held by {}, which does not belong to this slot. \
         End it, or give the slot another port.",
        describe(listener)
    )]
    Stranger {
        /// The port.
        port: u16,
        /// Who listens.
        listener: Listener,
    },
    /// Nobody listens.
    #[error(
        "Nothing listens on 127.0.0.1:{port}. The release must listen on the port that the \
         variable PORT names."
    )]
    Nobody {
        /// The port.
        port: u16,
    },
    /// Neither the kernel can be asked nor `/proc` be read.
    #[error("Who listens on port {port} cannot be found out: {source}.")]
    Look {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
}

fn describe(listener: &Listener) -> String {
    match (&listener.name, listener.pid) {
        (Some(name), Some(pid)) => format!("{name} (process {pid})"),
        (None, Some(pid)) => format!("process {pid}"),
        _ => "a process of another user".to_owned(),
    }
}

/// Who would take a connection to `127.0.0.1:port`; `None` where nobody listens there.
///
/// # Errors
/// Where neither the kernel can be asked nor `/proc` be read.
pub fn listener(port: u16) -> io::Result<Option<Listener>> {
    let sockets = sockets(port)?;
    if sockets.is_empty() { Ok(None) } else { holder(&sockets).map(Some) }
}

/// Checks that whoever takes a connection to `127.0.0.1:port` is one of `family`.
///
/// # Errors
/// Where it is another process, which the error names, or nobody.
pub fn owned_by(port: u16, family: &[Identity]) -> Result<(), NotOurs> {
    let look = |source| NotOurs::Look { port, source };
    let mut inodes = sockets(port).map_err(look)?;
    if inodes.is_empty() {
        return Err(NotOurs::Nobody { port });
    }
    // The family's descriptors first: to go through everyone's costs milliseconds.
    for identity in family {
        take_held(identity.pid, &mut inodes);
        if inodes.is_empty() {
            return Ok(());
        }
    }
    // Several sockets may share a port (SO_REUSEPORT): each of them must be ours.
    let listener = holder(&inodes).map_err(look)?;
    Err(NotOurs::Stranger { port, listener })
}

/// Who holds one of these sockets.
fn holder(inodes: &HashSet<u64>) -> io::Result<Listener> {
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if take_held(pid, &mut inodes.clone()) {
            let name = sight(pid)?.map(|sighting| sighting.name);
            return Ok(Listener { pid: Some(pid), name });
        }
    }
    Ok(Listener { pid: None, name: None })
}

/// Takes the sockets that a process holds out of `inodes`; whether there were any.
fn take_held(pid: u32, inodes: &mut HashSet<u64>) -> bool {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let before = inodes.len();
    for entry in entries.flatten() {
        let Ok(target) = std::fs::read_link(entry.path()) else { continue };
        let inode = target
            .to_str()
            .and_then(|target| target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
        if let Some(inode) = inode {
            inodes.remove(&inode);
        }
        if inodes.is_empty() {
            break;
        }
    }
    inodes.len() < before
}

/// The inodes of the sockets that share connections to `127.0.0.1:port`: the kernel prefers the
/// exact address to any IPv4 address, and that to any address at all.
fn sockets(port: u16) -> io::Result<HashSet<u64>> {
    let found = listening::on(port)?;
    let ranked = found.iter().filter_map(|it| Some((rank(it.address)?, it.inode)));
    let mut best = (u8::MAX, HashSet::new());
    for (rank, inode) in ranked {
        if rank < best.0 {
            best = (rank, HashSet::new());
        }
        if rank == best.0 {
            best.1.insert(inode);
        }
    }
    Ok(best.1)
}

fn rank(address: IpAddr) -> Option<u8> {
    match address.to_canonical() {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Some(0),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Some(1),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn me() -> Identity {
        Identity::of(std::process::id()).unwrap().unwrap()
    }

    #[test]
    fn a_listener_is_named_with_its_pid() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let found = listener(port).unwrap().unwrap();
        assert_eq!(found.pid, Some(std::process::id()));
        assert!(found.name.is_some());
        owned_by(port, &[me()]).unwrap();
    }

    #[test]
    fn a_port_of_another_process_is_not_ours_and_the_error_names_it() {
        let socket = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let error = owned_by(port, &[]).unwrap_err().to_string();
        assert!(error.contains(&format!("Port {port} is held by ")), "{error}");
        assert!(error.contains(&format!("(process {})", std::process::id())), "{error}");
    }

    #[test]
    fn a_port_that_nobody_listens_on_is_said_to_be_so() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        drop(socket);
        assert_eq!(listener(port).unwrap(), None);
        let error = owned_by(port, &[me()]).unwrap_err().to_string();
        assert!(error.contains(&format!("Nothing listens on 127.0.0.1:{port}")), "{error}");
    }

    #[test]
    fn a_listener_on_every_ipv6_address_takes_ipv4_connections_too() {
        let Ok(socket) = TcpListener::bind("[::]:0") else { return };
        let port = socket.local_addr().unwrap().port();
        owned_by(port, &[me()]).unwrap();
    }

    #[test]
    fn the_exact_address_wins_over_every_other() {
        assert!(rank("127.0.0.1".parse().unwrap()) < rank("0.0.0.0".parse().unwrap()));
        assert_eq!(rank("::ffff:127.0.0.1".parse().unwrap()), Some(0));
        assert!(rank("0.0.0.0".parse().unwrap()) < rank("::".parse().unwrap()));
        assert_eq!(rank("::1".parse().unwrap()), None, "Caddy goes to 127.0.0.1");
        assert_eq!(rank("10.0.0.1".parse().unwrap()), None);
    }
}

//! The TCP sockets that listen on a port.
//!
//! The kernel is asked for those of this one port (sock_diag(7)). Its tables in `/proc/net` tell the same,
//! and are read where it cannot be asked: for where the listening sockets end there, the kernel walks
//! every place that it has for a connection, which takes milliseconds, and a rollback waits for them.

use std::io::{self, BufRead, BufReader};
use std::net::IpAddr;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use nix::sys::socket::MsgFlags;
use procfs::FromBufReadSI;
use procfs::net::{TcpNetEntries, TcpState};

/// More than the kernel puts into one part of its answer.
const PART: usize = 32 << 10;
/// Set where the table changed while it was told: what was told may lack an entry.
const NLM_F_DUMP_INTR: u16 = 0x10;

/// A socket that listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listening {
    /// The address that it takes connections to.
    pub(super) address: IpAddr,
    /// By which `/proc/*/fd` names it.
    pub(super) inode: u64,
}

/// Those that listen on this port, at whatever address.
pub(super) fn on(port: u16) -> io::Result<Vec<Listening>> {
    asked(port).or_else(|error| {
        tracing::debug!(%error, "the kernel does not tell who listens; its tables do");
        read(port)
    })
}

fn asked(port: u16) -> io::Result<Vec<Listening>> {
    let mut found = of_family(AF_INET, SocketId::new_v4(), port)?;
    found.extend(of_family(AF_INET6, SocketId::new_v6(), port)?);
    Ok(found)
}

fn of_family(family: u8, any: SocketId, port: u16) -> io::Result<Vec<Listening>> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::LISTEN,
        socket_id: SocketId { source_port: port, ..any },
    };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    let mut found = Vec::new();
    let mut part = Vec::with_capacity(PART);
    loop {
        part.clear();
        // The answer is there when the question has been taken, and each part when the one before
        // has been: nothing is waited for.
        socket.recv(&mut part, MsgFlags::MSG_DONTWAIT.bits())?;
        if take(&part, port, &mut found)? {
            return Ok(found);
        }
    }
}

/// Takes what one part of an answer tells; whether it is the last.
fn take(part: &[u8], port: u16, found: &mut Vec<Listening>) -> io::Result<bool> {
    let mut left = part;
    while !left.is_empty() {
        let message: NetlinkMessage<SockDiagMessage> =
            NetlinkMessage::deserialize(left).map_err(io::Error::other)?;
        if message.header.flags & NLM_F_DUMP_INTR != 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match message.payload {
            // An answer that failed ends so, too: where the kernel has no one who tells of TCP.
            NetlinkPayload::Done(done) if done.code < 0 => {
                return Err(io::Error::from_raw_os_error(done.code.saturating_neg()));
            }
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(error) => return Err(error.to_io()),
            NetlinkPayload::Overrun(_) => return Err(io::Error::other("a part was lost")),
            NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
                let response = response.header;
                if response.socket_id.source_port == port {
                    let address = response.socket_id.source_address;
                    found.push(Listening { address, inode: response.inode.into() });
                }
            }
            _ => {}
        }
        // Each begins at a multiple of four.
        let length = (message.header.length as usize).next_multiple_of(4);
        left = left.get(length..).filter(|_| length > 0).unwrap_or_default();
    }
    Ok(false)
}

fn read(port: u16) -> io::Result<Vec<Listening>> {
    let mut found = table("/proc/net/tcp", port)?;
    match table("/proc/net/tcp6", port) {
        Ok(more) => found.extend(more),
        // A host without IPv6.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(found)
}

/// The listening sockets of a table. They stand first in it, and what follows, every connection
/// of the host, is not read.
fn table(table: &str, port: u16) -> io::Result<Vec<Listening>> {
    let mut text = String::new();
    for (index, line) in BufReader::new(std::fs::File::open(table)?).lines().enumerate() {
        let line = line?;
        if index > 0 && line.split_ascii_whitespace().nth(3) != Some("0A") {
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    let TcpNetEntries(entries) =
        TcpNetEntries::from_buf_read(text.as_bytes(), procfs::current_system_info())
            .map_err(io::Error::other)?;
    let ours = entries.iter().filter(|it| it.state == TcpState::Listen);
    let ours = ours.filter(|it| it.local_address.port() == port);
    Ok(ours.map(|it| Listening { address: it.local_address.ip(), inode: it.inode }).collect())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn sorted(found: io::Result<Vec<Listening>>) -> Vec<Listening> {
        let mut found = found.unwrap();
        found.sort();
        found
    }

    #[test]
    fn the_kernel_tells_what_its_tables_tell() {
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = one.local_addr().unwrap().port();
        // The same port at another address; a connection to it is no listener.
        let other = TcpListener::bind(("127.0.0.2", port)).unwrap();
        let visitor = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let told = sorted(asked(port));
        assert_eq!(told, sorted(read(port)));
        let addresses: Vec<String> = told.iter().map(|it| it.address.to_string()).collect();
        assert_eq!(addresses, ["127.0.0.1", "127.0.0.2"]);
        drop((one, other, visitor));
        assert_eq!(sorted(asked(port)), []);
        assert_eq!(sorted(read(port)), []);
    }

    #[test]
    fn one_of_ipv6_is_told_too() {
        let Ok(socket) = TcpListener::bind("[::]:0") else { return };
        let port = socket.local_addr().unwrap().port();
        let told = sorted(asked(port));
        assert_eq!(told, sorted(read(port)));
        assert_eq!(told.len(), 1);
        assert!(told.iter().all(|it| it.inode > 0), "{told:?}");
    }

    /// A message as the kernel writes it: its type, its flags, and what follows the header.
    fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(16 + body.len()).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(body);
        bytes
    }

    const NLMSG_ERROR: u16 = 2;
    const NLMSG_DONE: u16 = 3;
    const NLMSG_OVERRUN: u16 = 4;
    const ENOENT: i32 = 2;

    #[test]
    fn an_answer_ends_and_one_that_failed_is_an_error() {
        let mut found = Vec::new();
        let mut took = |bytes: &[u8]| take(bytes, 80, &mut found);
        assert!(took(&message(NLMSG_DONE, 2, &0_i32.to_ne_bytes())).unwrap());
        let failed = took(&message(NLMSG_DONE, 2, &(-ENOENT).to_ne_bytes())).unwrap_err();
        assert_eq!(failed.raw_os_error(), Some(ENOENT));
        let mut error = (-ENOENT).to_ne_bytes().to_vec();
        error.extend(message(20, 0, &[]));
        let failed = took(&message(NLMSG_ERROR, 0, &error)).unwrap_err();
        assert_eq!(failed.raw_os_error(), Some(ENOENT));
        let done = 0_i32.to_ne_bytes();
        assert!(took(&message(NLMSG_DONE, NLM_F_DUMP_INTR, &done)).is_err());
        assert!(took(&message(NLMSG_OVERRUN, 0, &[])).is_err());
    }

    #[test]
    fn an_answer_that_is_none_is_an_error() {
        let mut found = Vec::new();
        assert!(take(&[0; 7], 80, &mut found).is_err());
        assert!(take(&[0xff; 64], 80, &mut found).is_err());
        assert!(take(&[], 80, &mut found).is_ok_and(|last| !last));
        assert!(found.is_empty());
    }
}

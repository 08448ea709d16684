//! Where Caddy can be reached: its admin endpoint, and the address that the probe asks.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// A TCP address or the path of a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// `127.0.0.1:2019`.
    Tcp(SocketAddr),
    /// `unix//run/caddy/admin.sock`, as Caddy writes it.
    Unix(PathBuf),
}

/// An address that cannot be read: whoever wrote the configuration receives it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an address: write it as 127.0.0.1:2019, localhost:2019 or unix//run/caddy/admin.sock"
)]
pub struct BadAddress(String);

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.into());
        if let Some(path) = text.strip_prefix("unix/") {
            // `|0660` after the path is the mode that Caddy creates the socket with.
            let path = PathBuf::from(path.split('|').next().unwrap_or(path));
            return if path.is_absolute() { Ok(Address::Unix(path)) } else { Err(bad()) };
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Address::Tcp(address));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        match host {
            // A name other than this one would have to be looked up, and may lead off the host.
            "localhost" => Ok(Address::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => write!(f, "{address}"),
            Address::Unix(path) => write!(f, "unix/{}", path.display()),
        }
    }
}

/// A connection to an [`Address`].
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Address {
    /// Opens a connection.
    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Address::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
        }
    }
}

/// Where and how the probe asks, when a person says it instead of Caddy's configuration:
/// `http://127.0.0.1:8080`, `https://127.0.0.1:443/shop/`, `unix//run/caddy/site.sock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeAddress {
    /// Where to connect.
    pub address: Address,
    /// Whether the site speaks TLS there, as far as is known: the other way is tried next.
    pub tls: bool,
    /// The path that leads to the app, `/` where it has the whole site.
    pub path: String,
}

impl FromStr for ProbeAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if text.starts_with("unix/") {
            return Ok(ProbeAddress { address: text.parse()?, tls: false, path: "/".into() });
        }
        let (scheme, rest) = text.split_once("://").map_or((None, text), |(a, b)| (Some(a), b));
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let default_port = match scheme {
            Some("http") => ":80",
            Some("https") => ":443",
            None => "",
            Some(_) => return Err(BadAddress(text.into())),
        };
        let address: Address = authority
            .parse()
            .or_else(|_| format!("{authority}{default_port}").parse())
            .map_err(|_| BadAddress(text.into()))?;
        if path.chars().any(|c| c.is_control() || c == ' ' || !c.is_ascii()) {
            return Err(BadAddress(text.into()));
        }
        let tls = match scheme {
            Some(scheme) => scheme == "https",
            None => matches!(address, Address::Tcp(tcp) if tcp.port() == 443),
        };
        Ok(ProbeAddress { address, tls, path: path.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_caddy_writes_them() {
        assert_eq!("127.0.0.1:2019".parse(), Ok(Address::Tcp(([127, 0, 0, 1], 2019).into())));
        assert_eq!("localhost:2019".parse(), Ok(Address::Tcp(([127, 0, 0, 1], 2019).into())));
        let socket = Address::Unix("/run/caddy/admin.sock".into());
        assert_eq!("unix//run/caddy/admin.sock".parse(), Ok(socket.clone()));
        assert_eq!("unix//run/caddy/admin.sock|0660".parse(), Ok(socket.clone()));
        assert_eq!(socket.to_string().parse(), Ok(socket));
        for bad in ["", "2019", "caddy.example:2019", "unix/relative", "localhost:x", ":2019"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_probe_address_may_name_scheme_and_path() {
        let probe: ProbeAddress = "https://127.0.0.1/shop/".parse().unwrap();
        assert_eq!((probe.address.to_string().as_str(), probe.tls), ("127.0.0.1:443", true));
        assert_eq!(probe.path, "/shop/");
        let probe: ProbeAddress = "127.0.0.1:8080".parse().unwrap();
        assert_eq!((probe.path.as_str(), probe.tls), ("/", false));
        assert!("127.0.0.1:443".parse::<ProbeAddress>().unwrap().tls);
        for bad in ["ftp://127.0.0.1:1", "http://shop.example", "http://127.0.0.1:1/a b"] {
            assert!(bad.parse::<ProbeAddress>().is_err(), "{bad}");
        }
    }
}

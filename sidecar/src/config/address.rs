//! Addresses as Caddy writes them: `127.0.0.1:2019`, `unix//run/caddy/admin.sock`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::text;

/// The kernel keeps the path of a Unix socket in so many bytes, with a NUL at its end.
pub(super) const SOCKET_PATH_BYTES: usize = 107;

/// Where something listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A TCP address.
    Tcp {
        /// A host name or an IP address; an IPv6 one without its brackets.
        host: String,
        /// From 1 to 65535.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

/// Why a text is no address. For who wrote the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It begins with a scheme.
    #[error("leave out `{0}`, such as \"127.0.0.1:2019\"")]
    Scheme(&'static str),
    /// There is no host in front of the port.
    #[error("the host is missing: write \"127.0.0.1:2019\"")]
    NoHost,
    /// There is no port after the host.
    #[error("the port is missing: write \"127.0.0.1:2019\"")]
    NoPort,
    /// What stands for the port is none.
    #[error("the port must be a number from 1 to 65535, such as \"127.0.0.1:2019\"")]
    Port,
    /// An IPv6 address without brackets.
    #[error("an IPv6 address stands in brackets, such as \"[::1]:2019\"")]
    Brackets,
    /// What stands for the host is none.
    #[error("this is no host name, such as \"127.0.0.1:2019\"")]
    Host,
    /// A Unix socket with Caddy's suffix for its permissions, or without a path.
    #[error("a Unix socket is `unix/` and its path alone, such as \"unix//run/caddy/admin.sock\"")]
    Path,
    /// A path that no socket can have.
    #[error("the path of a Unix socket has at most {SOCKET_PATH_BYTES} bytes; this has {0}")]
    TooLong(usize),
}

impl Address {
    /// The same with a relative socket path taken from a folder.
    pub(super) fn within(self, folder: &Path) -> Result<Address, AddressError> {
        let Address::Unix(path) = self else { return Ok(self) };
        let path = text::within(folder, &path.to_string_lossy());
        let length = path.as_os_str().len();
        if length > SOCKET_PATH_BYTES {
            return Err(AddressError::TooLong(length));
        }
        Ok(Address::Unix(path))
    }

    /// The port, where it is one of this host's own that an app could want as well.
    pub(super) fn local_port(&self) -> Option<u16> {
        match self {
            Address::Tcp { host, port } => {
                let ip = host.parse::<std::net::IpAddr>().ok();
                let local = ip.map_or(host == "localhost", |ip| ip.is_loopback());
                local.then_some(*port)
            }
            Address::Unix(_) => None,
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        for scheme in ["http://", "https://"] {
            if text.starts_with(scheme) {
                return Err(AddressError::Scheme(scheme));
            }
        }
        if let Some(path) = text.strip_prefix("unix/") {
            if path.is_empty() || path.contains('|') || path.chars().any(char::is_control) {
                return Err(AddressError::Path);
            }
            return Ok(Address::Unix(path.into()));
        }
        if text.starts_with("unix:") || text.starts_with('/') || text.starts_with("./") {
            return Err(AddressError::Path);
        }
        let text = text.strip_prefix("tcp/").unwrap_or(text);
        let (host, port) = text.rsplit_once(':').ok_or(AddressError::NoPort)?;
        let host = match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            Some(inner) => inner
                .filter(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
                .ok_or(AddressError::Host)?,
            None if host.is_empty() => return Err(AddressError::NoHost),
            None if host.contains(':') => return Err(AddressError::Brackets),
            None if text::is_host(&host.to_lowercase()) && !host.starts_with('*') => host,
            None => return Err(AddressError::Host),
        };
        let digits = port.chars().all(|c| c.is_ascii_digit());
        let port = port.parse().ok().filter(|port| digits && *port != 0);
        Ok(Address::Tcp { host: host.to_lowercase(), port: port.ok_or(AddressError::Port)? })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "unix/{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tcp(host: &str, port: u16) -> Result<Address, AddressError> {
        Ok(Address::Tcp { host: host.into(), port })
    }

    #[test]
    fn addresses_are_read_as_caddy_writes_them() {
        assert_eq!("127.0.0.1:2019".parse(), tcp("127.0.0.1", 2019));
        assert_eq!("localhost:2019".parse(), tcp("localhost", 2019));
        assert_eq!("tcp/localhost:1".parse(), tcp("localhost", 1));
        assert_eq!("[::1]:65535".parse(), tcp("::1", 65535));
        assert_eq!(
            "unix//run/caddy/admin.sock".parse(),
            Ok(Address::Unix("/run/caddy/admin.sock".into()))
        );
    }

    #[test]
    fn what_is_no_address_says_what_is_missing() {
        for (text, error) in [
            ("http://localhost:2019", AddressError::Scheme("http://")),
            (":2019", AddressError::NoHost),
            ("localhost", AddressError::NoPort),
            ("", AddressError::NoPort),
            ("localhost:0", AddressError::Port),
            ("localhost:65536", AddressError::Port),
            ("localhost:+80", AddressError::Port),
            ("localhost:", AddressError::Port),
            ("::1:2019", AddressError::Brackets),
            ("[::1:2019", AddressError::Host),
            ("[localhost]:1", AddressError::Host),
            ("a b:1", AddressError::Host),
            ("*.a:1", AddressError::Host),
            ("unix/", AddressError::Path),
            ("unix:/run/a.sock", AddressError::Path),
            ("/run/a.sock", AddressError::Path),
            ("unix//run/a.sock|0660", AddressError::Path),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_relative_socket_starts_from_the_folder_and_its_length_is_checked() {
        let relative: Address = "unix/admin.sock".parse().unwrap();
        assert_eq!(
            relative.within(Path::new("/srv/demo")),
            Ok(Address::Unix("/srv/demo/admin.sock".into()))
        );
        let long = Address::Unix(format!("/{}", "a".repeat(107)).into());
        assert_eq!(long.within(Path::new("/")), Err(AddressError::TooLong(108)));
    }

    proptest! {
        #[test]
        fn an_address_survives_being_shown(text in "\\PC{0,40}|[a-z0-9.]{1,9}:[0-9]{1,5}|unix/[a-z/]{1,9}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
            }
        }
    }
}

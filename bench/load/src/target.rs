//! Where a load goes.

use std::net::SocketAddr;

/// Where the load goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// Whom to connect to.
    pub address: SocketAddr,
    /// The `Host` header.
    pub host: String,
}

//! What a switch came to.

use std::time::Duration;

use super::probe::Target;

/// How long Caddy may take to follow, and to be there at all.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);

/// A switch that was done and seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switched {
    /// How long Caddy's orders took to change; about nothing where they were so already.
    pub flip: Duration,
    /// From the beginning of the change until the slot answered through Caddy.
    pub confirmed: Duration,
    /// How that was seen.
    pub confirmed_by: ConfirmedBy,
}

/// How a switch was seen to have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfirmedBy {
    /// Caddy said so to a request at this place.
    Probe(Target),
    /// Caddy's running configuration, read back, and a request at this place that went to the slot.
    ConfigurationAndProbe(Target),
}

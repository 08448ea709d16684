//! A value as it is, which nothing prints by mistake.

use std::fmt;

/// A value as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain(String);

impl Plain {
    /// A value.
    #[must_use]
    pub fn new(value: String) -> Plain {
        Plain(value)
    }

    /// As it is. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

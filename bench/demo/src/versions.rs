//! The releases that the story is about.

/// The version of the release that is gone back to.
pub const GOOD: &str = "2.0.0";
/// The version whose home page answers 500 while its health check says 200.
pub const BAD: &str = "3.0.0";

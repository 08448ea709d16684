//! From a commit to a release's folder: the room that fetches and builds.
//!
//! ```text
//! line ─▶ place ─▶ git::fetch ─▶ git::checkout ─▶ keep::lend ─▶ commands ─▶ result ─▶ keep::take
//! (turn)  (folders)  (mirror)       (aside)        (_build)      (as the builder)
//! ```
//!
//! [`line`] lets the builds of a host wait for one another. [`place`] are an app's folders for it,
//! [`git`] speaks with the repository ([`address`], [`credentials`]), [`keep`] lends what an earlier
//! build left, [`result`] finds what came of it, and [`log`] keeps every line. [`program`] runs one
//! program of it: as the builder, restrained, within its limits, and with all of its family ended
//! whatever happens. [`work`] is the whole in its order; [`tip`] only
//! asks what a branch stands for.
//!
//! What is fetched and built is a stranger's: it runs as a user that owns nothing else, never as the
//! daemon or the app; Git's own part is closed to it while it runs.
//!
//! A leaf: it knows nothing of deployments, of the store or of the API. Whoever calls it writes the
//! programs down ([`Journal`]), before they may begin.

pub mod address;
pub mod credentials;
pub mod error;
pub mod git;
pub mod keep;
pub mod line;
pub mod log;
pub mod place;
pub mod program;
pub mod result;
pub mod tip;
pub mod work;

pub use error::BuildError;
pub use line::Line;
pub use log::BuildLog;
pub use place::Place;
pub use program::{Builder, Journal};
pub use tip::tip;
pub use work::{Built, Order, Told, build};

//! What goes over Vial's socket: requests, answers and events as types, with no I/O.
//!
//! The map: [`words`] are the names that every layer shares (slot, kind, status); [`release`],
//! [`deployment`] and [`app`] are what a reader sees; [`build`] is what a deployment was built from;
//! [`migration`] is what a release does to the database, [`environment`] what it starts with;
//! [`plan`] is what a person agrees to before something changes, [`standby`] what an idle slot is kept
//! as; [`request`] is what a
//! caller asks for; [`source`] is where its commits come from, [`notification`] what others are told;
//! [`problem`] is every refusal and failure; [`log`] and [`event`] are the streams. For the dashboard
//! there are [`access`] (who gets in), [`audit`] (who did what), [`live`] (one stream for a browser),
//! [`console`] and [`settings`].
//!
//! The daemon, the command line, the NIF and the dashboard all import this crate; it imports none
//! of them. Every type is JSON through serde. Times are UTC instants in RFC 3339, durations are
//! whole milliseconds in fields that end in `_ms`, sizes are bytes.

pub mod access;
pub mod app;
pub mod audit;
pub mod build;
pub mod console;
pub mod deployment;
pub mod environment;
pub mod event;
pub mod live;
pub mod log;
pub mod migration;
pub mod notification;
pub mod plan;
pub mod problem;
pub mod release;
pub mod request;
pub mod settings;
pub mod source;
pub mod standby;
pub mod words;

pub use app::{AppStatus, DaemonStatus, Health, RollbackOffer, RouteStatus, SlotState, SlotStatus};
pub use build::{Build, Commit, Trigger};
pub use deployment::{Deployment, Step};
pub use environment::{Environment, EnvironmentChoice, EnvironmentPlan, Variable};
pub use event::Event;
pub use log::{BuildChunk, LogChunk, LogLine};
pub use migration::{Effect, Migration, MigrationChoice, Reversal, Standing};
pub use plan::{DatabasePlan, Plan};
pub use problem::{Code, Problem};
pub use release::Release;
pub use source::AutoDeploy;
pub use standby::{Standby, StandbyMode};
pub use words::{Desired, Kind, Slot, Status};

/// The version of this crate: a daemon and a client of the same version understand each other
/// wholly; others understand the fields that both know.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

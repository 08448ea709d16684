//! The journal and the history, in one SQLite database a host.
//!
//! [`record`] is what a step of an app writes; [`Store::commit`] writes a step's records in one
//! transaction, so that after a crash either all of a step is known or none of it. [`rows`] turns
//! rows into the protocol's types, [`load`] reads what an app's task starts from, [`journal`] keeps
//! the processes that were started for slots and how they ended, [`helpers`] those that were run beside
//! them, [`environment`] the sealed values of an app, [`history`] is what readers ask for, and [`peek`] looks without owning it. Migrations go
//! forward only: [`backup`] keeps what was there before each, and [`trial`] tries them on a copy.
//! [`outbox`] keeps what others are to be told, [`auto`] what is kept of pushes and auto-deploy.
//! [`users`], [`sessions`], [`tokens`] and [`links`] are who gets in by the dashboard's address, and
//! [`audit`] is who did what.
//! [`pulse`] tells whether the thread gets on.
//!
//! SQLite runs on one thread of its own (WAL, `synchronous = FULL`): a commit returns when it is on
//! the disk. [`ballast`] keeps room for that on a disk that others fill. This folder knows the protocol
//! and nothing else of Vial.

pub mod audit;
pub mod auto;
pub mod ballast;
pub mod environment;
pub mod helpers;
pub mod history;
pub mod journal;
pub mod links;
pub mod load;
pub mod outbox;
pub mod peek;
pub mod record;
pub mod sessions;
pub mod tokens;
pub mod users;

pub mod pulse;
pub mod trial;

mod backup;
mod commit;
mod connection;
mod rows;
mod schema;

pub use connection::{OpenError, Store, StoreError};

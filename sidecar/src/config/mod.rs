//! The configuration: one file for the host, one for each app, read and checked as a whole.
//!
//! # The map
//!
//! [`Config::load`] (`load`) reads `vial.toml` and the files of its apps folder. Each goes through
//! the same three steps: `document` reads the bytes (at most 1 MiB, a regular file) and parses
//! them into a tree that remembers where each value stands; `section` and `entry` hand out values
//! by key, and note down each unknown key and wrong value as a `finding` rather than stopping at
//! the first; `host_file` and `app_file` say which keys there are and what each may be (`health` and
//! `app_source` for two of the tables), and fill the types in `host` and `app`. `notify` is read in both,
//! and `variables` wherever there are some. `text` has the character sets, `duration` and
//! `address` the two small languages, `users` asks the host who a user is. At last `cross`
//! compares the apps with one another and with the host.
//!
//! `templates` writes what `vial init` gives: files that load without change.
//!
//! # What a mistake costs
//!
//! A mistake in the host file is a [`ConfigError`]: there is nothing to work with. A mistake in an
//! app's file takes out that app only: it is named in [`Config::broken`] and explained in
//! [`Config::problems`], and a daemon that runs it already goes on as before. What is understood
//! but not available in this version is one of [`Config::warnings`], so that nobody counts on it.
//!
//! # The files
//!
//! The host file is the one that `--config` names, else `VIAL_CONFIG`, else `/etc/vial/vial.toml`
//! ([`location`]). Apps are the files `*.toml` in `apps_dir`, by default the folder `apps` beside
//! the host file; the file's stem is the app's name. A relative path means: from the folder of the
//! file that it stands in, so that a folder with everything in it can be moved.
//!
//! Values that may be secrets (in `slot_env`, `source.git`, `source.build` and `notify`) are never repeated in
//! a message or shown by `Debug`; `migrate` is not repeated in a message.
//!
//! # What must not be imported here
//!
//! Slots, releases, routes, the store, the API: this is a leaf. It opens no socket, starts nothing,
//! and creates no folder apart from what [`write_new`] is asked to.

mod address;
mod app;
mod app_file;
mod app_source;
mod cross;
mod document;
mod duration;
mod entry;
mod finding;
mod health;
mod host;
mod host_file;
mod load;
mod notify;
mod section;
mod templates;
mod text;
mod users;
mod variables;

pub use address::{Address, AddressError};
pub use app::{AppConfig, Distribution, EnvVars, Logs, Mode, Ports, SlotEnv, Standby, Start};
pub use app_source::{BUILDER, Source};
pub use finding::ConfigError;
pub use health::{Check, Health};
pub use host::{Caddy, Dashboard, HostConfig, Limits, Log, LogFormat, LogLevel, RouteMode};
pub use load::{Config, DEFAULT_FILE, ENV_VAR, location};
pub use notify::{Target, TargetKind, TargetUrl, Targets};
pub use templates::{
    BadName, WriteError, app_template, check_names, host_template, own_host_template, write_new,
};
pub use users::UserIds;

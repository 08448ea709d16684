//! Consoles in the browser: an IEx on a terminal that outlives the page for a minute.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Slot;

/// `POST /v1/apps/{app}/consoles`: opens one. Needs an admin and a fresh password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct OpenConsole {
    /// The slot whose node it is on; the active one where absent.
    pub slot: Option<Slot>,
    /// A clean IEx on this retained release instead: no traffic, its app not started.
    pub release: Option<u64>,
    /// The terminal's height; 24 where absent.
    pub rows: Option<u16>,
    /// The terminal's width; 80 where absent.
    pub cols: Option<u16>,
}

/// A console that is open. `GET /v1/consoles/{id}?cursor=N` is its WebSocket.
///
/// Binary messages are bytes from and to the terminal. Text messages are JSON: a page sends
/// `{"resize": {"rows": 40, "cols": 120}}`; the daemon sends first [`ConsoleSaid::At`], and at the
/// end [`ConsoleSaid::Ended`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Console {
    /// Names it.
    pub id: String,
    /// The app.
    pub app: String,
    /// The slot whose node it is on; absent for a clean one.
    pub slot: Option<Slot>,
    /// The release, by its number.
    pub release: u64,
    /// How people name the release: `v1.4.2`.
    pub label: String,
    /// The node's name; absent for a clean one.
    pub node: Option<String>,
    /// Who opened it.
    pub user: String,
    /// When.
    pub opened_at: Timestamp,
    /// How long it may stand without a page, in milliseconds.
    pub kept_ms: u64,
    /// How long nothing may be typed or printed until it ends, in milliseconds.
    pub idle_ms: u64,
}

/// What the daemon says in a text message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsoleSaid {
    /// The count of bytes that were printed before those that follow. A page that has more than
    /// was asked for, or whose cursor is no longer kept, begins with an empty screen here.
    At(u64),
    /// It has ended.
    Ended {
        /// Why, in a sentence.
        why: String,
    },
}

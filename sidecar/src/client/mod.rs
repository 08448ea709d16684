//! The daemon's API as typed calls, over HTTP/1.1 on its Unix socket.
//!
//! The map: [`vial_link`] is the socket as bytes, forgiving where a peer answers and leaves early;
//! [`http`] makes one connection a request and turns every refusal into a [`ClientError`];
//! [`calls`] has one typed method a route, [`access`] those about who gets into the dashboard, [`logs`] the one for logs; [`upload`] streams a release; [`sse`] parses
//! server-sent events, and [`subscription`] keeps a stream of them alive across restarts of the
//! daemon; [`console`] is the WebSocket of `vial console`; [`error`] says what went wrong.
//!
//! The command line and the tests use it. It knows nothing of terminals or of arguments, and must
//! never import `cli`, nor anything of the daemon.

pub mod access;
pub mod calls;
pub mod console;
pub mod error;
pub mod http;
pub mod logs;
pub mod sse;
pub mod subscription;
pub mod upload;

pub use calls::Reloaded;
pub use error::{ClientError, Why};
pub use http::Client;
pub use logs::{BuildAsk, LogAsk};
pub use subscription::{Subscription, Told};
pub use upload::Upload;

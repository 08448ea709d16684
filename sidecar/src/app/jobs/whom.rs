//! Whom an app's programs run as, and where their nodes find the cookie.

use vial_protocol::Slot;

use crate::app::context::Context;
use crate::slot::User;
use crate::slot::direct::secret::Place;

/// Whom the app's programs run as; as the daemon where absent.
pub(in crate::app) fn user(context: &Context) -> Option<User> {
    context.config.user.as_ref().map(|user| User {
        name: user.name.clone(),
        uid: user.uid,
        gid: user.gid,
        home: user.home.clone(),
    })
}

/// Where the nodes in a slot find their cookie.
pub(in crate::app) fn place(context: &Context, slot: Slot) -> Place {
    Place::new(context.layout.nodes(), slot, user(context).as_ref())
}

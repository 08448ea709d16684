//! Asking the repository for a branch's tip.

use std::sync::Arc;

use crate::app::context::Context;
use crate::config::Source;

/// The branch's tip, as a whole commit id; why not, for a person.
pub(in crate::app) async fn tip(context: &Arc<Context>, source: &Source) -> Result<String, String> {
    let _ = (context, source);
    Err("not yet".into())
}

//! Asking the repository for the tip of the app's branch.

use std::sync::Arc;

use super::build::builder;
use crate::app::context::Context;
use crate::app::helpers::{Journalled, Purpose};
use crate::build::{self, Journal, Place};
use crate::config::Source;
use crate::slot::Identity;

/// The branch's tip, as a whole commit id; why not, for a person.
pub(in crate::app) async fn tip(context: &Arc<Context>, source: &Source) -> Result<String, String> {
    let place = Place::new(context.layout.root());
    let builder = builder(context, source, "tip").map_err(|error| error.to_string())?;
    let journal = Helpers { context: context.clone() };
    match build::tip(&place, source, &builder, &journal).await {
        Ok(Some(sha)) => Ok(sha.to_lowercase()),
        Ok(None) => Err(format!("it has no branch {}", source.branch)),
        Err((error, said)) => {
            let said = said.iter().filter(|line| !line.starts_with(build::log::OWN));
            let said: Vec<&str> = said.map(|line| line.trim()).collect();
            let error = error.to_string();
            let said = format!("{} {}", error.trim_end_matches('.'), said.join(" "));
            Err(said.trim().chars().take(400).collect())
        }
    }
}

/// The programs of a look at the branch are written down beside those of releases.
struct Helpers {
    context: Arc<Context>,
}

impl Journal for Helpers {
    type Row = Journalled;

    async fn begin(&self, marker: &str, identity: &Identity) -> Result<Journalled, String> {
        let row = Journalled::write(&self.context, Purpose::Tip, marker, identity).await;
        row.map_err(|error| error.to_string())
    }

    async fn end(&self, row: Journalled, ending: &str) {
        row.close(ending).await;
    }
}

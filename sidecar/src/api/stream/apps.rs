//! What comes unasked: every app's status, and what is wrong with the configuration.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures_util::stream::{self, Stream};
use tokio::sync::watch;
use vial_protocol::live::Live;
use vial_protocol::{AppStatus, Problem};

use super::followed::{Followed, Follower};
use crate::api::peer::Peer;
use crate::app::handle::App;
use crate::app::published::Published;
use crate::app::registry::Registry;

/// What was told of the registry.
#[derive(Default)]
pub(super) struct Apps {
    known: BTreeMap<String, (App, Follower)>,
    problems: Option<Vec<Problem>>,
}

impl Apps {
    /// Compares with what was told before: puts what is to be told now at the end of `say`, and
    /// follows the apps that are new.
    pub(super) fn look(
        &mut self,
        registry: &Registry,
        peer: &Peer,
        followed: &mut Followed,
        say: &mut VecDeque<Live>,
    ) {
        // As in the status: they name files and settings of the host.
        let told = peer.operates().is_ok();
        let problems = registry.problems.iter().chain(&registry.warnings).filter(|_| told);
        let problems: Vec<Problem> = problems.cloned().collect();
        if self.problems.as_ref() != Some(&problems) {
            self.problems = Some(problems.clone());
            say.push_back(Live::Problems { problems });
        }
        let stays = |name: &str, known: &App| {
            registry.apps.get(name).is_some_and(|app| app.is(known) && peer.sees(app))
        };
        self.known.retain(|name, (app, _)| {
            let stays = stays(name, app);
            if !stays {
                say.push_back(Live::AppRemoved { name: name.clone() });
            }
            stays
        });
        for (name, app) in &registry.apps {
            if peer.sees(app) && !self.known.contains_key(name) {
                let (now, later) = status(app);
                say.push_back(now);
                self.known.insert(name.clone(), (app.clone(), followed.follow(later)));
            }
        }
    }

    /// Whether an app is one of those that were told.
    pub(super) fn has(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }
}

/// An app's status now, and the newest whenever it is asked for after a change.
fn status(app: &App) -> (Live, impl Stream<Item = Live> + Send + use<>) {
    let mut status = app.subscribe();
    let now = newest(&mut status);
    let later = stream::unfold(status, |mut status| async move {
        status.changed().await.ok()?;
        Some((newest(&mut status), status))
    });
    (now, later)
}

fn newest(status: &mut watch::Receiver<Arc<Published>>) -> Live {
    Live::App(Box::new(AppStatus::clone(&status.borrow_and_update())))
}

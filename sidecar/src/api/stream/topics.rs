//! What a page asks for beside the apps' status.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::io;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::time::Instant;
use vial_protocol::live::{self, BuildTopic, Live, LogTopic, Topics};
use vial_protocol::{Code, Problem};

use super::followed::{Followed, Follower};
use super::streams::Wanted;
use super::trail;
use crate::api::Shared;
use crate::api::answer::{Failure, bad};
use crate::api::build_reader::{self, BuildReader};
use crate::api::log_reader::LogReader;
use crate::api::peer::Peer;
use crate::app::handle::App;
use crate::metrics::Metrics;

/// The most logs, and the most builds.
const LOGS: usize = 8;
/// The most apps whose metrics come.
const MEASURED: usize = 100;
/// The longest name of an app that is looked up.
const NAME: usize = 100;
/// About how much of a log comes at once.
const BYTES: usize = 256 << 10;
/// A log that grows line by line is told this often: a browser draws no faster.
const PAUSE: Duration = Duration::from_millis(50);

/// One thing that a page asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Topic {
    Log(LogTopic),
    Build(BuildTopic),
    Metrics(String),
    Audit,
}

impl Topic {
    fn app(&self) -> Option<&str> {
        match self {
            Topic::Log(LogTopic { app, .. }) | Topic::Build(BuildTopic { app, .. }) => Some(app),
            Topic::Metrics(app) => Some(app),
            Topic::Audit => None,
        }
    }
}

/// Refuses what is more than a page needs, or not for whom asks.
pub(super) fn check(wanted: &Topics, peer: &Peer) -> Result<(), Failure> {
    let Topics { logs, builds, metrics, audit } = wanted;
    if logs.len() > LOGS || builds.len() > LOGS || metrics.len() > MEASURED {
        return Err(bad(format!(
            "A stream brings at most {LOGS} logs, {LOGS} builds and the metrics of {MEASURED} apps."
        )));
    }
    let logs = logs.iter().map(|it| &it.app);
    let mut names = logs.chain(builds.iter().map(|it| &it.app)).chain(metrics);
    if names.any(|name| name.len() > NAME) {
        return Err(bad("No app has so long a name."));
    }
    if *audit {
        peer.operates()?;
    }
    Ok(())
}

/// What is followed for a page.
#[derive(Default)]
pub(super) struct Following(HashMap<Topic, Follower>);

impl Following {
    /// Follows what is wanted and is not followed yet, and nothing else any more. A log that is
    /// named with the same cursor goes on; with another one it begins there anew.
    pub(super) fn set(
        &mut self,
        wanted: Wanted,
        shared: &Shared,
        peer: &Peer,
        followed: &mut Followed,
    ) {
        let Wanted { topics: Topics { logs, builds, metrics, audit }, audit_after } = wanted;
        let mut wanted: HashSet<Topic> = logs.into_iter().map(Topic::Log).collect();
        wanted.extend(builds.into_iter().map(Topic::Build));
        wanted.extend(metrics.into_iter().map(Topic::Metrics));
        wanted.extend(audit.then_some(Topic::Audit));
        self.0.retain(|topic, _| wanted.contains(topic));
        for topic in wanted {
            if let Entry::Vacant(place) = self.0.entry(topic) {
                let follower =
                    followed.follow(open(place.key().clone(), audit_after, shared, peer));
                place.insert(follower);
            }
        }
    }

    /// What came from one of them was its last: asked for again, it begins anew.
    pub(super) fn lost(&mut self, id: u64) {
        self.0.retain(|_, follower| !follower.is(id));
    }

    /// Follows nothing more of apps that are gone; says of which.
    pub(super) fn drop_without(&mut self, is_there: impl Fn(&str) -> bool) -> Vec<String> {
        let mut gone = Vec::new();
        self.0.retain(|topic, _| match topic.app() {
            Some(app) if !is_there(app) => {
                gone.push(app.to_owned());
                false
            }
            _ => true,
        });
        gone.sort();
        gone.dedup();
        gone
    }
}

/// Opens what a topic names, and ends with [`Live::Lost`] where that cannot be followed.
fn open(topic: Topic, audit_after: u64, shared: &Shared, peer: &Peer) -> BoxStream<'static, Live> {
    let named = |name: &str| {
        shared.app(name, peer).map(|(app, _)| app).map_err(|Failure(problem)| {
            let lost = Live::Lost { app: name.to_owned(), problem };
            stream::iter([lost]).boxed()
        })
    };
    match topic {
        Topic::Log(LogTopic { app: name, slot, cursor }) => match named(&name) {
            Ok(app) => log(name, LogReader::new(&app, slot, cursor)).boxed(),
            Err(lost) => lost,
        },
        Topic::Build(BuildTopic { app: name, number, cursor }) => match named(&name) {
            Ok(app) => {
                let build = build(shared.clone(), app, number, cursor);
                stream::once(build).flatten().boxed()
            }
            Err(lost) => lost,
        },
        Topic::Metrics(name) => match named(&name) {
            Ok(_) => stream::once(metrics(shared.metrics.clone(), name)).flatten().boxed(),
            Err(lost) => lost,
        },
        Topic::Audit => trail::rows(&shared.audit, shared.store.clone(), audit_after).boxed(),
    }
}

fn log(app: String, reader: LogReader) -> impl Stream<Item = Live> + Send {
    let state = Some((reader, app, None::<Instant>));
    stream::unfold(state, |state| async move {
        let (mut reader, app, due) = state?;
        if let Some(due) = due {
            tokio::time::sleep_until(due).await;
        }
        let began = reader.cursor();
        Some(match reader.more(BYTES).await {
            Ok(chunk) => {
                // Whoever is far behind catches up.
                let much = chunk.cursor - began >= BYTES as u64 / 2;
                let due = (!much).then(|| Instant::now() + PAUSE);
                (Live::Log { app: app.clone(), chunk }, Some((reader, app, due)))
            }
            Err(error) => (lost(app, "log", &error), None),
        })
    })
}

async fn build(shared: Shared, app: App, number: u64, cursor: u64) -> BoxStream<'static, Live> {
    let name = app.name().to_owned();
    if let Err(Failure(problem)) = build_reader::built(&shared, &app, number).await {
        return stream::iter([Live::Lost { app: name, problem }]).boxed();
    }
    let reader = Some(BuildReader::new(app, number, cursor));
    stream::unfold((reader, name), |(reader, app)| async move {
        let mut reader = reader?;
        Some(match reader.more(BYTES).await {
            Ok(chunk) => {
                let rest = (!chunk.ended).then_some(reader);
                (Live::BuildLog { app: app.clone(), chunk }, (rest, app))
            }
            Err(error) => (lost(app.clone(), "log of the build", &error), (None, app)),
        })
    })
    .boxed()
}

async fn metrics(measured: Metrics, app: String) -> BoxStream<'static, Live> {
    match measured.follow(&app).await {
        Some(following) => stream::unfold(following, |mut following| async move {
            following.changed().await.ok()?;
            let newest = live::Metrics::clone(&following.borrow_and_update());
            Some((Live::Metrics(newest), following))
        })
        .boxed(),
        None => {
            let what = format!("What {app} uses cannot be followed now.");
            let problem = Problem::new(Code::Internal, what).next("load the page again");
            stream::iter([Live::Lost { app, problem }]).boxed()
        }
    }
}

fn lost(app: String, what: &str, error: &io::Error) -> Live {
    let problem = Problem::new(
        Code::Internal,
        format!("The {what} of {app} cannot be followed any more: {error}."),
    );
    Live::Lost { app, problem: problem.next("load the page again; `vial doctor`") }
}

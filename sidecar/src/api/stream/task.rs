//! One stream, from its first event to its end.

use std::collections::VecDeque;

use axum::response::sse;
use jiff::Timestamp;
use tokio::sync::mpsc;
use vial_protocol::live::{Hello, Live};
use vial_protocol::{Code, Problem};

use super::apps::Apps;
use super::followed::Followed;
use super::streams::Opened;
use super::topics::Following;
use crate::api::Shared;
use crate::api::peer::Peer;

/// Tells a browser what happens, until it goes, its session ends, or the daemon stops.
pub(super) async fn run(
    shared: Shared,
    peer: Peer,
    mut opened: Opened,
    tell: mpsc::Sender<sse::Event>,
) {
    let mut stop = opened.stop.clone();
    let ended = peer.ended();
    tokio::select! {
        () = tell_all(&shared, &peer, &mut opened, &tell) => {}
        () = tell.closed() => {}
        () = ended.cancelled() => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn tell_all(
    shared: &Shared,
    peer: &Peer,
    opened: &mut Opened,
    tell: &mpsc::Sender<sse::Event>,
) {
    let mut registry = shared.apps.clone();
    let mut stream = Telling::default();
    stream.say.push_back(Live::Hello(Hello {
        stream: opened.id.clone(),
        version: vial_protocol::VERSION.into(),
        started_at: shared.started_at,
        now: Timestamp::now(),
    }));
    let now = registry.borrow_and_update().clone();
    stream.apps.look(&now, peer, &mut stream.followed, &mut stream.say);
    stream.say.push_back(Live::Complete);
    loop {
        // Room first: what is read before there is any would be old when it is told.
        let Ok(room) = tell.reserve().await else { return };
        let live = loop {
            if let Some(live) = stream.say.pop_front() {
                break live;
            }
            tokio::select! {
                biased;
                changed = opened.topics.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let wanted = opened.topics.borrow_and_update().clone();
                    stream.topics.set(wanted, shared, peer, &mut stream.followed);
                }
                changed = registry.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let now = registry.borrow_and_update().clone();
                    stream.apps.look(&now, peer, &mut stream.followed, &mut stream.say);
                    stream.leave_apps();
                }
                (id, live) = stream.followed.next() => {
                    if matches!(live, Live::Lost { .. }) {
                        stream.topics.lost(id);
                    }
                    break live;
                }
            }
        };
        match sse::Event::default().json_data(&live) {
            Ok(event) => room.send(event),
            Err(error) => tracing::error!(%error, "an event could not be written"),
        }
    }
}

/// What one stream has told and follows.
#[derive(Default)]
struct Telling {
    followed: Followed,
    apps: Apps,
    topics: Following,
    /// What is told before anything that is followed.
    say: VecDeque<Live>,
}

impl Telling {
    /// Follows nothing more of apps that were taken out.
    fn leave_apps(&mut self) {
        for app in self.topics.drop_without(|name| self.apps.has(name)) {
            let problem =
                Problem::new(Code::UnknownApp, format!("{app} is no longer configured here."));
            self.say.push_back(Live::Lost { app, problem });
        }
    }
}

//! What the background thread does for a caller.

use std::sync::Arc;

use rustler::ResourceArc;
use serde::de::DeserializeOwned;
use vial_protocol::migration::MigrationsReport;
use vial_protocol::request::{Accepted, Evaluated, Migrated};
use vial_protocol::standby::Rested;
use vial_protocol::{AppStatus, DaemonStatus, Deployment, LogChunk, Plan};

use crate::failure::Failure;
use crate::gate::Gate;
use crate::handle::Handle;
use crate::postbox::Postbox;
use crate::request::{Expect, Packed};
use crate::term::ToTerm;
use crate::wire::{Ask, Pool, follow};

/// One call or one stream.
pub(crate) enum Job {
    Call { request: Packed, answer: Postbox, gate: Arc<Gate> },
    Stream { request: Packed, opened: Postbox, events: Postbox, handle: ResourceArc<Handle> },
}

impl Job {
    /// Does it. A caller who no longer waits ends it at once, wherever it is.
    pub(crate) async fn run(self, pool: Pool) {
        match self {
            Job::Call { request, answer, gate } => tokio::select! {
                biased;
                () = gate.closed() => {}
                result = call(request, &pool) => answer.end(result.map(Some)),
            },
            Job::Stream { request, opened, events, handle } => {
                stream(request, opened.of_opening(), events.of_events(), handle).await;
            }
        }
    }
}

type Answer = Box<dyn ToTerm + Send>;

async fn call(request: Packed, pool: &Pool) -> Result<Answer, Failure> {
    let (ask, expect) = request.open()?;
    let bytes = pool.ask(&ask).await?;
    let decoded = match expect {
        Expect::Daemon => decode::<DaemonStatus>(&bytes),
        Expect::Status => decode::<AppStatus>(&bytes),
        Expect::Deployments => decode::<Vec<Deployment>>(&bytes),
        Expect::Deployment => decode::<Deployment>(&bytes),
        Expect::Plan => decode::<Plan>(&bytes),
        Expect::Accepted => decode::<Accepted>(&bytes),
        Expect::Log => decode::<LogChunk>(&bytes),
        Expect::Evaluated => decode::<Evaluated>(&bytes),
        Expect::Migrations => decode::<MigrationsReport>(&bytes),
        Expect::Migrated => decode::<Migrated>(&bytes),
        Expect::Rested => decode::<Rested>(&bytes),
    };
    match decoded {
        Ok(answer) => Ok(answer),
        Err(error) => Err(misunderstood(pool, &ask, &error).await),
    }
}

fn decode<T: DeserializeOwned + ToTerm + Send + 'static>(
    bytes: &[u8],
) -> Result<Answer, serde_json::Error> {
    serde_json::from_slice::<T>(bytes).map(|answer| Box::new(answer) as Answer)
}

/// An answer that does not fit is most often one of another version: asks which.
async fn misunderstood(pool: &Pool, ask: &Ask, error: &serde_json::Error) -> Failure {
    Failure::BadAnswer {
        socket: ask.socket.clone(),
        what: error.to_string(),
        daemon: pool.version(&ask.socket).await,
    }
}

async fn stream(
    request: Packed,
    opened: Postbox,
    mut events: Postbox,
    handle: ResourceArc<Handle>,
) {
    let gate = events.gate();
    let Some(credit) = handle.credit() else { return };
    tokio::select! {
        biased;
        () = gate.closed() => {}
        () = async {
            let open = async { follow(&request.open()?.0).await };
            let mut following = match open.await {
                Ok(following) => {
                    opened.end(Ok(None));
                    following
                }
                Err(failure) => {
                    // There are no events, so they have no end either.
                    gate.close();
                    return opened.end(Err(failure));
                }
            };
            loop {
                let event = match following.next().await {
                    Ok(Some(event)) => event,
                    Ok(None) => return events.end(Ok(None)),
                    Err(failure) => return events.end(Err(failure)),
                };
                // What is not asked for yet stays in the socket, and the daemon waits.
                match credit.acquire().await {
                    Ok(permit) => permit.forget(),
                    Err(_) => return,
                }
                events.event(&event);
            }
        } => {}
    }
}

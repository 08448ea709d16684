//! Following a deployment to its end, across restarts of the daemon.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use vial_protocol::{AppStatus, Deployment, Event, Kind, Plan, Status};

use super::exit::Exit;
use super::outcome;
use super::progress::Progress;
use super::session::{Session, Stop};
use crate::client::{BuildAsk, Client, ClientError, Subscription, Told};

/// How long the last lines of a build may take.
const LAST_LINES: Duration = Duration::from_secs(5);

/// How long a daemon may be away before the watcher gives up.
const PATIENCE: Duration = Duration::from_secs(300);

/// Follows deployment `number` until it has ended, shows it, and says how it went.
///
/// # Errors
/// The daemon refuses, or stays away.
pub async fn follow(
    session: &mut Session,
    app: &str,
    number: u64,
    plan: Option<&Plan>,
) -> Result<Exit, Stop> {
    let ended = watch(session, app, number).await?;
    let screen = &mut session.screen;
    let Some(deployment) = ended else {
        screen.complain(&outcome::left(app, number));
        return Ok(Exit::Interrupted);
    };
    let (_, exit) = outcome::sentence(app, &deployment, plan, &screen.look());
    if screen.json {
        screen.say_json(&deployment)?;
    } else if exit == Exit::Done {
        let said = outcome::sentence(app, &deployment, plan, &screen.look()).0;
        screen.say(&said)?;
    } else {
        let said = outcome::sentence(app, &deployment, plan, &screen.err_look()).0;
        screen.complain(&said);
    }
    Ok(exit)
}

/// The deployment when it has ended; absent where the reader left before.
async fn watch(session: &mut Session, app: &str, number: u64) -> Result<Option<Deployment>, Stop> {
    let interrupt = session.interrupt.arm()?;
    let mut progress = Progress::on(&session.screen);
    let mut events = session.client.events(Some(app)).await?;
    let mut tick = interval(Duration::from_millis(100));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut lost: Option<(Instant, ClientError)> = None;
    let mut look_again: Option<Instant> = None;
    let mut told_live = false;
    let mut printed: Option<Subscription> = None;
    loop {
        let deadline = lost.as_ref().map(|(since, _)| *since + PATIENCE);
        let told = tokio::select! {
            biased;
            () = interrupt.cancelled() => return Ok(None),
            told = events.next() => told,
            _ = tick.tick(), if progress.is_drawn() => {
                progress.tick((session.screen.clock)());
                continue;
            }
            told = printed_next(&mut printed) => {
                if let Some(Told::Event(Event::BuildLog(chunk))) = told {
                    progress.build(&chunk, &mut session.screen)?;
                    continue;
                }
                // Where the connection was lost, the events say so too.
                printed = printed.filter(|_| told.is_some());
                continue;
            }
            () = at(look_again), if look_again.is_some() => None,
            () = at(deadline), if deadline.is_some() => match lost.take() {
                Some((_, error)) => return Err(error.into()),
                None => continue,
            },
        };
        let status = match told {
            Some(Told::Event(Event::App(status))) if status.name == app => Some(status),
            Some(Told::Event(Event::AppRemoved { name })) if name == app => None,
            Some(Told::Event(_)) => continue,
            Some(Told::Lost(error)) => {
                lost = Some((Instant::now(), error));
                progress.line(
                    "Connection to the daemon lost; the deployment goes on without it. \
                     Reconnecting…",
                    &mut session.screen,
                )?;
                continue;
            }
            Some(Told::Back) => {
                lost = None;
                progress.line("Connected again.", &mut session.screen)?;
                continue;
            }
            Some(Told::Ended(error)) => return Err(error.into()),
            None if look_again.is_some() => None,
            None => return Err(ClientError::Protocol("the events ended".into()).into()),
        };
        look_again = None;
        let taken_back = status.as_ref().is_some_and(|status| is_taken_back(status, number));
        let deployment = match find(&session.client, app, number, status).await {
            Ok(deployment) => deployment,
            Err(error) if error.is_passing() => {
                look_again = Some(Instant::now() + Duration::from_secs(1));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let builds = deployment.build.is_some() && deployment.status <= Status::Building;
        if builds && printed.is_none() && progress.speaks() {
            let all = BuildAsk::default();
            printed = session.client.follow_build(app, number, all).await.ok();
        }
        if let Some(rest) = printed.take_if(|_| !builds) {
            the_rest(rest, &progress, session).await?;
        }
        progress.show(&deployment, &mut session.screen)?;
        if deployment.status.is_live() && !told_live {
            told_live = true;
            let line = outcome::live(app, &deployment, &session.screen.look());
            progress.line(&line, &mut session.screen)?;
        }
        // How a deployment went that is being taken back, the rollback decides: its end is an event
        // too.
        if !deployment.status.in_progress() && !taken_back {
            return Ok(Some(deployment));
        }
    }
}

async fn printed_next(printed: &mut Option<Subscription>) -> Option<Told> {
    match printed {
        Some(printed) => printed.next().await,
        None => std::future::pending().await,
    }
}

/// The last lines of a build that has ended, before what followed it is shown.
async fn the_rest(
    mut rest: Subscription,
    progress: &Progress,
    session: &mut Session,
) -> Result<(), Stop> {
    let deadline = Instant::now() + LAST_LINES;
    while let Ok(Some(told)) = tokio::time::timeout_at(deadline, rest.next()).await {
        match told {
            Told::Event(Event::BuildLog(chunk)) => {
                progress.build(&chunk, &mut session.screen)?;
                if chunk.ended {
                    break;
                }
            }
            Told::Event(_) => {}
            _ => break,
        }
    }
    Ok(())
}

/// Whether a rollback in progress takes a deployment back. What was live is settled as succeeded
/// when its rollback begins, and is marked as rolled back when that has succeeded.
fn is_taken_back(status: &AppStatus, number: u64) -> bool {
    let current = status.deployment.as_ref();
    current.is_some_and(|it| it.kind == Kind::Rollback && it.replaces == Some(number))
}

/// The deployment with its steps: from the status where it has them, else asked for.
async fn find(
    client: &Client,
    app: &str,
    number: u64,
    status: Option<Box<AppStatus>>,
) -> Result<Deployment, ClientError> {
    let known = status
        .and_then(|status| {
            [status.deployment, status.queued]
                .into_iter()
                .flatten()
                .find(|deployment| deployment.number == number)
        })
        .filter(|deployment| !deployment.steps.is_empty());
    match known {
        Some(deployment) => Ok(*deployment),
        None => client.deployment(app, number).await,
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}

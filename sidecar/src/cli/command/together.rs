//! `vial down` and `vial up`

use std::collections::BTreeSet;

use vial_protocol::{AppStatus, Desired, Event, SlotState};

use super::super::args::Down;
use super::super::exit::Exit;
use super::super::session::{Session, Stop};
use super::super::text;
use crate::client::{ClientError, Told};

/// Stops every app, and waits until nothing of them runs.
///
/// # Errors
/// See [`Stop`].
pub async fn down(session: &mut Session, args: &Down) -> Result<Exit, Stop> {
    let someone = session.input_terminal && session.screen.terminal;
    if someone && !args.yes && !agreed(session).await? {
        session.screen.complain("Nothing was changed.");
        return Ok(Exit::Refused);
    }
    let interrupt = session.interrupt.arm()?;
    let told = session.client.down().await?;
    if !session.screen.json && (!session.screen.quiet || told.apps.is_empty()) {
        say(session, &told.message)?;
    }
    // Also what was stopping already: the end of this command means that nothing runs.
    let status = session.client.status().await?;
    let mut left: BTreeSet<String> =
        status.apps.into_iter().filter(|app| !rests(app)).map(|app| app.name).collect();
    let mut events = session.client.events(None).await?;
    while !left.is_empty() {
        let event = tokio::select! {
            biased;
            () = interrupt.cancelled() => {
                session.screen.complain("They go on stopping; `vial status` shows how far they are.");
                return Ok(Exit::Interrupted);
            }
            event = events.next() => event,
        };
        match event {
            Some(Told::Event(Event::App(status))) if rests(&status) => {
                if left.remove(&status.name) && !session.screen.json && !session.screen.quiet {
                    let line = format!("{} has stopped.", text::word(&status.name));
                    session.screen.say(&line)?;
                }
            }
            Some(Told::Event(Event::AppRemoved { name })) => {
                left.remove(&name);
            }
            Some(Told::Event(_) | Told::Lost(_) | Told::Back) => {}
            Some(Told::Ended(error)) => return Err(error.into()),
            None => return Err(ClientError::Protocol("the events ended".into()).into()),
        }
    }
    if session.screen.json {
        session.screen.say_json(&told)?;
    } else if !told.apps.is_empty() {
        session.screen.say(
            "No slot runs any more. The daemon does, and keeps it so until `vial up`, also after a \
             boot.",
        )?;
    }
    Ok(Exit::Done)
}

/// Starts again what was stopped so.
///
/// # Errors
/// See [`Stop`].
pub async fn up(session: &mut Session) -> Result<Exit, Stop> {
    let told = session.client.up().await?;
    if session.screen.json {
        session.screen.say_json(&told)?;
    } else {
        say(session, &format!("{} `vial status` shows how far they are.", told.message))?;
    }
    Ok(Exit::Done)
}

async fn agreed(session: &mut Session) -> Result<bool, Stop> {
    let status = session.client.status().await?;
    let runs = |app: &&AppStatus| app.desired == Desired::Running && app.active.is_some();
    let running: Vec<String> =
        status.apps.iter().filter(runs).map(|app| text::word(&app.name)).collect();
    if running.is_empty() {
        // The daemon says so.
        return Ok(true);
    }
    let question = format!("Stop {}? Nobody is served then.", running.join(", "));
    Ok(session.ask(&question)?)
}

fn say(session: &mut Session, message: &str) -> Result<(), Stop> {
    let message = text::block(message, session.screen.colour);
    Ok(session.screen.say(&message)?)
}

fn rests(status: &AppStatus) -> bool {
    status.slots.iter().all(|slot| slot.state == SlotState::Stopped)
}

//! `vial logs`

use vial_protocol::{Event, LogChunk};

use super::super::args::Logs;
use super::super::exit::Exit;
use super::super::screen::Screen;
use super::super::session::{Session, Stop};
use super::super::text;
use crate::client::{ClientError, Told};

/// Prints a log, and what comes of it later.
///
/// # Errors
/// See [`Stop`].
pub async fn run(session: &mut Session, args: &Logs) -> Result<Exit, Stop> {
    if !args.follow {
        let chunk = session.client.logs(&args.app, args.slot, Some(args.lines)).await?;
        if session.screen.json {
            session.screen.say_json(&chunk)?;
        } else {
            print(&chunk, &mut session.screen)?;
        }
        return Ok(Exit::Done);
    }
    let interrupt = session.interrupt.arm()?;
    let mut events = session.client.follow_log(&args.app, args.slot, Some(args.lines)).await?;
    loop {
        let told = tokio::select! {
            biased;
            () = interrupt.cancelled() => return Ok(Exit::Interrupted),
            told = events.next() => told,
        };
        let screen = &mut session.screen;
        match told {
            Some(Told::Event(Event::Log(chunk))) if screen.json => screen.say_json_line(&chunk)?,
            Some(Told::Event(Event::Log(chunk))) => print(&chunk, screen)?,
            Some(Told::Event(_)) => {}
            Some(Told::Lost(_)) => {
                screen.complain("vial: connection to the daemon lost. Reconnecting…");
            }
            Some(Told::Back) => screen.complain("vial: connected again."),
            Some(Told::Ended(error)) => return Err(error.into()),
            None => return Err(ClientError::Protocol("the log ended".into()).into()),
        }
    }
}

fn print(chunk: &LogChunk, screen: &mut Screen) -> std::io::Result<()> {
    let lines: Vec<String> =
        chunk.lines.iter().map(|line| text::line(&line.text, screen.colour) + "\n").collect();
    if lines.is_empty() { Ok(()) } else { screen.say(&lines.concat()) }
}

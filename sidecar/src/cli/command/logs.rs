//! `vial logs`

use vial_protocol::{BuildChunk, Event, LogChunk};

use super::super::args::Logs;
use super::super::exit::Exit;
use super::super::screen::Screen;
use super::super::session::{Session, Stop};
use super::super::text;
use crate::client::{BuildAsk, ClientError, LogAsk, Told};

/// Prints a log, and what comes of it later.
///
/// # Errors
/// See [`Stop`].
pub async fn run(session: &mut Session, args: &Logs) -> Result<Exit, Stop> {
    if let Some(number) = args.build {
        return build(session, args, number).await;
    }
    let lines = args.lines.or_else(|| args.since.is_none().then_some(100));
    let ask = LogAsk { slot: args.slot, lines, cursor: None, since: args.since };
    if args.follow {
        return follow(session, args, ask).await;
    }
    let chunk = session.client.logs(&args.app, &ask).await?;
    if lines.is_some() {
        match session.screen.json {
            true => session.screen.say_json(&chunk)?,
            false => print(&chunk, args, &mut session.screen)?,
        }
        return Ok(Exit::Done);
    }
    all(session, args, chunk).await
}

/// Prints all that follows, as far as it is written.
async fn all(session: &mut Session, args: &Logs, mut chunk: LogChunk) -> Result<Exit, Stop> {
    loop {
        match session.screen.json {
            true => session.screen.say_json_line(&chunk)?,
            false => print(&chunk, args, &mut session.screen)?,
        }
        if chunk.lines.is_empty() {
            return Ok(Exit::Done);
        }
        let (slot, cursor) = (Some(chunk.slot), Some(chunk.cursor));
        let ask = LogAsk { slot, cursor, ..LogAsk::default() };
        chunk = session.client.logs(&args.app, &ask).await?;
    }
}

async fn follow(session: &mut Session, args: &Logs, ask: LogAsk) -> Result<Exit, Stop> {
    let interrupt = session.interrupt.arm()?;
    let mut events = session.client.follow_log(&args.app, ask).await?;
    loop {
        let told = tokio::select! {
            biased;
            () = interrupt.cancelled() => return Ok(Exit::Interrupted),
            told = events.next() => told,
        };
        let screen = &mut session.screen;
        match told {
            Some(Told::Event(Event::Log(chunk))) if screen.json => screen.say_json_line(&chunk)?,
            Some(Told::Event(Event::Log(chunk))) => print(&chunk, args, screen)?,
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

/// Prints what a build printed; with `--follow`, until it has ended.
async fn build(session: &mut Session, args: &Logs, number: u64) -> Result<Exit, Stop> {
    let mut ask = BuildAsk { lines: args.lines, cursor: None };
    if args.follow {
        let interrupt = session.interrupt.arm()?;
        let mut events = session.client.follow_build(&args.app, number, ask).await?;
        loop {
            let told = tokio::select! {
                biased;
                () = interrupt.cancelled() => return Ok(Exit::Interrupted),
                told = events.next() => told,
            };
            match told {
                Some(Told::Event(Event::BuildLog(chunk))) => {
                    print_build(&chunk, &mut session.screen)?;
                    if chunk.ended {
                        return Ok(Exit::Done);
                    }
                }
                Some(Told::Event(_)) => {}
                Some(Told::Lost(_)) => {
                    session.screen.complain("vial: connection to the daemon lost. Reconnecting…");
                }
                Some(Told::Back) => session.screen.complain("vial: connected again."),
                Some(Told::Ended(error)) => return Err(error.into()),
                None => return Err(ClientError::Protocol("the log ended".into()).into()),
            }
        }
    }
    loop {
        let chunk = session.client.build_log(&args.app, number, &ask).await?;
        print_build(&chunk, &mut session.screen)?;
        if chunk.lines.is_empty() || args.lines.is_some() {
            return Ok(Exit::Done);
        }
        ask = BuildAsk { lines: None, cursor: Some(chunk.cursor) };
    }
}

fn print_build(chunk: &BuildChunk, screen: &mut Screen) -> std::io::Result<()> {
    if screen.json {
        return screen.say_json_line(chunk);
    }
    let lines: Vec<String> =
        chunk.lines.iter().map(|line| text::line(&line.text, screen.colour) + "\n").collect();
    if lines.is_empty() { Ok(()) } else { screen.say(&lines.concat()) }
}

fn print(chunk: &LogChunk, args: &Logs, screen: &mut Screen) -> std::io::Result<()> {
    if chunk.gap > 0 {
        screen.complain(&format!(
            "vial: what came before is no longer kept ({} bytes). `logs` in the file of {} says how \
             much is.",
            chunk.gap, args.app
        ));
    }
    let lines: Vec<String> =
        chunk.lines.iter().map(|line| text::line(&line.text, screen.colour) + "\n").collect();
    if lines.is_empty() { Ok(()) } else { screen.say(&lines.concat()) }
}

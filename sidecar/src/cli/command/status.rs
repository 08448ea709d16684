//! `vial status` and `vial apps`

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::time::interval;
use vial_protocol::{AppStatus, DaemonStatus, Event};

use super::super::args::Status;
use super::super::exit::Exit;
use super::super::screen::Screen;
use super::super::session::{Session, Stop};
use super::super::view_status;
use crate::client::{ClientError, Told};

/// Shows one app or all, once or until Ctrl-C.
///
/// # Errors
/// See [`Stop`].
pub async fn run(session: &mut Session, args: &Status) -> Result<Exit, Stop> {
    if args.watch {
        return watch(session, args.app.as_deref()).await;
    }
    match &args.app {
        Some(app) => {
            let status = session.client.app(app).await?;
            let screen = &mut session.screen;
            if screen.json {
                screen.say_json(&status)?;
            } else {
                let shown = view_status::app(&status, &screen.look());
                screen.say(&shown)?;
            }
        }
        None => show(session, view_status::all).await?,
    }
    Ok(Exit::Done)
}

/// Lists the apps.
///
/// # Errors
/// See [`Stop`].
pub async fn apps(session: &mut Session) -> Result<Exit, Stop> {
    show(session, view_status::names).await?;
    Ok(Exit::Done)
}

async fn show(
    session: &mut Session,
    view: fn(&DaemonStatus, &super::super::look::Look) -> String,
) -> Result<(), Stop> {
    let status = session.client.status().await?;
    let screen = &mut session.screen;
    if screen.json {
        screen.say_json(&status)?;
    } else {
        let shown = view(&status, &screen.look());
        screen.say(&shown)?;
    }
    Ok(())
}

async fn watch(session: &mut Session, app: Option<&str>) -> Result<Exit, Stop> {
    let interrupt = session.interrupt.arm()?;
    let mut daemon = session.client.status().await?;
    let mut events = session.client.events(app).await?;
    let mut apps: BTreeMap<String, AppStatus> = BTreeMap::new();
    let mut away = false;
    // Ages go on by themselves; a change is shown as it comes.
    let mut tick = interval(Duration::from_secs(1));
    let draws = session.screen.terminal && !session.screen.json;
    loop {
        let told = tokio::select! {
            biased;
            () = interrupt.cancelled() => return Ok(Exit::Interrupted),
            told = events.next() => told,
            _ = tick.tick(), if draws && !apps.is_empty() => {
                daemon.apps = apps.values().cloned().collect();
                redraw(&daemon, app, away, &mut session.screen)?;
                continue;
            }
        };
        let screen = &mut session.screen;
        match told {
            Some(Told::Event(event)) => {
                if screen.json {
                    screen.say_json_line(&event)?;
                }
                match event {
                    Event::App(status) => {
                        if !draws && !screen.json {
                            let line = view_status::change(&status, &screen.look());
                            screen.say(&line)?;
                        }
                        apps.insert(status.name.clone(), *status);
                    }
                    Event::AppRemoved { name } => {
                        apps.remove(&name);
                    }
                    Event::Log(_) | Event::BuildLog(_) => {}
                }
            }
            Some(Told::Lost(_)) => {
                away = true;
                if !draws {
                    screen.complain("vial: connection to the daemon lost. Reconnecting…");
                }
            }
            Some(Told::Back) => {
                away = false;
                if !draws {
                    screen.complain("vial: connected again.");
                }
            }
            Some(Told::Ended(error)) => return Err(error.into()),
            None => return Err(ClientError::Protocol("the events ended".into()).into()),
        }
        if draws {
            daemon.apps = apps.values().cloned().collect();
            redraw(&daemon, app, away, &mut session.screen)?;
        }
    }
}

fn redraw(
    daemon: &DaemonStatus,
    app: Option<&str>,
    away: bool,
    screen: &mut Screen,
) -> io::Result<()> {
    let look = screen.look();
    let body = match (app, daemon.apps.first()) {
        (Some(_), Some(status)) => view_status::app(status, &look),
        (Some(_), None) => "The app is no longer configured.\n".into(),
        (None, _) => view_status::all(daemon, &look),
    };
    let note = if away {
        "\nConnection to the daemon lost; the slots go on without it. Reconnecting…\n"
    } else {
        ""
    };
    // Home, then each line over the old one, then the rest of the screen cleared: no flicker.
    let mut frame = "\x1b[H".to_owned();
    for line in body.lines().chain(note.lines()) {
        frame.push_str(line);
        frame.push_str("\x1b[K\n");
    }
    frame.push_str("\x1b[J");
    screen.say_as_is(&frame)
}

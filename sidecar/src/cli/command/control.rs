//! `vial cancel`, `stop`, `start`, `restart`, `reload` and `caddy snippet`

use vial_protocol::request;
use vial_protocol::request::Accepted;

use super::super::args::Restart;
use super::super::exit::Exit;
use super::super::follow::follow;
use super::super::look::Tone;
use super::super::session::{Session, Stop};
use super::super::{problem, text};
use crate::client::ClientError;

/// Shows what was accepted of a command that needs no following.
///
/// # Errors
/// See [`Stop`].
pub fn told(session: &mut Session, accepted: Result<Accepted, ClientError>) -> Result<Exit, Stop> {
    session.accepted(&accepted?, None)?;
    Ok(Exit::Done)
}

/// Restarts, and follows the deployment that comes of it.
///
/// # Errors
/// See [`Stop`].
pub async fn restart(session: &mut Session, args: &Restart) -> Result<Exit, Stop> {
    let request = request::Restart { in_place: args.in_place, reason: args.reason.clone() };
    let accepted = session.client.restart(&args.app, &request).await?;
    match accepted.deployment {
        Some(number) if !args.detach => follow(session, &args.app, number, None).await,
        number => {
            session.accepted(&accepted, number.map(|number| (args.app.as_str(), number)))?;
            Ok(Exit::Done)
        }
    }
}

/// Makes the daemon read its configuration again, and shows what it found.
///
/// # Errors
/// See [`Stop`].
pub async fn reload(session: &mut Session) -> Result<Exit, Stop> {
    let found = session.client.reload().await?;
    let screen = &mut session.screen;
    let exit = if found.problems.is_empty() { Exit::Done } else { Exit::Failed };
    if screen.json {
        screen.say_json(&found)?;
        return Ok(exit);
    }
    let look = screen.err_look();
    for problem in &found.problems {
        let shown = problem::render(problem, "", &look);
        screen.complain(&shown);
    }
    for warning in &found.warnings {
        let mark = look.paint(Tone::Warn, "Warning:");
        screen.complain(&format!("{mark} {}", text::block(warning, look.colour)));
    }
    if exit == Exit::Done {
        screen.say("The configuration was read again.")?;
    } else {
        screen.complain("What is named above goes on as it was; the rest was read again.");
    }
    Ok(exit)
}

/// Prints the snippet that the Caddyfile imports.
///
/// # Errors
/// See [`Stop`].
pub async fn snippet(session: &mut Session, app: &str) -> Result<Exit, Stop> {
    let snippet = session.client.caddy_snippet(app).await?;
    let screen = &mut session.screen;
    if screen.json {
        screen.say_json(&serde_json::json!({ "snippet": snippet }))?;
    } else if screen.terminal {
        screen.say(&text::block(&snippet, false))?;
    } else {
        screen.say(&snippet)?;
    }
    Ok(Exit::Done)
}

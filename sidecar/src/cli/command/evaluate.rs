//! `vial rpc` and `vial eval`

use std::io::Write;

use vial_protocol::request::Evaluated;

use super::super::exit::Exit;
use super::super::session::{Session, Stop};
use super::super::text;
use crate::client::ClientError;

/// Prints what the script printed, and ends as it ended.
///
/// # Errors
/// See [`Stop`].
pub fn told(
    session: &mut Session,
    evaluated: Result<Evaluated, ClientError>,
) -> Result<Exit, Stop> {
    let evaluated = evaluated?;
    let screen = &mut session.screen;
    if screen.json {
        screen.say_json(&evaluated)?;
    } else if screen.terminal {
        if !evaluated.output.is_empty() {
            let clean = text::block(&evaluated.output, screen.colour);
            screen.say(&clean)?;
        }
    } else {
        // A program reads it: byte for byte.
        screen.out.write_all(evaluated.output.as_bytes())?;
        screen.out.flush()?;
    }
    if evaluated.truncated && !screen.json {
        screen.complain("vial: the output was longer; the rest was left out.");
    }
    if evaluated.status.is_none() && !screen.json {
        screen.complain("vial: the script was ended by a signal.");
    }
    Ok(Exit::script(evaluated.status))
}

//! `vial console`: this terminal, bridged to one in the release.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use futures_util::{Stream, StreamExt};
use rustix::termios::{self, OptionalActions, Termios};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook_tokio::Signals;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::super::args;
use super::super::exit::Exit;
use super::super::session::{Session, Stop};
use super::super::text;
use crate::client::console::{Console, Output, Place, Size};

/// Ctrl-]: leaves the console, as telnet has it. Everything else goes to the release.
const LEAVE: u8 = 0x1d;

/// Opens a console, until it or the person ends it.
///
/// # Errors
/// See [`Stop`].
pub async fn run(session: &mut Session, args: &args::Console) -> Result<Exit, Stop> {
    if !session.input_terminal || !session.screen.terminal {
        let app = text::word(&args.app);
        return Err(Stop::Usage(format!(
            "`vial console` needs a terminal, and this is none.\nNext: `vial rpc {app} EXPR` asks \
             the running release, `vial eval {app} EXPR` a fresh instance of it."
        )));
    }
    let terminal = io::stdin().as_fd().try_clone_to_owned()?;
    let term = std::env::var("TERM").unwrap_or_else(|_| "xterm".into());
    let place = args.release.map_or(Place::Slot(args.slot), Place::Release);
    let console = session.client.console(&args.app, place, size(&terminal)?, &term).await?;
    session.screen.say(match place {
        Place::Slot(_) => "Ctrl-] leaves the console; the release goes on.",
        Place::Release(_) => "Ctrl-] leaves the console; what serves is not touched by it.",
    })?;
    let signals = Signals::new([SIGWINCH, SIGHUP, SIGINT, SIGTERM])?;
    let sizes = signals.filter_map({
        let terminal = terminal.try_clone()?;
        move |signal| {
            let size = (signal == SIGWINCH).then(|| size(&terminal).ok());
            // A window whose size cannot be told keeps the one it had.
            std::future::ready(match size {
                Some(None) => None,
                Some(Some(size)) => Some(Told::Size(size)),
                None => Some(Told::Leave),
            })
        }
    });
    let end = {
        let _raw = Raw::enter(terminal)?;
        bridge(console, tokio::io::stdin(), tokio::io::stdout(), sizes).await
    };
    // The program may have left colours on, and the cursor anywhere.
    session.screen.say_as_is("\x1b[0m\r\n")?;
    match end? {
        End::Exited(status) => Ok(Exit::script(Some(status))),
        End::Left => Ok(Exit::Done),
    }
}

/// How a console ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// Its program ended with this status.
    Exited(i32),
    /// The person left, and the program with them.
    Left,
}

/// What happens to the local terminal.
#[derive(Debug)]
pub enum Told {
    /// Its window has another size.
    Size(Size),
    /// It is going away, or the process was told to end.
    Leave,
}

/// Moves bytes both ways until one side ends.
///
/// # Errors
/// The connection ended before the program, or the local terminal cannot be used.
pub async fn bridge(
    mut console: Console,
    mut input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
    mut told: impl Stream<Item = Told> + Unpin,
) -> Result<End, Stop> {
    let mut typed = [0; 4096];
    let mut told_ended = false;
    loop {
        tokio::select! {
            came = console.next() => match came? {
                Output::Bytes(bytes) => {
                    output.write_all(&bytes).await?;
                    output.flush().await?;
                }
                Output::Exit(status) => return Ok(End::Exited(status)),
            },
            count = input.read(&mut typed) => {
                let typed = &typed[..count?];
                let kept = typed.split(|byte| *byte == LEAVE).next().unwrap_or_default();
                if !kept.is_empty() {
                    console.send(kept).await?;
                }
                if kept.len() < typed.len() || typed.is_empty() {
                    console.close().await;
                    return Ok(End::Left);
                }
            }
            heard = told.next(), if !told_ended => match heard {
                Some(Told::Size(size)) => console.resize(size).await?,
                Some(Told::Leave) => {
                    console.close().await;
                    return Ok(End::Left);
                }
                None => told_ended = true,
            },
        }
    }
}

/// A terminal in raw mode, for as long as this lives: however the console ends, by return, by
/// error or by panic, the terminal is as it was.
pub struct Raw {
    terminal: OwnedFd,
    before: Termios,
}

impl Raw {
    /// Puts a terminal in raw mode.
    ///
    /// # Errors
    /// It is not a terminal, or is gone.
    pub fn enter(terminal: OwnedFd) -> io::Result<Self> {
        let before = termios::tcgetattr(&terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(&terminal, OptionalActions::Flush, &raw)?;
        Ok(Raw { terminal, before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = termios::tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

fn size(terminal: &OwnedFd) -> Result<Size, io::Error> {
    let size = termios::tcgetwinsize(terminal)?;
    // A terminal that does not know its size is taken for a classic one.
    let or = |value, other| if value == 0 { other } else { value };
    Ok(Size { rows: or(size.ws_row, 24), cols: or(size.ws_col, 80) })
}

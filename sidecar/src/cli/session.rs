//! What a command works with: the client, the screen, the person, and the way to stop it.

use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use futures_util::StreamExt;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook_tokio::Signals;
use tokio_util::sync::CancellationToken;
use vial_protocol::request::Accepted;

use super::exit::Exit;
use super::problem;
use super::screen::Screen;
use super::text;
use crate::client::{Client, ClientError};

/// Writes a release folder as a tar archive.
pub type Pack = fn(&Path, &mut dyn Write) -> io::Result<()>;

/// What a command works with.
pub struct Session {
    /// Calls the daemon.
    pub client: Client,
    /// Shows what came of it.
    pub screen: Screen,
    /// Standard input, or what stands for it; taken by the command that reads it.
    pub input: Option<Box<dyn Read + Send>>,
    /// Whether standard input is a terminal.
    pub input_terminal: bool,
    /// Ends what waits or watches.
    pub interrupt: Interrupt,
    /// Packs a release folder.
    pub pack: Pack,
}

/// Ctrl-C, as something to wait for. Until it is waited for, a signal ends the process as usual.
#[derive(Debug, Default)]
pub struct Interrupt {
    token: CancellationToken,
    by_hand: bool,
}

impl Interrupt {
    /// An interrupt that comes from a caller instead of a signal.
    #[must_use]
    pub fn by_hand(token: CancellationToken) -> Self {
        Interrupt { token, by_hand: true }
    }

    /// From now on SIGINT and SIGTERM are told here.
    ///
    /// # Errors
    /// The signals cannot be watched.
    pub fn arm(&mut self) -> io::Result<CancellationToken> {
        if !self.by_hand {
            let mut signals = Signals::new([SIGINT, SIGTERM])?;
            let token = self.token.clone();
            self.by_hand = true;
            tokio::spawn(async move {
                signals.next().await;
                token.cancel();
            });
        }
        Ok(self.token.clone())
    }
}

/// Why a command stopped before its end. [`Session::settle`] tells the person.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// A call came to nothing.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Standard output cannot be written, or a local resource is missing.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The command line asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
}

impl Session {
    /// Shows what the daemon accepted, and how to look at it later where it goes on unwatched.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn accepted(
        &mut self,
        accepted: &Accepted,
        goes_on: Option<(&str, u64)>,
    ) -> io::Result<()> {
        if self.screen.json {
            return self.screen.say_json(accepted);
        }
        let message = text::block(&accepted.message, self.screen.colour);
        self.screen.say(&message)?;
        match goes_on {
            Some((app, number)) if !self.screen.quiet => {
                let app = text::word(app);
                self.screen.say(&format!("It goes on by itself: `vial show {app} {number}`"))
            }
            _ => Ok(()),
        }
    }

    /// Asks yes or no on the terminal; anything but a yes is a no.
    ///
    /// # Errors
    /// The terminal cannot be read or written.
    pub fn ask(&mut self, question: &str) -> io::Result<bool> {
        let answer = self.answer(&format!("{question} [y/N]"))?;
        Ok(matches!(answer.as_str(), "y" | "yes"))
    }

    /// What is answered to a question on the terminal, in lower case.
    ///
    /// # Errors
    /// The terminal cannot be read or written.
    pub fn answer(&mut self, question: &str) -> io::Result<String> {
        write!(self.screen.out, "{question} ")?;
        self.screen.out.flush()?;
        let mut answer = String::new();
        if let Some(input) = &mut self.input {
            // One byte at a time, so that nothing behind the answer is taken.
            io::BufReader::with_capacity(1, input).read_line(&mut answer)?;
        }
        if !answer.ends_with('\n') {
            self.screen.say("")?;
        }
        Ok(answer.trim().to_ascii_lowercase())
    }

    /// Tells the person how the command ended, where that was not told yet.
    pub fn settle(&mut self, result: Result<Exit, Stop>) -> Exit {
        match result {
            Ok(exit) => exit,
            // Whoever read the output has left, as `head` does: there is nobody to tell.
            Err(Stop::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Err(Stop::Io(error)) => {
                self.screen.complain(&format!("vial: {error}"));
                Exit::Failed
            }
            Err(Stop::Usage(said)) => {
                self.screen.complain(&said);
                Exit::Usage
            }
            Err(Stop::Client(error)) => {
                if self.screen.json {
                    // Whoever left early gets the exit status at least.
                    drop(self.screen.say_json(&problem::json(&error)));
                } else {
                    let shown = problem::render_error(&error, &self.screen.err_look());
                    self.screen.complain(&shown);
                }
                Exit::of(&error)
            }
        }
    }
}

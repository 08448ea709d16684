//! Where output goes: the two streams, and what is known of the terminal behind them.

use std::io::{self, IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::look::Look;
use super::text;

/// Standard output and standard error, or what stands for them.
pub struct Screen {
    /// What was asked for.
    pub out: Box<dyn Write + Send>,
    /// What went wrong.
    pub err: Box<dyn Write + Send>,
    /// Whether standard output is a terminal.
    pub terminal: bool,
    /// Whether colours may be used on standard output.
    pub colour: bool,
    /// Whether colours may be used on standard error.
    pub err_colour: bool,
    /// The terminal's columns, where it is one.
    pub width: Option<usize>,
    /// The reader's time zone.
    pub zone: TimeZone,
    /// Tells the time.
    pub clock: fn() -> Timestamp,
    /// Whether standard output is for a program.
    pub json: bool,
    /// Whether progress is left out.
    pub quiet: bool,
}

impl Screen {
    /// This process' own streams.
    #[must_use]
    pub fn of_process(json: bool, quiet: bool) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let width = rustix::termios::tcgetwinsize(&stdout).ok();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Screen {
            out: Box::new(stdout),
            err: Box::new(io::stderr()),
            terminal,
            colour: terminal && wanted && !json,
            err_colour: io::stderr().is_terminal() && wanted,
            width: width
                .filter(|_| terminal)
                .map(|size| usize::from(size.ws_col))
                // Some terminals, such as a serial console, do not know.
                .map(|columns| if columns == 0 { 80 } else { columns }),
            zone: TimeZone::system(),
            clock: Timestamp::now,
            json,
            quiet,
        }
    }

    /// How things look on standard output now.
    #[must_use]
    pub fn look(&self) -> Look {
        Look {
            colour: self.colour,
            width: self.width,
            zone: self.zone.clone(),
            now: (self.clock)(),
        }
    }

    /// How things look on standard error now.
    #[must_use]
    pub fn err_look(&self) -> Look {
        Look { colour: self.err_colour, ..self.look() }
    }

    /// Prints text, which must be clean, and ends its line.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }

    /// Prints what is more than a line: a whole screen, or its end.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn say_as_is(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Prints a value as JSON for people and programs.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn say_json(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.say_value(serde_json::to_string_pretty(value)?)
    }

    /// Prints a value as one line of JSON, for streams.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn say_json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.say_value(serde_json::to_string(value)?)
    }

    fn say_value(&mut self, json: String) -> io::Result<()> {
        self.say(&if self.terminal { text::json(&json) } else { json })
    }

    /// Prints clean text on standard error. A standard error that cannot be written has nobody
    /// to tell.
    pub fn complain(&mut self, text: &str) {
        drop(self.err.write_all(text.as_bytes()));
        if !text.ends_with('\n') {
            drop(self.err.write_all(b"\n"));
        }
        drop(self.err.flush());
    }
}

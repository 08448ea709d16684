//! Running a program of a release to its end: a migration, an expression, a check.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

use super::exit::Exit;
use super::family::{self, Guard, StopError};
use super::identity::Identity;
use super::process::Process;
use super::spawn::{SpawnError, Spec, Waiting, spawn};
use crate::fault;
use crate::patience::within;

/// As much of the output as is kept.
pub const OUTPUT: usize = 1 << 20;

/// A longer line is told as several.
const LINE: usize = 64 << 10;

/// How long output may still come from what outlives the program.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A program that waits to be run. Dropped, or dropped while it runs, it is killed with all its
/// family.
#[derive(Debug)]
pub struct Helper {
    waiting: Waiting,
    family: Guard,
    program: String,
}

/// How a program ended, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Standard output and standard error as they came: untrusted text.
    pub output: String,
    /// How it ended.
    pub exit: Exit,
    /// Whether output beyond [`OUTPUT`] was left out.
    pub truncated: bool,
}

/// Why a program was not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// It could not be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It took too long, and was killed.
    #[error("{program} did not end within {} s, and was killed.", after.as_secs())]
    TimedOut {
        /// The program.
        program: String,
        /// How long it had.
        after: Duration,
        /// What it had said: untrusted text.
        output: String,
    },
    /// Its output could not be read.
    #[error("What {program} says cannot be read: {source}.")]
    Output {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// What it left behind could not be ended.
    #[error(transparent)]
    Stop(#[from] StopError),
}

impl Helper {
    /// Starts a program that waits. `spec.output` must be piped, and `run_id` the marker in its
    /// environment: by it, all that the program starts is found and ended with it.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn start(spec: &Spec, run_id: &str) -> Result<Helper, SpawnError> {
        let waiting = spawn(spec)?;
        fault::point(|| "helper: waits".into());
        let root = waiting.identity.clone();
        let family = Guard::new(root, run_id);
        Ok(Helper { waiting, family, program: spec.program.display().to_string() })
    }

    /// To be written down before [`Helper::run`].
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.waiting.identity
    }

    /// Runs the program to its end, and ends what it leaves behind. `on_line` hears each line as
    /// it comes.
    ///
    /// # Errors
    /// Where it does not end within `limit`, or its output cannot be read.
    pub async fn run(
        self,
        limit: Duration,
        on_line: impl FnMut(&str),
    ) -> Result<Finished, HelperError> {
        let Helper { mut waiting, family, program } = self;
        let source = |source| HelperError::Output { program: program.clone(), source };
        let pipe = waiting.take_output().map(|reader| pipe::Receiver::from_owned_fd(reader.into()));
        let pipe = pipe.transpose().map_err(source)?;
        let process = waiting.open()?;
        fault::point(|| "helper: let go".into());
        let mut heard = Heard::new(on_line);
        let ended = within(limit, listen(&process, pipe, &mut heard)).await;
        // On every way out of here `family` is dropped, and with it whatever still runs.
        let exit = match ended {
            Some(exit) => exit.map_err(source)?,
            None => {
                let (output, _) = heard.end();
                return Err(HelperError::TimedOut { program, after: limit, output });
            }
        };
        fault::point(|| "helper: ended".into());
        let (output, truncated) = heard.end();
        family::sweep(Vec::new(), family.run_id(), Duration::ZERO).await?;
        family.ended();
        Ok(Finished { output, exit, truncated })
    }
}

async fn listen<F: FnMut(&str)>(
    process: &Process,
    pipe: Option<pipe::Receiver>,
    heard: &mut Heard<F>,
) -> io::Result<Exit> {
    let hear = async {
        let Some(mut pipe) = pipe else { return Ok::<(), io::Error>(()) };
        let mut buffer = vec![0; 16 << 10];
        loop {
            match pipe.read(&mut buffer).await? {
                0 => return Ok(()),
                count => heard.hear(&buffer[..count]),
            }
        }
    };
    tokio::pin!(hear);
    tokio::select! {
        biased;
        result = &mut hear => result?,
        // The pipe stays open for as long as anything that the program started holds it.
        _ = process.exited() => {
            if let Some(result) = within(LAST_WORDS, &mut hear).await {
                result?;
            }
        }
    }
    Ok(process.exited().await)
}

/// Output as it comes: kept up to a limit, and told by line.
struct Heard<F> {
    kept: Vec<u8>,
    truncated: bool,
    line: Vec<u8>,
    on_line: F,
}

impl<F: FnMut(&str)> Heard<F> {
    fn new(on_line: F) -> Self {
        Heard { kept: Vec::new(), truncated: false, line: Vec::new(), on_line }
    }

    fn hear(&mut self, bytes: &[u8]) {
        let room = OUTPUT - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.truncated |= bytes.len() > room;
        for byte in bytes {
            if *byte == b'\n' {
                self.tell();
            } else {
                self.line.push(*byte);
                if self.line.len() == LINE {
                    self.tell();
                }
            }
        }
    }

    fn tell(&mut self) {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        (self.on_line)(&String::from_utf8_lossy(line));
        self.line.clear();
    }

    fn end(mut self) -> (String, bool) {
        if !self.line.is_empty() {
            self.tell();
        }
        (String::from_utf8_lossy(&self.kept).into_owned(), self.truncated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_told_by_line_and_kept_up_to_its_limit() {
        let mut lines = Vec::new();
        let mut heard = Heard::new(|line: &str| lines.push(line.to_owned()));
        heard.hear(b"one\nt");
        heard.hear(b"wo\r\nthree");
        heard.hear(&vec![b'x'; OUTPUT]);
        let (output, truncated) = heard.end();
        assert_eq!(output.len(), OUTPUT);
        assert!(truncated);
        assert_eq!(lines[..2], ["one", "two"]);
        assert!(lines[2].starts_with("threexx"));
        assert!(lines.iter().all(|line| line.len() <= LINE));
    }
}

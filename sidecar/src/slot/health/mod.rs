//! Whether the release in a slot is healthy.
//!
//! [`Check`] is one HTTP request, [`Probe`] whatever an app is asked by: [`once`] asks,
//! [`until_healthy`] asks until a new process is ready, [`listens`] waits for less, [`verify`] asks for a page that must
//! work. Knows only ports, paths and processes.

mod command;
mod http;

use std::future::Future;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::exit::Exit;
use crate::patience::attended;

pub use command::CommandCheck;
pub use http::{Check, VerifyFailure, verify};

/// How an app is asked for its health.
#[derive(Debug)]
pub enum Probe {
    /// By HTTP.
    Http(Check),
    /// By a command that exits with status 0.
    Command(CommandCheck),
}

/// What came of asking once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is healthy, and took this long to say so.
    Healthy {
        /// Milliseconds.
        millis: u64,
    },
    /// Nobody listens on its port.
    Refused,
    /// It is not, or not yet: "503", "timed out after 2 s".
    NotYet {
        /// What was seen instead.
        detail: String,
    },
}

impl Answer {
    /// Why it does not count as healthy; `None` where it does.
    #[must_use]
    pub fn wrong(&self) -> Option<&str> {
        match self {
            Answer::Healthy { .. } => None,
            Answer::Refused => Some(http::REFUSED),
            Answer::NotYet { detail } => Some(detail),
        }
    }
}

/// A process has become healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Healthy {
    /// From the beginning of the wait to the answer that decided.
    pub waited: Duration,
    /// How long the last answer took, in milliseconds.
    pub millis: u64,
}

/// A process has not become healthy; for the deployment's error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unhealthy {
    /// It ended first.
    #[error("It {0} before it was healthy.")]
    Exited(Exit),
    /// It took too long.
    #[error("It was not healthy within {} s: {detail}.", waited.as_secs())]
    Deadline {
        /// How long it had.
        waited: Duration,
        /// What the last answer was.
        detail: String,
    },
}

/// How long one answer may take while the process starts: a request that hangs must not hide that
/// the next would be answered.
const ONE_ANSWER: Duration = Duration::from_secs(2);

/// Between two questions, at first and at last.
const AT_FIRST: Duration = Duration::from_millis(2);
const AT_LAST: Duration = Duration::from_millis(250);
/// While nobody listens, the next question comes after such a part of the time waited so far: readiness
/// is noticed half a per cent late at most, and a connection that is refused costs nobody anything.
const REFUSED_SHARE: u32 = 200;
/// And where an answer was not the wished one: the release spends time on each, and logs it perhaps.
const ANSWERED_SHARE: u32 = 50;

/// Asks once.
pub async fn once(probe: &Probe, timeout: Duration) -> Answer {
    match probe {
        Probe::Http(check) => http::once(check, timeout).await,
        Probe::Command(check) => check.once(timeout).await,
    }
}

/// Asks until the process was healthy `successes` times in a row. An error
/// answer means not ready yet: servers listen before they can answer.
///
/// # Errors
/// As soon as `exited` says that the process has ended, or after its deadline, of which only time
/// counts in which it was asked.
pub async fn until_healthy(
    probe: &Probe,
    successes: u32,
    deadline: Duration,
    exited: impl Future<Output = Exit>,
) -> Result<Healthy, Unhealthy> {
    let began = Instant::now();
    let mut last = "no answer came".to_owned();
    let asked = async {
        let mut in_a_row = 0;
        loop {
            let answer = once(probe, ONE_ANSWER).await;
            let share = match answer {
                Answer::Healthy { millis } => {
                    in_a_row += 1;
                    last = format!("healthy {in_a_row} times in a row of {successes}");
                    if in_a_row >= successes {
                        return Healthy { waited: began.elapsed(), millis };
                    }
                    // That the first was no accident needs no time to show.
                    None
                }
                Answer::Refused => Some(REFUSED_SHARE),
                Answer::NotYet { .. } => Some(ANSWERED_SHARE),
            };
            if let Some(wrong) = answer.wrong() {
                in_a_row = 0;
                last = wrong.to_owned();
            }
            let pause = share.map(|it| (began.elapsed() / it).clamp(AT_FIRST, AT_LAST));
            if let Some(pause) = pause.max(probe.least_pause()) {
                tokio::time::sleep(pause).await;
            }
        }
    };
    tokio::select! {
        biased;
        exit = exited => Err(Unhealthy::Exited(exit)),
        healthy = asked => Ok(healthy),
        () = attended(deadline) => {
            Err(Unhealthy::Deadline { waited: deadline, detail: last })
        }
    }
}

/// Waits until something on this host takes connections on a port.
pub async fn listens(port: u16) {
    let began = Instant::now();
    while !TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok_and(|it| !is_own(&it)) {
        tokio::time::sleep((began.elapsed() / REFUSED_SHARE).clamp(AT_FIRST, AT_LAST)).await;
    }
}

/// Whether a connection is one with itself: where nobody listens on a port from which the system takes
/// those of clients, it may take the very one that is asked for.
fn is_own(stream: &TcpStream) -> bool {
    stream.local_addr().is_ok_and(|local| stream.peer_addr().is_ok_and(|peer| peer == local))
}

impl Probe {
    /// A command is a process of its own each time.
    fn least_pause(&self) -> Option<Duration> {
        match self {
            Probe::Http(_) => None,
            Probe::Command(_) => Some(AT_LAST),
        }
    }
}

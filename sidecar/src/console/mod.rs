//! Consoles in the browser: each a program on a terminal that outlives its page for a minute.
//!
//! ```text
//!                      ┌──── task: one a console ────┐
//! program ── terminal ─▶ ring ─▶ page (if attached) ─▶ Said
//!          ◀───────────── keys ◀─────────────────────── Typed
//! ```
//!
//! [`Consoles`] knows which there are, whose they are, and that they do not become too many; `task`
//! is one of them, from its opening to its end; `ring` is what it printed last, for a page that comes
//! back. A page that does not read stops its console, which then writes no more; where there is no
//! page, all is read, and the oldest of it forgotten.
//!
//! This folder knows terminals. It knows nothing of HTTP, of releases, or of who may open a console,
//! and must import neither `api` nor `app`.

mod ring;
mod task;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use vial_protocol::console::Console;
use vial_protocol::{Code, Problem};

use crate::slot::Exit;
use crate::slot::terminal::{Size, Terminal};
use task::Order;

/// The most on a host: each is an Erlang node of its own.
const ALL: usize = 8;
/// The most of one user.
const OF_A_USER: usize = 4;
/// How much waits for a page, in pieces.
const ROOM: usize = 4;

/// How long a console may stand.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Without a page.
    pub kept: Duration,
    /// Without a key typed or a character printed.
    pub idle: Duration,
}

impl Limits {
    /// As people are told.
    pub const USUAL: Limits =
        Limits { kept: Duration::from_secs(60), idle: Duration::from_secs(30 * 60) };
}

/// Every console. Clones are the same.
#[derive(Debug, Clone)]
pub struct Consoles {
    known: Arc<Mutex<HashMap<String, Entry>>>,
    tasks: TaskTracker,
    stop: watch::Receiver<bool>,
}

#[derive(Debug)]
struct Entry {
    owner: String,
    /// Absent until it is open.
    open: Option<(Console, mpsc::Sender<Order>)>,
}

/// A place for a console that is not open yet. Dropped, it is free again.
#[derive(Debug)]
pub struct Place {
    id: String,
    consoles: Consoles,
}

/// What a console is made of.
pub struct Parts {
    /// Our side of the terminal.
    pub terminal: Terminal,
    /// Ends what runs on it, once that was hung up.
    pub end: Box<dyn FnOnce() -> BoxFuture<'static, Exit> + Send>,
    /// Says, in a sentence, that what it is on has gone.
    pub gone: BoxFuture<'static, String>,
    /// The session in which it was opened has ended.
    pub session: CancellationToken,
    /// Is told why it ended.
    pub ended: Box<dyn FnOnce(String) -> BoxFuture<'static, ()> + Send>,
    /// How long it may stand.
    pub limits: Limits,
}

/// A page's side of a console. Dropped, the console stands without a page.
#[derive(Debug)]
pub struct Page {
    /// What the console says. It ends without [`Said::Ended`] where another page took over.
    pub said: mpsc::Receiver<Said>,
    /// What is typed.
    pub typed: mpsc::Sender<Typed>,
    /// While it is held, the daemon's end waits: what the console says last is on its way.
    pub open: Option<TaskTrackerToken>,
}

/// From a console to its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// How much was printed before what follows: the first.
    At(u64),
    /// What was printed.
    Printed(Bytes),
    /// It has ended, and why. The last.
    Ended(String),
}

/// From a page to its console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Bytes for the terminal.
    Keys(Bytes),
    /// The terminal has another size.
    Resize(Size),
}

impl Consoles {
    /// None yet. All of them end when `stop` says so.
    #[must_use]
    pub fn new(stop: watch::Receiver<bool>) -> Consoles {
        Consoles { known: Arc::default(), tasks: TaskTracker::new(), stop }
    }

    /// Takes a place for one of somebody's.
    ///
    /// # Errors
    /// Where there are too many.
    pub fn place(&self, owner: &str) -> Result<Place, Problem> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).map_err(|error| {
            Problem::new(Code::Internal, format!("The system has no random numbers: {error}."))
        })?;
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut known = self.lock();
        let own = known.values().filter(|it| it.owner == owner).count();
        let why = match (own >= OF_A_USER, known.len() >= ALL) {
            (true, _) => format!("You have {OF_A_USER} consoles open, which is the most of a user"),
            (_, true) => format!("{ALL} consoles are open on this host, which is the most"),
            _ => {
                known.insert(id.clone(), Entry { owner: owner.to_owned(), open: None });
                drop(known);
                return Ok(Place { id, consoles: self.clone() });
            }
        };
        Err(Problem::new(Code::TooManyRequests, format!("{why}: one more is not opened."))
            .next("end one of them; one without a page ends by itself within a minute"))
    }

    /// Somebody's own, oldest first.
    #[must_use]
    pub fn of(&self, owner: &str) -> Vec<Console> {
        let known = self.lock();
        let own = known.values().filter(|it| it.owner == owner);
        let open = own.filter_map(|it| it.open.as_ref());
        let mut all: Vec<Console> = open.map(|(console, _)| console.clone()).collect();
        all.sort_by_key(|it| it.opened_at);
        all
    }

    /// Attaches a page to one, which has what was printed before `cursor`. Whatever page was there
    /// before is there no more.
    ///
    /// # Errors
    /// Where it is not there, or somebody else's.
    pub async fn attach(
        &self,
        id: &str,
        owner: &str,
        cursor: Option<u64>,
    ) -> Result<Page, Problem> {
        let (tell, told) = oneshot::channel();
        self.order(id, owner, Order::Attach(cursor, tell)).await?;
        let page = told.await.map_err(|_| missing())?;
        Ok(Page { open: Some(self.tasks.token()), ..page })
    }

    /// Ends one, and returns when it has ended.
    ///
    /// # Errors
    /// Where it is not there, or somebody else's.
    pub async fn end(&self, id: &str, owner: &str, why: String) -> Result<(), Problem> {
        let (tell, told) = oneshot::channel();
        self.order(id, owner, Order::End(why, tell)).await?;
        // Where nobody answers, it had ended already.
        let _ = told.await;
        Ok(())
    }

    /// Waits until all have ended, once they were told to stop, and their pages know.
    pub async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn order(&self, id: &str, owner: &str, order: Order) -> Result<(), Problem> {
        let orders = {
            let known = self.lock();
            let entry = known.get(id).filter(|it| it.owner == owner);
            entry.and_then(|it| it.open.as_ref()).map(|(_, orders)| orders.clone())
        };
        orders.ok_or_else(missing)?.send(order).await.map_err(|_| missing())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Names the console.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Opens it.
    pub fn open(self, console: Console, parts: Parts) {
        let (orders, received) = mpsc::channel(4);
        let stop = self.consoles.stop.clone();
        if let Some(entry) = self.consoles.lock().get_mut(&self.id) {
            entry.open = Some((console, orders));
        }
        let tasks = self.consoles.tasks.clone();
        tasks.spawn(task::run(self, parts, received, stop));
    }

    /// Is shown no more, and takes no orders; its place is taken still.
    fn close(&self) {
        if let Some(entry) = self.consoles.lock().get_mut(&self.id) {
            entry.open = None;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.consoles.lock().remove(&self.id);
    }
}

fn missing() -> Problem {
    Problem::new(Code::NotFound, "This console is not open, or not any more.")
        .next("open another on the app's Console page")
}

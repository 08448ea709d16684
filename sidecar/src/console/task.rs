//! One console, from its opening to its end.

use std::io;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::bytes::{Buf, BytesMut};

use super::ring::Ring;
use super::{Limits, Page, Parts, Place, ROOM, Said, Typed};
use crate::slot::terminal::Terminal;

/// How much is read or told at once.
const PIECE: usize = 16 << 10;
/// How much may be typed ahead of a program that does not read; a page that pastes more waits.
const TYPED: usize = 64 << 10;
/// How long a page may take to hear of the end.
const FAREWELL: Duration = Duration::from_millis(300);
/// How long after the program the reason of its end may come: its node is seen to end a moment later.
const REASON: Duration = Duration::from_secs(1);

/// What a console can be told.
#[derive(Debug)]
pub(super) enum Order {
    /// A page comes, which has what was printed before a cursor.
    Attach(Option<u64>, oneshot::Sender<Page>),
    /// End, and say when that is done.
    End(String, oneshot::Sender<()>),
}

/// Why it ends.
enum End {
    /// What ran on the terminal has closed it.
    ByItself,
    /// For this reason.
    For(String),
    /// Somebody asked for it, and waits.
    Asked(String, oneshot::Sender<()>),
}

pub(super) async fn run(
    place: Place,
    parts: Parts,
    mut orders: mpsc::Receiver<Order>,
    mut stop: watch::Receiver<bool>,
) {
    let Parts { terminal, end, mut gone, session, ended, limits } = parts;
    let mut console = Running::new(limits);
    let reason = tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => {
            End::For("The daemon stops, and a console ends with it.".into())
        }
        () = session.cancelled() => {
            End::For("The session in which it was opened has ended.".into())
        }
        reason = console.work(&terminal, &mut orders) => reason,
        why = &mut gone => End::For(why),
    };
    place.close();
    drop(orders);
    let (why, asked) = match reason {
        End::For(why) => (Some(why), None),
        End::Asked(why, asked) => (Some(why), Some(asked)),
        End::ByItself => (None, None),
    };
    if let Some(why) = &why {
        console.say_farewell(why.clone()).await;
    }
    // Hangs up, so that what still runs on it ends.
    drop(terminal);
    let exit = end().await;
    let why = match why {
        Some(why) => why,
        None => {
            let by_itself = |_| format!("IEx {exit}.");
            let why = tokio::time::timeout(REASON, gone).await.unwrap_or_else(by_itself);
            console.say_farewell(why.clone()).await;
            why
        }
    };
    ended(why).await;
    drop(place);
    if let Some(asked) = asked {
        let _ = asked.send(());
    }
}

/// A console while it runs.
struct Running {
    ring: Ring,
    /// What was typed and is not in the terminal yet.
    keys: BytesMut,
    page: Option<Attached>,
    limits: Limits,
    /// When something was typed or printed last.
    used: Instant,
    /// Since when there is no page.
    left: Instant,
}

struct Attached {
    say: mpsc::Sender<Said>,
    typed: mpsc::Receiver<Typed>,
    /// Up to where it was told what was printed.
    told: u64,
}

/// What happened.
enum Event {
    Printed(io::Result<usize>),
    /// The page has room.
    Room,
    /// The terminal took so many of the keys.
    Taken(io::Result<usize>),
    Typed(Option<Typed>),
    PageIsGone,
    Order(Option<Order>),
    Due,
}

impl Running {
    fn new(limits: Limits) -> Running {
        let now = Instant::now();
        let (ring, keys) = (Ring::default(), BytesMut::new());
        Running { ring, keys, page: None, limits, used: now, left: now }
    }

    /// Works until it has a reason to end.
    async fn work(&mut self, terminal: &Terminal, orders: &mut mpsc::Receiver<Order>) -> End {
        let mut buffer = vec![0; PIECE];
        loop {
            match self.next(terminal, orders, &mut buffer).await {
                Event::Printed(Ok(0) | Err(_)) | Event::Order(None) => return End::ByItself,
                Event::Printed(Ok(count)) => {
                    self.ring.push(&buffer[..count]);
                    self.used = Instant::now();
                }
                Event::Room => self.tell_a_piece(),
                Event::Taken(Ok(count)) => self.keys.advance(count),
                // It takes no more; that it has ended is read.
                Event::Taken(Err(_)) => self.keys.clear(),
                Event::Typed(Some(Typed::Keys(keys))) => {
                    self.keys.extend_from_slice(&keys);
                    self.used = Instant::now();
                }
                Event::Typed(Some(Typed::Resize(size))) => {
                    if let Err(error) = terminal.resize(size) {
                        tracing::debug!(%error, "a console keeps its size");
                    }
                }
                Event::Typed(None) | Event::PageIsGone => self.detach(),
                Event::Order(Some(Order::Attach(cursor, tell))) => self.attach(cursor, tell),
                Event::Order(Some(Order::End(why, tell))) => return End::Asked(why, tell),
                Event::Due => {
                    let now = Instant::now();
                    if now >= self.used + self.limits.idle {
                        return End::For(format!(
                            "Nothing was typed or printed in it for {}.",
                            span(self.limits.idle)
                        ));
                    }
                    return End::For(format!("It had no page for {}.", span(self.limits.kept)));
                }
            }
        }
    }

    async fn next(
        &mut self,
        terminal: &Terminal,
        orders: &mut mpsc::Receiver<Order>,
        buffer: &mut [u8],
    ) -> Event {
        let due = self.due();
        let (say, typed, told) = match &mut self.page {
            Some(Attached { say, typed, told }) => (Some(&*say), Some(typed), *told),
            None => (None, None, self.ring.end()),
        };
        // Nothing is read that the page has no room for yet.
        let reads = told == self.ring.end();
        let takes_keys = self.keys.len() < TYPED;
        tokio::select! {
            count = terminal.read(buffer), if reads => Event::Printed(count),
            () = has_room(say), if !reads => Event::Room,
            count = terminal.write(&self.keys), if !self.keys.is_empty() => Event::Taken(count),
            typed = typed_by(typed), if takes_keys => Event::Typed(typed),
            () = gone(say) => Event::PageIsGone,
            order = orders.recv() => Event::Order(order),
            () = tokio::time::sleep_until(due) => Event::Due,
        }
    }

    /// When it ends where nothing happens.
    fn due(&self) -> Instant {
        let idle = self.used + self.limits.idle;
        match self.page {
            Some(_) => idle,
            None => idle.min(self.left + self.limits.kept),
        }
    }

    fn attach(&mut self, cursor: Option<u64>, tell: oneshot::Sender<Page>) {
        let (say, said) = mpsc::channel(ROOM);
        let (keys, typed) = mpsc::channel(ROOM);
        let told = self.ring.begin(cursor);
        // It is empty yet, so there is room.
        let _ = say.try_send(Said::At(told));
        // Who asked may be gone again; then this page is, too.
        let _ = tell.send(Page { said, typed: keys, open: None });
        self.page = Some(Attached { say, typed, told });
    }

    fn detach(&mut self) {
        self.page = None;
        self.left = Instant::now();
    }

    /// Tells the page what it has room for.
    fn tell_a_piece(&mut self) {
        if let Some(page) = &mut self.page
            && let Ok(room) = page.say.try_reserve()
        {
            let piece = self.ring.piece(page.told, PIECE);
            page.told += piece.len() as u64;
            room.send(Said::Printed(piece));
        }
    }

    /// Tells the page, where there is one, what it does not know yet, and the end.
    async fn say_farewell(&mut self, why: String) {
        let Some(page) = self.page.take() else { return };
        let say = async {
            let mut told = page.told;
            while told < self.ring.end() {
                let piece = self.ring.piece(told, PIECE);
                told += piece.len() as u64;
                page.say.send(Said::Printed(piece)).await?;
            }
            page.say.send(Said::Ended(why)).await
        };
        // A page that does not read hears nothing more.
        let _ = tokio::time::timeout(FAREWELL, say).await;
    }
}

async fn has_room(say: Option<&mpsc::Sender<Said>>) {
    match say {
        // Where it is gone, that is another event.
        Some(say) if say.reserve().await.is_ok() => {}
        _ => std::future::pending().await,
    }
}

async fn typed_by(typed: Option<&mut mpsc::Receiver<Typed>>) -> Option<Typed> {
    match typed {
        Some(typed) => typed.recv().await,
        None => std::future::pending().await,
    }
}

async fn gone(say: Option<&mpsc::Sender<Said>>) {
    match say {
        Some(say) => say.closed().await,
        None => std::future::pending().await,
    }
}

/// As people say it.
fn span(time: Duration) -> String {
    match time.as_secs() {
        60 => "a minute".into(),
        seconds if seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    }
}

//! What to send, and the handle on it while it is sent.

use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper::body::Bytes;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::context::Context;
use crate::exchange::Question;
use crate::report::{Class, Report};
use crate::schedule::Schedule;
use crate::tally::Tally;
use crate::target::Target;
use crate::{fresh, keep_alive, websocket};

/// POSTs share so many kept connections.
const POST_CONNECTIONS: u32 = 4;

/// What to send. Nothing is sent but what was asked for.
#[derive(Debug, Clone)]
#[must_use]
pub struct Load {
    target: Target,
    keep_alive: (u32, u32),
    fresh: u32,
    slow: (u32, u32),
    post: u32,
    websockets: (u32, Duration),
    reopen: bool,
    status_below: u16,
    timeout: Duration,
}

impl Load {
    /// No load yet. A status of 500 and above is a failure, and so is no answer within 30 s.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            keep_alive: (0, 1),
            fresh: 0,
            slow: (0, 0),
            post: 0,
            websockets: (0, Duration::from_secs(1)),
            reopen: false,
            status_below: 500,
            timeout: Duration::from_secs(30),
        }
    }

    /// So many GETs of `/` a second on so many kept connections.
    pub fn keep_alive(mut self, rps: u32, connections: u32) -> Self {
        self.keep_alive = (rps, connections.max(1));
        self
    }

    /// So many GETs of `/` a second on a new connection each.
    pub fn fresh(mut self, rps: u32) -> Self {
        self.fresh = rps;
        self
    }

    /// So many GETs a second of a page that takes `ms`, on a new connection each.
    pub fn slow(mut self, rps: u32, ms: u32) -> Self {
        self.slow = (rps, ms);
        self
    }

    /// So many POSTs a second to `/echo`, on kept connections.
    pub fn post(mut self, rps: u32) -> Self {
        self.post = rps;
        self
    }

    /// So many WebSockets to `/ws`, each with a numbered message every `interval`.
    pub fn websockets(mut self, count: u32, interval: Duration) -> Self {
        self.websockets = (count, interval);
        self
    }

    /// Opens a WebSocket again, 100 ms after it was dropped or refused, as a browser's page does.
    pub fn reopen_websockets(mut self) -> Self {
        self.reopen = true;
        self
    }

    /// The first status that counts as a failure.
    pub fn expect_status_below(mut self, status: u16) -> Self {
        self.status_below = status;
        self
    }

    /// How long a whole response, a handshake or an echo may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts to send. Must be called within a tokio runtime, on whose threads the clients run.
    #[must_use]
    pub fn start(self) -> Running {
        let context = Arc::new(Context {
            target: self.target.clone(),
            tally: Tally::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            timeout: self.timeout,
        });
        self.start_keep_alive(&context);
        self.start_fresh(&context, Class::Fresh, self.fresh, Uri::from_static("/"));
        if let Ok(slow) = format!("/slow?ms={}", self.slow.1).parse() {
            self.start_fresh(&context, Class::Slow, self.slow.0, slow);
        }
        self.start_post(&context);
        self.start_websockets(&context);
        Running { started: Instant::now(), _stop: context.stop.clone().drop_guard(), context }
    }

    fn start_keep_alive(&self, context: &Arc<Context>) {
        let (rps, connections) = self.keep_alive;
        // A rate below one a connection would leave some of them waiting for their first turn.
        for index in (0..connections).filter(|_| rps > 0) {
            let schedule = Schedule::share(rps, index, connections, &context.stop);
            let home = self.question(Uri::from_static("/"), None);
            let client =
                keep_alive::run(context.clone(), Class::KeepAlive, schedule, move || home.clone());
            context.tasks.spawn(client);
        }
    }

    fn start_fresh(&self, context: &Arc<Context>, class: Class, rps: u32, uri: Uri) {
        if rps > 0 {
            let schedule = Schedule::share(rps, 0, 1, &context.stop);
            let client = fresh::run(context.clone(), class, schedule, self.question(uri, None));
            context.tasks.spawn(client);
        }
    }

    fn start_post(&self, context: &Arc<Context>) {
        for index in (0..POST_CONNECTIONS).filter(|_| self.post > 0) {
            let schedule = Schedule::share(self.post, index, POST_CONNECTIONS, &context.stop);
            let mut echo = self.question(Uri::from_static("/echo"), None);
            let mut number = 0_u64;
            let client = keep_alive::run(context.clone(), Class::Post, schedule, move || {
                number += 1;
                echo.body = Some(Bytes::from(format!("client {index}, order {number}")));
                echo.clone()
            });
            context.tasks.spawn(client);
        }
    }

    fn start_websockets(&self, context: &Arc<Context>) {
        let (count, interval) = self.websockets;
        for index in 0..count {
            // Spread over the interval, and over the start: a rush of handshakes is no test.
            let offset = interval * index / count;
            let schedule = Schedule::every(interval, offset, &context.stop);
            let open_after = Duration::from_millis(2) * index;
            let client = websocket::run(context.clone(), index, schedule, open_after, self.reopen);
            context.tasks.spawn(client);
        }
    }

    fn question(&self, uri: Uri, body: Option<Bytes>) -> Question {
        Question { uri, body, status_below: self.status_below }
    }
}

/// A load that is being sent, until it is stopped or dropped.
pub struct Running {
    started: Instant,
    context: Arc<Context>,
    _stop: DropGuard,
}

impl Running {
    /// The moment that the report's milliseconds count from.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Everything that was counted so far.
    #[must_use]
    pub fn snapshot(&self) -> Report {
        self.context.tally.report()
    }

    /// Waits until the counts satisfy `enough`, at most so long, and returns them: the caller
    /// looks whether they do.
    pub async fn wait_until(&self, limit: Duration, enough: impl Fn(&Report) -> bool) -> Report {
        let deadline = Instant::now() + limit;
        loop {
            let mut changed = std::pin::pin!(self.context.tally.changed().notified());
            changed.as_mut().enable();
            let report = self.snapshot();
            let next_look = async {
                changed.await;
                // The counts change with every answer; looking at each would be a load of its own.
                sleep(Duration::from_millis(5)).await;
            };
            if enough(&report) || timeout_at(deadline, next_look).await.is_err() {
                return report;
            }
        }
    }

    /// Sends no more, waits for the answers to what was sent, closes the WebSockets, and returns
    /// the last counts.
    pub async fn stop(self) -> Report {
        self.context.stop.cancel();
        self.context.tally.over();
        self.context.tasks.close();
        self.context.tasks.wait().await;
        self.snapshot()
    }
}

//! One start of a release in a slot: from the spawn to the exit, in a task of its own.
//!
//! Whoever holds the [`Run`] may ask it to stop at any time; what has happened comes as facts.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use vial_protocol::{Code, Problem, Slot};

use super::context::Context;
use super::hold::Hold;
use super::jobs::{self, Looked, health, last_lines, launch};
use super::machine::{Fact, RunId};
use super::message::{Message, Sight};
use crate::slot::health::{Unhealthy, listens, until_healthy};
use crate::slot::{Exit, Identity, Process, family, heart};

/// How long what an exited release left behind may take to end by itself.
const AFTERMATH: Duration = Duration::from_millis(300);

/// How long a release that was frozen may take to answer: it takes milliseconds, and longer only where
/// its memory is on the disk. After that a start is quicker than to wait.
const THAW: Duration = Duration::from_secs(3);

/// So soon it is known that a connection has ended.
const GIVEN_UP: Duration = Duration::from_millis(20);

/// A run that was begun.
#[derive(Debug)]
pub(super) struct Run {
    /// Which.
    pub(super) id: RunId,
    orders: mpsc::UnboundedSender<Order>,
    process: watch::Receiver<Option<Process>>,
    log_offset: Arc<AtomicU64>,
    ask_health: mpsc::UnboundedSender<Duration>,
    usual: Duration,
}

/// What a run is told, one after the other.
#[derive(Debug)]
enum Order {
    /// To end, within this time.
    Stop(Duration),
    /// To be frozen, if no request is open on it.
    Freeze(Hold),
    /// To go on.
    Thaw,
}

/// Which release is started where.
pub(super) struct Which {
    /// The slot.
    pub(super) slot: Slot,
    /// The run.
    pub(super) id: RunId,
    /// The release.
    pub(super) release: u64,
    /// The version of the environment that it starts with.
    pub(super) environment: u64,
    /// The release as people name it.
    pub(super) label: String,
}

/// What the task of a run works with.
struct Work {
    context: Arc<Context>,
    slot: Slot,
    id: RunId,
    release: u64,
    environment: u64,
    label: String,
    log_offset: Arc<AtomicU64>,
    tell: mpsc::Sender<Message>,
    orders: mpsc::UnboundedReceiver<Order>,
    asks: Option<mpsc::UnboundedReceiver<Duration>>,
    /// What is stopped by SIGSTOP beside its process.
    frozen: Vec<Identity>,
}

impl Run {
    /// Starts a release, and tells when it is healthy.
    pub(super) fn start(context: Arc<Context>, which: Which, tell: mpsc::Sender<Message>) -> Run {
        let Which { slot, id, release, environment, .. } = which;
        let (run, work, process) = Run::new(context, which, tell);
        run.await_health(false);
        tokio::spawn(async move {
            match launch::launch(&work.context, slot, id, release, environment).await {
                Ok(launched) => {
                    work.log_offset.store(launched.log_offset, Ordering::Relaxed);
                    process.send_replace(Some(launched.process.clone()));
                    work.see(&launched.process, Timestamp::now()).await;
                    work.supervise(launched.process).await;
                }
                Err(problem) => {
                    let how = problem.message.clone();
                    work.ended(how, problem).await;
                }
            }
        });
        run
    }

    /// Takes up a run of an earlier daemon, whose process was found again.
    pub(super) fn adopt(
        context: Arc<Context>,
        which: Which,
        process: Process,
        log_offset: u64,
        tell: mpsc::Sender<Message>,
    ) -> Run {
        let (run, work, held) = Run::new(context, which, tell);
        held.send_replace(Some(process.clone()));
        work.log_offset.store(log_offset, Ordering::Relaxed);
        tokio::spawn(work.supervise(process));
        run
    }

    fn new(
        context: Arc<Context>,
        which: Which,
        tell: mpsc::Sender<Message>,
    ) -> (Run, Work, watch::Sender<Option<Process>>) {
        let Which { slot, id, release, environment, label } = which;
        let (orders, ordered) = mpsc::unbounded_channel();
        let (held, process) = watch::channel(None);
        let (ask_health, asks) = mpsc::unbounded_channel();
        let usual = context.config.health.deadline;
        let log_offset = Arc::<AtomicU64>::default();
        let work = Work {
            context,
            slot,
            id,
            release,
            environment,
            label,
            log_offset: log_offset.clone(),
            tell,
            orders: ordered,
            asks: Some(asks),
            frozen: Vec::new(),
        };
        (Run { id, orders, process, log_offset, ask_health, usual }, work, held)
    }

    /// Asks it to end: SIGTERM, and SIGKILL after a time.
    pub(super) fn stop(&self, grace: Duration) {
        let _ = self.orders.send(Order::Stop(grace));
    }

    /// Asks for it to be stopped by SIGSTOP, if no request is open on it; tells what became of that.
    pub(super) fn freeze(&self, hold: Hold) {
        let _ = self.orders.send(Order::Freeze(hold));
    }

    /// Lets it go on, after whatever was asked for before.
    pub(super) fn thaw(&self) {
        let _ = self.orders.send(Order::Thaw);
    }

    /// Waits until it has ended and that was written down.
    pub(super) async fn gone(&self) {
        self.orders.closed().await;
    }

    /// Asks for a fact when it is healthy; `soon` where it was before, and has nothing to start.
    pub(super) fn await_health(&self, soon: bool) {
        let deadline = if soon { self.usual.min(THAW) } else { self.usual };
        let _ = self.ask_health.send(deadline);
    }

    /// Where its output begins in the slot's log.
    pub(super) fn log_offset(&self) -> u64 {
        self.log_offset.load(Ordering::Relaxed)
    }

    /// Its process, once it has one.
    pub(super) fn process(&self) -> Option<Process> {
        self.process.borrow().clone()
    }
}

/// Whatever turned heart on: seen on the command line of the emulator itself.
fn watched(label: &str, app: &str) -> Problem {
    Problem::new(
        Code::StartFailed,
        format!(
            "{label} runs with -heart: heart would start it again by itself, outside its slot, when \
             Vial stops it."
        ),
    )
    .next(format!(
        "take -heart out of what {app} starts with (a file named by RELEASE_VM_ARGS or -args_file, \
         or env.sh); Vial restarts a release that ends"
    ))
}

impl Work {
    async fn supervise(mut self, process: Process) {
        let health = self.tell_health(process.clone());
        let mut health = std::pin::pin!(health);
        let listening = self.tell_listening();
        let mut listening = std::pin::pin!(listening);
        let mut asked = true;
        let mut unheard = true;
        let exit = loop {
            tokio::select! {
                exit = process.exited() => break exit,
                Some(order) = self.orders.recv() => match order {
                    Order::Stop(grace) => match self.end(&process, grace).await {
                        Some(exit) => break exit,
                        // It may still run: what ends it, if anything does, is told by its pidfd.
                        None => continue,
                    },
                    Order::Freeze(hold) => self.freeze(&process, &hold).await,
                    Order::Thaw => self.thaw(&process),
                },
                () = &mut health, if asked => asked = false,
                () = &mut listening, if unheard => unheard = false,
            }
        };
        let known = Vec::new();
        if let Err(error) = family::sweep(known, &self.context.marker(self.id), AFTERMATH).await {
            tracing::warn!(app = self.context.app(), slot = self.slot.as_str(), %error, "leftovers");
        }
        let problem = self.exited(exit);
        self.ended(exit.to_string(), problem).await;
    }

    /// Tells once when the run listens; one that has no port is taken to do so from its start.
    fn tell_listening(&self) -> impl Future<Output = ()> + use<> {
        let (tell, slot, run) = (self.tell.clone(), self.slot, self.id);
        let port = self.context.config.port(slot);
        async move {
            if let Some(port) = port {
                listens(port).await;
            }
            let _ = tell.send(Message::Fact(Fact::Listening { slot, run })).await;
        }
    }

    /// Tells when the run is healthy, each time that is asked. Asked again before it knew, it begins
    /// anew: what it saw before counts no more.
    fn tell_health(&mut self, process: Process) -> impl Future<Output = ()> + use<> {
        let (context, slot, run) = (self.context.clone(), self.slot, self.id);
        let (tell, asks, label) = (self.tell.clone(), self.asks.take(), self.label.clone());
        let log_offset = self.log_offset.load(Ordering::Relaxed);
        let (release, environment) = (self.release, self.environment);
        let looked = Looked { slot, run, release, environment, log_offset };
        async move {
            let Some(mut asks) = asks else { return };
            let Some(mut deadline) = asks.recv().await else { return };
            loop {
                let look = async {
                    let health = &context.config.health;
                    match launch::probe(&context, looked) {
                        Some(probe) => {
                            let exited = process.exited();
                            match until_healthy(&probe, health.successes, deadline, exited).await {
                                Ok(_) => Fact::Healthy { slot, run },
                                // The exit is told by whoever waits for it.
                                Err(Unhealthy::Exited(_)) => std::future::pending().await,
                                Err(Unhealthy::Deadline { waited, detail }) => {
                                    let detail = context.vault.mask(&detail);
                                    let lines = last_lines(&context, slot, log_offset);
                                    let problem = Problem::new(
                                        Code::Unhealthy,
                                        format!(
                                            "{label} was not healthy within {} s. {} said last: \
                                             {detail}.",
                                            waited.as_secs_f64(),
                                            health::asked(&context)
                                        ),
                                    )
                                    .next(format!("`vial logs {} --slot {slot}`", context.app()))
                                    .log(lines);
                                    Fact::Unhealthy { slot, run, problem }
                                }
                            }
                        }
                        None => {
                            tokio::time::sleep(launch::alive(&context)).await;
                            Fact::Healthy { slot, run }
                        }
                    }
                };
                let fact = tokio::select! {
                    Some(anew) = asks.recv() => {
                        deadline = anew;
                        continue;
                    }
                    fact = look => fact,
                };
                let fact = match fact {
                    Fact::Healthy { .. } if heart::watches(process.identity()) => {
                        Fact::Unhealthy { slot, run, problem: watched(&label, context.app()) }
                    }
                    other => other,
                };
                if tell.send(Message::Fact(fact)).await.is_err() {
                    return;
                }
                match asks.recv().await {
                    Some(next) => deadline = next,
                    None => return,
                }
            }
        }
    }

    /// Stops all of it by SIGSTOP, if no request is open on it.
    async fn freeze(&mut self, process: &Process, hold: &Hold) {
        let (slot, run) = (self.slot, self.id);
        let why = match jobs::standby::open_requests(&self.context, slot).await {
            Some(open) => Some(open),
            None => match family::freeze(process, &self.context.marker(run)) {
                Ok(frozen) => {
                    self.frozen = frozen;
                    // Now that it does nothing any more: had it given up before, we are told by now.
                    tokio::time::sleep(GIVEN_UP).await;
                    (!hold.lasts()).then(|| {
                        self.thaw(process);
                        "it gave up before it was frozen".into()
                    })
                }
                Err(error) => {
                    self.thaw(process);
                    Some(error.to_string())
                }
            },
        };
        let message = match why {
            None => Message::Fact(Fact::Frozen { slot, run }),
            Some(why) => Message::Seen(Sight::NotFrozen { slot, run, why }),
        };
        let _ = self.tell.send(message).await;
    }

    fn thaw(&mut self, process: &Process) {
        let frozen = std::mem::take(&mut self.frozen);
        if let Err(error) = family::thaw(process, &frozen, &self.context.marker(self.id)) {
            tracing::error!(app = self.context.app(), slot = self.slot.as_str(), %error, "not thawed");
        }
    }

    async fn end(&mut self, process: &Process, grace: Duration) -> Option<Exit> {
        let marker = self.context.marker(self.id);
        match family::stop(process, &marker, grace).await {
            Ok(stopped) => {
                tracing::info!(
                    app = self.context.app(),
                    slot = self.slot.as_str(),
                    killed = stopped.killed,
                    leftovers = stopped.leftovers,
                    "slot stopped"
                );
                Some(stopped.exit)
            }
            Err(error) => {
                tracing::error!(app = self.context.app(), slot = self.slot.as_str(), %error, "not stopped");
                None
            }
        }
    }

    async fn see(&self, process: &Process, since: Timestamp) {
        let (slot, run, pid) = (self.slot, self.id, process.pid());
        let sight = Sight::Process { slot, run, pid, since };
        let _ = self.tell.send(Message::Seen(sight)).await;
    }

    fn exited(&self, exit: Exit) -> Problem {
        let lines = last_lines(&self.context, self.slot, self.log_offset.load(Ordering::Relaxed));
        Problem::new(Code::Exited, format!("{} {exit}.", self.label))
            .next(format!("`vial logs {} --slot {}`", self.context.app(), self.slot))
            .log(lines)
    }

    async fn ended(&self, how: String, problem: Problem) {
        let (slot, run) = (self.slot, self.id);
        tracing::info!(app = self.context.app(), slot = slot.as_str(), how, "slot ended");
        let store = &self.context.daemon.store;
        if let Err(error) = store.run_ended(self.context.app(), run, &how, Timestamp::now()).await {
            // The next start of the daemon finds the process gone, by its start time.
            tracing::error!(app = self.context.app(), %error, "an exit was not written down");
        }
        let _ = self.tell.send(Message::Seen(Sight::Ended { slot, run, how })).await;
        let _ = self.tell.send(Message::Fact(Fact::Exited { slot, run, problem })).await;
    }
}

//! `vial standby`

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use vial_protocol::standby::KeepStandby;
use vial_protocol::{AppStatus, Desired, Event, Slot, SlotState, SlotStatus, StandbyMode, Status};

use super::super::args::Standby;
use super::super::exit::Exit;
use super::super::look::Look;
use super::super::session::{Session, Stop};
use super::super::{text, view_standby};
use crate::client::{Client, ClientError, Subscription, Told};

/// How long a daemon may be away before the watcher gives up.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a slot may go on as it was, after the daemon said that it changes.
const GRACE: Duration = Duration::from_secs(10);
/// Among so many of the newest deployments is the one that serves, as a rule: the others failed.
const BACK: u32 = 50;

/// Asks for another standby, and follows the idle slot until it is that, or something else.
///
/// # Errors
/// See [`Stop`].
pub async fn run(session: &mut Session, args: &Standby) -> Result<Exit, Stop> {
    if args.mode == StandbyMode::Cold && args.lasts.is_some() {
        return Err(Stop::Usage(
            "A cold slot is stopped at once, so that `--for` says nothing of it.\nNext: leave it \
             out, or say warm or frozen."
                .into(),
        ));
    }
    let for_ms = args.lasts.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX));
    let asked = KeepStandby { mode: args.mode, for_ms };
    let before = if args.detach { None } else { remarks(&session.client, &args.app).await };
    let accepted = session.client.standby(&args.app, &asked).await?;
    if args.detach {
        session.accepted(&accepted, None)?;
        if !session.screen.json && !session.screen.quiet {
            let app = text::word(&args.app);
            session.screen.say(&format!("It goes on by itself: `vial status {app}`"))?;
        }
        return Ok(Exit::Done);
    }
    // That it is stopped is said when it is.
    let speaks = !session.screen.json && !session.screen.quiet && args.mode != StandbyMode::Cold;
    if speaks {
        let said = text::block(&accepted.message, session.screen.colour);
        session.screen.say(&said)?;
    }
    let interrupt = session.interrupt.arm()?;
    let events = session.client.events(Some(&args.app)).await?;
    let mut way = Way { app: &args.app, mode: args.mode, slot: None, moved: false };
    let seen = tokio::select! {
        biased;
        () = interrupt.cancelled() => None,
        seen = way.watch(events) => Some(seen?),
    };
    let Some(seen) = seen else {
        let app = text::word(&args.app);
        session.screen.complain(&format!(
            "Not watching any more; the slot goes on. `vial status {app}` shows what it is."
        ));
        return Ok(Exit::Interrupted);
    };
    told(session, &way, before.as_deref(), seen).await
}

async fn told(
    session: &mut Session,
    way: &Way<'_>,
    before: Option<&str>,
    (status, end): (AppStatus, End),
) -> Result<Exit, Stop> {
    let there = way.slot.and_then(|slot| status.slot(slot));
    let exit = if end == End::Reached { Exit::Done } else { Exit::Failed };
    if session.screen.json {
        session.screen.say_json(&there)?;
        return Ok(exit);
    }
    match (end, there) {
        (End::Reached, Some(there)) => {
            let said = reached(way.mode, there, &session.screen.look());
            session.screen.say(&said)?;
        }
        (End::Else(why), there) => {
            let look = session.screen.err_look();
            let mut said = there.map_or_else(String::new, |it| became(way.mode, it, &look));
            let why = match why {
                Some(why) => Some(why),
                None => why_else(&session.client, way.app, before, there).await,
            };
            if let Some(why) = why {
                said.push_str(&format!("\n{}", text::block(&why, look.colour)));
            }
            session.screen.complain(said.trim_start());
        }
        (End::Reached, None) => {}
    }
    Ok(exit)
}

/// "green is frozen since 14:02:11, until 14:17:11: a rollback takes about 30 ms."
fn reached(mode: StandbyMode, there: &SlotStatus, look: &Look) -> String {
    let slot = there.slot;
    let Some(standby) = there.standby.as_ref().filter(|_| mode != StandbyMode::Cold) else {
        return format!("{slot} is stopped: a rollback starts its release anew.");
    };
    let takes = standby.expected_ms.map_or_else(
        || "a rollback is ready at once".into(),
        |it| format!("a rollback takes {}", view_standby::roughly(it)),
    );
    let (since, until) = (look.clock(standby.since), look.clock(standby.until));
    format!("{slot} is {mode} since {since}, until {until}: {takes}.")
}

/// "Not frozen: green is warm since 14:02, until 14:17: ready in about 20 ms."
fn became(mode: StandbyMode, there: &SlotStatus, look: &Look) -> String {
    let is = view_standby::kept(there, look).unwrap_or_else(|| there.state.as_str().into());
    format!("Not {mode}: {} is {is}.", there.slot)
}

/// What the history says of the slot that the deployment which serves has left: its last step's
/// outcome. What cannot be asked for is left out: it only explains.
async fn remarks(client: &Client, app: &str) -> Option<String> {
    let rows = client.deployments(app, None, Some(BACK)).await.ok()?;
    let number = rows.iter().find(|it| it.status == Status::Succeeded)?.number;
    let deployment = client.deployment(app, number).await.ok()?;
    deployment.steps.last().and_then(|it| it.outcome.clone())
}

/// What the history says now that it did not say before; else how the process ended.
async fn why_else(
    client: &Client,
    app: &str,
    before: Option<&str>,
    there: Option<&SlotStatus>,
) -> Option<String> {
    let now = remarks(client, app).await;
    let new = now.as_deref().map(|it| it.strip_prefix(before.unwrap_or_default()).unwrap_or(it));
    let new = new.map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned);
    let exit = || there.filter(|it| it.pid.is_none()).and_then(|it| it.last_exit.clone());
    new.or_else(exit)
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// The slot is what was asked for.
    Reached,
    /// It is something else, and why where that is plain.
    Else(Option<String>),
}

/// The way of the idle slot to what was asked for.
struct Way<'a> {
    app: &'a str,
    mode: StandbyMode,
    /// The one that was idle when it was asked for.
    slot: Option<Slot>,
    /// Whether it was seen on its way: what it is afterwards is what came of it.
    moved: bool,
}

impl Way<'_> {
    async fn watch(&mut self, mut events: Subscription) -> Result<(AppStatus, End), Stop> {
        let mut lost: Option<(Instant, ClientError)> = None;
        let settles = Instant::now() + GRACE;
        let mut last: Option<AppStatus> = None;
        loop {
            let away = lost.as_ref().map(|(since, _)| *since + PATIENCE);
            // Nothing has moved since it was accepted: then what is there is what came of it.
            let settled = last.as_ref().filter(|_| !self.moved && lost.is_none()).map(|_| settles);
            let told = tokio::select! {
                biased;
                told = events.next() => told,
                () = at(settled), if settled.is_some() => match last.take() {
                    Some(status) => return Ok((status, End::Else(None))),
                    None => continue,
                },
                () = at(away), if away.is_some() => match lost.take() {
                    Some((_, error)) => return Err(error.into()),
                    None => continue,
                },
            };
            match told {
                Some(Told::Event(Event::App(status))) if status.name == self.app => {
                    if let Some(end) = self.look(&status) {
                        return Ok((*status, end));
                    }
                    last = Some(*status);
                }
                Some(Told::Event(Event::AppRemoved { name })) if name == self.app => {
                    let why = format!("{name} is no longer configured");
                    return Err(ClientError::Protocol(why).into());
                }
                Some(Told::Event(_)) => {}
                Some(Told::Lost(error)) => lost = Some((Instant::now(), error)),
                Some(Told::Back) => lost = None,
                Some(Told::Ended(error)) => return Err(error.into()),
                None => return Err(ClientError::Protocol("the events ended".into()).into()),
            }
        }
    }

    /// What a snapshot says of it; nothing while it is on its way.
    fn look(&mut self, status: &AppStatus) -> Option<End> {
        let active = status.active?;
        let slot = *self.slot.get_or_insert(active.other());
        if status.desired == Desired::Stopped {
            return Some(End::Else(Some(format!("{} was stopped meanwhile.", self.app))));
        }
        if let Some(current) = status.deployment.as_ref().filter(|it| it.slot == Some(slot)) {
            let why = format!("#{} uses {slot} now: `vial status {}`", current.number, self.app);
            return Some(End::Else(Some(why)));
        }
        if active == slot {
            return Some(End::Else(Some(format!("{slot} serves now."))));
        }
        let there = status.slot(slot)?;
        let standby = there.standby.as_ref();
        let is = match (standby, there.state) {
            (Some(it), _) if it.ready => it.mode,
            (None, SlotState::Stopped) => StandbyMode::Cold,
            (None, SlotState::Running) => return None,
            _ => {
                self.moved = true;
                return None;
            }
        };
        if is == self.mode {
            return Some(End::Reached);
        }
        self.moved.then_some(End::Else(None))
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}

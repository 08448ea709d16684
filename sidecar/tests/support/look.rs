//! Looking at an app until it is as a test wants it.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use vial::client::{Told, Upload};
use vial_protocol::request::{Deploy, Rollback};
use vial_protocol::{AppStatus, Deployment, Event, Slot, SlotState, Status};

use super::host::Host;
use super::releases::{archive, text};

/// How long anything may take that takes its time.
const LONG: Duration = Duration::from_secs(40);

impl Host {
    /// An app's status, now.
    pub async fn status(&self, app: &str) -> AppStatus {
        self.client.app(app).await.unwrap()
    }

    /// The status that satisfies `enough`, as soon as the daemon tells it.
    #[track_caller]
    pub fn until<'a>(
        &'a self,
        app: &'a str,
        enough: impl Fn(&AppStatus) -> bool + 'a,
    ) -> impl Future<Output = AppStatus> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let deadline = Instant::now() + LONG;
            let mut events = self.client.events(Some(app)).await.unwrap();
            let mut last = self.status(app).await;
            while !enough(&last) {
                match timeout_at(deadline, events.next()).await {
                    Ok(Some(Told::Event(Event::App(status)))) => last = *status,
                    Ok(Some(_)) => {}
                    _ => panic!("{caller}: {app} did not come so far: {last:#?}"),
                }
            }
            last
        }
    }

    /// A deployment of `shop`, with its steps.
    pub async fn deployment(&self, number: u64) -> Deployment {
        self.client.deployment("shop", number).await.unwrap()
    }

    /// Waits until a deployment of `shop` satisfies `enough`.
    #[track_caller]
    pub fn until_deployment<'a>(
        &'a self,
        number: u64,
        enough: impl Fn(Status) -> bool + 'a,
    ) -> impl Future<Output = Deployment> + 'a {
        let seen = self.until("shop", move |status| {
            let all = [&status.deployment, &status.queued, &status.last];
            all.into_iter().flatten().any(|it| it.number == number && enough(it.status))
        });
        async move {
            seen.await;
            self.deployment(number).await
        }
    }

    /// Waits until a deployment of `shop` has ended.
    #[track_caller]
    pub fn until_ended(&self, number: u64) -> impl Future<Output = Deployment> + '_ {
        let seen = self.until("shop", move |status| {
            let going = status.deployment.iter().chain(&status.queued);
            let known = status.last.as_ref().is_some_and(|it| it.number >= number);
            known && going.into_iter().all(|it| it.number != number)
        });
        async move {
            seen.await;
            self.deployment(number).await
        }
    }

    /// Deploys a version of the shop to `shop`, and returns once the daemon has it.
    pub async fn deploy_detached(&self, version: u32) -> u64 {
        let path = archive(version);
        let upload = Upload::new(move |to| {
            std::io::copy(&mut std::fs::File::open(path)?, to)?;
            Ok(())
        });
        let asked = Deploy::default();
        let accepted = self.client.deploy("shop", &asked, upload);
        // One that waits behind a bake is received when that has ended.
        timeout(LONG, accepted).await.unwrap().unwrap().deployment.unwrap()
    }

    /// Deploys a version of the shop to `shop` by command, to its end.
    pub async fn deploy(&self, version: u32) -> Deployment {
        let said = self.vial(&["deploy", "shop", text(&archive(version)), "--json"]).await;
        said.ends(0).json()
    }

    /// Deploys a version, and returns when it is live.
    pub async fn deploy_until_live(&self, version: u32) -> Deployment {
        let number = self.deploy_detached(version).await;
        self.until_deployment(number, |it| it.is_live() || it == Status::Succeeded).await
    }

    /// Asks for a rollback; the number that it got.
    pub async fn roll_back_detached(&self, to: Option<u64>) -> u64 {
        let request = Rollback { to, ..Rollback::default() };
        self.client.rollback("shop", &request).await.unwrap().deployment.unwrap()
    }

    /// The history, oldest first: `kind version status`.
    pub async fn history(&self) -> Vec<String> {
        let mut all = self.client.deployments("shop", None, None).await.unwrap();
        all.reverse();
        all.iter()
            .map(|it| {
                let version = it.release.as_ref().map_or("-".into(), |it| it.label());
                format!("{} {version} {}", it.kind, it.status)
            })
            .collect()
    }

    /// The version that `shop` answers with through Caddy.
    pub async fn serving(&self) -> String {
        self.get("shop", "/").await.version
    }

    /// The pid in a slot.
    pub async fn pid(&self, app: &str, slot: Slot) -> Option<u32> {
        self.status(app).await.slot(slot).unwrap().pid
    }

    /// Waits until a release starts in a slot, and has a process.
    #[track_caller]
    pub fn until_slot_has_a_process(&self, slot: Slot) -> impl Future<Output = AppStatus> + '_ {
        self.until("shop", move |status| {
            let slot = status.slot(slot).unwrap();
            slot.state == SlotState::Starting && slot.pid.is_some()
        })
    }

    /// Waits until a slot does something.
    #[track_caller]
    pub fn until_slot<'a>(
        &'a self,
        slot: Slot,
        state: SlotState,
    ) -> impl Future<Output = AppStatus> + 'a {
        self.until("shop", move |status| status.slot(slot).unwrap().state == state)
    }
}

/// Milliseconds of a deployment from when it was asked for until it was live.
pub fn millis_to_live(deployment: &Deployment) -> i64 {
    deployment.live_at.unwrap().as_millisecond() - deployment.queued_at.as_millisecond()
}

/// Asserts that a deployment started no release: it went from the check of one that runs to the
/// switch, and was live in a sixth of the time that another's release needed to start. How fast
/// either is, the machine decides. A start of 600 ms gives it 100 ms.
#[track_caller]
pub fn no_start_was_waited_for<'a>(
    host: &'a Host,
    started: u64,
    live: &'a Deployment,
) -> impl Future<Output = ()> + 'a {
    let caller = std::panic::Location::caller();
    async move {
        let steps = host.deployment(live.number).await.steps;
        let went: Vec<Status> =
            steps.iter().map(|it| it.status).filter(|it| *it <= Status::Switching).collect();
        assert_eq!(went, [Status::Verifying, Status::Switching], "{caller}: {steps:#?}");
        let steps = host.deployment(started).await.steps;
        let start = steps.iter().find(|it| it.status == Status::Starting).unwrap();
        let start = start.millis(start.ended_at.unwrap());
        let millis = millis_to_live(live);
        assert!(
            millis * 6 < start,
            "{caller}: {millis} ms beside a start of {start} ms: {live:#?}"
        );
    }
}

//! The world that the machine runs in: processes, a route, effects under way, and the store.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};
use vial_protocol::migration::Moved;
use vial_protocol::{Code, Commit, Deployment, Desired, Kind, Problem, Slot, Status, Trigger};

use super::standby::Libraries;
use super::{Cut, Op};
use crate::app::fixture::release_with;
use crate::app::history::History;
use crate::app::known::Known;
use crate::app::machine::*;
use crate::app::request::{BuildAsk, BuildSource, RollbackAsk};
use crate::app::retention::removable;
use crate::app::standbys::Standbys;
use crate::store::Store;
use crate::store::journal::OpenRun;
use crate::store::record::{EnvironmentChange, EnvironmentValue, Record};
use crate::vault::Kept;

const APP: &str = "shop";
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

pub(super) struct World {
    runtime: Runtime,
    store: Store,
    settings: Settings,
    pub(super) state: State,
    history: History,
    environment: Kept,
    /// Effects that have begun and not ended.
    pub(super) jobs: Vec<Effect>,
    pub(super) alive: BTreeMap<Slot, RunId>,
    /// What was started last in each slot: its version of the environment, and the newest then.
    started: BTreeMap<Slot, (u64, u64)>,
    route: Slot,
    /// Migrations that were reverted.
    down: BTreeSet<u64>,
    pub(super) libraries: Libraries,
    standbys: Standbys,
}

impl World {
    pub(super) fn new(settings: Settings) -> World {
        let runtime = Builder::new_current_thread().build().unwrap();
        let store = Store::open(std::path::Path::new(":memory:")).unwrap();
        let mut world = World {
            runtime,
            store,
            settings,
            state: State::new(),
            history: History::default(),
            environment: Kept::default(),
            jobs: Vec::new(),
            alive: BTreeMap::new(),
            started: BTreeMap::new(),
            route: Slot::Blue,
            down: BTreeSet::new(),
            libraries: Libraries::default(),
            standbys: Standbys::default(),
        };
        world.load();
        world
    }

    fn load(&mut self) {
        let loaded = self.runtime.block_on(self.store.load(APP, 1000)).unwrap();
        let alive: Vec<_> = self.alive.iter().map(|(slot, run)| (*slot, *run)).collect();
        self.state = State::restored(&loaded, &alive);
        self.standbys = Standbys::restored(&loaded);
        self.history = History::new(&loaded.deployments, loaded.releases).with_starts(
            &loaded.starting,
            &loaded.migrated,
            loaded.starts,
        );
    }

    pub(super) fn known(&self) -> Known<'_> {
        let (state, history) = (&self.state, &self.history);
        Known { app: APP, state, history, standbys: &self.standbys, environment: &self.environment }
    }

    pub(super) fn play(&mut self, op: Op, cut: Cut) {
        let known = self.known();
        let ana = || "ana".to_owned();
        let command = match op {
            Op::Deploy { allow_destructive } => known.deploy().map(|()| {
                Command::Begin(Ask {
                    allow_destructive,
                    ..Ask::new(Kind::Deploy, None, "ana", None)
                })
            }),
            Op::Build { again } => {
                let source = again.map_or(BuildSource::Branch, BuildSource::Deployment);
                let ask = BuildAsk { source, allow_destructive: true, trigger: Trigger::ByHand };
                known.build(&ask, "main", ana(), None).map(Command::Begin)
            }
            Op::Rollback { to, cancel, migrations, env } => known
                .rollback(&RollbackAsk { to, cancel, migrations, env, ..RollbackAsk::default() })
                .and_then(|plan| known.agreed(&plan, ana(), None).map(Command::Begin)),
            Op::Restart { in_place } => known.restart(in_place, ana(), None),
            Op::Cancel => known.cancel().map(|_| Command::Cancel),
            Op::Stop => known.stop().map(|()| Command::Stop),
            Op::Start => known.start().map(|()| Command::Start),
            Op::ChangeEnvironment { secret } => {
                let value = EnvironmentValue { name: "KEY".into(), secret, sealed: Some(vec![1]) };
                let version = self.state.environment.today + 1;
                let change =
                    EnvironmentChange { version, actor: "ana".into(), values: vec![value] };
                Ok(Command::ChangeEnvironment(change))
            }
            Op::Keep(mode) => return self.keep(mode, cut),
            Op::Hear(slot) => return self.hear(slot, cut),
            Op::Finish { which, well } => return self.finish(which, well, cut),
            Op::Exit(slot) => return self.exit(slot, cut),
            Op::Sick(slot) => {
                if let Some(run) = self.alive.get(&slot).copied() {
                    self.fact(Fact::Unhealthy { slot, run, problem: problem() }, cut);
                }
                return;
            }
            Op::Crash { dead, half_switched } => return self.crash(dead, half_switched),
        };
        if let Ok(command) = command {
            self.feed(Event::Command(command), cut);
        }
    }

    pub(super) fn feed(&mut self, event: Event, cut: Cut) {
        if cut == Cut::BeforeCommit {
            return self.crash((false, false), false);
        }
        let before = self.state.clone();
        let asked = matches!(event, Event::Command(Command::Stop | Command::RestartInPlace))
            || self.state.desired == Desired::Stopped;
        let Step { state, records, effects } = step(&self.state, event, self.settings);
        self.runtime.block_on(self.store.commit(APP, records.clone(), None, NOW)).unwrap();
        self.history.apply(&records, NOW);
        self.standbys.apply(&records, NOW);
        self.state = state;
        self.old_slot_is_left_alone(&before, &records);
        if cut == Cut::AfterCommit {
            return self.crash((false, false), false);
        }
        for effect in effects {
            if let Effect::Stop { slot, .. } = effect {
                // One that was told before is told again.
                let told = matches!(before.slots.get(slot).life, Life::Stopping { .. });
                assert!(told || asked || self.state.active != Some(slot), "stops the active slot");
            }
            self.begin(effect);
        }
        self.check();
    }

    pub(super) fn fact(&mut self, fact: Fact, cut: Cut) {
        self.feed(Event::Fact(fact), cut);
    }

    fn begin(&mut self, effect: Effect) {
        self.begin_standby(&effect);
        match effect {
            Effect::Thaw { .. } | Effect::Unkeep => return,
            Effect::CheckHealth { slot, .. } => {
                let (environment, fresh) = self.started[&slot];
                let current = self.state.current.as_ref().unwrap();
                assert_eq!(environment, current.environment, "{slot} runs with another one");
                assert!(fresh >= self.state.environment.secrets, "{slot} has what was revoked");
            }
            Effect::Start { slot, run, release, environment } => {
                let today = self.state.environment.today;
                assert!(environment <= today);
                if let Some(current) =
                    self.state.current.as_ref().filter(|it| it.slot == Some(slot))
                {
                    assert_eq!(environment, current.environment, "{slot} starts with another one");
                }
                self.started.insert(slot, (environment, today));
                assert!(self.history.release(release).is_some(), "release {release} is missing");
                assert_eq!(self.alive.get(&slot), None, "two runs in {slot}");
                let row = OpenRun {
                    run,
                    slot,
                    release,
                    pid: 1,
                    start_ticks: 1,
                    boot_id: "boot".into(),
                    log_offset: 0,
                    started_at: NOW,
                };
                self.runtime.block_on(self.store.run_started(APP, row)).unwrap();
                self.alive.insert(slot, run);
            }
            Effect::AbandonStep => self.jobs.retain(|it| {
                assert!(
                    !matches!(
                        it,
                        Effect::Switch { .. } | Effect::Revert { .. } | Effect::Restore { .. }
                    ),
                    "{it:?} is never abandoned"
                );
                !matches!(
                    it,
                    Effect::Build { .. }
                        | Effect::Unpack { .. }
                        | Effect::Migrate { .. }
                        | Effect::Verify { .. }
                        | Effect::CheckHealth { .. }
                        | Effect::Drain { .. }
                        | Effect::Bake { .. }
                )
            }),
            Effect::Watch { .. } => self.jobs.retain(|it| !matches!(it, Effect::Watch { .. })),
            Effect::Prune => {
                let numbers = removable(&self.state, &self.history, 2);
                self.runtime
                    .block_on(self.store.releases_removed(APP, numbers.clone(), NOW))
                    .unwrap();
                self.history.remove_releases(&numbers);
                return;
            }
            Effect::AssertRoute { to } => {
                self.route = to;
                return;
            }
            _ => {}
        }
        if effect != Effect::AbandonStep {
            self.jobs.push(effect);
        }
    }

    pub(super) fn finish(&mut self, which: usize, well: bool, cut: Cut) {
        if self.jobs.is_empty() {
            return;
        }
        let effect = self.jobs.remove(which % self.jobs.len());
        let fails = |number| Fact::StepFailed { number, problem: problem() };
        let choose = |number, fact| if well { fact } else { fails(number) };
        let fact = match effect {
            Effect::Build { number, ref build } if well && self.commit_of(number).is_none() => {
                let sha = build.sha.clone().unwrap_or_else(|| format!("{number:040x}"));
                let (reference, subject) = (build.reference.clone(), "a change".into());
                // It goes on after it was told.
                self.jobs.push(effect);
                Fact::Fetched { number, commit: Commit { sha, reference, subject } }
            }
            Effect::Build { number, .. } => choose(number, Fact::Built { number }),
            Effect::Unpack { number } => {
                if well {
                    let release = release_with(number);
                    self.runtime.block_on(self.store.release_added(APP, release.clone())).unwrap();
                    self.history.add_release(release);
                }
                let known = self.known();
                let risk = known.risk(number);
                choose(number, Fact::Unpacked { number, risk })
            }
            Effect::Migrate { number, .. } => {
                choose(number, Fact::Migrated { number, applied: Vec::new() })
            }
            Effect::Revert { number, release, versions, again, .. } => {
                assert_eq!(Some(release), self.state.serving_release(), "another one reverts");
                // A failure comes after the first.
                let count = if well { versions.len() } else { 1.min(versions.len() - 1) };
                let mut moved = Vec::new();
                for version in &versions[..count] {
                    if self.down.insert(*version) || again {
                        moved.push(Moved { repo: "Shop.Repo".into(), version: *version });
                    }
                }
                // Where it was begun before, a failure looks which of them are down.
                for version in versions[count..].iter().filter(|it| again && self.down.contains(it))
                {
                    moved.push(Moved { repo: "Shop.Repo".into(), version: *version });
                }
                match well {
                    true => Fact::Reverted { number, moved },
                    false => Fact::RevertFailed { number, moved, problem: stuck() },
                }
            }
            Effect::Restore { number, moved, .. } => {
                let left = if well { Vec::new() } else { moved.clone() };
                for it in moved.iter().filter(|_| well) {
                    self.down.remove(&it.version);
                }
                Fact::Restored { number, left, problem: (!well).then(stuck) }
            }
            Effect::Verify { number, .. } => choose(number, Fact::Verified { number }),
            Effect::Drain { number, .. } => {
                Fact::Drained { number, outcome: Some("1 was still open".into()) }
            }
            Effect::Bake { number } => Fact::Baked { number },
            Effect::Switch { number, to, back } => {
                if well {
                    self.route = to;
                } else if let Some(back) = back {
                    self.route = back;
                }
                choose(number, Fact::Switched { number })
            }
            Effect::RestartAfter { slot, .. } => Fact::RestartDue { slot },
            Effect::Stop { slot, run, .. } => {
                if self.alive.get(&slot) != Some(&run) {
                    return;
                }
                return self.exit(slot, cut);
            }
            Effect::Watch { slot, run, .. } => {
                if self.alive.get(&slot) != Some(&run) {
                    return;
                }
                self.jobs.push(effect);
                if well {
                    Fact::Healthy { slot, run }
                } else {
                    Fact::Unhealthy { slot, run, problem: problem() }
                }
            }
            Effect::Start { slot, run, .. }
            | Effect::AwaitHealth { slot, run, .. }
            | Effect::CheckHealth { slot, run } => {
                if self.alive.get(&slot) != Some(&run) {
                    return;
                }
                let well = well && !self.is_frozen(slot);
                match (well, which % 2) {
                    (true, _) => Fact::Healthy { slot, run },
                    (false, 0) => Fact::Unhealthy { slot, run, problem: problem() },
                    (false, _) => return self.exit(slot, cut),
                }
            }
            Effect::AssertRoute { .. } | Effect::AbandonStep | Effect::Prune => return,
            other => return self.finish_standby(other, which, well, cut),
        };
        self.fact(fact, cut);
    }

    fn commit_of(&self, number: u64) -> Option<Commit> {
        self.history.get(number).and_then(|it| it.commit.clone())
    }

    /// Nobody has reverted anything that a deployment which ended does not name.
    fn database_is_accounted_for(&self) {
        let rows = self.runtime.block_on(self.store.deployments(APP, None, 1000)).unwrap();
        for version in &self.down {
            let named = |it: &Deployment| it.reverted.iter().any(|moved| moved.version == *version);
            assert!(rows.iter().any(named), "{version} is down, and no deployment says so");
        }
        // What did not go live leaves the schema as it was, unless that itself has failed.
        for it in rows.iter().filter(|it| it.live_at.is_none() && !it.reverted.is_empty()) {
            let code = it.error.as_ref().map(|error| error.code);
            assert_eq!(code, Some(Code::RevertFailed), "{it:?}");
        }
    }

    fn exit(&mut self, slot: Slot, cut: Cut) {
        let Some(run) = self.alive.remove(&slot) else { return };
        self.has_ended(slot);
        self.runtime.block_on(self.store.run_ended(APP, run, "exited", NOW)).unwrap();
        self.fact(Fact::Exited { slot, run, problem: problem() }, cut);
    }

    fn crash(&mut self, dead: (bool, bool), half_switched: bool) {
        if half_switched
            && let Some(Effect::Switch { to, .. }) =
                self.jobs.iter().find(|it| matches!(it, Effect::Switch { .. }))
        {
            self.route = *to;
        }
        // What runs in the release goes on without the daemon, a while.
        if half_switched
            && let Some(Effect::Revert { versions, .. }) =
                self.jobs.iter().find(|it| matches!(it, Effect::Revert { .. }))
        {
            self.down.extend(versions.first());
        }
        self.jobs.clear();
        for (slot, dies) in [(Slot::Blue, dead.0), (Slot::Green, dead.1)] {
            if dies && let Some(run) = self.alive.remove(&slot) {
                self.has_ended(slot);
                self.runtime.block_on(self.store.run_ended(APP, run, "exited", NOW)).unwrap();
            }
        }
        self.load();
        self.feed(Event::Recovered, Cut::None);
        self.what_was_told_to_end_ends();
    }

    /// Its signal was sent by the daemon before: nothing of what goes on may count on it.
    fn what_was_told_to_end_ends(&mut self) {
        for slot in Slot::BOTH {
            let Life::Stopping { .. } = self.state.slots.get(slot).life else { continue };
            let before = self.state.current.as_ref().map(|it| it.number);
            self.exit(slot, Cut::None);
            assert_eq!(self.state.current.as_ref().map(|it| it.number), before);
        }
    }

    /// A deployment that does not go live leaves the active slot and its release as they were.
    fn old_slot_is_left_alone(&self, before: &State, records: &[Record]) {
        let went_live = records.iter().any(|it| matches!(it, Record::WentLive { .. }));
        if !went_live {
            assert_eq!(self.state.active, before.active);
            assert_eq!(self.state.serving_release(), before.serving_release());
        }
    }

    fn check(&self) {
        let State { desired, active, current, slots, .. } = &self.state;
        let switching = current.as_ref().is_some_and(|it| it.status == Status::Switching);
        if let (Some(active), false) = (active, switching) {
            assert_eq!(self.route, *active, "the route does not name the active slot");
        }
        if let (Some(active), Desired::Running) = (active, desired) {
            assert_ne!(slots.get(*active).life, Life::Stopped, "the active slot was given up");
        }
        for slot in Slot::BOTH {
            assert_eq!(
                self.alive.get(&slot).copied(),
                slots.get(slot).life.run(),
                "{slot}'s process is not the one that is known"
            );
        }
        if let Some(current) = current {
            assert!(current.status.in_progress());
            assert!(self.is_worked_on(current), "nothing works on {current:?}: {:?}", self.jobs);
        }
        assert!(self.state.queued.is_none() || current.is_some());
        self.check_standby();
        let succeeded =
            self.history.before(u64::MAX).filter(|it| it.status == Status::Succeeded).count();
        assert!(succeeded <= 1, "{succeeded} deployments say succeeded");
    }

    fn is_worked_on(&self, current: &Current) -> bool {
        self.jobs.iter().any(|job| match job {
            Effect::Build { number, .. }
            | Effect::Unpack { number }
            | Effect::Migrate { number, .. }
            | Effect::Revert { number, .. }
            | Effect::Restore { number, .. }
            | Effect::Verify { number, .. }
            | Effect::Switch { number, .. }
            | Effect::Drain { number, .. }
            | Effect::Bake { number } => *number == current.number,
            Effect::Start { slot, .. }
            | Effect::AwaitHealth { slot, .. }
            | Effect::CheckHealth { slot, .. }
            | Effect::Stop { slot, .. } => Some(*slot) == current.slot,
            _ => false,
        })
    }

    /// With nothing more asked for and everything going well, all comes to rest.
    pub(super) fn comes_to_rest(&mut self) {
        self.libraries.ending = true;
        for _ in 0..200 {
            let next = self.jobs.iter().position(|it| !matches!(it, Effect::Watch { .. }));
            match next {
                Some(which) => self.finish_at(which),
                None => break,
            }
        }
        assert_eq!(self.state.current, None);
        assert_eq!(self.state.queued, None);
        self.database_is_accounted_for();
        self.standby_is_over();
        // Where a destructive migration stands between the two, which shall serve is left to a person.
        let left_to_a_person = self.state.serving.is_some_and(|number| {
            self.history.get(number).is_some_and(|it| it.status == Status::Failed)
        });
        if !left_to_a_person {
            assert_eq!(self.alive.get(&self.state.idle()), None, "the idle slot still runs");
        }
        if let (Some(active), Desired::Running) = (self.state.active, self.state.desired) {
            assert!(matches!(self.state.slots.get(active).life, Life::Running { .. }));
            assert_eq!(self.route, active);
        }
        let rows = self.runtime.block_on(self.store.deployments(APP, None, 1000)).unwrap();
        if let (Some(active), Some(serving)) = (self.state.active, self.state.serving) {
            let row = rows.iter().find(|it| it.number == serving).unwrap();
            let place = self.state.slots.get(active);
            assert_eq!(row.environment, place.environment, "#{serving} says another environment");
            if self.alive.contains_key(&active) {
                assert_eq!(self.started[&active], (place.environment, place.fresh));
            }
        }
        for row in &rows {
            assert_eq!(self.history.get(row.number).unwrap().environment, row.environment);
            assert!(!row.status.in_progress(), "{row:?}");
            assert!(row.ended_at.is_some());
            let remembered = self.history.get(row.number).unwrap();
            let again = row.build.as_ref().and_then(|it| it.sha.as_ref());
            if let (Some(commit), Some(sha)) = (&row.commit, again) {
                assert_eq!(&commit.sha, sha, "a redeploy builds another commit");
            }
            let built = row.live_at.is_some() && row.build.is_some();
            assert!(!built || row.commit.is_some(), "what was live was never fetched: {row:?}");
            assert_eq!(remembered.status, row.status, "#{}", row.number);
            let steps = self
                .runtime
                .block_on(self.store.deployment(APP, row.number))
                .unwrap()
                .unwrap()
                .steps;
            assert!(steps.iter().all(|it| it.ended_at.is_some()), "{steps:?}");
        }
        assert!(rows.windows(2).all(|pair| pair[0].number == pair[1].number + 1));
    }

    fn finish_at(&mut self, which: usize) {
        // `finish` takes the remainder: an index is its own.
        self.finish(which, true, Cut::None);
    }
}

fn stuck() -> Problem {
    Problem::new(Code::RevertFailed, "a lock is held")
}

pub(super) fn problem() -> Problem {
    Problem::new(Code::Exited, "exited with status 1")
}

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use vial_protocol::{Code, MigrationChoice, Slot, StandbyMode};

use super::*;
use crate::app::fixture::{release_of, release_with};
use crate::app::history::History;
use crate::app::machine::State;
use crate::app::machine::{Current, Event, Fact, Life, Settings, step};
use crate::app::standbys::Standbys;
use crate::store::record::Record;
use crate::vault::Kept;

/// An app whose deployments are played through the real machine.
struct App {
    state: State,
    history: History,
    standbys: Standbys,
    environment: Kept,
}

const SETTINGS: Settings = Settings {
    migrates: false,
    bakes: true,
    standby: StandbyMode::Cold,
    otherwise: StandbyMode::Cold,
    lasts: Duration::from_secs(900),
};

impl App {
    fn new() -> App {
        App {
            state: State::new(),
            history: History::new(&[], BTreeMap::new()),
            standbys: Standbys::default(),
            environment: Kept::default(),
        }
    }

    fn feed(&mut self, event: Event) {
        let step = step(&self.state, event, SETTINGS);
        self.history.apply(&step.records, Timestamp::UNIX_EPOCH);
        self.standbys.apply(&step.records, Timestamp::UNIX_EPOCH);
        for record in &step.records {
            if let Record::ReleaseChosen { release, .. } = record {
                self.history.add_release(release_of(*release));
            }
        }
        self.state = step.state;
    }

    fn fact(&mut self, fact: Fact) {
        self.feed(Event::Fact(fact));
    }

    fn known(&self) -> Known<'_> {
        Known {
            app: "shop",
            state: &self.state,
            history: &self.history,
            standbys: &self.standbys,
            environment: &self.environment,
        }
    }

    fn begin(&mut self, kind: Kind, release: Option<u64>) -> u64 {
        let number = self.state.next_number;
        let ask = Ask::new(kind, release, "ana", None);
        self.feed(Event::Command(Command::Begin(ask)));
        if release.is_none() {
            self.fact(Fact::Unpacked { number, risk: None });
        }
        number
    }

    /// A deploy whose migrations may break the release that serves, and which may do so.
    fn begin_risky(&mut self, risk: &str) -> u64 {
        let number = self.state.next_number;
        let ask = Ask { allow_destructive: true, ..Ask::new(Kind::Deploy, None, "ana", None) };
        self.feed(Event::Command(Command::Begin(ask)));
        self.fact(Fact::Unpacked { number, risk: Some(risk.into()) });
        number
    }

    fn current(&self) -> Current {
        self.state.current.clone().unwrap()
    }

    /// Lets what was told to stop end, and what was started become healthy.
    fn settle_slots(&mut self) {
        for slot in Slot::BOTH {
            if let Life::Stopping { run, .. } = self.state.slots.get(slot).life {
                self.fact(Fact::Exited { slot, run, problem: Problem::new(Code::Exited, "ended") });
            }
        }
        for slot in Slot::BOTH {
            match self.state.slots.get(slot).life {
                Life::Starting { run } | Life::Running { run, .. } => {
                    self.fact(Fact::Healthy { slot, run });
                }
                _ => {}
            }
        }
    }

    fn goes_live(&mut self) {
        let number = self.current().number;
        self.settle_slots();
        self.fact(Fact::Verified { number });
        self.fact(Fact::Switched { number });
        assert_eq!(self.state.serving, Some(number));
    }

    fn ends(&mut self, number: u64) {
        self.fact(Fact::Drained { number, outcome: None });
        self.fact(Fact::Baked { number });
        assert_eq!(self.state.current, None);
        self.settle_slots();
    }

    fn deploy(&mut self) -> u64 {
        let number = self.begin(Kind::Deploy, None);
        self.goes_live();
        self.ends(number);
        number
    }

    fn deploy_that_fails(&mut self) -> u64 {
        let number = self.begin(Kind::Deploy, None);
        self.settle_slots();
        self.fact(Fact::StepFailed {
            number,
            problem: Problem::new(Code::VerifyFailed, "/ answered 500"),
        });
        self.settle_slots();
        number
    }

    fn restart(&mut self) -> u64 {
        let command = self.known().restart(false, "ana".into(), None).unwrap();
        let number = self.state.next_number;
        self.feed(Event::Command(command));
        self.goes_live();
        self.ends(number);
        number
    }

    fn roll_back(&mut self, to: Option<u64>) -> u64 {
        let plan = self.known().rollback(&RollbackAsk { to, ..RollbackAsk::default() }).unwrap();
        let number = self.begin(Kind::Rollback, Some(plan.to.number));
        self.goes_live();
        self.fact(Fact::Drained { number, outcome: None });
        self.settle_slots();
        number
    }

    fn target(&self) -> Result<u64, Code> {
        self.known().rollback(&RollbackAsk::default()).map(|it| it.to.number).map_err(|it| it.code)
    }

    fn refusal(&self) -> String {
        self.known().rollback(&RollbackAsk::default()).unwrap_err().to_string()
    }
}

#[test]
fn nothing_is_offered_before_the_second_release() {
    let mut app = App::new();
    assert_eq!(app.target(), Err(Code::NothingDeployed));
    app.deploy();
    assert_eq!(app.target(), Err(Code::NothingToRollBackTo));
    assert_eq!(
        app.refusal(),
        "Nothing to roll back to: shop has one release, v1.0.0, and it serves. Deploy once more. \
         Next: `vial deploy shop PATH`"
    );
    app.deploy();
    assert_eq!(app.target(), Ok(1));
}

#[test]
fn a_failed_deploy_never_becomes_the_target() {
    let mut app = App::new();
    app.deploy();
    app.deploy();
    app.deploy_that_fails();
    assert_eq!(app.target(), Ok(1));
}

#[test]
fn a_cancelled_deploy_never_becomes_the_target() {
    let mut app = App::new();
    app.deploy();
    app.deploy();
    app.begin(Kind::Deploy, None);
    app.feed(Event::Command(Command::Cancel));
    app.settle_slots();
    assert_eq!(app.target(), Ok(1));
}

#[test]
fn a_restart_of_the_same_release_is_looked_through() {
    let mut app = App::new();
    app.deploy();
    app.deploy();
    app.restart();
    assert_eq!(app.target(), Ok(1));
}

#[test]
fn a_second_rollback_is_refused_with_the_command_that_goes_forward() {
    let mut app = App::new();
    app.deploy();
    app.deploy();
    app.roll_back(None);
    assert_eq!(app.target(), Err(Code::NothingToRollBackTo));
    assert_eq!(
        app.refusal(),
        "Not rolled back: v1.0.0 serves because #3 rolled back to it already, and a rollback goes \
         one release back. Next: `vial rollback shop --to 2` to go forward to v2.0.0, \
         `vial deploy shop PATH`"
    );
    app.restart();
    assert_eq!(app.target(), Err(Code::NothingToRollBackTo), "a restart does not change that");
}

#[test]
fn after_a_rollback_the_next_deploy_can_be_rolled_back() {
    let mut app = App::new();
    app.deploy();
    app.deploy();
    app.roll_back(None);
    app.deploy();
    assert_eq!(app.target(), Ok(1), "the release that the rollback left is not it");
}

#[test]
fn any_retained_release_is_reached_by_its_number() {
    let mut app = App::new();
    let first = app.deploy();
    app.deploy();
    app.deploy();
    let plan = app.known().rollback(&RollbackAsk { to: Some(first), ..RollbackAsk::default() });
    assert_eq!(plan.unwrap().to.number, 1);
    app.roll_back(Some(first));
    assert_eq!(app.state.serving_release(), Some(1));
    app.history.remove_releases(&[2]);
    let refused = app.known().rollback(&RollbackAsk { to: Some(2), ..RollbackAsk::default() });
    assert_eq!(refused.unwrap_err().code, Code::NotRetained);
    let refused = app.known().rollback(&RollbackAsk { to: Some(99), ..RollbackAsk::default() });
    assert_eq!(refused.unwrap_err().code, Code::NotFound);
    let refused = app.known().rollback(&RollbackAsk { to: Some(1), ..RollbackAsk::default() });
    assert_eq!(refused.unwrap_err().code, Code::AlreadyServing);
}

#[test]
fn a_rollback_is_possible_at_once_after_the_switch_and_needs_no_start() {
    let mut app = App::new();
    app.deploy();
    let second = app.begin(Kind::Deploy, None);
    app.goes_live();
    let plan = app.known().rollback(&RollbackAsk::default()).unwrap();
    assert!(plan.hot, "the old slot drains");
    app.fact(Fact::Drained { number: second, outcome: None });
    let plan = app.known().rollback(&RollbackAsk::default()).unwrap();
    assert!(plan.hot, "the old slot is kept through the bake");
    assert_eq!(plan.to.number, 1);
    app.roll_back(None);
    assert_eq!(app.history.get(second).unwrap().status, Status::RolledBack);
}

#[test]
fn a_deploy_that_is_not_live_yet_is_cancelled_only_on_request() {
    let mut app = App::new();
    app.deploy();
    app.deploy();
    let third = app.begin(Kind::Deploy, None);
    assert_eq!(app.target(), Err(Code::InProgress));
    assert!(app.refusal().contains("`vial rollback shop --cancel`"), "{}", app.refusal());
    let ask = RollbackAsk { cancel: true, ..RollbackAsk::default() };
    let plan = app.known().rollback(&ask).unwrap();
    assert_eq!((plan.cancels, plan.to.number, plan.hot), (Some(third), 1, false));
}

#[test]
fn a_plan_that_has_changed_is_refused_with_the_new_one() {
    let mut app = App::new();
    app.deploy();
    app.deploy();
    let seen = app.known().rollback(&RollbackAsk::default()).unwrap().digest;
    let ask = RollbackAsk { digest: Some(seen), ..RollbackAsk::default() };
    assert!(app.known().rollback(&ask).is_ok());
    app.deploy();
    let refused = app.known().rollback(&ask).unwrap_err();
    assert_eq!(refused.code, Code::StalePlan);
    assert_eq!(refused.plan.unwrap().to.number, 2);
}

#[test]
fn a_deploy_waits_for_a_bake_and_is_refused_before_the_switch() {
    let mut app = App::new();
    app.deploy();
    app.begin(Kind::Deploy, None);
    assert_eq!(app.known().deploy().unwrap_err().code, Code::InProgress);
    app.goes_live();
    assert!(app.known().deploy().is_ok());
    let queued = app.state.next_number;
    app.begin(Kind::Deploy, None);
    assert_eq!(app.state.queued.as_ref().map(|it| it.number), Some(queued));
    assert_eq!(app.known().deploy().unwrap_err().code, Code::InProgress);
    assert_eq!(app.known().cancel().unwrap(), queued, "what waits is what cancel means now");
}

#[test]
fn cancel_says_why_it_cannot() {
    let mut app = App::new();
    assert_eq!(app.known().cancel().unwrap_err().code, Code::NothingInProgress);
    app.begin(Kind::Deploy, None);
    app.goes_live();
    assert_eq!(app.known().cancel().unwrap_err().code, Code::AlreadyLive);
}

#[test]
fn stop_and_start_are_refused_where_they_change_nothing() {
    let mut app = App::new();
    assert_eq!(app.known().stop().unwrap_err().code, Code::NothingDeployed);
    app.deploy();
    assert_eq!(app.known().start().unwrap_err().code, Code::WrongState);
    assert!(app.known().stop().is_ok());
    app.feed(Event::Command(Command::Stop));
    assert_eq!(app.known().stop().unwrap_err().code, Code::WrongState);
    assert!(app.known().start().is_ok());
    let refused = app.known().restart(false, "ana".into(), None).unwrap_err();
    assert_eq!(refused.code, Code::WrongState);
}

/// v1 to v3 with a migration each, of which v3's is destructive; v3 is live and bakes.
fn a_destructive_deploy_that_bakes() -> App {
    let mut app = App::new();
    for _ in 0..2 {
        app.deploy();
    }
    let number = app.begin_risky("changes 3");
    app.goes_live();
    app.fact(Fact::Drained { number, outcome: None });
    app
}

#[test]
fn a_destructive_deploy_that_nobody_allowed_ends_before_it_touched_anything() {
    let mut app = App::new();
    app.deploy();
    let number = app.state.next_number;
    app.feed(Event::Command(Command::Begin(Ask::new(Kind::Deploy, None, "ana", None))));
    app.fact(Fact::Unpacked { number, risk: Some("drops users.name".into()) });
    assert_eq!(app.state.current, None);
    assert_eq!(app.history.get(number).unwrap().status, Status::Cancelled);
    assert_eq!(app.state.slots.get(Slot::Green).release, None, "no slot was taken");
}

#[test]
fn a_destructive_deploy_that_fails_in_its_bake_is_left_to_a_person_and_both_slots_run_on() {
    let mut app = a_destructive_deploy_that_bakes();
    let slot = app.state.active.unwrap();
    let Life::Running { run, .. } = app.state.slots.get(slot).life else { panic!() };
    let problem = Problem::new(Code::Unhealthy, "/health answered 503");
    app.fact(Fact::Unhealthy { slot, run, problem });
    assert_eq!(app.state.current, None, "no rollback begins");
    assert_eq!((app.state.active, app.state.serving), (Some(slot), Some(3)));
    assert_eq!(app.history.get(3).unwrap().status, Status::Failed);
    for slot in Slot::BOTH {
        assert!(matches!(app.state.slots.get(slot).life, Life::Running { .. }), "{slot} runs");
    }
    // A person may take it back at once.
    let plan = app.known().rollback(&RollbackAsk::default()).unwrap();
    assert_eq!((plan.to.number, plan.hot), (2, true));
}

#[test]
fn a_plan_over_a_destructive_migration_wants_a_choice_and_takes_one() {
    let mut app = App::new();
    for number in 1..=3 {
        app.deploy();
        app.history.add_release(release_with(number));
    }
    let ask = |migrations, force| RollbackAsk { migrations, force, ..RollbackAsk::default() };
    let plan = |ask: &RollbackAsk| app.known().rollback(ask).unwrap();
    let agreed = |plan: &Plan| app.known().agreed(plan, "ana".into(), None);

    let open = plan(&ask(None, false));
    assert!(matches!(open.database, DatabasePlan::Choose { .. }), "{open:?}");
    let refused = agreed(&open).unwrap_err();
    assert_eq!(refused.code, Code::Destructive);
    assert!(refused.message.contains("#3 changes 3 (3); v2.0.0 (#2) may fail"), "{refused}");
    assert!(refused.plan.is_some());

    let revert = plan(&ask(Some(MigrationChoice::Revert), false));
    assert_eq!(revert.digest, open.digest, "it is the same plan, answered");
    assert_eq!(agreed(&revert).unwrap().reverts, [3]);
    for keeps in [ask(Some(MigrationChoice::Keep), false), ask(None, true)] {
        assert!(agreed(&plan(&keeps)).unwrap().reverts.is_empty());
    }
}

#[test]
fn a_rollback_over_additive_migrations_keeps_them_without_a_question() {
    let mut app = App::new();
    for number in 1..=2 {
        app.deploy();
        app.history.add_release(release_with(number));
    }
    let plan = app.known().rollback(&RollbackAsk::default()).unwrap();
    assert_eq!((plan.database.clone(), plan.warnings.len()), (DatabasePlan::Keep, 0), "{plan:?}");
    let asked = app.known().agreed(&plan, "ana".into(), None).unwrap();
    assert!(asked.reverts.is_empty() && !asked.migrate);
}

#[test]
fn a_rollback_that_goes_forward_migrates_first() {
    let mut app = App::new();
    for number in 1..=2 {
        app.deploy();
        app.history.add_release(release_with(number));
    }
    app.roll_back(None);
    let plan =
        app.known().rollback(&RollbackAsk { to: Some(2), ..RollbackAsk::default() }).unwrap();
    assert_eq!((plan.migrations.len(), plan.applies.len()), (0, 1), "{plan:?}");
    assert!(app.known().agreed(&plan, "ana".into(), None).unwrap().migrate);
}

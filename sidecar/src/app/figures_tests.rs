use std::collections::{BTreeMap, BTreeSet};

use vial_protocol::{Deployment, Status};

use super::*;
use crate::app::fixture::release_of;
use crate::store::load::STARTS;
use crate::store::record::{Began, Record};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A history that is played as it is committed.
#[derive(Default)]
struct Story {
    history: History,
    number: u64,
}

impl Story {
    fn is(&mut self, record: Record, second: i64) {
        self.history.apply(&[record], at(second));
    }

    /// A deployment of a release is asked for: its number.
    fn begins(&mut self, kind: Kind, release: u64, second: i64) -> u64 {
        self.number += 1;
        let number = self.number;
        let began = Began {
            number,
            kind,
            release: Some(release),
            actor: "ana".into(),
            reason: None,
            reverts: Vec::new(),
            build: None,
        };
        self.is(Record::Began(began), second);
        number
    }

    /// A deployment of a release: asked for at `times[0]`, started at `times[1]` unless it ran
    /// already, live at `times[2]`.
    fn deployment(&mut self, kind: Kind, release: u64, times: (i64, Option<i64>, i64)) -> u64 {
        let number = self.begins(kind, release, times.0);
        if let Some(second) = times.1 {
            self.is(Record::Entered { number, status: Status::Starting }, second);
            self.history.add_start(release, at(second));
        }
        self.is(Record::Entered { number, status: Status::Switching }, times.2);
        self.is(Record::WentLive { number, slot: vial_protocol::Slot::Blue }, times.2);
        self.is(Record::Settled { number, took_back: None }, times.2);
        number
    }

    fn deploy(&mut self, release: u64, second: i64) -> u64 {
        self.deployment(Kind::Deploy, release, (second - 60, Some(second - 3), second))
    }

    fn plan(&self, release: u64, live_at: Option<i64>, hot: bool) -> Plan {
        let mut plan = Plan {
            app: "shop".into(),
            from: release_of(99),
            from_deployment: 99,
            to: release_of(release),
            to_deployment: release,
            to_last_live_at: live_at.map(at),
            slot: vial_protocol::Slot::Blue,
            hot,
            standby: None,
            to_served_ms: None,
            to_health: None,
            expected_ms: None,
            cancels: None,
            migrations: Vec::new(),
            applies: Vec::new(),
            database: vial_protocol::DatabasePlan::Unchanged,
            environment: vial_protocol::EnvironmentPlan::default(),
            warnings: Vec::new(),
            digest: "as it was".into(),
        };
        self.history.tell_figures(&mut plan);
        assert_eq!(plan.digest, "as it was");
        plan
    }

    fn expected(&self, hot: bool) -> Option<u64> {
        self.plan(1, None, hot).expected_ms
    }
}

#[test]
fn without_a_rollback_it_takes_as_long_as_a_deploy_took_from_its_start() {
    let mut story = Story::default();
    assert_eq!(story.expected(false), None);
    story.deploy(1, 1000);
    assert_eq!(story.expected(false), Some(3000), "without the build before it");
    assert_eq!(story.expected(true), None, "a switch is another thing");
}

#[test]
fn it_takes_as_long_as_the_last_five_of_its_kind_in_the_middle() {
    let mut story = Story::default();
    story.deploy(1, 1000);
    for (index, seconds) in [50, 1, 9, 2, 3, 8].into_iter().enumerate() {
        let begin = 2000 + 100 * index as i64;
        story.deployment(Kind::Rollback, 1, (begin, Some(begin), begin + seconds));
    }
    // The oldest does not count: 1, 2, 3, 8, 9.
    assert_eq!(story.expected(false), Some(3000));
    assert_eq!(story.expected(true), None);
    story.deployment(Kind::Rollback, 1, (5000, None, 5001));
    assert_eq!(story.expected(true), Some(1000));
    assert_eq!(story.expected(false), Some(3000));
}

#[test]
fn one_that_waited_for_the_database_says_nothing_of_what_a_standby_takes() {
    let mut story = Story::default();
    story.deploy(1, 1000);
    let usual = story.history.expected_from_standby(StandbyMode::Frozen);
    assert_eq!(usual, Some(FROZEN));
    let number = story.begins(Kind::Rollback, 1, 2000);
    story.is(Record::Entered { number, status: Status::Migrating }, 2000);
    story.is(Record::Entered { number, status: Status::Switching }, 2009);
    story.is(Record::WentLive { number, slot: vial_protocol::Slot::Blue }, 2009);
    assert_eq!(story.history.expected_from_standby(StandbyMode::Frozen), usual);
    story.deployment(Kind::Rollback, 1, (3000, None, 3001));
    assert_eq!(story.history.expected_from_standby(StandbyMode::Frozen), Some(1000));
    assert_eq!(story.history.expected_from_standby(StandbyMode::Cold), Some(3000));
}

#[test]
fn a_rollback_that_did_not_go_live_says_nothing_of_how_long_one_takes() {
    let mut story = Story::default();
    story.deployment(Kind::Rollback, 1, (2000, Some(2000), 2004));
    let number = story.begins(Kind::Rollback, 1, 3000);
    story.is(Record::Entered { number, status: Status::Starting }, 3000);
    story.is(Record::Ended { number, status: Status::Failed, error: None }, 3900);
    assert_eq!(story.expected(false), Some(4000));
}

#[test]
fn a_release_served_from_when_it_took_the_traffic_until_another_did() {
    let mut story = Story::default();
    story.deploy(1, 1000);
    story.deploy(2, 4600);
    story.deploy(3, 9000);
    let plan = story.plan(1, Some(1000), false);
    assert_eq!(plan.to_served_ms, Some(3_600_000));
    assert_eq!(plan.to_health.as_deref(), Some("without a restart"));
    let plan = story.plan(2, Some(4600), false);
    assert_eq!(plan.to_served_ms, Some(4_400_000));
    // One that never served, and one that serves still.
    let never = story.plan(4, None, false);
    assert_eq!((never.to_served_ms, never.to_health), (None, None));
    let still = story.plan(3, Some(9000), false);
    assert_eq!((still.to_served_ms, still.to_health), (None, None));
}

#[test]
fn a_release_that_was_started_again_while_it_served_was_not_well() {
    let mut story = Story::default();
    story.deploy(1, 1000);
    story.history.add_start(1, at(1500));
    let once = |story: &Story| story.plan(1, Some(1000), false).to_health;
    story.deploy(2, 4600);
    assert_eq!(once(&story).as_deref(), Some("started again once"));
    let mut story = Story::default();
    story.deploy(1, 1000);
    for second in [1500, 1600, 1700] {
        story.history.add_start(1, at(second));
    }
    story.deploy(2, 4600);
    // What comes later is of another time.
    story.history.add_start(1, at(5000));
    assert_eq!(once(&story).as_deref(), Some("started again 3 times"));
}

#[test]
fn what_is_not_remembered_is_not_told() {
    let mut story = Story::default();
    story.deploy(1, 1000);
    story.deploy(2, 4600);
    for second in 0..STARTS as i64 {
        story.history.add_start(2, at(5000 + second));
    }
    let plan = story.plan(1, Some(1000), false);
    assert_eq!((plan.to_served_ms, plan.to_health), (Some(3_600_000), None));
}

#[test]
fn what_the_store_kept_tells_the_same() {
    let mut story = Story::default();
    story.deploy(1, 1000);
    story.deployment(Kind::Rollback, 1, (2000, Some(2000), 2004));
    story.deployment(Kind::Rollback, 1, (3000, None, 3001));
    let row = |past: &Past| Deployment {
        number: past.number,
        kind: past.kind,
        status: past.status,
        release: past.release.map(release_of),
        slot: None,
        replaces: None,
        rolled_back_by: None,
        actor: "ana".into(),
        reason: None,
        error: None,
        queued_at: past.queued_at.unwrap(),
        live_at: past.live_at,
        ended_at: None,
        applied: Vec::new(),
        reverts: Vec::new(),
        reverted: Vec::new(),
        environment: 0,
        build: None,
        commit: None,
        steps: Vec::new(),
    };
    let rows: Vec<Deployment> = story.history.before(u64::MAX).map(row).collect();
    let starting: BTreeMap<u64, Timestamp> = [(1, at(997)), (2, at(2000))].into();
    let starts = vec![(1, at(997)), (1, at(2000))];
    let loaded =
        History::new(&rows, BTreeMap::new()).with_starts(&starting, &BTreeSet::new(), starts);
    assert_eq!(loaded, story.history);
}

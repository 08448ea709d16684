//! What an app's task knows of the deployments that were: enough to decide what may be asked for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use vial_protocol::{Build, Commit, Deployment, Kind, Release, Status};

use crate::store::load::STARTS;
use crate::store::record::Record;

/// How many deployments are remembered; the store has all of them.
pub const REMEMBERED: usize = 1000;

/// One deployment, as far as decisions need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Its number.
    pub number: u64,
    /// What it did.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// Its release.
    pub release: Option<u64>,
    /// The version of the environment that it ran with last.
    pub environment: u64,
    /// When it was asked for.
    pub queued_at: Option<Timestamp>,
    /// When its release was started; absent where it ran already, or never did.
    pub starting_at: Option<Timestamp>,
    /// Whether it moved migrations on its way.
    pub migrated: bool,
    /// When it took the traffic.
    pub live_at: Option<Timestamp>,
    /// What it built.
    pub build: Option<Build>,
    /// The commit of that.
    pub commit: Option<Commit>,
}

impl Past {
    /// Whether it went live and stayed until something else was asked for.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        matches!(self.status, Status::Succeeded | Status::Superseded)
    }
}

/// The newest deployments and the releases on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    past: VecDeque<Past>,
    releases: BTreeMap<u64, Release>,
    /// The newest starts of releases, whatever they were for, oldest first.
    starts: VecDeque<(u64, Timestamp)>,
}

impl History {
    /// From what the store has: deployments newest first, and the releases on the disk.
    #[must_use]
    pub fn new(deployments: &[Deployment], releases: BTreeMap<u64, Release>) -> Self {
        let past = deployments
            .iter()
            .rev()
            .map(|it| Past {
                number: it.number,
                kind: it.kind,
                status: it.status,
                release: it.release.as_ref().map(|release| release.number),
                environment: it.environment,
                queued_at: Some(it.queued_at),
                starting_at: None,
                migrated: false,
                live_at: it.live_at,
                build: it.build.clone(),
                commit: it.commit.clone(),
            })
            .collect();
        History { past, releases, starts: VecDeque::new() }
    }

    /// The same with what the store knows of starts: when deployments began theirs, which
    /// moved migrations, and the newest of all with their releases, oldest first.
    #[must_use]
    pub fn with_starts(
        mut self,
        starting: &BTreeMap<u64, Timestamp>,
        migrated: &BTreeSet<u64>,
        starts: Vec<(u64, Timestamp)>,
    ) -> Self {
        for it in &mut self.past {
            it.starting_at = starting.get(&it.number).copied();
            it.migrated = migrated.contains(&it.number);
        }
        self.starts = starts.into();
        self
    }

    /// A release was started, for whatever reason.
    pub fn add_start(&mut self, release: u64, at: Timestamp) {
        self.starts.push_back((release, at));
        if self.starts.len() > STARTS {
            self.starts.pop_front();
        }
    }

    /// How often a release was started in a span of time; absent where that is not remembered.
    #[must_use]
    pub fn starts_of(&self, release: u64, from: Timestamp, until: Timestamp) -> Option<usize> {
        let forgotten = self.starts.len() >= STARTS
            && self.starts.front().is_some_and(|(_, oldest)| *oldest > from);
        let within = |at: &Timestamp| (from..until).contains(at);
        let count = self.starts.iter().filter(|(it, at)| *it == release && within(at)).count();
        (!forgotten).then_some(count)
    }

    /// A deployment by its number, if it is remembered.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Past> {
        self.past.iter().rev().find(|it| it.number == number)
    }

    /// The deployments before a number, newest first.
    pub fn before(&self, number: u64) -> impl Iterator<Item = &Past> {
        self.past.iter().rev().filter(move |it| it.number < number)
    }

    /// The newest deployment that has ended.
    #[must_use]
    pub fn last_ended(&self) -> Option<&Past> {
        self.past.iter().rev().find(|it| !it.status.in_progress())
    }

    /// A release that is on the disk.
    #[must_use]
    pub fn release(&self, number: u64) -> Option<&Release> {
        self.releases.get(&number)
    }

    /// The releases on the disk, oldest first.
    pub fn releases(&self) -> impl DoubleEndedIterator<Item = &Release> {
        self.releases.values()
    }

    /// How many releases have served.
    #[must_use]
    pub fn served_releases(&self) -> usize {
        let mut served: Vec<u64> = self
            .past
            .iter()
            .filter(|it| it.live_at.is_some())
            .filter_map(|it| it.release)
            .collect();
        served.sort_unstable();
        served.dedup();
        served.len()
    }

    /// A release was put on the disk.
    pub fn add_release(&mut self, release: Release) {
        self.releases.insert(release.number, release);
    }

    /// Releases were removed from the disk.
    pub fn remove_releases(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.releases.remove(number);
        }
    }

    /// Follows what was committed at `now`.
    pub fn apply(&mut self, records: &[Record], now: Timestamp) {
        for record in records {
            self.apply_one(record, now);
        }
        while self.past.len() > REMEMBERED {
            self.past.pop_front();
        }
    }

    fn apply_one(&mut self, record: &Record, now: Timestamp) {
        match record {
            Record::Began(began) => self.past.push_back(Past {
                number: began.number,
                kind: began.kind,
                status: Status::Queued,
                release: began.release,
                environment: 0,
                queued_at: Some(now),
                starting_at: None,
                migrated: false,
                live_at: None,
                build: began.build.clone(),
                commit: None,
            }),
            Record::Entered { number, status: Status::Starting } => {
                self.change(*number, |it| {
                    it.status = Status::Starting;
                    it.starting_at.get_or_insert(now);
                });
            }
            Record::Entered {
                number,
                status: status @ (Status::Migrating | Status::Reverting),
            } => {
                self.change(*number, |it| {
                    it.status = *status;
                    it.migrated = true;
                });
            }
            Record::Entered { number, status } | Record::Ended { number, status, .. } => {
                self.change(*number, |it| it.status = *status);
            }
            Record::ReleaseChosen { number, release } => {
                self.change(*number, |it| it.release = Some(*release));
            }
            Record::EnvironmentChosen { number, environment } => {
                self.change(*number, |it| it.environment = *environment);
            }
            Record::CommitChosen { number, commit } => {
                self.change(*number, |it| it.commit = Some(commit.clone()));
            }
            Record::WentLive { number, .. } => self.change(*number, |it| it.live_at = Some(now)),
            Record::Settled { number, took_back } => {
                if let Some(left) = took_back {
                    self.change(*left, |it| it.status = Status::RolledBack);
                }
                for it in &mut self.past {
                    if it.number < *number && it.status == Status::Succeeded {
                        it.status = Status::Superseded;
                    }
                }
            }
            Record::Noted { .. }
            | Record::Migrated { .. }
            | Record::Reverted { .. }
            | Record::Failing { .. }
            | Record::SlotChosen { .. }
            | Record::EnvironmentChanged(_)
            | Record::SlotFilled { .. }
            | Record::Standby { .. }
            | Record::Works(_)
            | Record::Speaks { .. }
            | Record::Remarked { .. }
            | Record::Stopping { .. }
            | Record::Wanted(_)
            | Record::ClockHeld(_)
            | Record::Noticed(_) => {}
        }
    }

    fn change(&mut self, number: u64, change: impl FnOnce(&mut Past)) {
        if let Some(it) = self.past.iter_mut().rev().find(|it| it.number == number) {
            change(it);
        }
    }
}

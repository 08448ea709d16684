//! What becomes of the tip of a branch.

use vial_protocol::{Desired, Status};

use super::short;
use crate::app::history::Past;
use crate::app::known::Known;
use crate::store::auto::Tried;

/// What becomes of a tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is new: it is deployed.
    Deploy,
    /// It serves already.
    Serves,
    /// A deployment is in progress or waits: it is looked at again when that has ended.
    Later,
    /// It is not deployed by itself, and this is why: the rest of a sentence that begins with
    /// "auto-deploy: on;".
    Left(String),
}

/// Decides about a tip. `tried` is the one that was deployed by itself last.
#[must_use]
pub fn decide(known: Known<'_>, tip: &str, tried: Option<&Tried>) -> Decision {
    let Known { app, state, history, .. } = known;
    if state.current.is_some() || state.queued.is_some() {
        return Decision::Later;
    }
    let serving = state.serving_release().and_then(|release| history.get(release));
    if serving.and_then(|it| it.commit.as_ref()).is_some_and(|it| it.sha == tip) {
        return Decision::Serves;
    }
    if state.desired == Desired::Stopped {
        return Decision::Left(format!("{app} is stopped, so {} waits", short(tip)));
    }
    let of_tip = |it: &&Past| {
        it.build.is_some() && it.commit.as_ref().is_some_and(|commit| commit.sha == tip)
    };
    let before = history.before(u64::MAX).find(of_tip);
    // It ended before its commit was known: the repository did not give it.
    let tried = tried.filter(|it| it.commit == tip).and_then(|it| history.get(it.deployment));
    let last = [before, tried].into_iter().flatten().max_by_key(|it| it.number);
    match last.map(|it| (it, ended(it.status))) {
        Some((it, Some(how))) => Decision::Left(format!(
            "{} {how} (#{}), so it waits for the next commit",
            short(tip),
            it.number
        )),
        _ => Decision::Deploy,
    }
}

/// How a deployment ended, where that is a reason to leave its commit alone.
fn ended(status: Status) -> Option<&'static str> {
    match status {
        Status::Failed => Some("failed"),
        Status::Cancelled => Some("was cancelled"),
        Status::RolledBack => Some("was rolled back"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use vial_protocol::{Build, Commit, Kind, Trigger};

    use super::*;
    use crate::app::history::History;
    use crate::app::machine::State;
    use crate::app::standbys::Standbys;
    use crate::store::record::{Began, Record};
    use crate::vault::Kept;

    /// An app and what happened to it.
    #[derive(Default)]
    struct Told {
        state: State,
        history: History,
    }

    impl Told {
        fn record(&mut self, record: Record) {
            self.history.apply(&[record], jiff::Timestamp::UNIX_EPOCH);
        }

        /// A deployment that built a commit, and how it ended.
        fn built(&mut self, number: u64, sha: &str, status: Status) {
            self.began(number, Kind::Deploy, None);
            if !sha.is_empty() {
                let commit =
                    Commit { sha: sha.into(), reference: "main".into(), subject: String::new() };
                self.record(Record::CommitChosen { number, commit });
                self.record(Record::ReleaseChosen { number, release: number });
            }
            self.record(Record::Ended { number, status, error: None });
            if status == Status::Succeeded {
                self.record(Record::Settled { number, took_back: None });
                self.serves(number, number);
            }
        }

        fn rolled_back(&mut self, number: u64, left: u64, to: u64) {
            self.began(number, Kind::Rollback, Some(to));
            self.record(Record::Ended { number, status: Status::Succeeded, error: None });
            self.record(Record::Settled { number, took_back: Some(left) });
            self.serves(number, to);
        }

        fn began(&mut self, number: u64, kind: Kind, release: Option<u64>) {
            let build = release.is_none().then(|| Build {
                reference: "main".into(),
                sha: None,
                of: None,
                trigger: Trigger::Webhook,
                allow_destructive: false,
            });
            let actor = "vial".into();
            let began =
                Began { number, kind, release, actor, reason: None, reverts: vec![], build };
            self.record(Record::Began(began));
        }

        fn serves(&mut self, number: u64, release: u64) {
            let slot = vial_protocol::Slot::Blue;
            self.state.active = Some(slot);
            self.state.serving = Some(number);
            self.state.slots.get_mut(slot).release = Some(release);
        }

        fn decide(&self, tip: &str) -> Decision {
            self.decide_having_tried(tip, None)
        }

        fn decide_having_tried(&self, tip: &str, tried: Option<&Tried>) -> Decision {
            let (state, history, environment) = (&self.state, &self.history, &Kept::default());
            decide(
                Known { app: "shop", state, history, standbys: &Standbys::default(), environment },
                tip,
                tried,
            )
        }
    }

    fn left(why: &str) -> Decision {
        Decision::Left(format!("{why}, so it waits for the next commit"))
    }

    #[test]
    fn a_new_commit_is_deployed_and_the_one_that_serves_is_not() {
        let mut told = Told::default();
        assert_eq!(told.decide("aaa"), Decision::Deploy);
        told.built(1, "aaa", Status::Succeeded);
        assert_eq!(told.decide("aaa"), Decision::Serves);
        assert_eq!(told.decide("bbb"), Decision::Deploy);
    }

    #[test]
    fn what_was_rolled_back_waits_and_the_next_commit_does_not() {
        let mut told = Told::default();
        told.built(1, "aaa", Status::Succeeded);
        told.built(2, "bbb", Status::Succeeded);
        told.rolled_back(3, 2, 1);
        assert_eq!(told.decide("bbb"), left("bbb was rolled back (#2)"));
        assert_eq!(told.decide("aaa"), Decision::Serves, "it serves again");
        assert_eq!(told.decide("ccc"), Decision::Deploy);
    }

    #[test]
    fn what_failed_or_was_cancelled_waits_until_a_person_deploys_it() {
        let mut told = Told::default();
        told.built(1, "aaa", Status::Succeeded);
        told.built(2, "bbb", Status::Failed);
        told.built(3, "ccc", Status::Cancelled);
        assert_eq!(told.decide("bbb"), left("bbb failed (#2)"));
        assert_eq!(told.decide("ccc"), left("ccc was cancelled (#3)"));
        told.built(4, "bbb", Status::Succeeded);
        told.built(5, "ddd", Status::Succeeded);
        assert_eq!(told.decide("bbb"), Decision::Deploy, "the branch was set back to it");
    }

    #[test]
    fn what_failed_before_its_commit_was_known_is_not_tried_for_ever() {
        let mut told = Told::default();
        told.built(1, "", Status::Failed);
        let tried = Tried { commit: "aaa".into(), deployment: 1 };
        assert_eq!(told.decide_having_tried("aaa", Some(&tried)), left("aaa failed (#1)"));
        assert_eq!(told.decide_having_tried("bbb", Some(&tried)), Decision::Deploy);
    }

    #[test]
    fn a_stopped_app_stays_stopped() {
        let mut told = Told::default();
        told.built(1, "aaa", Status::Succeeded);
        told.state.desired = Desired::Stopped;
        let stopped = Decision::Left("shop is stopped, so bbb waits".into());
        assert_eq!(told.decide("bbb"), stopped);
    }

    #[test]
    fn what_came_as_an_archive_is_no_commit_of_the_branch() {
        let mut told = Told::default();
        told.began(1, Kind::Deploy, Some(1));
        told.record(Record::Ended { number: 1, status: Status::Succeeded, error: None });
        told.serves(1, 1);
        assert_eq!(told.decide("aaa"), Decision::Deploy);
    }
}

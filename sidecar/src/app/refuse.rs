//! The words of each refusal.

use vial_protocol::{Code, Effect, Plan, Problem, Standing};

use super::history::Past;
use super::known::Known;
use super::machine::Current;
use super::standing;

/// Writes refusals about one app.
pub(super) struct Refuse<'a> {
    known: Known<'a>,
}

impl<'a> Refuse<'a> {
    pub(super) fn new(known: Known<'a>) -> Self {
        Refuse { known }
    }

    fn app(&self) -> &'a str {
        self.known.app
    }

    /// "v1.4.2 serves.", or that nothing does.
    fn serves(&self) -> String {
        match self.known.state.serving_release() {
            Some(release) => format!("{} still serves.", self.known.label(release)),
            None => "No release serves yet.".into(),
        }
    }

    /// The releases on the disk: "#1 (v1.4.1), #3 (v1.4.2)".
    fn kept(&self) -> String {
        let releases = self.known.history.releases();
        let each = releases.map(|it| format!("#{} ({})", it.number, it.label()));
        each.collect::<Vec<_>>().join(", ")
    }

    fn current(&self) -> String {
        match &self.known.state.current {
            Some(current) => describe(self.known, current),
            None => "a deployment".into(),
        }
    }

    pub(super) fn in_progress(&self, what: &str) -> Problem {
        Problem::new(
            Code::InProgress,
            format!("{what}: {} is in progress. {}", self.current(), self.serves()),
        )
        .next(format!(
            "`vial status {0} --watch` to follow it, `vial cancel {0}` to end it",
            self.app()
        ))
    }

    pub(super) fn queue_taken(&self, what: &str, number: u64) -> Problem {
        Problem::new(
            Code::InProgress,
            format!(
                "{what}: #{number} waits already until {} has ended. {}",
                self.current(),
                self.serves()
            ),
        )
        .next(format!("`vial cancel {}` takes #{number} out of the queue", self.app()))
    }

    pub(super) fn rollback_in_progress(&self, current: &Current) -> Problem {
        Problem::new(
            Code::InProgress,
            format!(
                "Not rolled back: {} is in progress and not live yet. {}",
                describe(self.known, current),
                self.serves()
            ),
        )
        .next(format!(
            "`vial cancel {0}` ends it and leaves what serves; `vial rollback {0} --cancel` ends it \
             and rolls back too",
            self.app()
        ))
    }

    pub(super) fn already_switching(&self, number: u64) -> Problem {
        Problem::new(
            Code::InProgress,
            format!("Too late to cancel: the traffic is being switched to #{number} right now."),
        )
        .next(format!("`vial rollback {}` takes it back", self.app()))
    }

    pub(super) fn already_live(&self, number: u64) -> Problem {
        Problem::new(
            Code::AlreadyLive,
            format!(
                "Nothing to cancel: #{number} is live. {}",
                self.serves().replace(" still", "")
            ),
        )
        .next(format!("`vial rollback {}` takes it back", self.app()))
    }

    pub(super) fn nothing_in_progress(&self) -> Problem {
        Problem::new(
            Code::NothingInProgress,
            format!(
                "Nothing to cancel: {} has no deployment in progress. {}",
                self.app(),
                self.serves().replace(" still", "")
            ),
        )
        .next(format!("`vial history {}`", self.app()))
    }

    pub(super) fn nothing_deployed(&self, what: &str) -> Problem {
        Problem::new(Code::NothingDeployed, format!("{what}: {} has no live release.", self.app()))
            .next(format!("`vial deploy {} PATH`", self.app()))
    }

    pub(super) fn stopped(&self, what: &str) -> Problem {
        Problem::new(Code::WrongState, format!("{what}: {} is stopped.", self.app()))
            .next(format!("`vial start {}`", self.app()))
    }

    pub(super) fn runs_already(&self) -> Problem {
        Problem::new(
            Code::WrongState,
            format!(
                "Nothing to start: {} runs. {}",
                self.app(),
                self.serves().replace(" still", "")
            ),
        )
        .next(format!("`vial restart {}`", self.app()))
    }

    pub(super) fn nothing_to_roll_back_to(&self) -> Problem {
        let releases = match self.known.history.served_releases() {
            0 | 1 => "has one release",
            _ => "has no earlier release that succeeded",
        };
        let serves = self.known.state.serving_release().map(|it| self.known.label(it));
        let serves = serves.map(|it| format!(", {it}, and it serves")).unwrap_or_default();
        Problem::new(
            Code::NothingToRollBackTo,
            format!(
                "Nothing to roll back to: {} {releases}{serves}. Deploy once more.",
                self.app()
            ),
        )
        .next(format!("`vial deploy {} PATH`", self.app()))
    }

    pub(super) fn rolled_back_already(&self, rollback: &Past, release: u64) -> Problem {
        let left = self
            .known
            .history
            .before(rollback.number)
            .find(|it| it.live_at.is_some() && it.release != Some(release))
            .and_then(|it| it.release.map(|left| (it.number, left)));
        let further =
            self.known.history.before(rollback.number).filter(|it| it.has_succeeded()).find(|it| {
                it.release.is_some_and(|other| {
                    other != release
                        && Some(other) != left.map(|(_, release)| release)
                        && self.known.history.release(other).is_some()
                })
            });
        let mut next = Vec::new();
        if let Some((number, left)) = left {
            next.push(format!(
                "`vial rollback {} --to {number}` to go forward to {}",
                self.app(),
                self.known.label(left)
            ));
        }
        if let Some(past) = further {
            next.push(format!(
                "`vial rollback {} --to {}` to go further back to {}",
                self.app(),
                past.number,
                self.known.label(past.release.unwrap_or_default())
            ));
        }
        next.push(format!("`vial deploy {} PATH`", self.app()));
        Problem::new(
            Code::NothingToRollBackTo,
            format!(
                "Not rolled back: {} serves because #{} rolled back to it already, and a rollback \
                 goes one release back.",
                self.known.label(release),
                rollback.number
            ),
        )
        .next(next.join(", "))
    }

    pub(super) fn unknown_deployment(&self, number: u64) -> Problem {
        Problem::new(
            Code::NotFound,
            format!(
                "Not rolled back: {} has no deployment #{number}. {}",
                self.app(),
                self.serves()
            ),
        )
        .next(format!("`vial history {}`", self.app()))
    }

    pub(super) fn serves_already(&self, number: u64) -> Problem {
        Problem::new(
            Code::AlreadyServing,
            format!(
                "Not rolled back: the release of #{number} is the one that serves. {}",
                self.serves()
            ),
        )
        .next(format!("`vial history {}`", self.app()))
    }

    pub(super) fn without_release(&self, number: u64) -> Problem {
        Problem::new(
            Code::NotRetained,
            format!("Not rolled back: #{number} ended before it had a release. {}", self.serves()),
        )
        .next(format!("`vial history {}`", self.app()))
    }

    pub(super) fn not_built_here(&self, number: u64) -> Problem {
        let app = self.app();
        Problem::new(
            Code::NotFound,
            format!(
                "Not redeployed: #{number} was not built from a repository; its release came as an \
                 archive. {}",
                self.serves()
            ),
        )
        .next(format!(
            "`vial deploy {app} --ref REF` builds a commit; `vial rollback {app} --to {number}` \
             starts that release again"
        ))
    }

    pub(super) fn not_retained(&self, number: u64) -> Problem {
        Problem::new(
            Code::NotRetained,
            format!(
                "Not rolled back: the release of #{number} is no longer on the disk. {} Kept: {}.",
                self.serves(),
                self.kept()
            ),
        )
        .next(format!(
            "`vial rollback {} --to N` with one of these, or deploy it again",
            self.app()
        ))
    }

    pub(super) fn database_on_the_move(&self, what: &str, current: &Current) -> Problem {
        Problem::new(
            Code::InProgress,
            format!(
                "{what}: {} has touched the database, and is seen through to its end. {}",
                describe(self.known, current),
                self.serves()
            ),
        )
        .next(format!("`vial status {} --watch` to follow it", self.app()))
    }

    /// A destructive migration stands in the way, and nobody said what shall become of it.
    pub(super) fn destructive(&self, plan: &Plan) -> Problem {
        let destructive: Vec<String> = plan
            .migrations
            .iter()
            .filter(|it| it.migration.effect == Effect::Destructive)
            .map(|it| format!("#{} {}", it.brought_by, standing::does(&it.migration)))
            .collect();
        // Beside its deployment's number it needs none of its own.
        let to = plan.to.label();
        let message = format!(
            "Not rolled back: {} {}; {to} (#{}) may fail on that schema. Nothing has changed.",
            self.serves(),
            destructive.join(", "),
            plan.to_deployment,
        );
        let app = self.app();
        let keep = format!("`vial rollback {app} --keep-migrations`");
        let next = match standing::irreversible(&plan.migrations) {
            Some(it) => format!(
                "{keep} leaves the database as it is; {} has no way down, so that reverting is not \
                 offered",
                it.migration.version
            ),
            None => {
                let losses = standing::losses(&plan.migrations);
                let losses = match losses.as_slice() {
                    [] => String::new(),
                    losses => format!(" ({})", losses.join("; ")),
                };
                format!(
                    "`vial rollback {app} --revert-migrations` reverts {}{losses}, or {keep} leaves \
                     the database as it is",
                    if plan.migrations.len() == 1 { "it" } else { "them" },
                )
            }
        };
        Problem::new(Code::Destructive, message).next(next).plan(plan.clone())
    }

    pub(super) fn irreversible(&self, standing: &Standing, plan: &Plan) -> Problem {
        Problem::new(
            Code::Irreversible,
            format!(
                "Not rolled back: {} #{} {}, and that migration has no way down. Nothing has \
                 changed.",
                self.serves(),
                standing.brought_by,
                standing::does(&standing.migration),
            ),
        )
        .next(format!(
            "`vial rollback {} --keep-migrations` leaves the database as it is",
            self.app()
        ))
        .plan(plan.clone())
    }

    pub(super) fn no_such_release(&self, what: &str, number: u64) -> Problem {
        Problem::new(
            Code::NotRetained,
            format!("{what}: the release of #{number} is not on the disk. Kept: {}.", self.kept()),
        )
        .next("name one of these")
    }

    pub(super) fn stale(&self, plan: Plan) -> Problem {
        Problem::new(
            Code::StalePlan,
            format!(
                "Not rolled back: something changed since you saw the plan. {} It would now go to \
                 {} (#{}).",
                self.serves(),
                plan.to.label(),
                plan.to_deployment
            ),
        )
        .next(format!("`vial rollback {}` again", self.app()))
        .plan(plan)
    }
}

/// "deploy #7 (v2.0.0, verifying)"
fn describe(known: Known<'_>, current: &Current) -> String {
    let release = current.release.map(|it| format!("{}, ", known.label(it))).unwrap_or_default();
    format!("{} #{} ({release}{})", current.kind, current.number, current.status)
}

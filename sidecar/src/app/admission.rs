//! Whether a request is accepted, waits, or is refused, and what a rollback would do. Pure.
//!
//! A refusal says what was not done, which release serves now, why, and the next command; the
//! person who reads it was woken up.

use vial_protocol::{
    Build, Code, DatabasePlan, Desired, EnvironmentChoice, EnvironmentPlan, Kind, Plan, Problem,
    Standing, Status,
};

use super::history::Past;
use super::known::Known;
use super::machine::{Ask, Command};
use super::refuse::Refuse;
use super::request::{BuildAsk, BuildSource, RollbackAsk};
use super::standing;

impl<'a> Known<'a> {
    pub(super) fn refuse(self) -> Refuse<'a> {
        Refuse::new(self)
    }

    /// Whether a new release may come in: at once, or when the bake in progress has ended.
    ///
    /// # Errors
    /// The refusal.
    pub fn deploy(self) -> Result<(), Problem> {
        match (&self.state.current, &self.state.queued) {
            (Some(current), _) if !current.status.is_live() => {
                Err(self.refuse().in_progress("Not deployed"))
            }
            (_, Some(queued)) => Err(self.refuse().queue_taken("Not deployed", queued.number)),
            _ => Ok(()),
        }
    }

    /// Whether a commit may be built and deployed, and which. `branch` is the configured one.
    ///
    /// # Errors
    /// The refusal.
    pub fn build(
        self,
        ask: &BuildAsk,
        branch: &str,
        actor: String,
        reason: Option<String>,
    ) -> Result<Ask, Problem> {
        let allow_destructive = ask.allow_destructive;
        let build = |reference: &str| Build {
            reference: reference.into(),
            sha: None,
            of: None,
            trigger: ask.trigger,
            allow_destructive,
        };
        let (kind, build) = match &ask.source {
            BuildSource::Branch => (Kind::Deploy, build(branch)),
            BuildSource::Ref(reference) => (Kind::Deploy, build(reference)),
            BuildSource::Deployment(number) => (Kind::Redeploy, self.again(*number, build)?),
        };
        let what = if kind == Kind::Redeploy { "Not redeployed" } else { "Not deployed" };
        self.deploy().map_err(|mut problem| {
            problem.message = problem.message.replacen("Not deployed", what, 1);
            problem
        })?;
        Ok(Ask { allow_destructive, build: Some(build), ..Ask::new(kind, None, actor, reason) })
    }

    /// What a deployment built, to be built again.
    fn again(self, number: u64, build: impl Fn(&str) -> Build) -> Result<Build, Problem> {
        let Some(past) = self.history.get(number) else {
            let mut problem = self.refuse().unknown_deployment(number);
            problem.message = problem.message.replacen("Not rolled back", "Not redeployed", 1);
            return Err(problem);
        };
        // A rollback and a restart build nothing: their release was brought by another.
        let brought = past.release.and_then(|it| self.history.get(it)).unwrap_or(past);
        let of = Some(brought.number);
        match (&brought.commit, &brought.build) {
            (Some(commit), _) => {
                Ok(Build { sha: Some(commit.sha.clone()), of, ..build(&commit.reference) })
            }
            // It failed before its commit was known.
            (None, Some(asked)) => {
                Ok(Build { sha: asked.sha.clone(), of, ..build(&asked.reference) })
            }
            (None, None) => Err(self.refuse().not_built_here(number)),
        }
    }

    /// Whether the active release may be started again, and how.
    ///
    /// # Errors
    /// The refusal.
    pub fn restart(
        self,
        in_place: bool,
        actor: String,
        reason: Option<String>,
    ) -> Result<Command, Problem> {
        let Some(release) = self.state.serving_release() else {
            return Err(self.refuse().nothing_deployed("Not restarted"));
        };
        if self.state.desired == Desired::Stopped {
            return Err(self.refuse().stopped("Not restarted"));
        }
        if in_place {
            return match &self.state.current {
                Some(_) => Err(self.refuse().in_progress("Not restarted")),
                None => Ok(Command::RestartInPlace),
            };
        }
        self.deploy().map_err(|mut problem| {
            problem.message = problem.message.replacen("Not deployed", "Not restarted", 1);
            problem
        })?;
        Ok(Command::Begin(Ask::new(Kind::Restart, Some(release), actor, reason)))
    }

    /// Whether there is something to cancel.
    ///
    /// # Errors
    /// The refusal.
    pub fn cancel(self) -> Result<u64, Problem> {
        match (&self.state.current, &self.state.queued) {
            (Some(current), _) if current.holds_the_database() => {
                Err(self.refuse().database_on_the_move("Not cancelled", current))
            }
            (Some(current), _) if current.status < Status::Switching => Ok(current.number),
            (Some(current), _) if current.status == Status::Switching => {
                Err(self.refuse().already_switching(current.number))
            }
            (_, Some(queued)) => Ok(queued.number),
            (Some(current), None) => Err(self.refuse().already_live(current.number)),
            (None, None) => Err(self.refuse().nothing_in_progress()),
        }
    }

    /// Whether the app may be stopped.
    ///
    /// # Errors
    /// The refusal.
    pub fn stop(self) -> Result<(), Problem> {
        match &self.state.current {
            Some(current) if !current.status.is_live() => {
                Err(self.refuse().in_progress("Not stopped"))
            }
            _ if self.state.active.is_none() => Err(self.refuse().nothing_deployed("Not stopped")),
            _ if self.state.desired == Desired::Stopped => {
                Err(self.refuse().stopped("Nothing to stop"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the app may be started.
    ///
    /// # Errors
    /// The refusal.
    pub fn start(self) -> Result<(), Problem> {
        if self.state.active.is_none() {
            return Err(self.refuse().nothing_deployed("Not started"));
        }
        if self.state.desired == Desired::Running {
            return Err(self.refuse().runs_already());
        }
        Ok(())
    }

    /// What a rollback would do now.
    ///
    /// # Errors
    /// The refusal.
    pub fn rollback(self, ask: &RollbackAsk) -> Result<Plan, Problem> {
        let cancels = match &self.state.current {
            Some(current) if !current.status.is_live() => {
                if !ask.cancel {
                    return Err(self.refuse().rollback_in_progress(current));
                }
                if current.holds_the_database() {
                    return Err(self.refuse().database_on_the_move("Not rolled back", current));
                }
                if current.status == Status::Switching {
                    return Err(self.refuse().already_switching(current.number));
                }
                Some(current.number)
            }
            _ => None,
        };
        let (Some(serving), Some(from)) = (self.state.serving, self.state.serving_release()) else {
            return Err(self.refuse().nothing_deployed("Nothing to roll back to"));
        };
        let target = match ask.to {
            Some(number) => self.chosen(number, from)?,
            None => self.previous(serving, from)?,
        };
        let plan = self.plan(serving, from, target, cancels, ask)?;
        match &ask.digest {
            Some(digest) if *digest != plan.digest => return Err(self.refuse().stale(plan)),
            _ => {}
        }
        match (&plan.database, standing::irreversible(&plan.migrations)) {
            (DatabasePlan::Revert { .. }, Some(it)) => Err(self.refuse().irreversible(it, &plan)),
            _ => Ok(plan),
        }
    }

    /// The rollback that a plan describes, once somebody has said all that had to be said.
    ///
    /// # Errors
    /// The refusal.
    pub fn agreed(
        self,
        plan: &Plan,
        actor: String,
        reason: Option<String>,
    ) -> Result<Ask, Problem> {
        let reverts = match &plan.database {
            DatabasePlan::Choose { .. } => return Err(self.refuse().destructive(plan)),
            DatabasePlan::Revert { versions } => versions.clone(),
            DatabasePlan::Unchanged | DatabasePlan::Keep => Vec::new(),
        };
        Ok(Ask {
            reverts,
            environment: Some(plan.environment.version),
            migrate: !plan.applies.is_empty(),
            ..Ask::new(Kind::Rollback, Some(plan.to.number), actor, reason)
        })
    }

    /// What a release that came in may break in the one that serves.
    #[must_use]
    pub fn risk(self, release: u64) -> Option<String> {
        let serving = self.history.release(self.state.serving_release()?)?;
        standing::risk(self.history.release(release)?, serving)
    }

    /// The last deployment before the serving one that succeeded with another release.
    pub(super) fn previous(self, serving: u64, from: u64) -> Result<&'a Past, Problem> {
        // A restart continues what it restarted: look behind it.
        let came = self.history.before(serving.saturating_add(1)).find(|it| {
            it.kind != Kind::Restart && it.release == Some(from) && it.live_at.is_some()
        });
        if let Some(rollback) = came.filter(|it| it.kind == Kind::Rollback) {
            return Err(self.refuse().rolled_back_already(rollback, from));
        }
        self.history
            .before(serving)
            .find(|it| it.has_succeeded() && it.release.is_some_and(|release| release != from))
            .ok_or_else(|| self.refuse().nothing_to_roll_back_to())
    }

    /// The deployment that a person named, if its release may serve.
    fn chosen(self, number: u64, from: u64) -> Result<&'a Past, Problem> {
        let Some(past) = self.history.get(number) else {
            return Err(self.refuse().unknown_deployment(number));
        };
        match past.release {
            Some(release) if release == from => Err(self.refuse().serves_already(number)),
            Some(_) => Ok(past),
            None => Err(self.refuse().without_release(number)),
        }
    }

    fn plan(
        self,
        serving: u64,
        from: u64,
        target: &Past,
        cancels: Option<u64>,
        ask: &RollbackAsk,
    ) -> Result<Plan, Problem> {
        let to_number = target.release.unwrap_or_default();
        let Some(to) = self.history.release(to_number) else {
            return Err(self.refuse().not_retained(target.number));
        };
        let Some(from) = self.history.release(from) else {
            return Err(Problem::new(
                Code::Internal,
                format!(
                    "Not rolled back: the release that serves, #{from}, has no row in the history."
                ),
            )
            .next("vial doctor"));
        };
        let last_live = self
            .history
            .before(u64::MAX)
            .filter(|it| it.release == Some(to_number))
            .find_map(|it| it.live_at);
        let migrations = standing::standing(self.history, from, to);
        let applies = standing::standing(self.history, to, from);
        let database = standing::database(&migrations, ask.migrations, ask.force);
        let label = self.label(to_number);
        let environment = self.starts_with(target, ask.env);
        let mut plan = Plan {
            app: self.app.into(),
            from: from.clone(),
            from_deployment: serving,
            to: to.clone(),
            to_deployment: target.number,
            to_last_live_at: last_live,
            slot: self.state.idle(),
            hot: cancels.is_none() && self.state.is_hot(to_number, environment.version),
            standby: None,
            to_served_ms: None,
            to_health: None,
            expected_ms: None,
            cancels,
            warnings: standing::warnings(&migrations, &applies, &database, &label),
            migrations,
            applies,
            database,
            environment,
            digest: String::new(),
        };
        plan.digest = digest(&plan);
        plan.standby = self.ready_for(&plan);
        self.history.tell_figures(&mut plan);
        Ok(plan)
    }
}

impl Known<'_> {
    /// What the release of a rollback's target starts with.
    fn starts_with(self, target: &Past, choice: EnvironmentChoice) -> EnvironmentPlan {
        let today = self.state.environment.today;
        let version = match choice {
            EnvironmentChoice::Own => target.environment,
            EnvironmentChoice::Current => today,
        };
        let (differs, renewed) =
            (self.environment.differs(version), self.environment.renewed(target.environment));
        EnvironmentPlan { version, today, differs, renewed }
    }
}

/// Says whether two plans mean the same to a person: what would be left, what would serve, what
/// would be cancelled, which migrations stand between, and which environment it would start with.
/// What shall become of the migrations, a request says itself.
fn digest(plan: &Plan) -> String {
    use sha2::{Digest, Sha256};
    let meaning = format!(
        "{}\n{}\n{}\n{}\n{:?}\n{:?}\n{:?}\n{:?}",
        plan.app,
        plan.from_deployment,
        plan.from.number,
        plan.to.number,
        plan.cancels,
        versions(&plan.migrations),
        versions(&plan.applies),
        plan.environment,
    );
    Sha256::digest(meaning.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn versions(standing: &[Standing]) -> Vec<u64> {
    standing.iter().map(|it| it.migration.version).collect()
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;

//! Answering a request: admission, the turn that it causes, and the words of the answer.

use std::sync::Arc;

use vial_protocol::request::Accepted;
use vial_protocol::{Code, Kind, Problem, StandbyMode};

use super::machine::{Ask, AskKeep, Command, Event, Life};
use super::request::{Actor, BuildSource, Incoming, Request, What};
use super::task::Task;
use crate::config::Source;
use crate::release;
use crate::store::history::KeptAnswer;

impl Task {
    pub(super) async fn ask(&mut self, request: Request) -> Result<Accepted, Problem> {
        let Request { actor, reason, key, what } = request;
        let asked = describe(&what, &actor);
        if let Some(answer) = self.answered_before(key.as_deref(), &asked).await? {
            return Ok(answer);
        }
        self.may(&actor, &what)?;
        if let Some(problem) = self.is_behind() {
            return Err(problem);
        }
        let number = self.state.next_number;
        let name = actor.display();
        let mut kept = None;
        let (command, upload, accepted) = match what {
            What::Deploy { upload, allow_destructive } => {
                self.known().deploy()?;
                self.has_room()?;
                let ask = Ask { allow_destructive, ..Ask::new(Kind::Deploy, None, name, reason) };
                (Command::Begin(ask), Some(upload), begun(number, "Deploy"))
            }
            What::Build(ask) => {
                let source = self.source()?;
                let ask = self.known().build(&ask, &source.branch, name, reason)?;
                self.has_room()?;
                let what = if ask.kind == Kind::Redeploy { "Redeploy" } else { "Deploy" };
                (Command::Begin(ask), None, begun(number, what))
            }
            What::Rollback(ask) => {
                let plan = self.known().rollback(&ask)?;
                let message = format!("Rollback to {}", self.known().label(plan.to.number));
                let ask = self.known().agreed(&plan, name, reason)?;
                (Command::Begin(ask), None, begun(number, &message))
            }
            What::Restart { in_place } => {
                let command = self.known().restart(in_place, name, reason)?;
                let accepted = if in_place {
                    done("The active slot stops and starts again.")
                } else {
                    begun(number, "Restart")
                };
                (command, None, accepted)
            }
            What::Cancel => {
                let number = self.known().cancel()?;
                let message = format!("#{number} is cancelled. {}", self.serves());
                (Command::Cancel, None, Accepted { deployment: Some(number), message })
            }
            What::Stop => {
                self.known().stop()?;
                let app = self.context.app();
                (Command::Stop, None, done(&format!("{app} stops. `vial start {app}` starts it.")))
            }
            What::Start => {
                self.known().start()?;
                (Command::Start, None, done(&format!("{} starts.", self.context.app())))
            }
            What::Standby { mode, lasts } => {
                let ask = self.known().keep(mode, lasts)?;
                let message = self.will_be_kept(&ask);
                (Command::Keep(ask), None, done(&message))
            }
            What::Environment(change) => {
                let Some(sealed) = self.seal(change, &name)? else {
                    return Ok(done("Nothing was changed: all of it is so already."));
                };
                kept = Some(Arc::new(sealed.kept));
                (sealed.command, None, done(&sealed.message))
            }
        };
        if let Some(upload) = upload {
            self.incoming.insert(number, Incoming::Archive(upload));
        }
        let answer = key.map(|key| KeptAnswer {
            key,
            request: asked,
            deployment: accepted.deployment,
            message: accepted.message.clone(),
        });
        let turned = self.try_turn(Event::Command(command), answer).await;
        // Uploads of deployments that were cancelled while they waited.
        let queued = self.state.queued.as_ref().map(|it| it.number);
        self.incoming.retain(|number, _| Some(*number) == queued);
        turned?;
        if let Some(kept) = kept {
            self.environment = kept.clone();
            self.context.vault.replace(kept);
        }
        Ok(accepted)
    }

    /// The answer to the same request, where it was given already.
    async fn answered_before(
        &self,
        key: Option<&str>,
        asked: &str,
    ) -> Result<Option<Accepted>, Problem> {
        let Some(key) = key else { return Ok(None) };
        let kept = self.context.daemon.store.answer(self.context.app(), key).await;
        match kept {
            Ok(None) => Ok(None),
            Ok(Some(kept)) if kept.request == asked => {
                Ok(Some(Accepted { deployment: kept.deployment, message: kept.message }))
            }
            Ok(Some(kept)) => Err(Problem::new(
                Code::KeyReused,
                format!(
                    "Nothing was changed: this idempotency key was used for another request ({}).",
                    kept.request
                ),
            )
            .next("use a new key for each thing that is asked for")),
            Err(error) => {
                Err(Problem::new(Code::Internal, format!("Nothing was changed: {error}.")))
            }
        }
    }

    /// Where the app's code comes from.
    fn source(&self) -> Result<&Source, Problem> {
        let app = self.context.app();
        self.context.config.source.as_ref().ok_or_else(|| {
            Problem::new(
                Code::Configuration,
                format!(
                    "Not deployed: {app} has no `[source]`, so that Vial does not know what to \
                     build. {}",
                    self.serves()
                ),
            )
            .next(format!(
                "add `[source]` to its file and `vial reload`, or `vial deploy {app} PATH`"
            ))
        })
    }

    /// What is left of the reserve on a full disk is for a rollback.
    fn has_room(&self) -> Result<(), Problem> {
        if let Some(problem) = super::snapshot::reserve(&self.context) {
            let message = format!("Nothing was changed: {}", problem.message);
            return Err(Problem { message, ..problem });
        }
        // How much it needs, nobody knows yet: unpacking looks again.
        release::room(&self.context.layout.releases(), 0).map_err(|error| {
            Problem::new(Code::NoSpace, format!("Nothing was changed: {error}"))
                .next("free space, or lower `keep_releases`, and deploy again")
        })
    }

    /// An app's own user may not end what somebody else began.
    fn may(&self, actor: &Actor, what: &What) -> Result<(), Problem> {
        let ends = match what {
            What::Cancel => true,
            What::Rollback(ask) => ask.cancel,
            _ => false,
        };
        let begun = self.shown.current.iter().chain(&self.shown.queued);
        let mut others = begun.filter(|it| it.status.in_progress() && !actor.began(&it.actor));
        match others.next() {
            Some(other) if ends && !actor.operator => Err(Problem::new(
                Code::Forbidden,
                format!(
                    "Nothing was changed: #{} was begun by {}, and {} may cancel only what it \
                     began itself.",
                    other.number, other.actor, actor.name
                ),
            )
            .next("ask an operator: root, or a member of the operators' group")),
            _ => Ok(()),
        }
    }

    /// "green comes to rest with v1.4.1 in it, and is frozen then."
    fn will_be_kept(&self, ask: &AskKeep) -> String {
        let slot = self.state.idle();
        let AskKeep { mode, release, environment, .. } = *ask;
        let there = self.state.is_hot(release, environment);
        let label = self.known().label(release);
        match mode {
            StandbyMode::Cold => format!("{slot} is stopped."),
            StandbyMode::Warm if there => format!("{slot} is kept warm, with {label}."),
            StandbyMode::Frozen
                if matches!(self.state.slots.get(slot).life, Life::Frozen { .. }) && there =>
            {
                format!("{slot} stays frozen, with {label}.")
            }
            StandbyMode::Frozen if there => {
                format!("{slot} comes to rest, with {label}, and is frozen then.")
            }
            mode => format!("{label} starts in {slot}, to be kept {mode}."),
        }
    }

    /// "v1.4.2 serves."
    fn serves(&self) -> String {
        match self.state.serving_release() {
            Some(release) => format!("{} serves.", self.known().label(release)),
            None => "No release serves yet.".into(),
        }
    }
}

fn begun(number: u64, what: &str) -> Accepted {
    Accepted { deployment: Some(number), message: format!("{what} is #{number}.") }
}

fn done(message: &str) -> Accepted {
    Accepted { deployment: None, message: message.into() }
}

/// What tells two requests with one key apart.
fn describe(what: &What, actor: &Actor) -> String {
    let asked = match what {
        What::Deploy { .. } => "deploy".into(),
        What::Build(ask) => match &ask.source {
            BuildSource::Branch => "deploy of the branch".into(),
            BuildSource::Ref(reference) => format!("deploy of {reference}"),
            BuildSource::Deployment(number) => format!("redeploy of #{number}"),
        },
        What::Rollback(ask) => format!(
            "rollback to {} cancelling {}, migrations: {}, environment: {}",
            ask.to.map_or_else(|| "the previous release".into(), |to| format!("#{to}")),
            if ask.cancel { "what is in progress" } else { "nothing" },
            ask.migrations.map_or(if ask.force { "forced" } else { "as usual" }, |it| it.as_str()),
            ask.env.as_str()
        ),
        What::Restart { in_place: true } => "restart in place".into(),
        What::Restart { in_place: false } => "restart".into(),
        What::Cancel => "cancel".into(),
        What::Stop => "stop".into(),
        What::Start => "start".into(),
        What::Standby { mode, lasts } => match lasts {
            Some(lasts) => format!("standby {mode} for {} ms", lasts.as_millis()),
            None => format!("standby {mode}"),
        },
        What::Environment(change) => change.to_string(),
    };
    format!("{asked} by {}", actor.name)
}

//! `vial down` and `vial up`: every app at once.
//!
//! The daemon itself stays. Its socket would bring it back at the next command, and systemd at the
//! next boot; a daemon that keeps its apps stopped is what makes them stay so through both.

use futures_util::future::join_all;
use vial_protocol::request::Together;
use vial_protocol::{Code, Desired, Problem};

use super::apps::Apps;
use crate::app::handle::App;
use crate::app::registry::Registry;
use crate::app::request::{Actor, Request, What};
use crate::store::Store;

/// Where it is kept which apps `vial down` has stopped, a name a line: those that somebody stopped
/// alone stay stopped after `vial up`.
const STOPPED: &str = "down";

/// Stops every app that runs.
pub(super) async fn down(apps: &Apps, store: &Store, actor: Actor) -> Result<Together, Problem> {
    let _turn = apps.turn().await;
    let registry = apps.reader().borrow().clone();
    if let Some(problem) = in_progress(&registry) {
        return Err(problem);
    }
    let running: Vec<&App> = registry.apps.values().filter(|app| runs(app)).collect();
    let names: Vec<String> = running.iter().map(|app| app.name().to_owned()).collect();
    if names.is_empty() {
        return Ok(Together {
            apps: names,
            message: "Nothing was changed: no app runs. `vial status` shows them.".into(),
        });
    }
    // Before the first is stopped: after a crash in between, `vial up` starts what was.
    let mut kept = kept(store).await?;
    kept.extend(names.iter().cloned());
    kept.sort();
    kept.dedup();
    keep(store, &kept).await?;
    let asked = running.iter().map(|app| app.ask(request(&actor, What::Stop)));
    refused(&names, join_all(asked).await, "stopped")?;
    Ok(Together {
        message: format!("Stopping {}; `vial up` starts what stops now.", names.join(", ")),
        apps: names,
    })
}

/// Starts what [`down`] stopped.
pub(super) async fn up(apps: &Apps, store: &Store, actor: Actor) -> Result<Together, Problem> {
    let _turn = apps.turn().await;
    let registry = apps.reader().borrow().clone();
    let kept = kept(store).await?;
    let waiting = waiting(&registry, &kept);
    let names: Vec<String> = waiting.iter().map(|app| app.name().to_owned()).collect();
    let asked = waiting.iter().map(|app| app.ask(request(&actor, What::Start)));
    refused(&names, join_all(asked).await, "started")?;
    keep(store, &[]).await?;
    if names.is_empty() {
        return Err(Problem::new(
            Code::WrongState,
            "Nothing was started: no app is stopped that `vial down` stopped.",
        )
        .next("`vial status`; an app that was stopped alone: `vial start APP`"));
    }
    Ok(Together { message: format!("Starting {}.", names.join(", ")), apps: names })
}

fn runs(app: &App) -> bool {
    let status = app.status();
    status.desired == Desired::Running && status.active.is_some()
}

fn waiting<'a>(registry: &'a Registry, kept: &[String]) -> Vec<&'a App> {
    let named = kept.iter().filter_map(|name| registry.apps.get(name));
    named.filter(|app| app.status().desired == Desired::Stopped).collect()
}

/// What is about to go live is not ended behind the back of who began it.
fn in_progress(registry: &Registry) -> Option<Problem> {
    let found = registry.apps.values().find_map(|app| {
        let status = app.status();
        let current = status.deployment.as_ref().filter(|it| !it.status.is_live())?;
        Some((app.name().to_owned(), current.kind, current.number, current.status))
    });
    let (name, kind, number, step) = found?;
    Some(
        Problem::new(
            Code::InProgress,
            format!(
                "Nothing was stopped: {kind} #{number} of {name} ({step}) is in progress and not \
                 live yet."
            ),
        )
        .next(format!("wait for it, or `vial cancel {name}`; then `vial down`")),
    )
}

fn request(actor: &Actor, what: What) -> Request {
    Request { actor: actor.clone(), reason: None, key: None, what }
}

/// The first refusal of some, with what became of the others.
fn refused<T>(
    names: &[String],
    answers: Vec<Result<T, Problem>>,
    done: &str,
) -> Result<(), Problem> {
    let mut fine = Vec::new();
    let mut first = None;
    for (name, answer) in names.iter().zip(answers) {
        match answer {
            Ok(_) => fine.push(name.as_str()),
            Err(problem) if first.is_none() => first = Some((name, problem)),
            Err(_) => {}
        }
    }
    let Some((name, mut problem)) = first else { return Ok(()) };
    let others = match fine.as_slice() {
        [] => String::new(),
        fine => format!(" {} {done}.", fine.join(", ")),
    };
    problem.message = format!("{name} was not {done}: {}{others}", problem.message);
    Err(problem)
}

async fn kept(store: &Store) -> Result<Vec<String>, Problem> {
    let kept = store.setting(STOPPED).await.map_err(failed)?.unwrap_or_default();
    Ok(kept.lines().map(str::to_owned).collect())
}

async fn keep(store: &Store, names: &[String]) -> Result<(), Problem> {
    store.keep_setting(STOPPED, names.join("\n")).await.map_err(failed)
}

fn failed(error: crate::store::StoreError) -> Problem {
    Problem::new(Code::Internal, format!("Nothing was changed: {error}.")).next("`vial doctor`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_one_tells_what_became_of_the_others() {
        let names = ["api".to_owned(), "shop".to_owned(), "store".to_owned()];
        let full = || Problem::new(Code::NoSpace, "Nothing was changed: the disk is full.");
        let told = refused(&names, vec![Ok(()), Err(full()), Ok(())], "stopped").unwrap_err();
        assert_eq!(
            told.message,
            "shop was not stopped: Nothing was changed: the disk is full. api, store stopped."
        );
        assert_eq!(refused(&names, vec![Ok(()), Ok(()), Ok(())], "stopped"), Ok(()));
    }
}

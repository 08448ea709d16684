//! Taking migrations down in the release that is left, and up again where that was in vain.

use std::cmp::Reverse;
use std::sync::Arc;

use vial_protocol::migration::{Applied, Moved};
use vial_protocol::{Code, Problem, Slot};

use super::SHOWN_LINES;
use super::evaluate::Evaluation;
use super::in_app::{self, Action, Heard};
use crate::app::context::Context;
use crate::app::helpers::Purpose;
use crate::app::machine::Fact;

/// The release whose migrations are moved: the one that serves.
#[derive(Debug, Clone)]
pub(in crate::app) struct Mover {
    /// Its number.
    pub(in crate::app) release: u64,
    /// Its slot.
    pub(in crate::app) slot: Slot,
    /// The OTP applications that hold its migrations.
    pub(in crate::app) apps: Vec<String>,
}

/// Reverts exactly these versions, newest first. `again` where this was begun before: then what is
/// down already is down because of it.
pub(in crate::app) async fn revert(
    context: Arc<Context>,
    number: u64,
    mover: Mover,
    versions: Vec<u64>,
    again: bool,
) -> Fact {
    let what = (Purpose::Revert(number), &Action::Down(versions.clone()));
    let Done { mut moved, problem, again } = move_them(&context, &mover, what, again).await;
    let Some(problem) = problem else { return Fact::Reverted { number, moved } };
    let mut known = true;
    if again {
        // Whatever broke off before may have taken some down, and told nobody.
        match down(&context, &mover, number, &versions).await {
            Some(down) => add(&mut moved, &down),
            None => known = false,
        }
    }
    let problem = revert_failed(&context, &mover, (&versions, &moved, known), problem);
    Fact::RevertFailed { number, moved, problem }
}

/// Those of the versions that are down; absent where the database does not say.
async fn down(
    context: &Arc<Context>,
    mover: &Mover,
    number: u64,
    versions: &[u64],
) -> Option<Vec<Moved>> {
    let Mover { release, slot, apps } = mover;
    let what = (Purpose::Revert(number), &Action::List);
    let heard = in_app::run(context, *slot, *release, Evaluation::Eval, apps, what).await.ok()?;
    if !heard.done || heard.error.is_some() {
        return None;
    }
    let down = heard.states.into_iter().filter(|it| it.applied == Applied::Down);
    let asked = down.filter(|it| versions.contains(&it.version));
    Some(asked.map(|it| Moved { repo: it.repo, version: it.version }).collect())
}

/// Applies again what was reverted, oldest first.
pub(in crate::app) async fn restore(
    context: Arc<Context>,
    number: u64,
    mover: Mover,
    moved: Vec<Moved>,
) -> Fact {
    let versions: Vec<u64> = moved.iter().rev().map(|it| it.version).collect();
    // What is up again already is as good as what this moves.
    let Done { moved: up, problem, .. } =
        move_them(&context, &mover, (Purpose::Restore(number), &Action::Up(versions)), true).await;
    let left: Vec<Moved> = moved.into_iter().filter(|it| !up.contains(it)).collect();
    let problem = problem.map(|problem| restore_failed(&context, &mover, &left, problem));
    Fact::Restored { number, left, problem }
}

/// What came of moving them.
struct Done {
    /// Those that were moved, or had been where this was begun before.
    moved: Vec<Moved>,
    /// Why not all.
    problem: Option<Problem>,
    /// Whether something broke off without a word, now or before.
    again: bool,
}

/// Moves them in the running node, or beside it where that cannot be reached.
async fn move_them(
    context: &Arc<Context>,
    mover: &Mover,
    what: (Purpose, &Action),
    again: bool,
) -> Done {
    let Mover { release, slot, apps } = mover;
    let mut moved = Vec::new();
    let mut again = again;
    let mut problem = None;
    for how in [Evaluation::Rpc, Evaluation::Eval] {
        match in_app::run(context, *slot, *release, how, apps, what).await {
            Ok(heard) => {
                let Heard { done, error, output, .. } = &heard;
                collect(&mut moved, &heard, again);
                if *done {
                    let shown = output[output.len().saturating_sub(SHOWN_LINES)..].to_vec();
                    let problem = error.clone().map(|it| told(it, shown));
                    return Done { moved, problem, again };
                }
                // It broke off without a word: what it was at may be done.
                again = true;
                problem = Some(broke_off(&heard, how));
            }
            Err(error) => problem = Some(error),
        }
        tracing::warn!(app = context.app(), how = how.verb(), ?problem, "migrations not moved");
    }
    Done { moved, problem, again }
}

fn collect(moved: &mut Vec<Moved>, heard: &Heard, again: bool) {
    add(moved, &heard.moved);
    if again {
        add(moved, &heard.already);
    }
}

fn add(moved: &mut Vec<Moved>, more: &[Moved]) {
    for it in more {
        if !moved.contains(it) {
            moved.push(it.clone());
        }
    }
    // Newest first, as they go down: what had been done before comes in between.
    moved.sort_by_key(|it| Reverse(it.version));
}

fn told((what, next): (String, Option<String>), output: Vec<String>) -> Problem {
    let problem = Problem::new(Code::RevertFailed, what).log(output);
    match next {
        Some(next) => problem.next(next),
        None => problem,
    }
}

fn broke_off(heard: &Heard, how: Evaluation) -> Problem {
    let lines = &heard.output;
    let ending = heard.ending.as_deref().unwrap_or("ended without a word");
    Problem::new(Code::RevertFailed, format!("`{}` in the release {ending}.", how.verb()))
        .log(lines[lines.len().saturating_sub(SHOWN_LINES)..].to_vec())
}

/// What a database said rarely ends as a sentence does.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

fn list(versions: impl Iterator<Item = u64>) -> String {
    versions.map(|it| it.to_string()).collect::<Vec<_>>().join(", ")
}

fn revert_failed(
    context: &Context,
    mover: &Mover,
    (versions, moved, known): (&[u64], &[Moved], bool),
    cause: Problem,
) -> Problem {
    let (app, release) = (context.app(), mover.release);
    let left = versions.iter().filter(|it| !moved.iter().any(|moved| moved.version == **it));
    let is = if !known {
        "It was begun before and broke off, so some of them may be down.".to_owned()
    } else if moved.is_empty() {
        "Nothing was reverted.".to_owned()
    } else {
        format!(
            "Down are now {}; not reverted: {}.",
            list(moved.iter().map(|it| it.version)),
            list(left.copied())
        )
    };
    let up = format!("`vial migrations {app} --release {release} --up` applies them again");
    let next = match (moved.is_empty(), cause.next) {
        (true, _) if !known => format!("`vial migrations {app}` shows what is applied; {up}"),
        (true, Some(next)) => next,
        (true, None) => format!("`vial migrations {app}` shows what is applied"),
        (false, Some(next)) => format!("{up}; {next}"),
        (false, None) => up,
    };
    Problem::new(
        Code::RevertFailed,
        format!("The migrations were not reverted: {} {is}", sentence(&cause.message)),
    )
    .next(next)
    .log(cause.log)
}

fn restore_failed(context: &Context, mover: &Mover, left: &[Moved], cause: Problem) -> Problem {
    let (app, release) = (context.app(), mover.release);
    Problem::new(
        Code::RevertFailed,
        format!(
            "What had been reverted could not be applied again: {} Still down: {}. The release \
             that serves needs them.",
            sentence(&cause.message),
            list(left.iter().map(|it| it.version))
        ),
    )
    .next(format!("`vial migrations {app} --release {release} --up`"))
    .log(cause.log)
}

//! Taking migrations down in the release that is left, and up again where that was in vain.

use std::cmp::Reverse;
use std::sync::Arc;

use vial_protocol::migration::Moved;
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
    let done = move_them(
        &context,
        &mover,
        (Purpose::Revert(number), &Action::Down(versions.clone())),
        again,
    )
    .await;
    let (moved, problem) = done;
    match problem {
        None => Fact::Reverted { number, moved },
        Some(problem) => {
            let problem = revert_failed(&context, &mover, &versions, &moved, problem);
            Fact::RevertFailed { number, moved, problem }
        }
    }
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
    let (up, problem) =
        move_them(&context, &mover, (Purpose::Restore(number), &Action::Up(versions)), true).await;
    let left: Vec<Moved> = moved.into_iter().filter(|it| !up.contains(it)).collect();
    let problem = problem.map(|problem| restore_failed(&context, &mover, &left, problem));
    Fact::Restored { number, left, problem }
}

/// Moves them in the running node, or beside it where that cannot be reached.
async fn move_them(
    context: &Arc<Context>,
    mover: &Mover,
    what: (Purpose, &Action),
    again: bool,
) -> (Vec<Moved>, Option<Problem>) {
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
                    return (moved, error.clone().map(|it| told(it, shown)));
                }
                // It broke off without a word: what it was at may be done.
                again = true;
                problem = Some(broke_off(&heard, how));
            }
            Err(error) => problem = Some(error),
        }
        tracing::warn!(app = context.app(), how = how.verb(), ?problem, "migrations not moved");
    }
    (moved, problem)
}

fn collect(moved: &mut Vec<Moved>, heard: &Heard, again: bool) {
    let already = heard.already.iter().filter(|_| again);
    for it in heard.moved.iter().chain(already) {
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
    versions: &[u64],
    moved: &[Moved],
    cause: Problem,
) -> Problem {
    let (app, release) = (context.app(), mover.release);
    let left = versions.iter().filter(|it| !moved.iter().any(|moved| moved.version == **it));
    let is = if moved.is_empty() {
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

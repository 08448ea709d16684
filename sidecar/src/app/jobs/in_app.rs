//! What is evaluated in a release to look at its migrations and to move them.
//!
//! The text is Elixir, in `in_app.exs`, which describes what goes in and what comes out. Nothing of a
//! request becomes code but integers and names that were checked; what comes out is untrusted.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use vial_protocol::migration::{Applied, Moved};
use vial_protocol::{Problem, Slot};

use super::evaluate::{Evaluation, evaluate, failed};
use crate::app::context::Context;
use crate::app::helpers::Purpose;
use crate::vault::Vault;

/// The Elixir text: a function of the arguments and of the work to do in between.
const TEXT: &str = include_str!("in_app.exs");
/// How long a migration waits for a lock that somebody else holds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(15);
/// Migrations may take long; one that never ends must not hold a deployment for ever.
pub(in crate::app) const LIMIT: Duration = Duration::from_secs(3600);

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) enum Action {
    /// Say what is applied.
    List,
    /// Revert exactly these, newest first.
    Down(Vec<u64>),
    /// Apply exactly these, oldest first.
    Up(Vec<u64>),
    /// Apply whatever is not.
    UpAll,
    /// Evaluate an expression of the app's own configuration, and say what it applied.
    Around(String),
}

/// One migration as the release told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Told {
    /// The repository.
    pub(in crate::app) repo: String,
    /// Whether it was applied.
    pub(in crate::app) applied: Applied,
    /// Its version.
    pub(in crate::app) version: u64,
    /// Its name, where the release has its file.
    pub(in crate::app) name: Option<String>,
}

/// What was told.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in crate::app) struct Heard {
    /// What was moved.
    pub(in crate::app) moved: Vec<Moved>,
    /// What had not to be.
    pub(in crate::app) already: Vec<Moved>,
    /// What is applied.
    pub(in crate::app) states: Vec<Told>,
    /// Why what was applied could not be seen.
    pub(in crate::app) unknown: Option<String>,
    /// What went wrong: what happened, and what to do next.
    pub(in crate::app) error: Option<(String, Option<String>)>,
    /// Whether it came to its end.
    pub(in crate::app) done: bool,
    /// How its script ended, for a person, where that was not well.
    pub(in crate::app) ending: Option<String>,
    /// What the app itself wrote meanwhile.
    pub(in crate::app) output: Vec<String>,
}

/// Evaluates it in a release, in the slot's surroundings.
pub(in crate::app) async fn run(
    context: &Arc<Context>,
    slot: Slot,
    release: u64,
    how: Evaluation,
    apps: &[String],
    (purpose, action): (Purpose, &Action),
) -> Result<Heard, Problem> {
    let token = token().map_err(failed)?;
    let expression = expression(&context.config.repos, apps, action, &token);
    let done = evaluate(context, slot, release, how, &expression, (purpose, LIMIT)).await?;
    let mut heard = Heard::of(&done.output, &token);
    heard.mask(&context.vault);
    heard.ending = (!done.exit.is_success()).then(|| done.exit.to_string());
    Ok(heard)
}

fn token() -> Result<String, getrandom::Error> {
    Ok(format!("{:016x}", getrandom::u64()?))
}

fn expression(repos: &[String], apps: &[String], action: &Action, token: &str) -> String {
    let list =
        |versions: &[u64]| versions.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let (name, versions, work) = match action {
        Action::List => ("list", "[]".into(), "nil"),
        Action::Down(versions) => ("down", format!("[{}]", list(versions)), "nil"),
        Action::Up(versions) => ("up", format!("[{}]", list(versions)), "nil"),
        Action::UpAll => ("up", ":all".into(), "nil"),
        Action::Around(work) => ("around", "[]".into(), work.as_str()),
    };
    let mut text =
        format!("({TEXT}\n).(%{{action: :{name}, versions: {versions}, token: \"{token}\"");
    let apps: Vec<String> =
        apps.iter().filter(|app| is_app(app)).map(|it| format!(":{it}")).collect();
    // Writing into a string cannot fail.
    let _ = write!(text, ", repos: [{}], apps: [{}]", repos.join(", "), apps.join(", "));
    let _ = write!(text, ", lock_timeout: {}}}, fn -> (\n{work}\n) end)", LOCK_TIMEOUT.as_millis());
    text
}

/// Whether a folder's name is that of an OTP application, and so may become an atom in code.
fn is_app(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 100
        && name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_')
}

impl Heard {
    fn of(output: &str, token: &str) -> Heard {
        let mark = format!("vial:{token} ");
        let mut heard = Heard::default();
        for line in output.lines() {
            match line.strip_prefix(&mark) {
                Some(said) => heard.hear(said),
                None => heard.output.push(line.to_owned()),
            }
        }
        heard
    }

    /// What the app wrote goes into logs and errors.
    fn mask(&mut self, vault: &Vault) {
        let error = self.error.iter_mut().flat_map(|(what, next)| [Some(what), next.as_mut()]);
        let all = self.output.iter_mut().chain(&mut self.unknown).chain(error.flatten());
        for text in all {
            *text = vault.mask(text).into_owned();
        }
    }

    fn hear(&mut self, said: &str) {
        let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
        match word {
            "moved" => self.moved.extend(moved(rest)),
            "already" => self.already.extend(moved(rest)),
            "state" => self.states.extend(told(rest)),
            "unknown" => self.unknown = Some(unescaped(rest)),
            "error" => {
                let text = unescaped(rest);
                let (what, next) = match text.split_once("\nNext: ") {
                    Some((what, next)) => (what.to_owned(), Some(next.to_owned())),
                    None => (text, None),
                };
                self.error = Some((what.replace('\n', " "), next));
            }
            "done" => self.done = true,
            // A newer library may say more.
            _ => {}
        }
    }
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n")
}

fn moved(text: &str) -> Option<Moved> {
    let (repo, version) = text.split_once(' ')?;
    Some(Moved { repo: repo.to_owned(), version: version.trim_end().parse().ok()? })
}

fn told(text: &str) -> Option<Told> {
    let mut words = text.splitn(4, ' ');
    let repo = words.next()?.to_owned();
    let applied = match words.next()? {
        "up" => Applied::Up,
        "down" => Applied::Down,
        _ => return None,
    };
    let version = words.next()?.trim_end().parse().ok()?;
    Some(Told { repo, applied, version, name: words.next().map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_bear_the_token_are_heard() {
        let output = "Hello\nvial:t moved Shop.Repo 2\nvial:x moved Shop.Repo 3\nvial:t done\n";
        let heard = Heard::of(output, "t");
        assert_eq!(heard.moved, [Moved { repo: "Shop.Repo".into(), version: 2 }]);
        assert!(heard.done);
        assert_eq!(heard.output, ["Hello", "vial:x moved Shop.Repo 3"]);
    }

    #[test]
    fn an_error_says_what_to_do_next_and_a_state_may_have_no_name() {
        let heard = Heard::of(
            "vial:t state Shop.Repo up 1 create users\nvial:t state Shop.Repo up 2\n\
             vial:t state Shop.Repo sideways 3\nvial:t error a lock\\nis held\\nNext: wait\n",
            "t",
        );
        assert_eq!(heard.states.len(), 2);
        assert_eq!(heard.states[0].name.as_deref(), Some("create users"));
        assert_eq!(heard.states[1].name, None);
        assert_eq!(heard.error, Some(("a lock is held".into(), Some("wait".into()))));
        assert!(!heard.done);
    }

    #[test]
    fn nothing_of_a_release_becomes_code_but_checked_names_and_numbers() {
        let apps = ["shop".to_owned(), "x]; System.halt()".to_owned(), "Shop".to_owned()];
        let text = expression(&["Shop.Repo".into()], &apps, &Action::Down(vec![2, 1]), "t");
        let arguments = &text[TEXT.len()..];
        assert!(arguments.contains("apps: [:shop]"), "{arguments}");
        assert!(arguments.contains("versions: [2, 1]") && arguments.contains("action: :down"));
        assert!(arguments.ends_with("fn -> (\nnil\n) end)"));
    }
}

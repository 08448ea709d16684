//! Changing an app's environment, and telling what it is.
//!
//! A change is checked, sealed, committed as a turn of the app's task, and only then in the vault
//! that starts and masks read. No text of this file holds a value, but for what an operator asked
//! to see.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use vial_protocol::environment::{Environment, Variable};
use vial_protocol::{Code, Problem, Slot};

use super::history::History;
use super::machine::{Command, State};
use super::request::Change;
use super::task::Task;
use crate::config::AppConfig;
use crate::slot::{environment, heart};
use crate::store::record::{EnvironmentChange, EnvironmentValue, Record};
use crate::vault::{Held, Kept, Place, Plain, Row};

/// The longest value: exec takes no string of 128 KiB.
const LONGEST: usize = 64 << 10;
/// The most of all together: exec takes 2 MiB, and a release sets some itself.
const MOST: usize = 1 << 20;
/// How many names a sentence holds.
const NAMED: usize = 8;

/// A change that was checked and sealed, and what the vault has after it.
pub(super) struct Sealed {
    pub(super) command: Command,
    pub(super) kept: Kept,
    pub(super) message: String,
}

impl Task {
    /// Checks a change and seals it; absent where it changes nothing.
    pub(super) fn seal(&self, change: Change, actor: &str) -> Result<Option<Sealed>, Problem> {
        let kept = &self.environment;
        let app = self.context.app();
        let wanted = wanted(kept, change, app)?;
        for (name, held, _) in &wanted {
            if let Held::Plain(value) = held {
                check(&self.context.config, name, value).map_err(refused)?;
            }
        }
        // A list may name one twice, or say what is so already.
        let wanted: Vec<_> = wanted
            .iter()
            .enumerate()
            .filter(|(at, it)| !wanted[at + 1..].iter().any(|later| later.0 == it.0))
            .map(|(_, it)| it.clone())
            .filter(|(name, held, secret)| {
                kept.newest(name).is_none_or(|row| row.held != *held || row.secret != *secret)
            })
            .collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        let version = self.state.environment.today + 1;
        let mut values = Vec::new();
        let mut rows = Vec::new();
        for (name, held, secret) in wanted {
            let place = Place { app, name: &name, version };
            let sealed = match &held {
                Held::Plain(value) => Some(self.sealed(place, value)?),
                _ => None,
            };
            values.push(EnvironmentValue { name: name.clone(), secret, sealed });
            let (at, actor) = (Timestamp::now(), actor.to_owned());
            rows.push(Row { name, version, secret, held, at, actor });
        }
        let message = self.takes_effect(&rows, version);
        let change = EnvironmentChange { version, actor: actor.to_owned(), values };
        let kept = kept.with(version, rows);
        if kept.set().map(size).sum::<usize>() > MOST {
            return Err(refused("all values together may have 1 MiB at most".into()));
        }
        Ok(Some(Sealed { command: Command::ChangeEnvironment(change), kept, message }))
    }

    /// Takes the values out of what is about to be written down: it comes from logs and from what a
    /// release answered.
    pub(super) fn mask(&self, record: &mut Record) {
        let vault = &self.context.vault;
        match record {
            Record::Ended { error: Some(problem), .. }
            | Record::Failing { error: Some(problem), .. } => vault.mask_problem(problem),
            Record::Noted { outcome, .. } => *outcome = vault.mask(outcome).into_owned(),
            // Why Vial took a deploy back is what the release said.
            Record::Began(began) if began.actor == "vial" => {
                if let Some(reason) = &mut began.reason {
                    *reason = vault.mask(reason).into_owned();
                }
            }
            _ => {}
        }
    }

    fn sealed(&self, place: Place<'_>, value: &Plain) -> Result<Vec<u8>, Problem> {
        let path = self.context.daemon.host.state_dir.join(super::paths::ENVIRONMENT_KEY);
        let Some(key) = self.context.vault.key() else {
            return Err(Problem::new(
                Code::Configuration,
                format!(
                    "Nothing was set: {} cannot be read, and it is the key of what is set already.",
                    path.display()
                ),
            )
            .next(
                "put it back from a backup and start the daemon again; where it is lost, `unset` \
                 every name first: a new key is made at the next start",
            ));
        };
        key.seal(place, value)
            .map_err(|error| Problem::new(Code::Internal, format!("Nothing was set: {error}.")))
    }

    /// Forgets values that no start needs any more, and that no log which is kept can hold.
    pub(super) fn forget_values(&mut self) {
        let lasts = SignedDuration::try_from(self.context.config.logs.lasts).unwrap_or_default();
        let until = Timestamp::now().checked_sub(lasts).unwrap_or(Timestamp::MIN);
        let needed = needed(&self.state, &self.history);
        let spent = self.environment.spent(&needed, until);
        if spent.is_empty() {
            return;
        }
        self.environment = Arc::new(self.environment.without(&spent));
        self.context.vault.replace(self.environment.clone());
        let context = self.context.clone();
        tokio::spawn(async move {
            let store = &context.daemon.store;
            if let Err(error) = store.environment_spent(context.app(), spent).await {
                // They are found again at the next start.
                tracing::error!(app = context.app(), %error, "old values of the environment stay");
            }
        });
    }

    fn takes_effect(&self, rows: &[Row], version: u64) -> String {
        let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
        let (is, it) = if rows.len() == 1 { ("is", "It") } else { ("are", "They") };
        let done = if rows.iter().all(|row| row.held == Held::Unset) { "unset" } else { "set" };
        let takes = if rows.len() == 1 { "takes" } else { "take" };
        let app = self.context.app();
        let when = match (self.state.active, &self.context.config.source) {
            (None, _) => "with the first deploy".to_owned(),
            (Some(_), None) => {
                format!("with the next deploy, or with `vial restart {app}`, which needs no build")
            }
            (Some(_), Some(_)) => format!(
                "with the next deploy, with `vial redeploy {app}`, or with `vial restart {app}`, \
                 which needs no build"
            ),
        };
        let secret = match rows.iter().any(|row| row.secret) {
            true => " What is secret is today's after a rollback too.",
            false => "",
        };
        format!(
            "{} {is} {done} (version {version}). {it} {takes} effect {when}.{secret}",
            several(&names)
        )
    }

    /// What the environment is; the values only where they are asked for.
    pub(super) fn environment(&self, reveal: bool) -> Environment {
        let kept = &self.environment;
        let serving = self.state.active.map(|slot| *self.state.slots.get(slot));
        let pending = serving.map(|place| kept.changed(place.environment, place.fresh));
        Environment {
            version: kept.today(),
            serving: serving.map(|place| place.environment),
            pending: pending.unwrap_or_default(),
            variables: kept
                .set()
                .map(|row| Variable {
                    name: row.name.clone(),
                    secret: row.secret,
                    version: row.version,
                    set_at: row.at,
                    set_by: row.actor.clone(),
                    value: match &row.held {
                        Held::Plain(value) if reveal => Some(value.reveal().to_owned()),
                        _ => None,
                    },
                })
                .collect(),
        }
    }
}

/// The versions that something may start with: today's, those of the slots and of what is under way,
/// and those of every deployment whose release is on the disk.
fn needed(state: &State, history: &History) -> Vec<u64> {
    let mut needed = vec![state.environment.today];
    needed.extend(Slot::BOTH.iter().flat_map(|slot| {
        let place = state.slots.get(*slot);
        [place.environment, place.fresh]
    }));
    needed.extend(state.current.as_ref().map(|it| it.environment));
    needed.extend(state.queued.as_ref().and_then(|it| it.ask.environment));
    let kept = history
        .before(u64::MAX)
        .filter(|it| it.release.is_some_and(|number| history.release(number).is_some()));
    needed.extend(kept.map(|it| it.environment));
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// What each name shall be: its value, and whether it is marked secret.
fn wanted(kept: &Kept, change: Change, app: &str) -> Result<Vec<(String, Held, bool)>, Problem> {
    let is_secret = |name: &str| kept.newest(name).is_some_and(|row| row.secret);
    match change {
        Change::Set { values, secret } => Ok(values
            .into_iter()
            .map(|(name, value)| {
                let secret = secret.unwrap_or_else(|| is_secret(&name));
                (name, Held::Plain(value), secret)
            })
            .collect()),
        Change::Unset(names) => {
            let is_set = |name: &str| kept.set().any(|row| row.name == name);
            if let Some(name) = names.iter().find(|name| !is_set(name)) {
                return Err(Problem::new(
                    Code::NotFound,
                    format!("Nothing was unset: {} is not set.", shown(name)),
                )
                .next(format!("`vial env {app} list` shows what is")));
            }
            Ok(names
                .into_iter()
                .map(|name| {
                    let secret = is_secret(&name);
                    (name, Held::Unset, secret)
                })
                .collect())
        }
    }
}

/// Why a variable cannot be set.
fn check(config: &AppConfig, name: &str, value: &Plain) -> Result<(), String> {
    let mut bytes = name.bytes();
    let begins = bytes.next().is_some_and(|it| it.is_ascii_alphabetic() || it == b'_');
    if !begins || name.len() > 200 || !bytes.all(|it| it.is_ascii_alphanumeric() || it == b'_') {
        return Err(format!(
            "`{}` is no name of a variable: letters, digits and `_`, not beginning with a digit",
            shown(name)
        ));
    }
    if let Some(why) = environment::reserved(name, !config.is_worker()) {
        return Err(format!("{name} cannot be set: {why}"));
    }
    let value = value.reveal();
    if value.contains('\0') {
        return Err(format!("the value of {name} has a NUL byte, which no environment can hold"));
    }
    if value.len() > LONGEST {
        return Err(format!("the value of {name} has more than 64 KiB"));
    }
    match heart::turned_on([(name, value)]) {
        Some(error) => Err(error.to_string().trim_end_matches('.').to_owned()),
        None => Ok(()),
    }
}

fn refused(why: String) -> Problem {
    Problem::new(Code::BadRequest, format!("Nothing was set: {why}."))
}

fn size(row: &Row) -> usize {
    match &row.held {
        Held::Plain(value) => row.name.len() + value.reveal().len() + 2,
        _ => 0,
    }
}

/// What a caller wrote where a name belongs: it may be anything, a value too.
fn shown(name: &str) -> String {
    let name = name.split('=').next().unwrap_or_default();
    name.chars().filter(|it| !it.is_control()).take(40).collect()
}

/// "A", "A and B", "A, B and 7 more"
pub(super) fn several(names: &[String]) -> String {
    match names {
        [] => "nothing".into(),
        [one] => one.clone(),
        [some @ .., last] if names.len() <= NAMED => format!("{} and {last}", some.join(", ")),
        _ => format!("{} and {} more", names[..NAMED - 1].join(", "), names.len() - NAMED + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fixture::release_of;

    #[test]
    fn a_version_is_needed_while_something_may_start_with_it() {
        let mut state = State::new();
        state.environment.today = 9;
        state.slots.blue.environment = 4;
        state.slots.blue.fresh = 5;
        let past = |number: u64, environment: u64| vial_protocol::Deployment {
            number,
            kind: vial_protocol::Kind::Deploy,
            status: vial_protocol::Status::Superseded,
            release: Some(release_of(number)),
            slot: None,
            replaces: None,
            rolled_back_by: None,
            actor: "ana".into(),
            reason: None,
            error: None,
            queued_at: Timestamp::UNIX_EPOCH,
            live_at: None,
            ended_at: None,
            applied: Vec::new(),
            reverts: Vec::new(),
            reverted: Vec::new(),
            environment,
            build: None,
            commit: None,
            steps: Vec::new(),
        };
        let releases = [(2, release_of(2))].into_iter().collect();
        let history = History::new(&[past(2, 3), past(1, 1)], releases);
        // The release of #1 is not on the disk any more: nobody goes back to it.
        assert_eq!(needed(&state, &history), [0, 3, 4, 5, 9]);
    }

    #[test]
    fn names_are_told_in_a_sentence_of_bearable_length() {
        let names = |count: usize| (0..count).map(|it| format!("N{it}")).collect::<Vec<_>>();
        assert_eq!(several(&names(1)), "N0");
        assert_eq!(several(&names(3)), "N0, N1 and N2");
        assert_eq!(several(&names(20)), "N0, N1, N2, N3, N4, N5, N6 and 13 more");
    }

    #[test]
    fn what_stands_where_a_name_belongs_is_not_said_again_behind_its_sign() {
        assert_eq!(shown("API_KEY=s3cret"), "API_KEY");
    }
}

//! Whom a step's records are worth a word to.

use vial_protocol::notification::Occasion;
use vial_protocol::{Code, Kind, Problem, Status};

use super::context::Context;
use super::known::Known;
use super::machine::Effect;
use crate::store::record::{Notice, Record};

/// The exit in a row that is told of; the ones after it are the same loop.
const LOOP: u32 = 2;

/// What others are to be told of a step, written with its records. `known` is from before it.
pub(super) fn notices(
    context: &Context,
    known: Known<'_>,
    records: &[Record],
    effects: &[Effect],
) -> Vec<Record> {
    let mut notices = Vec::new();
    for (occasion, number, message) in occasions(known, records, effects) {
        let targets = targets(context, occasion);
        if targets.is_empty() {
            continue;
        }
        notices.push(Record::Noticed(Notice {
            occasion,
            number,
            message,
            targets,
            origin: context.daemon.id.to_string(),
            host: host(),
        }));
    }
    notices
}

fn targets(context: &Context, occasion: Occasion) -> Vec<String> {
    let (own, host) = (&context.config.notify, &context.daemon.host.notify);
    let hosts = host.iter().filter(|(name, _)| !own.contains_key(*name));
    own.iter()
        .chain(hosts)
        .filter(|(_, target)| target.on.contains(&occasion))
        .map(|(name, _)| name.clone())
        .collect()
}

fn host() -> String {
    let name = nix::unistd::gethostname().ok();
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn occasions(
    known: Known<'_>,
    records: &[Record],
    effects: &[Effect],
) -> Vec<(Occasion, u64, String)> {
    let mut found = Vec::new();
    for record in records {
        let Record::Ended { number, status, error } = record else { continue };
        let what = known.history.get(*number);
        let kind = what.map_or(Kind::Deploy, |it| it.kind);
        let label = what.and_then(|it| it.release).map(|it| known.label(it));
        let label = label.unwrap_or_else(|| format!("#{number}"));
        match (status, kind) {
            (Status::Succeeded, Kind::Rollback) => {
                let cause = caused(records, *number);
                let message = format!("rolled back to {label}{cause}");
                found.push((Occasion::RolledBack, *number, message));
            }
            (Status::Succeeded, kind) => {
                found.push((Occasion::Succeeded, *number, format!("{kind} of {label} succeeded")));
            }
            // What nobody allowed was cancelled, not failed: but whoever pushed waits for it.
            (Status::Failed, kind) | (Status::Cancelled, kind)
                if *status == Status::Failed || is_refused(error.as_ref()) =>
            {
                let why = error.as_ref().map(|it| it.message.clone());
                let message = why.unwrap_or_else(|| format!("{kind} of {label} failed"));
                found.push((Occasion::Failed, *number, message));
            }
            _ => {}
        }
    }
    let looping = effects
        .iter()
        .any(|it| matches!(it, Effect::RestartAfter { attempt, .. } if *attempt == LOOP));
    if let (true, Some(serving)) = (looping, known.state.serving) {
        let label = known.state.serving_release().map(|it| known.label(it)).unwrap_or_default();
        let message = format!("{label} exits again and again; it is started again each time");
        found.push((Occasion::CrashLoop, serving, message));
    }
    found
}

fn is_refused(error: Option<&Problem>) -> bool {
    error.is_some_and(|it| it.code == Code::Destructive)
}

/// Which deployment a rollback took back, where it did.
fn caused(records: &[Record], number: u64) -> String {
    let settled = records.iter().find_map(|record| match record {
        Record::Settled { number: it, took_back } if *it == number => *took_back,
        _ => None,
    });
    settled.map(|left| format!(", which takes back #{left}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use vial_protocol::Slot;

    use super::*;
    use crate::app::fixture::release_of;
    use crate::app::history::History;
    use crate::app::machine::State;
    use crate::app::standbys::Standbys;
    use crate::store::record::Began;
    use crate::vault::Kept;

    /// What is told where #3 of a kind ends so, after #2 was deployed.
    fn told(kind: Kind, records: &[Record], effects: &[Effect]) -> Vec<(Occasion, u64, String)> {
        let mut history = History::default();
        for (number, kind) in [(2, Kind::Deploy), (3, kind)] {
            history.add_release(release_of(number));
            let began = Began {
                number,
                kind,
                release: Some(number),
                actor: "anna".into(),
                reason: None,
                reverts: Vec::new(),
                build: None,
            };
            history.apply(&[Record::Began(began)], jiff::Timestamp::UNIX_EPOCH);
        }
        let mut state = State { active: Some(Slot::Blue), serving: Some(2), ..State::default() };
        state.slots.get_mut(Slot::Blue).release = Some(2);
        let (state, history, environment) = (&state, &history, &Kept::default());
        occasions(
            Known { app: "shop", state, history, standbys: &Standbys::default(), environment },
            records,
            effects,
        )
    }

    fn ended(status: Status, error: Option<Problem>) -> Record {
        Record::Ended { number: 3, status, error }
    }

    #[test]
    fn each_end_is_told_once_and_a_rollback_as_what_it_is() {
        let said = told(Kind::Deploy, &[ended(Status::Succeeded, None)], &[]);
        assert_eq!(said, [(Occasion::Succeeded, 3, "deploy of v3.0.0 succeeded".into())]);
        let settled = Record::Settled { number: 3, took_back: Some(2) };
        let said = told(Kind::Rollback, &[ended(Status::Succeeded, None), settled], &[]);
        let words = "rolled back to v3.0.0, which takes back #2";
        assert_eq!(said, [(Occasion::RolledBack, 3, words.into())]);
        let why = Problem::new(Code::Exited, "Not deployed: v2.0.0 still serves.");
        let said = told(Kind::Deploy, &[ended(Status::Failed, Some(why.clone()))], &[]);
        assert_eq!(said, [(Occasion::Failed, 3, why.message)]);
    }

    #[test]
    fn what_a_person_cancelled_is_no_news_and_what_nobody_allowed_is() {
        assert_eq!(told(Kind::Deploy, &[ended(Status::Cancelled, None)], &[]), []);
        let refused = Problem::new(Code::Destructive, "Not deployed: it drops the prices.");
        let said = told(Kind::Deploy, &[ended(Status::Cancelled, Some(refused))], &[]);
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].0, Occasion::Failed);
    }

    #[test]
    fn a_crash_loop_is_told_at_its_beginning_and_not_at_each_turn() {
        let exits = |attempt| {
            let effect = Effect::RestartAfter { slot: Slot::Blue, attempt };
            told(Kind::Restart, &[], &[effect])
        };
        assert_eq!(exits(1), []);
        let said = exits(2);
        assert_eq!((said[0].0, said[0].1), (Occasion::CrashLoop, 2));
        assert!(said[0].2.starts_with("v2.0.0 exits again and again"), "{said:?}");
        assert_eq!(exits(3), []);
    }
}

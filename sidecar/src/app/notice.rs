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

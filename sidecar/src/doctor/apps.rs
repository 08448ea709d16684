//! What the daemon says of its apps, against what is configured.

use nix::unistd::{Group, Uid, User};
use vial_protocol::{AppStatus, Code, DaemonStatus, Desired, Problem, SlotState};

use super::finding::{Finding, Level, sentence};
use super::scene::SetUp;

pub(super) fn check(set: &SetUp<'_>) -> Vec<Finding> {
    let Ok(daemon) = &set.scene.daemon else { return Vec::new() };
    let mut findings = Vec::new();
    if operates(set) {
        findings.extend(refused(set, daemon));
        findings.extend(unknown(set, daemon));
    }
    findings.extend(daemon.apps.iter().flat_map(told));
    findings
}

/// Whether the daemon shows us every app.
fn operates(set: &SetUp<'_>) -> bool {
    let own = set.scene.own_user.uid;
    let member = || {
        let group = Group::from_name(&set.config.host.operators_group).ok().flatten();
        let user = User::from_uid(Uid::from_raw(own)).ok().flatten();
        group
            .zip(user)
            .is_some_and(|(group, user)| group.gid == user.gid || group.mem.contains(&user.name))
    };
    set.scene.sees_all() || member()
}

/// What the daemon could not take over, where the files alone do not tell.
fn refused(set: &SetUp<'_>, daemon: &DaemonStatus) -> Vec<Finding> {
    let known = &set.config.problems;
    let news = daemon.problems.iter().filter(|problem| !known.contains(problem));
    news.map(|problem| {
        let reload = "If it is mended already, `vial reload`.";
        let next = problem.next.as_deref().map(sentence).unwrap_or_default();
        // What a file said when it was last read: the file says otherwise now.
        let cure = if problem.code == Code::Configuration {
            reload.to_owned()
        } else {
            format!("{next} {reload}").trim().to_owned()
        };
        Finding::problem("daemon", sentence(&problem.message), cure)
    })
    .collect()
}

fn unknown(set: &SetUp<'_>, daemon: &DaemonStatus) -> Vec<Finding> {
    let new = set.apps().filter(|app| set.status(&app.name).is_none()).map(|app| {
        Finding::warning(
            format!("app {}", app.name),
            format!(
                "{} is configured in {}, and the daemon does not know it yet.",
                app.name,
                set.file_of(&app.name).display()
            ),
            "Run `vial reload`.",
        )
    });
    let configured =
        |name: &String| set.config.apps.contains_key(name) || set.config.broken.contains(name);
    let gone = daemon.apps.iter().filter(|app| !configured(&app.name)).map(|app| {
        Finding::warning(
            format!("app {}", app.name),
            format!("{} has no file any more, and the daemon still runs it.", app.name),
            format!("Run `vial stop {}` first if it is to end, then `vial reload`; or put the file back.", app.name),
        )
    });
    new.chain(gone).collect()
}

fn told(app: &AppStatus) -> Vec<Finding> {
    let subject = format!("app {}", app.name);
    // The route has a look of its own.
    let route = app.route.as_ref().and_then(|route| route.problem.as_ref());
    let warnings = app.warnings.iter().filter(|warning| Some(*warning) != route);
    let mut findings: Vec<Finding> = warnings.map(|warning| warned(&subject, warning)).collect();
    let loops = app.warnings.iter().any(|warning| warning.code == Code::CrashLoop);
    for slot in app.slots.iter().filter(|slot| slot.state == SlotState::Backoff && !loops) {
        let last = slot.last_exit.as_deref().map(|exit| format!(": it {exit}")).unwrap_or_default();
        findings.push(Finding::problem(
            subject.clone(),
            format!("The release in the {} slot of {} ended by itself{last}.", slot.slot, app.name),
            format!("`vial logs {} --slot {}` tells why.", app.name, slot.slot),
        ));
    }
    if findings.is_empty() {
        let message = match (&app.serving, app.active) {
            _ if app.desired == Desired::Stopped => {
                format!("Stopped, as it was asked for; `vial start {}` starts it.", app.name)
            }
            (Some(release), Some(slot)) => format!("{} serves from {slot}.", release.label()),
            _ => "No release yet.".into(),
        };
        findings.push(Finding::ok(subject, message));
    }
    findings
}

fn warned(subject: &str, warning: &Problem) -> Finding {
    let serious = matches!(warning.code, Code::CrashLoop | Code::ActiveUnhealthy | Code::Route);
    let cure = warning.next.as_deref().map_or_else(|| "Look at `vial status`.".into(), sentence);
    Finding {
        level: if serious { Level::Problem } else { Level::Warning },
        ..Finding::problem(subject, sentence(&warning.message), cure)
    }
}

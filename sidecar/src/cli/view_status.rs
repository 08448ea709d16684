//! What an app does, at a glance.

use vial_protocol::{
    AppStatus, DaemonStatus, Deployment, Desired, Problem, Release, Slot, SlotState, SlotStatus,
};

use super::look::{Look, Tone, slot_tone, status_tone, took};
use super::table::{Cell, Table};
use super::view_source::words;
use super::{problem, text, view_standby};

/// One app, wholly.
#[must_use]
pub fn app(app: &AppStatus, look: &Look) -> String {
    let mut shown = headline(app, look) + "\n";
    for warning in &app.warnings {
        shown.push_str(&warn(warning, "", look));
    }
    if let Some(problem) = app.route.as_ref().and_then(|route| route.problem.as_ref())
        && !app.warnings.contains(problem)
    {
        shown.push_str(&warn(problem, "Route: ", look));
    }
    shown.push('\n');
    shown.push_str(&slots(app, look));
    shown.push('\n');
    for (name, line) in facts(app, look) {
        shown.push_str(&format!("  {}  {line}\n", look.paint(Tone::Dim, &format!("{name:<11}"))));
    }
    shown
}

/// Every app, a line each, with what is wrong above.
#[must_use]
pub fn all(daemon: &DaemonStatus, look: &Look) -> String {
    let mut shown = String::new();
    for problem in &daemon.problems {
        shown.push_str(&warn(problem, "", look));
    }
    for app in &daemon.apps {
        for warning in &app.warnings {
            shown.push_str(&warn(warning, &format!("{}: ", text::word(&app.name)), look));
        }
    }
    if !shown.is_empty() {
        shown.push('\n');
    }
    if daemon.apps.is_empty() {
        return shown + "No apps yet. Next: `vial init APP`, then `vial reload`.\n";
    }
    let mut table = Table::new(&["App…", "Serves…", "Slot", "Health…", "Since", "In progress…"]);
    for app in &daemon.apps {
        let active = app.active.and_then(|slot| app.slot(slot));
        table.row([
            Cell::new(text::word(&app.name), Tone::Bold),
            serves(app),
            app.active.map_or_else(Cell::default, |slot| Cell::new(slot.as_str(), slot_tone(slot))),
            active.map_or_else(Cell::default, health),
            app.serving_since.map_or_else(Cell::default, |at| look.age(at).into()),
            app.deployment.as_ref().map_or_else(Cell::default, |deployment| {
                let stage = format!("#{} {}", deployment.number, deployment.status.stage());
                Cell::new(stage, status_tone(deployment.status))
            }),
        ]);
    }
    shown + &table.render(look, "")
}

/// The apps and where they are reached.
#[must_use]
pub fn names(daemon: &DaemonStatus, look: &Look) -> String {
    if daemon.apps.is_empty() {
        return "No apps yet. Next: `vial init APP`, then `vial reload`.\n".into();
    }
    let mut table = Table::new(&["App…", "Serves…", "Wanted", "Ports", "Hosts…"]);
    for app in &daemon.apps {
        let ports: Vec<String> =
            app.slots.iter().filter_map(|slot| Some(slot.port?.to_string())).collect();
        let hosts = app.route.as_ref().map_or_else(
            || "worker".into(),
            |route| route.hosts.iter().map(|host| text::word(host)).collect::<Vec<_>>().join(", "),
        );
        let wanted = match app.desired {
            Desired::Running => Cell::from("running"),
            Desired::Stopped => Cell::new("stopped", Tone::Warn),
        };
        table.row([
            Cell::new(text::word(&app.name), Tone::Bold),
            serves(app),
            wanted,
            ports.join(", ").into(),
            hosts.into(),
        ]);
    }
    table.render(look, "")
}

/// One line for one change, where there is no screen to redraw.
#[must_use]
pub fn change(app: &AppStatus, look: &Look) -> String {
    let mut line = format!("{} {}", look.clock(look.now), headline(app, look));
    if let Some(deployment) = &app.deployment {
        line.push_str(&format!("; {}", in_progress(deployment, look)));
    }
    line
}

fn headline(app: &AppStatus, look: &Look) -> String {
    let name = look.paint(Tone::Bold, &text::word(&app.name));
    if app.desired == Desired::Stopped {
        let stopped = look.paint(Tone::Warn, "stopped");
        let start = format!("`vial start {}` starts it.", text::word(&app.name));
        return format!("{name} is {stopped}. {start}");
    }
    match (&app.serving, app.active) {
        (Some(release), Some(slot)) => {
            let since = app.serving_since.map_or_else(String::new, |at| {
                format!(" since {} ({})", look.clock(at), look.age(at))
            });
            format!(
                "{name}: {} serves{since} from {}",
                look.paint(Tone::Bold, &text::word(&release.label())),
                look.paint(slot_tone(slot), slot.as_str()),
            )
        }
        _ => format!(
            "{name} has no release yet. `vial deploy {} PATH` brings one.",
            text::word(&app.name)
        ),
    }
}

fn warn(problem: &Problem, lead: &str, look: &Look) -> String {
    let shown = problem::render(problem, lead, look);
    let mark = look.paint(Tone::Bad, "!");
    shown
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{} {line}\n", if at == 0 { mark.as_str() } else { " " }))
        .collect()
}

fn slots(app: &AppStatus, look: &Look) -> String {
    let mut table =
        Table::new(&["Slot", "State", "Health…", "Release…", " Port", " Pid", "Started"]);
    // The one that serves first.
    let (serving, idle): (Vec<_>, Vec<_>) =
        app.slots.iter().partition(|status| Some(status.slot) == app.active);
    for status in serving.into_iter().chain(idle) {
        let mark = if Some(status.slot) == app.active { "▸ " } else { "  " };
        table.row([
            Cell::new(format!("{mark}{}", status.slot), slot_tone(status.slot)),
            state(status),
            health(status),
            status.release.as_ref().map_or_else(Cell::default, |release| named(release).into()),
            status.port.map_or_else(Cell::default, |port| port.to_string().into()),
            status.pid.map_or_else(Cell::default, |pid| pid.to_string().into()),
            status.since.map_or_else(Cell::default, |at| look.age(at).into()),
            status
                .last_exit
                .as_deref()
                .map_or_else(Cell::default, |exit| Cell::new(text::word(exit), Tone::Dim)),
        ]);
    }
    let mut shown = table.render(look, "  ");
    for status in &app.slots {
        if let Some(kept) = view_standby::kept(status, look) {
            let slot = look.paint(slot_tone(status.slot), &format!("{:<5}", status.slot.as_str()));
            let tone = if status.standby.as_ref().is_some_and(|it| it.ready) {
                Tone::Good
            } else {
                Tone::Warn
            };
            shown.push_str(&format!("    {slot}  idle · {}\n", look.paint(tone, &kept)));
        }
    }
    shown
}

fn state(status: &SlotStatus) -> Cell {
    let tone = match status.state {
        SlotState::Stopped => Tone::Dim,
        SlotState::Running | SlotState::Frozen => Tone::Good,
        SlotState::Starting | SlotState::Resting | SlotState::Stopping => Tone::Warn,
        SlotState::Backoff => Tone::Bad,
    };
    Cell::new(status.state.as_str(), tone)
}

/// What happened to a slot's process, where it did not simply start and run.
fn trouble(status: &SlotStatus) -> Option<String> {
    let runs = matches!(status.state, SlotState::Running | SlotState::Resting | SlotState::Frozen);
    let exit = status.last_exit.as_deref().filter(|_| !runs);
    let again = match status.restarts {
        0 => None,
        1 => Some("started again once".to_owned()),
        many => Some(format!("started again {many} times")),
    };
    let exit = exit.or(status.last_exit.as_deref().filter(|_| again.is_some()));
    let said: Vec<String> = exit.map(text::word).into_iter().chain(again).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn health(status: &SlotStatus) -> Cell {
    match &status.health {
        Some(health) if health.healthy => {
            Cell::new(format!("ok, {}", text::word(&health.detail)), Tone::Good)
        }
        Some(health) => Cell::new(format!("failing, {}", text::word(&health.detail)), Tone::Bad),
        None => Cell::default(),
    }
}

fn serves(app: &AppStatus) -> Cell {
    match (&app.serving, app.desired) {
        (_, Desired::Stopped) => Cell::new("stopped", Tone::Warn),
        (Some(release), Desired::Running) => text::word(&release.label()).into(),
        (None, Desired::Running) => Cell::new("nothing yet", Tone::Dim),
    }
}

fn facts(app: &AppStatus, look: &Look) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(deployment) = &app.deployment {
        facts.push(("In progress", in_progress(deployment, look)));
    }
    for status in &app.slots {
        if let Some(said) = trouble(status) {
            let name = match status.slot {
                Slot::Blue => "Blue",
                Slot::Green => "Green",
            };
            facts.push((name, said));
        }
    }
    if let Some(queued) = &app.queued {
        facts.push(("Waiting", of(queued)));
    }
    if let Some(waits) = view_standby::waits(app) {
        facts.push(("Queues", look.paint(Tone::Warn, &waits)));
    }
    facts.push(("Rollback", rollback(app, look)));
    if let Some(last) = &app.last {
        let at = last.ended_at.unwrap_or(last.queued_at);
        let status = look.paint(status_tone(last.status), last.status.stage());
        facts.push(("Last", format!("{}: {status} {}", of(last), look.age(at))));
    }
    if let Some(auto) = &app.auto_deploy {
        facts.push(("Auto-deploy", words(auto, look)));
    }
    if let Some(route) = &app.route {
        let hosts: Vec<String> = route.hosts.iter().map(|host| text::word(host)).collect();
        let mode = text::word(&route.mode);
        facts.push(("Route", format!("{} through Caddy ({mode})", hosts.join(", "))));
    } else {
        facts.push(("Route", "none: a worker".into()));
    }
    facts
}

fn rollback(app: &AppStatus, look: &Look) -> String {
    match (&app.rollback.target, &app.rollback.refusal) {
        (_, Some(refusal)) => {
            let next = refusal.next.as_deref().map(|next| format!(" Next: {}", text::word(next)));
            let said = format!("{}{}", text::word(&refusal.message), next.unwrap_or_default());
            format!("{} {said}", look.paint(Tone::Warn, "not now:"))
        }
        (Some(target), None) => format!(
            "to {}: `vial rollback {}`",
            look.paint(Tone::Bold, &named(target)),
            text::word(&app.name)
        ),
        (None, None) => "not possible".into(),
    }
}

fn in_progress(deployment: &Deployment, look: &Look) -> String {
    let status = deployment.status;
    let since = deployment.last_step().map_or(deployment.queued_at, |step| step.started_at);
    let stage = look.paint(status_tone(status), status.stage());
    let doing = deployment.last_step().and_then(|step| step.outcome.as_deref());
    let doing = doing.map(|said| format!("; {}", text::word(said))).unwrap_or_default();
    format!("{}: {stage} ({status}) for {}{doing}", of(deployment), took(look.millis_since(since)))
}

/// A deployment as it is named in a line: "#7 deploy of v2.0.0 by anna".
fn of(deployment: &Deployment) -> String {
    let release = deployment.release.as_ref().map_or_else(String::new, |release| {
        let word = if deployment.kind == vial_protocol::Kind::Rollback { "to" } else { "of" };
        format!(" {word} {}", text::word(&release.label()))
    });
    let actor = text::word(&deployment.actor);
    format!("#{} {}{release} by {actor}", deployment.number, deployment.kind)
}

fn named(release: &Release) -> String {
    format!("{} (#{})", text::word(&release.label()), release.number)
}

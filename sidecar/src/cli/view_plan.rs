//! What a rollback would do, before anyone agrees to it.

use vial_protocol::{
    DatabasePlan, Effect, EnvironmentPlan, Migration, MigrationChoice, Plan, StandbyMode, Standing,
};

use super::look::{Look, Tone, span};
use super::{text, view_standby};

/// The plan, with what stays as it is in a warning.
#[must_use]
pub fn render(plan: &Plan, look: &Look) -> String {
    let served = plan.to_last_live_at.map_or_else(
        || "has not served yet".to_owned(),
        |at| format!("last took the traffic {} ({})", look.clock(at), look.age(at)),
    ) + &how_well(plan);
    let how = match &plan.standby {
        Some(it) if it.mode == StandbyMode::Frozen => {
            "it is thawed and checked there, then switched to"
        }
        Some(_) => "it runs there: it is checked, then switched to",
        None if plan.hot => "it still runs: only the switch is left to do",
        None => "it is started and checked first; the release that serves goes on until then",
    };
    let from = text::word(&plan.from.label());
    let to = text::word(&plan.to.label());
    let mut shown = format!(
        "Roll back {}: {} (#{}) → {} (#{})\n",
        look.paint(Tone::Bold, &text::word(&plan.app)),
        look.paint(Tone::Bold, &from),
        plan.from_deployment,
        look.paint(Tone::Bold, &to),
        plan.to_deployment,
    );
    fact(&mut shown, look, "Release", &format!("{to} {served}"));
    fact(&mut shown, look, "Slot", &format!("{}; {how}", plan.slot));
    if let Some(takes) = view_standby::takes(plan, look) {
        fact(&mut shown, look, "Takes", &takes);
    }
    if let Some(number) = plan.cancels {
        let line = look.paint(Tone::Warn, &format!("deployment #{number}, in progress"));
        fact(&mut shown, look, "Cancels", &line);
    }
    let (line, tone) = database(plan, &to);
    fact(&mut shown, look, "Database", &look.paint(tone, &line));
    for Standing { migration, brought_by } in &plan.migrations {
        shown.push_str(&format!("            {}\n", one(migration, Some(*brought_by))));
    }
    if !plan.applies.is_empty() {
        let some = count(plan.applies.len());
        let line = format!("{some} that {to} brings, applied first where the app has `migrate`");
        fact(&mut shown, look, "Forward", &line);
        for Standing { migration, .. } in &plan.applies {
            shown.push_str(&format!("            {}\n", one(migration, None)));
        }
    }
    environment(&mut shown, plan, look);
    for warning in &plan.warnings {
        let warning = look.paint(Tone::Warn, &text::word(warning));
        fact(&mut shown, look, "Warning", &warning);
    }
    shown
}

/// " and served 2 h, without a restart"
fn how_well(plan: &Plan) -> String {
    let Some(millis) = plan.to_served_ms else { return String::new() };
    let served = span(i64::try_from(millis / 1000).unwrap_or(i64::MAX));
    let health = plan.to_health.as_ref().map(|it| format!(", {}", text::word(it)));
    format!(" and served {served}{}", health.unwrap_or_default())
}

/// Nothing where the release starts with what it would start with today in any case.
fn environment(shown: &mut String, plan: &Plan, look: &Look) {
    let EnvironmentPlan { version, differs, renewed, .. } = &plan.environment;
    let names =
        |names: &[String]| names.iter().map(|name| text::word(name)).collect::<Vec<_>>().join(", ");
    if differs.is_empty() {
        if !renewed.is_empty() {
            let line = format!("today's of what is secret and was changed: {}", names(renewed));
            fact(shown, look, "Env", &line);
        }
        return;
    }
    let line = format!("its own (version {version}), not today's, of: {}", names(differs));
    fact(shown, look, "Env", &look.paint(Tone::Warn, &line));
    if !renewed.is_empty() {
        let line = format!("today's of what is secret: {}", names(renewed));
        fact(shown, look, "", &line);
    }
    fact(shown, look, "", "`--env current` takes today's of all");
}

fn fact(shown: &mut String, look: &Look, name: &str, line: &str) {
    shown.push_str(&format!("  {}  {line}\n", look.paint(Tone::Dim, &format!("{name:<8}"))));
}

fn count(count: usize) -> String {
    if count == 1 { "1 migration".into() } else { format!("{count} migrations") }
}

fn database(plan: &Plan, to: &str) -> (String, Tone) {
    let some = count(plan.migrations.len());
    match &plan.database {
        DatabasePlan::Unchanged => (format!("left alone; {to} knows every migration"), Tone::Plain),
        DatabasePlan::Keep => {
            (format!("left alone: {some} that {to} does not know will stay"), Tone::Warn)
        }
        DatabasePlan::Revert { .. } => (
            format!("{some} that {to} does not know will be reverted, before the switch"),
            Tone::Warn,
        ),
        DatabasePlan::Choose { choices } if choices.contains(&MigrationChoice::Revert) => (
            format!("{some} that {to} does not know: say --keep-migrations or --revert-migrations"),
            Tone::Bad,
        ),
        DatabasePlan::Choose { .. } => (
            format!("{some} that {to} does not know, without a way down: say --keep-migrations"),
            Tone::Bad,
        ),
    }
}

/// "20240301000000 drop_name (shop, #11), destructive"
fn one(migration: &Migration, brought_by: Option<u64>) -> String {
    let effect = match migration.effect {
        Effect::Additive => "additive",
        Effect::Destructive => "destructive",
        Effect::Unknown => "unknown effect",
    };
    let by = brought_by.map(|number| format!(", #{number}")).unwrap_or_default();
    format!(
        "{} {} ({}{by}): {effect}",
        migration.version,
        text::word(&migration.name),
        text::word(&migration.app)
    )
}

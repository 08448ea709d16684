//! What a rollback would do, before anyone agrees to it.

use vial_protocol::Plan;

use super::look::{Look, Tone};
use super::text;

/// The plan, with what stays as it is in a warning.
#[must_use]
pub fn render(plan: &Plan, look: &Look) -> String {
    let served = plan.to_last_live_at.map_or_else(
        || "has not served yet".to_owned(),
        |at| format!("last took the traffic {} ({})", look.clock(at), look.age(at)),
    );
    let how = if plan.hot {
        "it still runs: only the switch is left to do"
    } else {
        "it is started and checked first; the release that serves goes on until then"
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
    let mut fact = |name: &str, line: String| {
        shown.push_str(&format!("  {}  {line}\n", look.paint(Tone::Dim, &format!("{name:<8}"))));
    };
    fact("Release", format!("{to} {served}"));
    fact("Slot", format!("{}; {how}", plan.slot));
    if let Some(number) = plan.cancels {
        fact("Cancels", look.paint(Tone::Warn, &format!("deployment #{number}, in progress")));
    }
    if plan.migrations.is_empty() {
        fact("Database", format!("left alone; {to} knows every migration"));
    } else {
        let count = plan.migrations.len();
        let some = if count == 1 { "1 migration".into() } else { format!("{count} migrations") };
        let warning = format!("left alone: {some} that {to} does not know will stay");
        fact("Database", look.paint(Tone::Warn, &warning));
        for migration in &plan.migrations {
            let name = text::word(&migration.name);
            let app = text::word(&migration.app);
            shown.push_str(&format!("            {} {name} ({app})\n", migration.version));
        }
    }
    shown
}

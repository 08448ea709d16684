//! The README's "How fast" tables, from the results: whoever runs the benchmark writes what they saw.

use std::fmt::Write as _;

use crate::figures::Figures;
use crate::report::WAYS;
use crate::results::{Apps, Results};

/// What the benchmark writes stands between these.
pub const BEGIN: &str = "<!-- bin/bench --readme writes from here … -->";
/// Its end.
pub const END: &str = "<!-- … to here -->";

/// A README with what stands between its markers written anew; absent where they are not there.
#[must_use]
pub fn rewrite(readme: &str, results: &Results) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", markdown(results)))
}

/// The tables.
#[must_use]
pub fn markdown(results: &Results) -> String {
    let mut text = String::new();
    rollbacks(&mut text, results);
    losses(&mut text, results);
    daemon(&mut text, results);
    let it = &results.machine;
    let _ = write!(
        text,
        "\nMeasured {} on {} cores ({}), {} GiB, {}, Linux {}, load {:.2} before; Caddy {}, OTP {}, \
         Elixir {}, {} at {}. Medians, with the 10th and 90th of a hundred beside them. Again: \
         `{}`",
        it.date,
        it.cores,
        it.cpu,
        it.memory_gib,
        it.system,
        it.kernel,
        it.load_before,
        it.caddy,
        it.otp,
        it.elixir,
        it.vial,
        it.commit,
        it.command
    );
    if results.quick {
        text.push_str(" (a quick run: too few repetitions to mean much)");
    }
    text.push('\n');
    text
}

fn rollbacks(text: &mut String, results: &Results) {
    if results.rollback_ms.is_empty() {
        return;
    }
    text.push_str(
        "| from the command to the first answer of the previous release | median | p10 – p90 | n |\n\
         |---|--:|--:|--:|\n",
    );
    for (way, what) in WAYS {
        if let Some(it) = results.rollback_ms.get(way) {
            let _ = writeln!(
                text,
                "| {what} | {} | {} – {} ms | {} |",
                ms(it.median),
                short(it.p10),
                short(it.p90),
                it.n
            );
        }
    }
    let Some(more) = &results.rollback else { return };
    if let Some(ratio) = more.cold_to_floor {
        let _ = writeln!(text, "\nA cold rollback takes {ratio:.2} times the floor.");
    }
    text.push_str("\nWhat other tools wait by default, from their documentation, not measured: ");
    let waits = more.elsewhere.iter().map(|it| format!("{} ({})", it.tool, it.waits));
    text.push_str(&waits.collect::<Vec<_>>().join("; "));
    text.push_str(".\n\n");
}

fn losses(text: &mut String, results: &Results) {
    if results.losses.is_empty() {
        return;
    }
    text.push_str(
        "| rollbacks under load | requests | failed | kept connections closed | WebSockets dropped |\n\
         |---|--:|--:|--:|--:|\n",
    );
    for it in &results.losses {
        let _ = writeln!(
            text,
            "| {} by {} | {} | {} | {} | {} |",
            it.rollbacks,
            it.way,
            it.lost.requests,
            it.lost.failed,
            it.lost.closed_connections,
            it.lost.dropped_websockets
        );
    }
    text.push('\n');
}

fn daemon(text: &mut String, results: &Results) {
    if !results.apps.is_empty() {
        text.push_str(
            "| the daemon with | memory | of a core | status by socket | by NIF | by command |\n\
             |---|--:|--:|--:|--:|--:|\n",
        );
        for it in &results.apps {
            let told = |what| it.status_ms.get(what).map_or_else(|| "–".into(), median);
            let _ = writeln!(
                text,
                "| {} | {:.1} MiB | {:.2} % | {} | {} | {} |",
                apps(it),
                it.memory.resident,
                it.idle.core_percent,
                told("socket app"),
                told("nif app"),
                told("command app")
            );
        }
        text.push('\n');
    }
    if let Some(it) = results.history.iter().max_by_key(|it| it.deployments) {
        let _ = writeln!(
            text,
            "After {} deployments of an app: a page of its history {}, the plan of a rollback {}, the \
             daemon's start {}.",
            it.deployments,
            median(&it.page_ms),
            median(&it.plan_ms),
            median(&it.start_ms)
        );
    }
    if let Some(it) = results.logs.iter().filter(|it| it.followed).max_by_key(|it| it.asked) {
        let _ = writeln!(
            text,
            "A release that writes {:.0} lines a second, followed by a reader, costs the daemon {:.1} % \
             of a core.",
            it.lines_per_second, it.core_percent
        );
    }
}

fn apps(it: &Apps) -> String {
    match (it.apps, it.release.as_str()) {
        (1, "stub") => "1 stub app".into(),
        (count, "stub") => format!("{count} stub apps"),
        (count, _) => format!("{count} real apps (the shop)"),
    }
}

fn median(it: &Figures) -> String {
    ms(it.median)
}

fn ms(value: f64) -> String {
    format!("{} ms", short(value))
}

fn short(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let mut results = Results::default();
        results.rollback_ms.insert("cold".into(), Figures::of(&[600.0, 620.0, 640.0]).unwrap());
        results.machine.command = "bin/bench".into();
        results
    }

    #[test]
    fn only_what_stands_between_the_markers_is_written_anew() {
        let readme = format!("# A\n{BEGIN}\nstale\n{END}\nafter\n");
        let new = rewrite(&readme, &results()).unwrap();
        assert!(new.starts_with("# A\n") && new.ends_with("\nafter\n"), "{new}");
        assert!(new.contains("| vial rollback, cold | 620 ms | 604 – 636 ms | 3 |"), "{new}");
        assert!(!new.contains("stale"));
        // Again, it is the same.
        assert_eq!(rewrite(&new, &results()).unwrap(), new);
    }

    #[test]
    fn without_markers_there_is_nothing_to_write() {
        assert_eq!(rewrite("# A\n", &results()), None);
    }

    #[test]
    fn what_was_written_as_json_is_read_back() {
        let json = serde_json::to_string(&results()).unwrap();
        assert_eq!(serde_json::from_str::<Results>(&json).unwrap(), results());
    }
}

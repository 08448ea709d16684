//! The results as tables for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::apps::growth;
use crate::figures::Figures;
use crate::group::Group;
use crate::results::Results;

/// What was measured of a group, as a table; nothing where nothing was.
#[must_use]
pub fn group(results: &Results, group: Group) -> String {
    match group {
        Group::Rollback => rollback(results),
        Group::Losses => losses(results),
        Group::Apps => apps(results),
        Group::History => history(results),
        Group::Logs => logs(results),
    }
}

/// What each way is, in the order in which they are told.
pub(crate) const WAYS: [(&str, &str); 9] = [
    ("floor", "floor: started by hand until healthy, and a rename"),
    ("cold", "vial rollback, cold"),
    ("warm", "vial rollback, warm"),
    ("frozen", "vial rollback, frozen"),
    ("script", "a shell script with `caddy reload`"),
    ("cold direct", "vial rollback, cold, `start = \"direct\"`"),
    ("floor interactive", "floor, in interactive mode"),
    ("cold interactive", "vial rollback, cold, `mode = \"interactive\"`"),
    ("cold direct interactive", "vial rollback, cold, both"),
];

fn rollback(results: &Results) -> String {
    let mut text = String::from(
        "Rollback: milliseconds from the command to the first answer of the previous release\n\
         \u{20}                                                 median     p10     p90    n\n",
    );
    for (way, what) in WAYS {
        if let Some(it) = results.rollback_ms.get(way) {
            row(&mut text, what, it);
        }
    }
    let Some(more) = &results.rollback else { return text };
    if let Some(ratio) = more.cold_to_floor {
        let _ = writeln!(text, "  cold / floor, of the medians: {ratio:.3}");
    }
    text.push_str(" parts\n");
    for (part, it) in &more.parts_ms {
        let what = match part.as_str() {
            "command" => "the command line's own start and end".into(),
            daemon => format!("{daemon}: from request to switched"),
        };
        row(&mut text, &what, it);
    }
    for (way, lost) in &more.losses {
        let _ = writeln!(
            text,
            "  lost, {way}: {} of {} requests, {} of {} WebSockets before their release was told to \
             end, {} of {} messages",
            lost.failed,
            lost.requests,
            lost.dropped_websockets,
            lost.websockets,
            lost.lost_messages,
            lost.messages
        );
    }
    for (way, why) in &more.missing {
        let _ = writeln!(text, "  NOT MEASURED, {way}: {why}");
    }
    text.push_str(" what other tools wait by default (from their documentation, not measured)\n");
    for it in &more.elsewhere {
        let _ = writeln!(
            text,
            "  {:<10}{}\n            {}, read {}",
            it.tool, it.waits, it.source, it.read
        );
    }
    text
}

fn row(text: &mut String, what: &str, it: &Figures) {
    let _ = writeln!(
        text,
        "  {what:<50}{:>7.1} {:>7.1} {:>7.1} {:>4}",
        it.median, it.p10, it.p90, it.n
    );
}

fn losses(results: &Results) -> String {
    let mut text = String::from(
        "Losses under load: 320 requests a second, 20 WebSockets\n\
         \u{20} way                                rollbacks  requests  failed  closed conn.  dropped WS  \
         p99 ms  max ms  rollback ms\n",
    );
    for it in &results.losses {
        let _ = writeln!(
            text,
            "  {:<34} {:>9} {:>9} {:>7} {:>13} {:>11} {:>7.1} {:>7.0} {:>12.0}",
            it.way,
            it.rollbacks,
            it.lost.requests,
            it.lost.failed,
            it.lost.closed_connections,
            it.lost.dropped_websockets,
            it.p99_ms,
            it.max_ms,
            it.rollback_ms.median
        );
    }
    text
}

fn apps(results: &Results) -> String {
    let mut text = String::from(
        "The daemon with so many apps\n\
         \u{20} apps         MiB resident (own + files)  after deploys  peak  core %  wake-ups/s  threads  \
         CPU ms a deploy\n",
    );
    for it in &results.apps {
        let memory = &it.memory;
        let _ = writeln!(
            text,
            "  {:>3} × {:<6} {:>12.1} ({:.1} + {:.1}) {:>14.1} {:>7.1} {:>6.2} {:>11.0} {:>8} {:>10.1}",
            it.apps,
            it.release,
            memory.resident,
            memory.own,
            memory.files,
            it.memory_after.resident,
            it.peak,
            it.idle.core_percent,
            it.idle.wakeups,
            it.threads,
            it.deploy_cpu_ms
        );
    }
    text.push_str(" status, milliseconds: median (p10 to p90)\n");
    for it in &results.apps {
        let _ = writeln!(text, "  {:>3} × {:<6} {}", it.apps, it.release, statuses(&it.status_ms));
        for (what, why) in &it.missing {
            let _ = writeln!(text, "    NOT MEASURED, {what}: {why}");
        }
    }
    let stubs: Vec<_> = results.apps.iter().filter(|it| it.release == "stub").collect();
    for pair in stubs.windows(2) {
        if let [smaller, larger] = pair
            && let Some((mib, core)) = growth(smaller, larger)
        {
            let _ = writeln!(
                text,
                "  from {} to {} apps: {:.0} KiB and {core:.4} % of a core for each more",
                smaller.apps,
                larger.apps,
                mib * 1024.0
            );
        }
    }
    text
}

fn statuses(all: &BTreeMap<String, Figures>) -> String {
    let told = |(what, it): (&String, &Figures)| {
        format!("{what} {:.2} ({:.2} to {:.2})", it.median, it.p10, it.p90)
    };
    all.iter().map(told).collect::<Vec<_>>().join(" · ")
}

fn history(results: &Results) -> String {
    let mut text = String::from(
        "The history: milliseconds, medians (p90)\n\
         \u{20} deployments       page   in the middle        one         plan       status        start   \
         MiB resident  file MiB\n",
    );
    for it in &results.history {
        let figure = |it: &Figures| format!("{:.2} ({:.2})", it.median, it.p90);
        let _ = writeln!(
            text,
            "  {:>11} {:>12} {:>12} {:>12} {:>12} {:>12} {:>14} {:>10.1} {:>9.1}",
            it.deployments,
            figure(&it.page_ms),
            figure(&it.middle_ms),
            figure(&it.one_ms),
            figure(&it.plan_ms),
            figure(&it.status_ms),
            figure(&it.start_ms),
            it.memory.resident,
            it.file
        );
    }
    text
}

fn logs(results: &Results) -> String {
    let mut text = String::from(
        "Logs\n\
         \u{20} lines/s asked    written  kept up with  followed  core %  peak MiB  live MiB  behind s       told  wrong\n",
    );
    for it in &results.logs {
        let asked = it.asked.map_or_else(|| "all it can".into(), |it| it.to_string());
        let _ = writeln!(
            text,
            "  {asked:>13} {:>10.0} {:>13.0} {:>9} {:>7.2} {:>9.1} {:>9.1} {:>9.2} {:>10} {:>6}",
            it.lines_per_second,
            it.kept_up_with,
            if it.followed { "yes" } else { "no" },
            it.core_percent,
            it.peak,
            it.live,
            it.behind,
            it.told,
            it.wrong
        );
    }
    text
}

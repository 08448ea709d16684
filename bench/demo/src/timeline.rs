//! Prints what happens, each line with the time since the start.

use std::fmt::Write as _;

use jiff::Timestamp;
use tokio::time::Instant;
use vial_load::{Class, Report};
use vial_protocol::{Deployment, Status};

/// Lines under one clock.
pub struct Timeline {
    began: Instant,
}

impl Default for Timeline {
    fn default() -> Self {
        Timeline { began: Instant::now() }
    }
}

impl Timeline {
    /// Something begins now.
    pub fn now(&self, text: &str) {
        println!("{:>6.1} s  {text}", self.began.elapsed().as_secs_f64());
    }

    /// More about it. Each line is indented.
    pub fn more(&self, text: &str) {
        for line in text.lines() {
            println!("{:10}{line}", "");
        }
    }
}

/// A deployment's steps with their times, on one line.
#[must_use]
pub fn steps(deployment: &Deployment) -> String {
    let now = Timestamp::now();
    let steps = deployment.steps.iter().map(|step| {
        let running = if step.ended_at.is_none() { " so far" } else { "" };
        format!("{} {} ms{running}", step.status, step.millis(now))
    });
    steps.collect::<Vec<_>>().join(" · ")
}

/// How long one of its steps took.
#[must_use]
pub fn step_ms(deployment: &Deployment, status: Status) -> Option<i64> {
    let step = deployment.steps.iter().find(|step| step.status == status)?;
    step.ended_at.map(|ended| step.millis(ended))
}

/// What was sent and what came of it, as a table.
#[must_use]
pub fn traffic(report: &Report) -> String {
    let mut text =
        String::from("requests         sent      lost    500s      p50      p99      max\n");
    // A release's own 500 is an answer: whose fault it is, the switch's or the release's, is what
    // this table is for.
    let bad = |class: Class| {
        report.classes.get(&class).map_or(0, |it| it.failed).saturating_sub(lost_of(report, class))
    };
    for (class, counts) in &report.classes {
        let _ = writeln!(
            text,
            "{:<12}{:>9} {:>9} {:>7} {:>5.1} ms {:>5.1} ms {:>5.0} ms",
            name(*class),
            counts.sent,
            lost_of(report, *class),
            bad(*class),
            counts.latency_p50_ms,
            counts.latency_p99_ms,
            counts.latency_max_ms,
        );
    }
    let sightings = |title: &str, map: &std::collections::BTreeMap<String, vial_load::Sighting>| {
        let each = map.iter().map(|(name, seen)| format!("{name} {}", seen.responses));
        format!("{title:<12}{}\n", each.collect::<Vec<_>>().join(" · "))
    };
    text + &sightings("by release", &report.versions) + &sightings("by slot", &report.slots)
}

/// The requests of one kind of client that got no answer from a release at all.
fn lost_of(report: &Report, class: Class) -> u64 {
    let Some(counts) = report.classes.get(&class) else { return 0 };
    counts.failed.saturating_sub(own_errors_of(report, class))
}

fn own_errors_of(report: &Report, class: Class) -> u64 {
    // The bad release answers 500 on its home page, and on nothing else.
    let bad_home = matches!(class, Class::KeepAlive | Class::Fresh);
    let Some(counts) = report.classes.get(&class).filter(|_| bad_home) else { return 0 };
    counts.by_version.get(crate::versions::BAD).copied().unwrap_or(0).min(counts.failed)
}

/// The requests that got no answer from a release at all.
#[must_use]
pub fn lost(report: &Report) -> u64 {
    report.classes.keys().map(|class| lost_of(report, *class)).sum()
}

/// The bad release's own 500s.
#[must_use]
pub fn own_errors(report: &Report) -> u64 {
    report.classes.keys().map(|class| own_errors_of(report, *class)).sum()
}

fn name(class: Class) -> &'static str {
    match class {
        Class::KeepAlive => "keep-alive",
        Class::Fresh => "new conn.",
        Class::Slow => "slow",
        Class::Post => "POST",
        Class::Websocket => "WebSocket",
    }
}

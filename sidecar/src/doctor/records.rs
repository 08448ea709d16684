//! The releases in the history against those on the disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::finding::Finding;
use super::scene::SetUp;

pub(super) fn check(set: &SetUp<'_>) -> Vec<Finding> {
    let Some(history) = set.history() else { return Vec::new() };
    let mut findings = Vec::new();
    for app in set.apps() {
        let folder = set.layout().app(&app.name).releases();
        let recorded: BTreeSet<u64> =
            history.releases.get(&app.name).into_iter().flat_map(|it| it.keys().copied()).collect();
        let there = on_disk(&folder);
        let subject = format!("releases of {}", app.name);
        for number in recorded.difference(&there) {
            findings.push(Finding::problem(
                subject.clone(),
                format!(
                    "Release {number} of {} is in the history and not in {}: nobody can go back to \
                     it, and it cannot be started again.",
                    app.name,
                    folder.display()
                ),
                format!(
                    "Restore that folder from a backup, or bring a release again: `vial deploy {} PATH`.",
                    app.name
                ),
            ));
        }
        // Another time, a deploy or the daemon's next start may be about to use or remove it.
        let rests = set
            .status(&app.name)
            .is_some_and(|status| status.deployment.is_none() && status.queued.is_none());
        for number in there.difference(&recorded).filter(|_| rests) {
            let path = folder.join(number.to_string());
            findings.push(Finding::warning(
                subject.clone(),
                format!("{} is in no history: it only takes room.", path.display()),
                format!("Look at it, then `rm -r {}`.", path.display()),
            ));
        }
        if recorded == there && !there.is_empty() {
            findings
                .push(Finding::ok(subject, format!("{} on the disk, as recorded.", there.len())));
        }
    }
    findings
}

fn on_disk(folder: &Path) -> BTreeSet<u64> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

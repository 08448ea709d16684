//! Slots' logs that take more of the disk than they should.

use vial_protocol::Slot;

use super::finding::Finding;
use super::scene::SetUp;
use crate::log;

/// So much may be on its way: a segment that was just made, a look that is still to come.
const LITTLE: u64 = 64 << 20;

pub(super) fn check(set: &SetUp<'_>) -> Vec<Finding> {
    let layout = set.layout();
    let mut findings = Vec::new();
    for app in set.apps() {
        for slot in Slot::BOTH {
            let path = layout.app(&app.name).log(slot);
            // Not ours to read, it is not ours to judge.
            let Ok(unfreed) = log::unfreed(&path) else { continue };
            if unfreed < LITTLE.min(app.logs.live) {
                continue;
            }
            findings.push(Finding::warning(
                format!("logs of {}", app.name),
                format!(
                    "{} takes {} MiB of the disk for lines that are compressed already: its file \
                     system cannot free a part of a file, so the log grows while the release runs.",
                    path.display(),
                    unfreed >> 20
                ),
                format!(
                    "It is freed when the {slot} slot is started the next time, by a deploy or by \
                     `vial restart {}`. To have it freed as it grows, keep the state folder on \
                     ext4, XFS or btrfs.",
                    app.name
                ),
            ));
        }
    }
    findings
}

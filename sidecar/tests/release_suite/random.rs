//! Whatever is changed in an archive: no panic, nothing written elsewhere, nothing left behind.

use proptest::prelude::*;
use tar::Header;

use crate::support::{Place, Tar, gzip, shop};

/// A good archive with some of everything in it.
fn sample() -> Vec<u8> {
    shop()
        .pax(&[("path", "lib/with/a/long/name"), ("mtime", "1700000000.5")])
        .file("cut", 0o644, [1; 700])
        .raw(b'L', b"././@LongLink", b"", 0o644, 9, b"lib/other")
        .file("cut", 0o644, "")
        .link("lib/link", "other")
        .link("lib/up", "../bin")
        .hard_link("lib/hard", "bin/shop")
        .end()
}

fn try_out(bytes: &[u8]) -> Result<(), TestCaseError> {
    let place = Place::new();
    if let Ok(staged) = place.unpack(bytes) {
        // What is accepted stays inside, whatever it was made of.
        for entry in walk(staged.path()) {
            let real = std::fs::canonicalize(&entry).unwrap_or_else(|_| staged.path().to_owned());
            prop_assert!(real.starts_with(std::fs::canonicalize(staged.path())?), "{entry:?}");
        }
    }
    place.assert_clean();
    Ok(())
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn bytes_changed_anywhere_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        compressed in any::<bool>(),
    ) {
        let mut bytes = if compressed { gzip(&sample()) } else { sample() };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        try_out(&bytes)?;
    }

    /// With the checksums made good again, so that what was changed gets as far as it can.
    #[test]
    fn headers_changed_with_care_do_no_harm(
        changes in prop::collection::vec(
            (
                any::<prop::sample::Index>(),
                prop::sample::select(vec![0_usize, 1, 2, 3, 4, 8, 100, 101, 104, 106, 124, 130, 135, 136, 156, 157, 158, 159, 160, 345]),
                prop::sample::select(b"\0./01234567abgxLKS \xff".to_vec()),
            ),
            1..12,
        ),
        compressed in any::<bool>(),
    ) {
        let mut bytes = sample();
        let headers: Vec<usize> =
            (0..bytes.len()).step_by(512).filter(|at| bytes[at + 257..].starts_with(b"ustar")).collect();
        for (header, field, byte) in changes {
            let at = headers[header.index(headers.len())];
            bytes[at + field] = byte;
            let mut fixed = Header::from_byte_slice(&bytes[at..at + 512]).clone();
            fixed.set_cksum();
            bytes[at..at + 512].copy_from_slice(fixed.as_bytes());
        }
        try_out(&if compressed { gzip(&bytes) } else { bytes })?;
    }

    /// Paths and links of a few short parts, so that they meet one another often.
    #[test]
    fn names_and_links_in_any_order_do_no_harm(
        entries in prop::collection::vec(
            (
                prop::sample::select(b"00022215".to_vec()),
                prop::sample::select(vec!["a", "b", "a/b", "a/x", "b/x", "a/b/x", "lib/a"]),
                prop::sample::select(vec![
                    "..", "../..", "../../..", "../../../..", "a", "b", "a/..", "b/../..", "bin", "a/x",
                ]),
            ),
            1..12,
        ),
    ) {
        let tar = entries.iter().fold(Tar::default(), |tar, (kind, name, target)| {
            tar.raw(*kind, name.as_bytes(), target.as_bytes(), 0o644, 0, b"")
        });
        try_out(&[tar.clone().cut(), shop().end()].concat())?;
        try_out(&[shop().cut(), tar.end()].concat())?;
    }
}

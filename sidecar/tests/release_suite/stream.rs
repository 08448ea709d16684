//! Streams that are damaged, hostile, or no archive at all.

use std::cell::Cell;
use std::io::{self, Read};

use vial::release::{Limits, UnpackError, unpack};

use crate::support::{Place, Tar, gzip, refused, shop};

#[test]
fn what_is_no_archive_is_called_what_it_is() {
    assert!(matches!(refused(b""), UnpackError::Empty));
    for (bytes, what) in [
        (&b"PK\x03\x04 and so on"[..], "a zip file"),
        (b"\x28\xb5\x2f\xfd and so on", "a zstd file"),
        (b"\xfd7zXZ\0 and so on", "an xz file"),
        (b"BZh91AY and so on", "a bzip2 file"),
        (b"\x7fELF\x02\x01", "a program"),
        (b"#!/bin/sh\n", "a script"),
        (&[b'x'; 4096], "something else"),
        (b"x", "something else"),
    ] {
        let error = refused(bytes);
        assert!(matches!(error, UnpackError::NotAnArchive(is) if is == what), "{error}");
    }
    let error = refused(&gzip(&[b'x'; 4096]));
    assert!(matches!(error, UnpackError::Corrupt(_)), "{error}");
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let whole = shop().end();
    let compressed = gzip(&whole);
    // A lone zero block is an end marker that some writers leave at that.
    let end = whole.len() - 512;
    for cut in (1..end).step_by(97).chain([512, end - 512, end - 1]) {
        let error = refused(&whole[..cut]);
        assert!(
            matches!(error, UnpackError::Truncated { .. } | UnpackError::NotAnArchive(_)),
            "{cut}: {error}"
        );
        assert!(
            cut < 512
                || matches!(error, UnpackError::Truncated { received } if received == cut as u64)
        );
    }
    for cut in (2..compressed.len()).step_by(7).chain([compressed.len() - 1]) {
        let error = refused(&compressed[..cut]);
        assert!(matches!(error, UnpackError::Truncated { .. }), "{cut}: {error}");
    }
    let error = refused(&gzip(&shop().cut()));
    assert!(matches!(error, UnpackError::Truncated { .. }), "no end marker: {error}");
}

#[test]
fn checksums_are_checked_to_the_last_byte() {
    let mut tar = shop().end();
    tar[4] ^= 1;
    assert!(matches!(refused(&tar), UnpackError::Corrupt(_)));
    let mut tar = shop().end();
    tar[1024 + 100] ^= 1;
    assert!(matches!(refused(&tar), UnpackError::Corrupt(_)));
    let good = gzip(&shop().end());
    for at in [good.len() - 1, good.len() - 5, good.len() / 2] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        let error = refused(&bytes);
        assert!(matches!(error, UnpackError::Corrupt(_)), "{at}: {error}");
    }
}

#[test]
fn an_announced_entry_that_never_comes_is_refused() {
    let error = refused(&shop().pax(&[("path", "x")]).end());
    assert!(matches!(error, UnpackError::Corrupt(_)), "{error}");
}

#[test]
fn only_zeros_may_follow_the_end() {
    let place = Place::new();
    let padded = [shop().end(), vec![0; 9000]].concat();
    place.unpack(&padded).unwrap();
    place.unpack(&gzip(&padded)).unwrap();
    place.unpack(&[gzip(&padded), vec![0; 700]].concat()).unwrap();
    place.assert_clean();

    let more = Tar::default().file("lib/more", 0o644, "hidden").end();
    let trailing = [shop().end(), more.clone()].concat();
    for bytes in [
        trailing.clone(),
        gzip(&trailing),
        [gzip(&shop().end()), b"rubbish".to_vec()].concat(),
        [gzip(&shop().end()), vec![0; 600], b"rubbish".to_vec()].concat(),
        [gzip(&shop().end()), gzip(&more)].concat(),
    ] {
        let error = refused(&bytes);
        assert!(matches!(error, UnpackError::Trailing), "{error}");
    }
}

#[test]
fn a_gzip_stream_in_several_parts_is_one_archive() {
    let whole = shop().end();
    let (a, b) = whole.split_at(1000);
    Place::new().unpack(&[gzip(a), gzip(b)].concat()).unwrap();
}

#[test]
fn more_entries_than_the_limit_are_refused() {
    let mut place = Place::new();
    place.spec.limits.max_entries = 20;
    let tar = (0..20).fold(shop(), |tar, i| tar.folder(&format!("lib/x{i}")));
    let error = place.unpack(&tar.end()).unwrap_err();
    assert!(matches!(error, UnpackError::TooManyEntries { max: 20 }), "{error}");
    // The same folder again and again, and records without an entry, count too.
    let tar = (0..20).fold(shop(), |tar, _| tar.folder("./"));
    assert!(matches!(place.unpack(&tar.end()), Err(UnpackError::TooManyEntries { .. })));
    let tar = (0..20).fold(shop(), |tar, _| tar.raw(b'g', b"g", b"", 0o644, 0, b""));
    assert!(matches!(place.unpack(&tar.end()), Err(UnpackError::TooManyEntries { .. })));
    place.assert_clean();
}

#[test]
fn more_bytes_than_the_limit_are_refused_by_what_the_header_says() {
    let mut place = Place::new();
    place.spec.limits.max_bytes = 10_000;
    // Not one of the bytes is there: the claim is enough.
    let tar = shop().raw(b'0', b"lib/big", b"", 0o644, 10_001, b"").cut();
    let error = place.unpack(&tar).unwrap_err();
    assert!(matches!(error, UnpackError::TooLarge { max: 10_000 }), "{error}");
    let tar = (0..11).fold(shop(), |tar, i| tar.file(&format!("lib/{i}"), 0o644, [0; 1000]));
    assert!(matches!(place.unpack(&tar.end()), Err(UnpackError::TooLarge { .. })));
    place.assert_clean();
}

#[test]
fn an_archive_bomb_is_refused_by_its_ratio() {
    let mut place = Place::new();
    place.spec.limits = Limits { ratio_floor: 1 << 20, keep_free: 0, ..Limits::default() };
    let bomb = gzip(&shop().file("lib/bomb", 0o644, vec![0; 4 << 20]).end());
    let error = place.unpack(&bomb).unwrap_err();
    assert!(matches!(error, UnpackError::Ratio { max: 200 }), "{error}");
    place.assert_clean();
    place.spec.limits.ratio_floor = 8 << 20;
    place.unpack(&bomb).unwrap();
}

#[test]
fn zeros_without_end_after_the_archive_are_refused() {
    let place = Place::new();
    let endless = io::Cursor::new(shop().end()).chain(io::repeat(0));
    let error = unpack(endless, &place.spec, &|| false).unwrap_err();
    assert!(matches!(error, UnpackError::Trailing), "{error}");
    place.assert_clean();
}

#[test]
fn gzip_parts_without_content_do_not_go_on_for_ever() {
    struct Empty(Vec<u8>, usize);
    impl Read for Empty {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            for byte in out.iter_mut() {
                *byte = self.0[self.1 % self.0.len()];
                self.1 += 1;
            }
            Ok(out.len())
        }
    }
    let mut place = Place::new();
    place.spec.limits.max_bytes = 1 << 20;
    place.spec.limits.max_entries = 100;
    let error = unpack(Empty(gzip(b""), 0), &place.spec, &|| false).unwrap_err();
    assert!(matches!(error, UnpackError::TooLarge { .. }), "{error}");
    place.assert_clean();
}

#[test]
fn an_upload_that_breaks_off_is_told_from_a_truncated_archive() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let place = Place::new();
    let whole = gzip(&shop().end());
    for cut in [0, 1, 300, whole.len() - 1, whole.len()] {
        let input = whole[..cut].chain(Broken);
        let error = unpack(input, &place.spec, &|| false).unwrap_err();
        assert!(matches!(error, UnpackError::Upload(_)), "{cut}: {error}");
    }
    place.assert_clean();
}

#[test]
fn bytes_that_trickle_in_one_by_one_are_a_whole_archive() {
    struct Trickle<'a>(&'a [u8], bool);
    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.0.read(&mut out[..1])
        }
    }
    let place = Place::new();
    for bytes in [gzip(&shop().end()), shop().end()] {
        let staged = unpack(Trickle(&bytes, false), &place.spec, &|| false).unwrap();
        assert_eq!(staged.manifest.version, "0.1.0");
    }
}

#[test]
fn unpacking_stops_when_it_is_told_to() {
    let place = Place::new();
    let whole = shop().end();
    for limit in 0..60 {
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() > limit
        };
        match unpack(&whole[..], &place.spec, &stop) {
            Err(UnpackError::Cancelled) => {}
            Ok(_) => assert!(asked.get() <= limit),
            Err(other) => panic!("{other}"),
        }
        place.assert_clean();
        assert!(limit > 10 || asked.get() == limit + 1);
    }
}

//! Entries that no release may have.

use std::fs;

use vial::release::{EntryFault, UnpackError};

use crate::support::{Place, Tar, fault, pax, refused, shop};

fn named(name: &str, fault: EntryFault) -> (String, EntryFault) {
    (name.to_owned(), fault)
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    let raw = |name: &[u8]| shop().raw(b'0', name, b"", 0o644, 1, b"x");
    assert_eq!(fault(raw(b"../precious")), named("../precious", EntryFault::ParentPath));
    assert_eq!(fault(raw(b"lib/../../precious")).1, EntryFault::ParentPath);
    assert_eq!(fault(raw(b"/etc/cron.d/x")), named("/etc/cron.d/x", EntryFault::Absolute));
    assert_eq!(fault(raw(b"lib/..")).1, EntryFault::ParentPath);
}

#[test]
fn paths_that_leave_the_folder_are_refused_in_long_names_too() {
    let long = |name: &[u8]| {
        shop().raw(b'L', b"././@LongLink", b"", 0o644, name.len() as u64, name).file("x", 0o644, "")
    };
    assert_eq!(fault(long(b"../precious\0")).1, EntryFault::ParentPath);
    assert_eq!(fault(long(b"/precious\0")).1, EntryFault::Absolute);
    assert_eq!(fault(shop().pax(&[("path", "../precious")]).file("x", 0o644, "")).1, {
        EntryFault::ParentPath
    });
}

#[test]
fn names_with_nul_control_characters_or_broken_utf8_are_refused() {
    let (name, why) = fault(shop().file("lib/\u{1b}[2J", 0o644, ""));
    assert_eq!((name.as_str(), why), ("lib/\\u{1b}[2J", EntryFault::ControlCharacters));
    let long = b"lib/a\0../b\0";
    let nul = shop().raw(b'L', b"x", b"", 0o644, long.len() as u64, long).file("x", 0o644, "");
    assert_eq!(fault(nul).1, EntryFault::ControlCharacters);
    let broken = shop().raw(b'0', b"lib/\xff\xfe", b"", 0o644, 0, b"");
    assert_eq!(fault(broken).1, EntryFault::NotUtf8);
    assert_eq!(fault(shop().file("lib/a\nb", 0o644, "")).1, EntryFault::ControlCharacters);
}

#[test]
fn names_too_long_for_a_file_system_are_refused() {
    let long = |name: String| shop().pax(&[("path", &name)]).file("x", 0o644, "");
    assert!(matches!(fault(long("a".repeat(256))).1, EntryFault::TooLong { .. }));
    assert!(matches!(fault(long("a/".repeat(1200) + "x")).1, EntryFault::TooLong { .. }));
    assert!(matches!(fault(long("a/".repeat(70) + "x")).1, EntryFault::TooLong { .. }));
}

#[test]
fn devices_fifos_and_unknown_kinds_are_refused() {
    for (kind, what) in [
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a FIFO"),
        (b'7', "a contiguous file"),
        (b'S', "a sparse file"),
        (b's', "of an unknown kind"),
        (b'Z', "of an unknown kind"),
    ] {
        let tar = shop().raw(kind, b"lib/odd", b"", 0o644, 0, b"");
        assert_eq!(fault(tar), named("lib/odd", EntryFault::Kind(what)));
    }
    let sparse = shop().pax(&[("GNU.sparse.major", "1")]).file("lib/odd", 0o644, "");
    assert_eq!(fault(sparse).1, EntryFault::Kind("a sparse file"));
}

#[test]
fn setuid_setgid_and_sticky_bits_are_refused() {
    for mode in [0o4755, 0o2755, 0o1755, 0o7777] {
        let expected = named("bin/tool", EntryFault::Mode(mode));
        assert_eq!(fault(shop().file("bin/tool", mode, "")), expected);
        assert_eq!(fault(shop().raw(b'5', b"bin/tool", b"", mode, 0, b"")), expected);
    }
}

#[test]
fn a_path_that_comes_twice_is_refused() {
    for name in ["bin/shop", "./bin/shop", "bin//./shop"] {
        assert_eq!(fault(shop().file(name, 0o755, "other")).1, EntryFault::Duplicate, "{name}");
    }
    assert_eq!(fault(shop().link("bin/shop", "tool")).1, EntryFault::Duplicate);
    assert_eq!(fault(shop().link("l", "bin").file("l", 0o644, "x")).1, EntryFault::Duplicate);
    let twice = shop().hard_link("bin/x", "bin/shop").hard_link("bin/x", "bin/shop");
    assert_eq!(fault(twice).1, EntryFault::Duplicate);
    let over = shop().hard_link("bin/x", "bin/shop").file("bin/x", 0o644, "overwritten");
    assert_eq!(fault(over).1, EntryFault::Duplicate);
}

#[test]
fn a_path_that_is_both_a_folder_and_a_file_is_refused() {
    assert_eq!(fault(shop().file("lib", 0o644, "x")), named("lib", EntryFault::Conflict));
    assert_eq!(fault(shop().folder("bin/shop")), named("bin/shop", EntryFault::Conflict));
    assert_eq!(fault(shop().link("lib", "bin")).1, EntryFault::Conflict);
    assert_eq!(fault(shop().file("bin/shop/x", 0o644, "")).1, EntryFault::NotBelowFolder);
}

#[test]
fn nothing_is_written_through_a_link_that_came_before() {
    let place = Place::new();
    let outside = place.path("precious");
    for (link, target) in [("way", "../../.."), ("way", "lib"), ("lib/way", "../../../..")] {
        let tar = shop().link(link, target).file(&format!("{link}/precious"), 0o644, "overwritten");
        let (name, why) = fault(tar);
        assert_eq!((name, why), (format!("{link}/precious"), EntryFault::NotBelowFolder));
        let tar = shop().link(link, target).folder(link);
        assert_eq!(fault(tar).1, EntryFault::Conflict);
    }
    let absolute = shop().link("way", place.folder.path().to_str().unwrap());
    let error = place.unpack(&absolute.file("way/precious", 0o644, "overwritten").end());
    assert!(error.is_err());
    assert_eq!(fs::read_to_string(outside).unwrap(), "untouched");
    place.assert_clean();
}

#[test]
fn links_that_leave_the_folder_are_refused() {
    let leaves = |target: &str| EntryFault::LinkLeaves(target.to_owned());
    for target in ["/etc/passwd", "..", "../../..", "bin/../../x", "missing/../../x", ""] {
        let tar = shop().link("way", target);
        assert_eq!(fault(tar), named("way", leaves(target)), "{target}");
    }
    let deep = shop().link("lib/shop-0.1.0/way", "../../../x");
    assert_eq!(fault(deep).1, leaves("../../../x"));
}

#[test]
fn chains_of_links_are_judged_by_where_they_end() {
    // Each link by itself reads as if it stayed inside.
    let chain = shop().link("lib/a", "..").link("lib/b", "a/..");
    assert_eq!(fault(chain), named("lib/b", EntryFault::LinkLeaves("a/..".to_owned())));
    let later = shop().link("b", "lib/x/y/../../..").folder("lib/x/y").link("lib/x/z", "y");
    assert!(Place::new().unpack(&later.end()).is_ok());
    let later = shop().link("b", "way/../..").link("way", "lib/shop-0.1.0");
    assert!(Place::new().unpack(&later.end()).is_ok(), "way leads two folders down, then up again");
    let later = shop().link("b", "way/../..").link("way", "lib");
    assert_eq!(fault(later), named("b", EntryFault::LinkLeaves("way/../..".to_owned())));
}

#[test]
fn links_in_a_circle_are_refused() {
    assert_eq!(fault(shop().link("a", "b").link("b", "a")).1, EntryFault::LinkLoop);
    assert_eq!(fault(shop().link("a", "a/x")).1, EntryFault::LinkLoop);
}

#[test]
fn hard_links_to_anything_but_an_earlier_file_are_refused() {
    let place = Place::new();
    let outside = place.path("precious").to_str().unwrap().to_owned();
    for target in [&outside, "../precious", "missing", "bin", "lib/later", "", "."] {
        let (name, why) = fault(shop().hard_link("lib/hard", target).file("lib/later", 0o644, ""));
        assert_eq!((name.as_str(), why), ("lib/hard", EntryFault::HardLink(target.to_owned())));
    }
    let through = shop().link("way", "bin").hard_link("lib/hard", "way/shop");
    assert_eq!(fault(through).1, EntryFault::HardLink("way/shop".to_owned()));
    let to_link = shop().link("way", "bin/shop").hard_link("lib/hard", "way");
    assert_eq!(fault(to_link).1, EntryFault::HardLink("way".to_owned()));
}

#[test]
fn records_that_contradict_their_entry_are_refused() {
    let contradiction = |tar: Tar| {
        let (_, why) = fault(tar);
        assert!(matches!(why, EntryFault::Contradiction(_)), "{why}");
    };
    contradiction(shop().pax(&[("size", "0")]).file("x", 0o644, "four"));
    contradiction(shop().pax(&[("size", "512")]).file("x", 0o644, "four"));
    contradiction(shop().pax(&[("size", "18446744073709551615")]).file("x", 0o644, "four"));
    contradiction(shop().pax(&[("size", "many")]).file("x", 0o644, "four"));
    contradiction(shop().pax(&[("path", "a"), ("path", "b")]).file("x", 0o644, ""));
    contradiction(shop().pax(&[("path", "a")]).pax(&[("path", "b")]).file("x", 0o644, ""));
    let both = shop().raw(b'L', b"x", b"", 0o644, 1, b"a").pax(&[("path", "b")]);
    contradiction(both.file("x", 0o644, ""));
    let data = pax(&[("path", "every/name")]);
    let global = shop().raw(b'g', b"x", b"", 0o644, data.len() as u64, &data);
    contradiction(global.file("x", 0o644, ""));
    contradiction(shop().raw(b'x', b"x", b"", 0o644, 9, b"99 path=x").file("x", 0o644, ""));
    contradiction(shop().raw(b'5', b"lib/x", b"", 0o755, 512, &[0; 512]));
    contradiction(shop().raw(b'1', b"lib/x", b"bin/shop", 0o644, 4, b"four"));
}

#[test]
fn a_record_that_claims_gigabytes_is_refused_before_they_are_read() {
    for kind in [b'x', b'g', b'L', b'K'] {
        let (_, why) = fault(shop().raw(kind, b"big", b"", 0o644, 3 << 30, b""));
        assert!(matches!(why, EntryFault::Contradiction(_)), "{why}");
    }
}

#[test]
fn a_size_beyond_all_numbers_is_refused() {
    let error = refused(&shop().raw(b'0', b"x", b"", 0o644, u64::MAX, b"").end());
    assert!(matches!(error, UnpackError::TooLarge { .. }), "{error}");
    let error = refused(&shop().raw(b'0', b"x", b"", 0o644, i64::MAX as u64 + 1, b"").end());
    assert!(matches!(error, UnpackError::TooLarge { .. }), "{error}");
}

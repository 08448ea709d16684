//! What a good archive becomes.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use sha2::{Digest, Sha256};
use vial::release::Manifest;
use vial_protocol::{Effect, Migration, Reversal};

use crate::support::{Place, Tar, gzip, shop};

/// A migration whose file is none.
fn migration(version: u64, name: &str, app: &str, folder: &str) -> Migration {
    Migration {
        version,
        name: name.to_owned(),
        app: app.to_owned(),
        folder: folder.to_owned(),
        effect: Effect::Unknown,
        reversal: Reversal::Unknown,
        does: vec!["has no migration that Vial can read".to_owned()],
        loses: Vec::new(),
    }
}

#[test]
fn the_manifest_says_what_the_release_is() {
    let bytes = gzip(&[shop().end(), vec![0; 5000]].concat());
    let place = Place::new();
    let staged = place.unpack(&bytes).unwrap();
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let users = migration(20_240_101_000_000, "add_users", "shop", "repo/migrations");
    assert_eq!(
        staged.manifest,
        Manifest {
            name: "shop".to_owned(),
            version: "0.1.0".to_owned(),
            sha256,
            size: 91,
            erts: None,
            elixir: Some("1.14.0".to_owned()),
            migrations: vec![users],
        }
    );
}

#[test]
fn migrations_are_found_where_ecto_finds_them_and_sorted() {
    let tar = shop()
        .file("lib/shop-0.1.0/priv/repo/migrations/old/20230101000000_first.exs", 0o644, "")
        .file("lib/shop-0.1.0/priv/tenant_repo/migrations/3_third.exs", 0o644, "")
        .file("lib/oban-2.17.0/priv/repo/migrations/7_jobs.exs", 0o644, "")
        .file("lib/shop-0.1.0/priv/repo/migrations/.formatter.exs", 0o644, "")
        .file("lib/shop-0.1.0/priv/repo/migrations/.old/9_hidden.exs", 0o644, "")
        .file("lib/shop-0.1.0/priv/repo/seeds.exs", 0o644, "")
        .file("lib/shop-0.1.0/priv/repo/8_no_migration.exs", 0o644, "");
    let place = Place::new();
    let staged = place.unpack(&tar.end()).unwrap();
    assert_eq!(
        staged.manifest.migrations,
        [
            migration(3, "third", "shop", "tenant_repo/migrations"),
            migration(7, "jobs", "oban", "repo/migrations"),
            migration(20_230_101_000_000, "first", "shop", "repo/migrations"),
            migration(20_240_101_000_000, "add_users", "shop", "repo/migrations"),
        ]
    );
}

#[test]
fn migrations_are_read_when_a_release_is_unpacked() {
    let change = |body: &str| {
        format!("defmodule M do\n  use Ecto.Migration\n  def change do\n{body}\n  end\nend\n")
    };
    let folder = "lib/shop-0.1.0/priv/repo/migrations";
    let tar = shop()
        .file(
            &format!("{folder}/20240301000000_drop_name.exs"),
            0o644,
            change("alter table(:users) do\nremove :name, :string\nend\ncreate table(:carts)"),
        )
        .file(&format!("{folder}/20240302000000_large.exs"), 0o644, "#".repeat((1 << 20) + 1))
        .file(&format!("{folder}/20240303000000_bytes.exs"), 0o644, b"drop table \xff");
    let place = Place::new();
    let staged = place.unpack(&tar.end()).unwrap();
    let read: Vec<_> = staged
        .manifest
        .migrations
        .iter()
        .map(|it| (it.version / 1_000_000, it.effect, it.reversal, it.does.join("; ")))
        .collect();
    let nothing =
        |version, why: &str| (version, Effect::Unknown, Reversal::Unknown, why.to_owned());
    assert_eq!(
        read,
        [
            nothing(20_240_101, "has no migration that Vial can read"),
            (
                20_240_301,
                Effect::Destructive,
                Reversal::Reversible,
                "drops users.name; creates the table carts".to_owned()
            ),
            nothing(20_240_302, "is too large to be read"),
            nothing(20_240_303, "is no UTF-8 text"),
        ]
    );
    assert_eq!(
        staged.manifest.migrations[1].loses,
        ["carts is dropped with what is in it", "users.name comes back empty"]
    );
}

#[test]
fn modes_are_set_to_what_an_app_may_read_and_times_are_kept() {
    let tar = shop()
        .folder("lib/wide/")
        .raw(b'5', b"lib/closed", b"", 0o000, 0, b"")
        .file("lib/closed/secret", 0o000, "s")
        .file("lib/wide/open", 0o666, "o")
        .file("lib/wide/run", 0o4 | 0o1, "r");
    let place = Place::new();
    let staged = place.unpack(&tar.end()).unwrap();
    let meta = |name: &str| fs::metadata(staged.path().join(name)).unwrap();
    let mode = |name: &str| meta(name).permissions().mode() & 0o7777;
    for folder in ["", "bin", "lib", "lib/wide", "lib/closed", "releases/0.1.0"] {
        assert_eq!(mode(folder), 0o750, "{folder}");
    }
    assert_eq!(mode("lib/closed/secret"), 0o640);
    assert_eq!(mode("lib/wide/open"), 0o640);
    assert_eq!(mode("lib/wide/run"), 0o750);
    assert_eq!(mode("bin/shop"), 0o750);
    assert_eq!(meta("bin/shop").mtime(), 1_700_000_000);
}

#[test]
fn the_group_that_may_read_owns_everything() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can give files to another group");
        return;
    }
    let mut place = Place::new();
    place.spec.owner_gid = Some(54_321);
    let staged = place.unpack(&shop().folder("lib/empty").end()).unwrap();
    for name in ["", "bin", "bin/shop", "releases/0.1.0", "lib/empty"] {
        let meta = fs::metadata(staged.path().join(name)).unwrap();
        assert_eq!((meta.uid(), meta.gid()), (0, 54_321), "{name}");
    }
}

#[test]
fn links_that_stay_inside_are_kept() {
    let tar = shop()
        .link("current", "releases/0.1.0")
        .link("lib/shop-0.1.0/priv/bin", "../../../bin/shop")
        .link("lib/dangling", "../no/such/../thing")
        .hard_link("bin/again", "bin/shop")
        .hard_link("again", "./bin/shop");
    let place = Place::new();
    let staged = place.unpack(&tar.end()).unwrap();
    let path = |name: &str| staged.path().join(name);
    assert_eq!(fs::read_to_string(path("current/start.boot")).unwrap(), "boot");
    assert_eq!(fs::read_to_string(path("lib/shop-0.1.0/priv/bin")).unwrap(), "#!/bin/sh\n");
    let (one, other) =
        (fs::metadata(path("bin/shop")).unwrap(), fs::metadata(path("bin/again")).unwrap());
    assert_eq!(one.ino(), other.ino());
    assert_eq!(fs::read_to_string(path("again")).unwrap(), "#!/bin/sh\n");
}

#[test]
fn a_leading_dot_and_repeated_folders_are_fine() {
    let tar = Tar::default().folder("./").folder("./bin/").folder("bin").folder("./lib/a/b/");
    let tar = tar.file("./lib/a/b/c", 0o644, "c");
    let bytes = [tar.cut(), shop().end()].concat();
    let place = Place::new();
    let staged = place.unpack(&bytes).unwrap();
    assert_eq!(fs::read_to_string(staged.path().join("lib/a/b/c")).unwrap(), "c");
}

#[test]
fn the_folder_may_have_been_packed_instead_of_what_is_in_it() {
    let place = Place::new();
    let inner = place.unpack(&shop().end()).unwrap();
    let mut bytes = Vec::new();
    let mut builder = tar::Builder::new(&mut bytes);
    builder.append_dir_all("shop-0.1.0", inner.path()).unwrap();
    builder.into_inner().unwrap();
    let staged = place.unpack(&bytes).unwrap();
    assert_eq!(staged.path().file_name().unwrap(), "shop-0.1.0");
    assert_eq!(staged.manifest.version, "0.1.0");
    staged.install(&place.path("final")).unwrap();
    assert!(place.path("final/bin/shop").is_file());
    drop(inner);
    fs::remove_dir_all(place.path("final")).unwrap();
    place.assert_clean();
}

#[test]
fn links_may_not_lead_from_a_packed_folder_to_beside_it() {
    // Inside the archive, but outside what becomes the release.
    let place = Place::new();
    let inner = place.unpack(&shop().end()).unwrap();
    std::os::unix::fs::symlink("../..", inner.path().join("lib/up")).unwrap();
    let mut bytes = Vec::new();
    let mut builder = tar::Builder::new(&mut bytes);
    builder.follow_symlinks(false);
    builder.append_dir_all("shop-0.1.0", inner.path()).unwrap();
    builder.into_inner().unwrap();
    drop(inner);
    let error = place.unpack(&bytes).unwrap_err();
    assert!(error.to_string().contains("`lib/up` is a link to `../..`"), "{error}");
    place.assert_clean();
}

#[test]
fn long_names_of_both_kinds_are_whole() {
    let long = format!("lib/{}/{}", "a".repeat(120), "b".repeat(200));
    let gnu = [long.as_bytes(), b"1\0"].concat();
    let tar = shop()
        .raw(b'L', b"././@LongLink", b"", 0o644, gnu.len() as u64, &gnu)
        .file("cut", 0o644, "1")
        .pax(&[("path", &format!("{long}2")), ("mtime", "1700000000.5"), ("size", "1")])
        .file("cut", 0o644, "2")
        .pax(&[("linkpath", &format!("{long}2"))])
        .hard_link("lib/hard", "cut");
    let place = Place::new();
    let staged = place.unpack(&tar.end()).unwrap();
    for (name, text) in
        [(format!("{long}1"), "1"), (format!("{long}2"), "2"), ("lib/hard".to_owned(), "2")]
    {
        assert_eq!(fs::read_to_string(staged.path().join(name)).unwrap(), text);
    }
}

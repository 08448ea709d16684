//! Sound archives that are not a release which can run here under Vial.

use vial::release::{ErtsFault, UnpackError};

use crate::support::{Place, Tar, program, refused, shop, shop_without};

fn missing(tar: Tar) -> String {
    match refused(&tar.end()) {
        UnpackError::NotARelease { missing } => missing,
        other => panic!("another error: {other}"),
    }
}

#[test]
fn what_a_release_lacks_is_named() {
    assert_eq!(missing(Tar::default()), "bin/shop");
    assert_eq!(missing(Tar::default().file("README.md", 0o644, "")), "bin/shop");
    assert_eq!(missing(shop_without(&["bin/shop"])), "bin/shop");
    assert_eq!(missing(shop_without(&["bin/shop"]).folder("bin/shop")), "bin/shop");
    let data = "releases/start_erl.data";
    assert_eq!(missing(shop_without(&[data])), data);
    let boot = "releases/0.1.0/start.boot";
    assert_eq!(missing(shop_without(&[boot])), boot);
}

#[test]
fn a_release_of_another_name_is_named() {
    let without = || shop_without(&["bin/shop"]).file("bin/server", 0o755, "");
    let error = refused(
        &without().file("bin/till", 0o755, "").file("releases/0.1.0/till.rel", 0o644, "").end(),
    );
    assert_eq!(
        error.to_string(),
        "The archive is the release `till`, and this app's release is `shop`."
    );
    assert!(error.next().is_some());
    let error = refused(&without().end());
    assert!(matches!(error, UnpackError::OtherRelease { found, .. } if found == "server"));
}

#[test]
fn files_that_must_be_executable_are_named_if_they_are_not() {
    for file in ["bin/shop", "releases/0.1.0/elixir", "erts-13.1.5/bin/erlexec"] {
        let error = refused(&shop_without(&[file]).file(file, 0o644, "").end());
        assert!(matches!(&error, UnpackError::NotExecutable(is) if is == file), "{error}");
    }
}

#[test]
fn versions_that_are_no_versions_are_refused() {
    let data = "releases/start_erl.data";
    for text in ["", "13.1.5", "13.1.5 ../../x", "13.1.5 0.1.0 more", "13.1.5 \u{1b}[31m"] {
        let error = refused(&shop_without(&[data]).file(data, 0o644, text).end());
        assert!(matches!(&error, UnpackError::BadVersion(_)), "{error}");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}

#[test]
fn a_release_that_starts_heart_is_refused_with_the_line() {
    let args = "releases/0.1.0/vm.args";
    let error = refused(&shop_without(&[args]).file(args, 0o644, "# fine\n-heart\n").end());
    assert!(error.to_string().contains("`releases/0.1.0/vm.args`, line 2: -heart"), "{error}");
    let env = "releases/0.1.0/env.sh";
    for text in ["export ELIXIR_ERL_OPTIONS=\"-heart\"", "HEART_COMMAND=x"] {
        let error = refused(&shop_without(&[env]).file(env, 0o644, text).end());
        assert!(matches!(error, UnpackError::Heart { line: 1, .. }), "{error}");
    }
    let other = shop().file("releases/0.0.9/vm.args", 0o644, "-heart");
    assert!(matches!(refused(&other.end()), UnpackError::Heart { .. }));
}

#[test]
fn the_erlang_inside_must_run_on_this_host() {
    let erts = |bytes: &[u8]| shop().file("erts-13.1.5/bin/beam.smp", 0o755, bytes).end();
    let staged = Place::new().unpack(&erts(&program())).unwrap();
    assert_eq!(staged.manifest.erts.as_deref(), Some("13.1.5"));

    let fault = |bytes: &[u8]| match refused(bytes) {
        UnpackError::Erts { erts, fault } => {
            assert_eq!(erts, "13.1.5");
            fault
        }
        other => panic!("another error: {other}"),
    };
    let mut foreign = program();
    foreign[18..20].copy_from_slice(&243_u16.to_le_bytes());
    assert!(matches!(fault(&erts(&foreign)), ErtsFault::Machine { .. }));
    assert!(matches!(fault(&erts(b"\xcf\xfa\xed\xfe")), ErtsFault::NotElf("a macOS program")));
    assert!(matches!(fault(&shop().folder("erts-13.1.5/bin").end()), ErtsFault::Missing));
}

#[test]
fn a_release_without_its_own_erlang_is_accepted() {
    let staged = Place::new().unpack(&shop().end()).unwrap();
    assert_eq!(staged.manifest.erts, None);
}

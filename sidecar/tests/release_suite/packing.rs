//! A folder into an archive, and back.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use vial::release::{EntryFault, PackError, pack};

use crate::support::{Place, shop};

/// A release's folder as `mix release` leaves it.
struct Built {
    place: Place,
    folder: PathBuf,
}

impl Built {
    fn new() -> Self {
        let place = Place::new();
        let folder = place.path("built");
        place.unpack(&shop().end()).unwrap().install(&folder).unwrap();
        Built { place, folder }
    }

    fn pack(&self) -> Result<Vec<u8>, PackError> {
        let mut bytes = Vec::new();
        pack(&self.folder, &mut bytes).map(|()| bytes)
    }

    fn fault(&self) -> (String, EntryFault) {
        match self.pack().unwrap_err() {
            PackError::Entry { path, fault } => {
                (path.strip_prefix(&self.folder).unwrap().to_str().unwrap().to_owned(), fault)
            }
            other => panic!("another error: {other}"),
        }
    }
}

#[test]
fn what_was_packed_is_unpacked_the_same() {
    let built = Built::new();
    symlink("../bin/shop", built.folder.join("lib/inside")).unwrap();
    symlink("gone", built.folder.join("lib/dangling")).unwrap();
    fs::create_dir(built.folder.join("lib/empty")).unwrap();
    let deep = format!("lib/{}", "long/".repeat(40));
    fs::create_dir_all(built.folder.join(&deep)).unwrap();
    fs::write(built.folder.join(&deep).join("x"), "deep").unwrap();
    let staged = built.place.unpack(&built.pack().unwrap()).unwrap();
    let path = |name: &str| staged.path().join(name);
    assert_eq!(staged.manifest.migrations.len(), 1);
    assert_eq!(fs::metadata(path("bin/shop")).unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!(fs::read_link(path("lib/inside")).unwrap().to_str(), Some("../bin/shop"));
    assert!(path("lib/empty").is_dir());
    assert_eq!(fs::read_to_string(path(&deep).join("x")).unwrap(), "deep");
    let time = |path: PathBuf| fs::metadata(path).unwrap().modified().unwrap();
    assert_eq!(time(path("bin/shop")), time(built.folder.join("bin/shop")));
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let built = Built::new();
    assert_eq!(built.pack().unwrap(), built.pack().unwrap());
}

#[test]
fn what_a_release_wrote_while_it_ran_is_left_out() {
    let built = Built::new();
    fs::create_dir(built.folder.join("tmp")).unwrap();
    fs::write(built.folder.join("tmp/shop.runtime.config"), "DATABASE_URL=secret").unwrap();
    let staged = built.place.unpack(&built.pack().unwrap()).unwrap();
    assert!(!staged.path().join("tmp").exists());
}

#[test]
fn what_could_not_be_unpacked_is_not_packed() {
    let built = Built::new();
    let file = built.folder.join("lib/odd");
    let listener = UnixListener::bind(&file).unwrap();
    assert_eq!(built.fault(), ("lib/odd".to_owned(), EntryFault::Kind("a socket")));
    drop(listener);
    fs::remove_file(&file).unwrap();
    nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(built.fault().1, EntryFault::Kind("a FIFO"));
    fs::remove_file(&file).unwrap();
    symlink("/etc/passwd", &file).unwrap();
    assert_eq!(built.fault().1, EntryFault::LinkLeaves("/etc/passwd".to_owned()));
    fs::remove_file(&file).unwrap();
    symlink("../../precious", &file).unwrap();
    assert_eq!(built.fault().1, EntryFault::LinkLeaves("../../precious".to_owned()));
    fs::remove_file(&file).unwrap();
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o4755)).unwrap();
    assert_eq!(built.fault().1, EntryFault::Mode(0o4755));
    fs::rename(&file, built.folder.join("lib/o\nd")).unwrap();
    assert_eq!(built.fault().1, EntryFault::ControlCharacters);
}

#[test]
fn a_folder_that_is_no_release_gets_told_what_one_looks_like() {
    let built = Built::new();
    let project = built.place.path("project");
    fs::create_dir(&project).unwrap();
    let error = pack(&project, io::sink()).unwrap_err().to_string();
    assert!(error.contains("has no `bin`") && error.contains("mix release"), "{error}");
    let release = project.join("_build/prod/rel");
    fs::create_dir_all(&release).unwrap();
    fs::rename(&built.folder, release.join("shop")).unwrap();
    let error = pack(&project, io::sink()).unwrap_err().to_string();
    assert!(error.contains("_build/prod/rel/shop"), "{error}");
    assert!(matches!(pack(&project.join("missing"), io::sink()), Err(PackError::Read { .. })));
    assert!(matches!(pack(&built.place.path("precious"), io::sink()), Err(PackError::Read { .. })));
}

#[test]
fn a_receiver_that_goes_away_is_told_from_a_folder_that_cannot_be_read() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let n = bytes.len().min(self.0);
            self.0 -= n;
            Ok(n)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let built = Built::new();
    let all = built.pack().unwrap().len();
    for most in [0, 1, all / 2, all - 1] {
        let error = pack(&built.folder, Full(most)).unwrap_err();
        assert!(matches!(error, PackError::Write(_)), "{most}: {error}");
    }
    pack(&built.folder, Full(all)).unwrap();
}

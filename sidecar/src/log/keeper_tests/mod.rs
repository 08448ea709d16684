//! The log store as a whole: a writer, a keeper, readers; and what goes wrong between them.

mod bounds;
mod crashes;
mod reading;
mod without_holes;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use super::edge::{Edge, Step, System};
use super::room::Room;
use super::{Keeper, LogRead, Looked, Policy, Unfinished, read};

/// Small, so that a few thousand lines make many segments.
const SMALL: Policy =
    Policy { live: 64 << 10, keep: 1 << 30, lasts: Duration::from_secs(30 * 86_400) };
/// "line 00000017 of a log that is kept\n"
const LINE: u64 = 36;

/// A log with numbered lines.
struct Log {
    home: tempfile::TempDir,
    path: PathBuf,
    file: File,
    written: u64,
}

fn line(number: u64) -> String {
    format!("line {number:08} of a log that is kept")
}

fn append_to(path: &std::path::Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}

impl Log {
    fn new() -> Log {
        Log::within(tempfile::tempdir().unwrap())
    }

    fn within(home: tempfile::TempDir) -> Log {
        let path = home.path().join("blue.log");
        let file = append_to(&path);
        Log { home, path, file, written: 0 }
    }

    fn write(&mut self, lines: u64) {
        let text: String =
            (self.written..self.written + lines).map(|number| line(number) + "\n").collect();
        self.file.write_all(text.as_bytes()).unwrap();
        self.written += lines;
    }

    fn keeper(&self, edge: &Fake) -> Keeper {
        Keeper::on(&self.path, Box::new(edge.clone()))
    }

    /// Everything from a cursor on, and how much of it is missing; read in small parts.
    fn all(&self, from: u64) -> (Vec<String>, u64) {
        let (mut lines, mut cursor, mut gap) = (Vec::new(), from, 0);
        loop {
            let part: LogRead = read(&self.path, cursor, 1, Unfinished::Wait).unwrap();
            gap += part.gap;
            lines.extend(part.lines.into_iter().map(|line| line.text));
            if part.cursor == cursor {
                return (lines, gap);
            }
            cursor = part.cursor;
        }
    }

    /// Asserts that exactly these lines are read from the first's offset on.
    #[track_caller]
    fn has(&self, numbers: Range<u64>) {
        let (lines, gap) = self.all(numbers.start * LINE);
        assert_eq!(gap, 0);
        assert_eq!(lines.len() as u64, numbers.end - numbers.start);
        assert!(lines.into_iter().eq(numbers.map(line)));
    }

    /// The first number that is still kept; asserts that all after it are.
    #[track_caller]
    fn oldest(&self) -> u64 {
        let (lines, gap) = self.all(0);
        let oldest = gap / LINE;
        assert!(lines.into_iter().eq((oldest..self.written).map(line)), "from {oldest} on");
        oldest
    }

    fn names(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.home.path().join("blue.log.d")).unwrap();
        let mut names: Vec<String> =
            names.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn segments(&self) -> usize {
        self.names().iter().filter(|name| name.ends_with(".zst")).count()
    }

    fn on_disk(&self) -> u64 {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(&self.path).unwrap().blocks() * 512
    }
}

impl Keeper {
    /// Looks until there is nothing left to do.
    fn keep(&mut self, policy: &Policy, now: Timestamp) -> Looked {
        loop {
            let looked = self.look(policy, now).unwrap();
            if looked.again > Duration::ZERO {
                return looked;
            }
        }
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// A host as a test wants it.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The file system has no holes.
    solid: bool,
    /// How full the disk is; as it is where absent.
    room: Option<Room>,
    /// So many writes fail for want of space.
    full: u32,
    /// Ends, as a crash would, when this step was done so many times.
    crash: Option<(Step, u32)>,
}

impl Fake {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }
}

impl Edge for Fake {
    fn punch(&self, file: &File, from: u64, length: u64) -> io::Result<()> {
        match self.0.lock().unwrap().solid {
            true => Err(io::Error::from_raw_os_error(nix::libc::EOPNOTSUPP)),
            false => System.punch(file, from, length),
        }
    }

    fn room(&self, folder: &std::path::Path) -> io::Result<Room> {
        self.0.lock().unwrap().room.map_or_else(|| System.room(folder), Ok)
    }

    fn done(&self, step: Step) {
        let mut state = self.0.lock().unwrap();
        let crash = match &mut state.crash {
            Some((at, times)) if *at == step => {
                *times -= 1;
                *times == 0
            }
            _ => false,
        };
        drop(state);
        assert!(!crash, "the crash that was asked for");
    }

    fn may_write(&self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        match state.full {
            0 => Ok(()),
            _ => {
                state.full -= 1;
                Err(io::Error::from_raw_os_error(nix::libc::ENOSPC))
            }
        }
    }
}

/// A file system of one's own, which only root can have.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(args: &[&str]) -> Option<Mounted> {
        let place = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(args).arg("none").arg(place.path()).stderr(Stdio::null());
        let is_root = nix::unistd::geteuid().is_root();
        if is_root && mount.status().is_ok_and(|status| status.success()) {
            return Some(Mounted(place));
        }
        println!("SKIPPED: `mount {}` is not possible here", args.join(" "));
        None
    }

    fn log(&self) -> Log {
        Log::within(tempfile::tempdir_in(self.0.path()).unwrap())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn unfreed_is_little(log: &Log) -> bool {
    super::unfreed(&log.path).unwrap() < 8192
}

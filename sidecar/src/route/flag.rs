//! The flag file: `green` in the route folder. Present: green is active. Absent: blue is.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use vial_protocol::Slot;

use super::problem::RouteProblem;
use crate::fault;

/// The flag's name, as the snippet asks for it.
pub(super) const NAME: &str = "green";
/// Written aside under this name: Caddy never asks for it.
const ASIDE: &str = ".green.new";
const WORDS: &[u8] = b"Written by Vial: traffic goes to green while this file is here.\n";

/// One app's flag file.
#[derive(Debug, Clone)]
pub struct Flag {
    folder: PathBuf,
}

impl Flag {
    /// The flag in a route folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Flag { folder: folder.to_owned() }
    }

    /// Which slot it names. A folder that cannot be read is an error here, though Caddy takes it
    /// for blue.
    pub fn read(&self) -> Result<Slot, RouteProblem> {
        let path = self.folder.join(NAME);
        match fs::metadata(&path) {
            Ok(data) if data.is_file() => Ok(Slot::Green),
            Ok(_) => Err(failed("reading", path, io::Error::other("it is not a file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Slot::Blue),
            Err(error) => Err(failed("reading", path, error)),
        }
    }

    /// Names another slot, in one atomic step. Follow it by [`Flag::keep`].
    pub fn turn(&self, to: Slot) -> Result<(), RouteProblem> {
        let flag = self.folder.join(NAME);
        fault::point(|| "flag: before it turns".into());
        let turned = match to {
            Slot::Green => {
                let aside = self.folder.join(ASIDE);
                let mut file = File::create(&aside)
                    .map_err(|error| failed("writing", aside.clone(), error))?;
                // Only that the file is there counts; the words are for whoever finds it, and a
                // full disk has no room for them.
                let _ = file.write_all(WORDS);
                fault::point(|| "flag: before the last call".into());
                fs::rename(&aside, &flag).map_err(|error| failed("renaming", aside, error))
            }
            Slot::Blue => {
                fault::point(|| "flag: before the last call".into());
                match fs::remove_file(&flag) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        Err(failed("removing", flag, error))
                    }
                    _ => Ok(()),
                }
            }
        };
        fault::point(|| "flag: turned".into());
        turned
    }

    /// Makes the last [`Flag::turn`] outlive a power cut. Apart from it, because Caddy has followed
    /// long before the disk has.
    pub fn keep(&self) -> Result<(), RouteProblem> {
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed("syncing", self.folder.clone(), error))?;
        fault::point(|| "flag: kept".into());
        Ok(())
    }
}

pub(super) fn failed(what: &'static str, path: PathBuf, source: io::Error) -> RouteProblem {
    RouteProblem::Folder { what, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_turns_both_ways_any_number_of_times() {
        let folder = tempfile::tempdir().unwrap();
        let flag = Flag::new(folder.path());
        assert_eq!(flag.read().unwrap(), Slot::Blue);
        for to in [Slot::Blue, Slot::Green, Slot::Green, Slot::Blue, Slot::Blue] {
            flag.turn(to).unwrap();
            flag.keep().unwrap();
            assert_eq!(flag.read().unwrap(), to);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left aside");
    }

    #[test]
    fn a_leftover_from_a_crash_while_writing_is_not_a_flag() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(ASIDE), "").unwrap();
        let flag = Flag::new(folder.path());
        assert_eq!(flag.read().unwrap(), Slot::Blue);
        flag.turn(Slot::Green).unwrap();
        assert_eq!(flag.read().unwrap(), Slot::Green);
    }

    #[test]
    fn something_else_in_the_flags_place_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(NAME)).unwrap();
        let error = Flag::new(folder.path()).read().unwrap_err();
        assert!(error.to_string().contains("not a file"), "{error}");
        let missing = Flag::new(Path::new("/nonexistent/route")).turn(Slot::Green).unwrap_err();
        assert!(missing.to_string().contains("/nonexistent/route"), "{missing}");
    }
}

//! Named points at which a test lets the daemon die.
//!
//! Each stands before or after something that must not be half-known: a write to the journal, and
//! whatever a step has done to the host. Built with the feature `faults`, and with a folder named by
//! [`FOLDER`], the daemon kills itself, as `kill -9` would, at the point that the file `at` in there
//! names (a `*` at its end stands for the rest), stops itself, as `SIGSTOP` would, once at the one
//! that the file `stops` names, and adds each point that it passes to the file `passed`: so a test
//! learns them from a run instead of keeping a list. Without the feature there is nothing of it in
//! the binary.
//!
//! A leaf: it knows nothing of Vial.

#[cfg(feature = "faults")]
pub use armed::{FOLDER, name_of, point};

/// Does nothing: this binary was built without the feature `faults`.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn point(_name: impl FnOnce() -> String) {}

#[cfg(feature = "faults")]
mod armed {
    use std::fmt::Debug;
    use std::fs::{self, OpenOptions};
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::LazyLock;

    use rustix::process::{Signal, getpid, kill_process};

    /// The variable that names the folder.
    pub const FOLDER: &str = "VIAL_FAULTS";

    static IN: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| std::env::var_os(FOLDER).map(PathBuf::from));

    /// Dies or stops here, if this is the point.
    pub fn point(name: impl FnOnce() -> String) {
        let Some(folder) = &*IN else { return };
        let name = name();
        let passed = OpenOptions::new().append(true).create(true).open(folder.join("passed"));
        if let Ok(mut passed) = passed {
            let _ = passed.write_all(format!("{name}\n").as_bytes());
        }
        let named = |file: &str| {
            fs::read_to_string(folder.join(file)).is_ok_and(|at| match at.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => at == name,
            })
        };
        if named("at") {
            let _ = kill_process(getpid(), Signal::KILL);
        }
        if named("stops") && fs::remove_file(folder.join("stops")).is_ok() {
            let _ = kill_process(getpid(), Signal::STOP);
        }
    }

    /// The name of a value's variant: `Start { slot: Blue }` is `Start`.
    pub fn name_of(value: &impl Debug) -> String {
        let text = format!("{value:?}");
        text.split(|it: char| !it.is_alphanumeric()).next().unwrap_or_default().to_owned()
    }
}

/// Not asked for without the feature.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn name_of(_value: &impl std::fmt::Debug) -> String {
    String::new()
}

//! What `bin/NAME start` would have computed.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::boot::{self, Variable};
use super::secret::{self, Place};
use super::standard;
use crate::slot::environment::Variables;

/// Variables that make the scripts do something else than usual.
const OVERRIDES: [&str; 6] = [
    "RELEASE_VM_ARGS",
    "RELEASE_BOOT_SCRIPT",
    "ELIXIR_ERL_OPTIONS",
    "ELIXIR_CLI_DRY_RUN",
    "ERL_ROOTDIR",
    "OSTYPE",
];

/// Flags of the emulator that decide what is decided here; wherever they come from.
const FLAGS: [&str; 6] = ["-setcookie", "-nocookie", "-args_file", "-home", "-boot", "-no_epmd"];

/// A script of a release is shorter: the longest has 9 KiB.
const SCRIPT: u64 = 256 << 10;

/// The configuration of a release may be long.
const CONFIG: u64 = 16 << 20;

/// How a release is started without its script. Its environment has secrets: `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan {
    /// `erlexec`, of the release.
    pub program: PathBuf,
    /// Its arguments; no secret is among them.
    pub args: Vec<OsString>,
    /// The environment, as the script would have it by then.
    pub env: Variables,
    boot: Vec<u8>,
}

/// Why a release is left to its script; for whoever asked to have it started directly.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// A script is none that is known.
    #[error("{0} is not as `mix release` of Elixir 1.14 to 1.21 writes it")]
    Script(String),
    /// Its `env.sh` says something.
    #[error("{0} does more than comments do")]
    EnvSh(String),
    /// It configures itself and boots again.
    #[error("the release boots twice to configure itself (`reboot_system_after_config`)")]
    Reboots,
    /// A variable of the app changes what the scripts do.
    #[error("the app's environment sets {0}, which the scripts of the release act on")]
    Variable(String),
    /// A flag of the emulator decides what is decided here.
    #[error("{flag} stands in {place}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// A file of the release, or a variable.
        place: String,
    },
    /// The mode is none of the two.
    #[error("RELEASE_MODE is neither embedded nor interactive")]
    Mode,
    /// The runtime system does not look where the cookie is put.
    #[error("its Erlang is older than OTP 25")]
    Old,
    /// Its boot script cannot be changed.
    #[error("its boot script, {0}, is not as Elixir writes it, or a path in it has odd letters")]
    Boot(String),
    /// A file of it cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Looks whether a release is one whose start is known, and says how it is made. `env` is what its
/// script would be given; reads files, and writes none.
///
/// # Errors
/// Why its script must start it.
pub fn look(release: &Path, name: &str, env: &Variables, place: &Place) -> Result<Plan, Reason> {
    variables(env)?;
    // As `pwd -P` says it.
    let root = release.canonicalize().map_err(|source| read(release, source))?;
    let data = text(&root.join("releases/start_erl.data"), SCRIPT)?;
    let mut words = data.split_whitespace();
    let (erts, version) = match (words.next(), words.next(), words.next()) {
        (Some(erts), Some(version), None) if is_plain(erts) && is_plain(version) => (erts, version),
        _ => return Err(Reason::Script("releases/start_erl.data".into())),
    };
    let major = erts.split('.').next().and_then(|it| it.parse::<u32>().ok());
    if major.is_none_or(|major| major < secret::SINCE) {
        return Err(Reason::Old);
    }
    let folder = root.join("releases").join(version);
    let bin = root.join(format!("erts-{erts}/bin"));
    let sys = text(&folder.join("sys.config"), CONFIG)?;
    if sys.contains("RUNTIME_CONFIG=true") {
        return Err(Reason::Reboots);
    }
    let known =
        |path: String, is: &dyn Fn(&str) -> bool| match is(&text(&root.join(&path), SCRIPT)?) {
            true => Ok(()),
            false => Err(Reason::Script(path)),
        };
    known(format!("bin/{name}"), &|it| standard::is_main(it, name))?;
    known(format!("releases/{version}/elixir"), &|it| standard::is_elixir(it, erts))?;
    known(format!("erts-{erts}/bin/erl"), &standard::is_erl)?;
    let env_sh = format!("releases/{version}/env.sh");
    if !standard::says_nothing(&text(&root.join(&env_sh), SCRIPT)?) {
        return Err(Reason::EnvSh(env_sh));
    }
    let vm_args = folder.join("vm.args");
    if let Some(flag) = flag_in(&text(&vm_args, SCRIPT)?) {
        return Err(Reason::Flag { flag, place: format!("releases/{version}/vm.args") });
    }
    let program = bin.join("erlexec");
    executable(&program)?;
    let of = |name: &str| value(env, name).and_then(OsStr::to_str);
    let mode = match of("RELEASE_MODE") {
        None | Some("") => "embedded",
        Some(mode @ ("embedded" | "interactive")) => mode,
        Some(_) => return Err(Reason::Mode),
    };
    let script = bytes(&folder.join("start.boot"), boot::MOST)?;
    let whole = || Reason::Boot(format!("releases/{version}/start.boot"));
    let variable = Variable {
        name: secret::VARIABLE,
        during: place.folder().to_str().ok_or_else(whole)?,
        after: match value(env, secret::VARIABLE) {
            Some(own) => Some(own.to_str().ok_or_else(whole)?),
            None => None,
        },
    };
    let boot = boot::with(&script, &variable).ok_or_else(whole)?;

    let paths = Paths { root: &root, folder: &folder, bin: &bin };
    let home = value(env, "HOME").unwrap_or_default().to_owned();
    Ok(Plan {
        program,
        args: paths.args(mode, home, place),
        env: paths.env(env, (name, version, mode)),
        boot,
    })
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("program", &self.program).finish_non_exhaustive()
    }
}

impl Plan {
    /// Writes down what the node will read: its boot script, and the cookie.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_down(&self, place: &Place, cookie: &str) -> io::Result<()> {
        place.write_cookie(cookie)?;
        place.write_boot(&self.boot)
    }
}

struct Paths<'a> {
    root: &'a Path,
    folder: &'a Path,
    bin: &'a Path,
}

impl Paths<'_> {
    /// In the order of the scripts; the cookie is not among them, and the boot script is ours.
    fn args(&self, mode: &str, home: OsString, place: &Place) -> Vec<OsString> {
        let mut args = secret::flags(home);
        args.extend(["-noshell", "-s", "elixir", "start_cli", "-mode", mode].map(OsString::from));
        args.extend(["-config".into(), self.folder.join("sys").into()]);
        args.extend(["-boot".into(), place.boot().into()]);
        args.extend(["-boot_var".into(), "RELEASE_LIB".into(), self.root.join("lib").into()]);
        args.extend(["-args_file".into(), self.folder.join("vm.args").into()]);
        args.extend(["-extra", "--no-halt"].map(OsString::from));
        args
    }

    fn env(&self, given: &Variables, (name, version, mode): (&str, &str, &str)) -> Variables {
        let mut env = given.clone();
        let mut set = |name: &str, value: OsString| {
            env.retain(|(known, _)| known != name);
            env.push((name.into(), value));
        };
        set("RELEASE_ROOT", self.root.into());
        set("RELEASE_VSN", version.into());
        set("RELEASE_COMMAND", "start".into());
        set("RELEASE_PROG", name.into());
        set("RELEASE_MODE", mode.into());
        set("RELEASE_SYS_CONFIG", self.folder.join("sys").into());
        set("EMU", "beam".into());
        set("ROOTDIR", self.root.into());
        set("BINDIR", self.bin.into());
        set("PROGNAME", "erl".into());
        for (name, usual) in [
            ("RELEASE_VM_ARGS", self.folder.join("vm.args").into_os_string()),
            ("RELEASE_REMOTE_VM_ARGS", self.folder.join("remote.vm.args").into()),
            ("RELEASE_BOOT_SCRIPT", "start".into()),
            ("RELEASE_BOOT_SCRIPT_CLEAN", "start_clean".into()),
        ] {
            if value(given, name).is_none_or(OsStr::is_empty) {
                set(name, usual);
            }
        }
        env
    }
}

/// Whether the app's own environment leaves the start as it is.
fn variables(env: &Variables) -> Result<(), Reason> {
    for (name, value) in env {
        let Some(name) = name.to_str() else { continue };
        if OVERRIDES.contains(&name) && !value.is_empty() {
            return Err(Reason::Variable(name.into()));
        }
        let flags = name.starts_with("ERL_") && name.ends_with("FLAGS");
        if let Some(flag) = flag_in(&value.to_string_lossy()).filter(|_| flags) {
            return Err(Reason::Flag { flag, place: name.into() });
        }
    }
    Ok(())
}

/// The first flag that decides what is decided here, outside comments.
fn flag_in(text: &str) -> Option<&'static str> {
    let words = text
        .lines()
        .flat_map(|line| line.split_whitespace().take_while(|word| !word.starts_with('#')));
    let bare = |word: &str| word.replace(['"', '\'', '\\'], "");
    words.map(bare).find_map(|word| FLAGS.into_iter().find(|flag| *flag == word))
}

fn value<'a>(env: &'a Variables, name: &str) -> Option<&'a OsStr> {
    env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
}

/// A version names a folder, and nothing else.
fn is_plain(word: &str) -> bool {
    let right =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+' | b'_');
    !word.is_empty() && !word.starts_with('.') && word.bytes().all(right)
}

fn read(path: &Path, source: io::Error) -> Reason {
    Reason::Read { path: path.to_owned(), source }
}

fn executable(path: &Path) -> Result<(), Reason> {
    let found = path.metadata().map_err(|source| read(path, source))?;
    if found.is_file() && found.permissions().mode() & 0o111 != 0 {
        return Ok(());
    }
    Err(read(path, io::Error::other("it is no program")))
}

fn text(path: &Path, most: u64) -> Result<String, Reason> {
    let bytes = bytes(path, most)?;
    String::from_utf8(bytes).map_err(|error| read(path, io::Error::other(error)))
}

fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, Reason> {
    let whole = || {
        let flags = (OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
        let file = File::options().read(true).custom_flags(flags).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let mut bytes = Vec::new();
        if file.take(most + 1).read_to_end(&mut bytes)? as u64 > most {
            return Err(io::Error::other(format!("it has more than {most} bytes")));
        }
        Ok(bytes)
    };
    whole().map_err(|source| read(path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn flags_that_decide_what_is_decided_here_are_found_outside_comments() {
        assert_eq!(flag_in("+sbwt none\n-setcookie x"), Some("-setcookie"));
        assert_eq!(flag_in("\"-setcookie\" x"), Some("-setcookie"));
        assert_eq!(flag_in("-args\\_file more.args"), Some("-args_file"));
        assert_eq!(flag_in("## -setcookie is configured elsewhere\n+Q 65536 # -boot x\n"), None);
        assert_eq!(flag_in("-bootstrap -homely -kernel x 1"), None);
    }

    #[test]
    fn variables_that_the_scripts_act_on_leave_the_start_to_them() {
        let reason = |name, value| variables(&env(&[(name, value)])).map_err(|it| it.to_string());
        assert_eq!(reason("RELEASE_MODE", "interactive"), Ok(()));
        assert_eq!(reason("RELEASE_VM_ARGS", ""), Ok(()));
        assert!(reason("RELEASE_VM_ARGS", "/x").unwrap_err().contains("RELEASE_VM_ARGS"));
        assert!(reason("ELIXIR_ERL_OPTIONS", "+S 1").is_err());
        assert_eq!(reason("ERL_FLAGS", "+S 1"), Ok(()));
        assert!(reason("ERL_OTP25_FLAGS", "-nocookie").unwrap_err().contains("ERL_OTP25_FLAGS"));
        assert_eq!(reason("SHOP_FLAGS", "-nocookie"), Ok(()));
    }
}

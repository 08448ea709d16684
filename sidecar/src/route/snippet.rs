//! The snippet that the user imports into the app's site block, and the words of the probe in it.
//!
//! A request with the probe's secret is answered by Caddy itself, marked with the slot that it
//! would have gone to. The mark is a `header` directive because Caddy orders that before
//! everything else a site may do, so that a login's 401 or a redirect carries it too.
//! `respond` has a matcher of its own, on the secret alone: while the flag turns between two
//! matchers an answer may lack its mark (the probe asks again), but the app never sees a probe.
//! The snippet names itself as the file that Caddy must see: if it does not, the folder is hidden
//! from it. Both names of the variable that keeps probes out of access logs are set: it was
//! renamed in Caddy 2.8.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use vial_protocol::Slot;

use super::flag::{self, failed};
use super::problem::RouteProblem;
use super::settings::{FILE, Mode, Settings};

/// The request header that carries the probe's secret.
pub(super) const PROBE: &str = "Vial-Probe";
/// The response header that names the slot.
pub(super) const MARK: &str = "Vial-Slot";
/// The variable by which a running configuration tells whose snippet it has.
pub(super) const OWNER: &str = "vial_route";
/// The mark where Caddy cannot see the route folder.
pub(super) const HIDDEN: &str = "hidden";

/// What the probe sends, and what only Caddy can answer.
///
/// Both depend on all that the snippet says, so that a Caddy that runs an older copy, with other
/// ports, does not pass for one that runs this one.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) ask: String,
    pub(super) answer: String,
}

impl Words {
    pub(super) fn of(settings: &Settings) -> Words {
        let word = |purpose: &str| {
            let mut hash = Sha256::new();
            for part in [
                purpose,
                settings.token.secret(),
                &settings.app,
                &settings.folder.to_string_lossy(),
                &settings.dial(Slot::Blue),
                &settings.dial(Slot::Green),
                if settings.mode == Mode::File { "file" } else { "admin" },
            ] {
                hash.update(part.len().to_be_bytes());
                hash.update(part.as_bytes());
            }
            hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        Words { ask: word("ask"), answer: word("answer") }
    }
}

/// The snippet's text. `active` matters in admin mode only, where it is part of the text.
pub(super) fn text(settings: &Settings, active: Slot) -> String {
    let Words { ask, answer } = Words::of(settings);
    let app = &settings.app;
    let folder = settings.folder.display();
    let line = settings.import_line();
    let (blue, green) = (settings.dial(Slot::Blue), settings.dial(Slot::Green));
    let head = format!(
        "# Written by Vial for {app}; do not edit: it is written anew.\n\
         # In the site block of {app}:  {line}\n\
         @vial_{app}_probe header {PROBE} {ask}\n\
         vars @vial_{app}_probe {{\n\
         \tskip_log true\n\
         \tlog_skip true\n\
         \t{OWNER} {folder}\n\
         }}\n"
    );
    let body = match settings.mode {
        Mode::File => {
            let file =
                |name: &str| format!("file {{\n\t\troot {folder}\n\t\ttry_files {name}\n\t}}");
            let on = file(&format!("/{}", flag::NAME));
            let seen = file(&format!("/{FILE}"));
            let either = file(&format!("/{FILE} /{}", flag::NAME));
            let mark = |state: &str, conditions: &str| {
                format!(
                    "@vial_{app}_probe_{state} {{\n\theader {PROBE} {ask}\n{conditions}}}\n\
                     header @vial_{app}_probe_{state} {MARK} \"{state} {answer}\"\n"
                )
            };
            [
                mark("green", &format!("\t{on}\n")),
                mark("blue", &format!("\t{seen}\n\tnot {on}\n")),
                mark(HIDDEN, &format!("\tnot {either}\n")),
                format!("respond @vial_{app}_probe 204\n"),
                format!(
                    "@vial_{app}_green file {{\n\troot {folder}\n\ttry_files /{}\n}}\n",
                    flag::NAME
                ),
                format!("reverse_proxy @vial_{app}_green {green}\n"),
                format!("reverse_proxy {blue}\n"),
            ]
            .concat()
        }
        // The probe goes through to the slot, because only then does Caddy tell which one it took:
        // one PATCH changes the upstream, and nothing beside it that a fixed answer could follow.
        Mode::Admin { .. } => format!(
            "header @vial_{app}_probe {{\n\
             \t{MARK} \"{{http.reverse_proxy.upstream.port}} {answer}\"\n\
             \tdefer\n\
             }}\n\
             # Never matches: it keeps Caddy's counters of both slots, so that a drain can be seen.\n\
             @vial_{app}_never not path *\n\
             reverse_proxy @vial_{app}_never {blue} {green}\n\
             reverse_proxy {} {{\n\
             \theader_up -{PROBE}\n\
             }}\n",
            settings.dial(active)
        ),
    };
    head + &body
}

/// What preparing a route did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The snippet's path.
    pub snippet: PathBuf,
    /// The line that belongs into the app's site block.
    pub import_line: String,
    /// Whether the snippet is new or other than before, so that Caddy must be reloaded.
    pub changed: bool,
    /// The first folder on the way that other users cannot pass, with its mode: a Caddy of
    /// another user will not see the flag.
    pub closed: Option<(PathBuf, u32)>,
}

/// Creates the route folder and writes the snippet.
pub(super) fn prepare(settings: &Settings, active: Slot) -> Result<Prepared, RouteProblem> {
    let folder = &settings.folder;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)
        .map_err(|error| failed("creating", folder.clone(), error))?;
    let mode = fs::metadata(folder)
        .map_err(|error| failed("reading", folder.clone(), error))?
        .permissions()
        .mode();
    // Whatever the umask was.
    if mode & 0o777 != 0o755 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
            .map_err(|error| failed("opening to Caddy", folder.clone(), error))?;
    }
    let changed = write(settings, active)?;
    Ok(Prepared {
        snippet: folder.join(FILE),
        import_line: settings.import_line(),
        changed,
        closed: super::visible::closed(folder),
    })
}

/// Writes the snippet where it is not as it should be, and says whether it was not.
pub(super) fn write(settings: &Settings, active: Slot) -> Result<bool, RouteProblem> {
    let path = settings.folder.join(FILE);
    let wanted = text(settings, active);
    if fs::read_to_string(&path).is_ok_and(|present| present == wanted) {
        return Ok(false);
    }
    let aside = settings.folder.join(".Caddyfile.new");
    replace(&aside, &path, &wanted).map_err(|error| failed("writing", path, error))?;
    flag::Flag::new(&settings.folder).keep()?;
    Ok(true)
}

fn replace(aside: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    let mut file: File =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(aside)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    file.sync_all()?;
    fs::rename(aside, path)
}

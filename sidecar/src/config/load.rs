//! Reads the host file and the apps beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use vial_protocol::{Code, Problem};

use super::app::AppConfig;
use super::app_file::{self, AppFile};
use super::cross::{self, Checked};
use super::document::{Document, NoDocument};
use super::entry::quoted;
use super::finding::{ConfigError, Finding, shown};
use super::host::HostConfig;
use super::users::Daemon;
use super::{host_file, text};

/// The host file, where nothing names another.
pub const DEFAULT_FILE: &str = "/etc/vial/vial.toml";

/// The environment variable that names another host file.
pub const ENV_VAR: &str = "VIAL_CONFIG";

/// Where the host file is: as the flag says, else as the environment variable does, else the
/// usual place. An empty variable is none.
#[must_use]
pub fn location(flag: Option<&Path>, variable: Option<&OsStr>) -> PathBuf {
    let variable = variable.filter(|value| !value.is_empty()).map(Path::new);
    flag.or(variable).unwrap_or(Path::new(DEFAULT_FILE)).to_owned()
}

/// The whole configuration, as it was read at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The host.
    pub host: HostConfig,
    /// The apps whose files are right, by name.
    pub apps: BTreeMap<String, AppConfig>,
    /// The apps whose files are not, by the name of the file: neither new nor gone.
    pub broken: BTreeSet<String>,
    /// What is wrong with those files.
    pub problems: Vec<Problem>,
    /// What is written in a file and does not hold in this version, or may not be meant.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// Reads the host file at this path and the apps' files, for a daemon that runs as this
    /// process does.
    ///
    /// # Errors
    ///
    /// Where the host file is missing or wrong, or the apps' folder cannot be listed. A wrong app
    /// is in [`Config::problems`] instead.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        Config::load_as(path, geteuid().is_root())
    }

    /// The same, for a daemon that may become another user, or may not.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn load_as(path: &Path, privileged: bool) -> Result<Config, ConfigError> {
        let (host, warnings) = read_host(path, privileged)?;
        let mut loading = Loading {
            daemon: Daemon::current(privileged),
            apps: BTreeMap::new(),
            broken: BTreeSet::new(),
            problems: Vec::new(),
        };
        for path in app_files(&host.apps_dir)? {
            loading.read(path);
        }
        let mut config = loading.finish(host);
        config.warnings.splice(0..0, warnings.iter().map(Finding::warning));
        Ok(config)
    }
}

impl HostConfig {
    /// Reads the host file alone: what a command needs to find the daemon.
    ///
    /// # Errors
    ///
    /// Where the file is missing or wrong.
    pub fn load(path: &Path) -> Result<HostConfig, ConfigError> {
        read_host(path, geteuid().is_root()).map(|(host, _)| host)
    }
}

fn read_host(path: &Path, privileged: bool) -> Result<(HostConfig, Vec<Finding>), ConfigError> {
    let path = std::path::absolute(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    match Document::read(&path, privileged) {
        Ok(document) => host_file::read(document).map_err(|all| ConfigError::invalid(&path, &all)),
        Err(NoDocument::Refused(finding)) => Err(ConfigError::invalid(&path, &[finding])),
        Err(NoDocument::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            Err(ConfigError::Missing { file: path })
        }
        Err(NoDocument::Io(source)) => Err(ConfigError::Unreadable { path, source }),
    }
}

/// The apps' files, by name. Hidden ones are an editor's, and others than `*.toml` are left alone.
fn app_files(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension() == Some(OsStr::new("toml")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

struct Loading {
    daemon: Daemon,
    apps: BTreeMap<String, (PathBuf, AppFile)>,
    broken: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Loading {
    fn read(&mut self, path: PathBuf) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !text::is_app_name(&stem) {
            let finding = Finding {
                file: path,
                place: None,
                what: format!("{} as an app's name", quoted(&stem)),
                hint: "the file's name is the app's: a small letter, then at most 31 small \
                       letters, digits and _, such as shop.toml"
                    .into(),
            };
            self.refuse(stem, &[finding]);
            return;
        }
        let document = match Document::read(&path, self.daemon.privileged) {
            Ok(document) => document,
            Err(NoDocument::Refused(finding)) => return self.refuse(stem, &[finding]),
            // Taken away since the folder was listed: the app is gone, not broken. A link that
            // leads nowhere is still there.
            Err(NoDocument::Io(error))
                if error.kind() == io::ErrorKind::NotFound
                    && fs::symlink_metadata(&path).is_err() =>
            {
                return;
            }
            Err(NoDocument::Io(error)) => {
                let message = format!("cannot read {}: {error}", shown(&path));
                self.broken.insert(stem);
                self.problems.push(Problem::new(Code::Configuration, message));
                return;
            }
        };
        match app_file::read(document, &stem, &self.daemon) {
            Ok(app) => {
                self.apps.insert(stem, (path, app));
            }
            Err(findings) => self.refuse(stem, &findings),
        }
    }

    fn refuse(&mut self, name: String, findings: &[Finding]) {
        self.problems.extend(findings.iter().map(Finding::problem));
        self.broken.insert(name);
    }

    fn finish(mut self, host: HostConfig) -> Config {
        let apps = std::mem::take(&mut self.apps);
        let Checked { kept, refused } = cross::check(&host, apps, self.daemon.privileged);
        for (name, findings) in refused {
            self.refuse(name, &findings);
        }
        let mut warnings = Vec::new();
        for app in kept.values() {
            warnings.extend(app.warnings.iter().map(Finding::warning));
            if let Some(user) = app.config.user.as_ref().filter(|_| self.daemon.privileged)
                && user.is_member(&host.operators_group)
            {
                warnings.push(Problem::new(
                    Code::Configuration,
                    format!(
                        "the user {} of the app {} belongs to the group {}, so whatever runs in \
                         the app may control every app: take it out with `gpasswd -d {} {}`",
                        user.name,
                        app.config.name,
                        host.operators_group,
                        user.name,
                        host.operators_group,
                    ),
                ));
            }
        }
        let apps = kept.into_iter().map(|(name, app)| (name, app.config)).collect();
        Config { host, apps, broken: self.broken, problems: self.problems, warnings }
    }
}

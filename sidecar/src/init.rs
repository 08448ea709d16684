//! `vial init`: writes the configuration's files, explained, and says what comes next.
//!
//! Everything is checked first, against the rules that the files are read by and against the apps
//! that are there; then they are written, and none is ever overwritten. `steps` is what comes next,
//! `link` the first login to the dashboard of a daemon that runs.

mod link;
mod steps;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nix::unistd::{User, geteuid};
use vial::cli::args::{Global, Init};
use vial::cli::exit::Exit;
use vial::config::{
    self, AppConfig, BadName, Config, ConfigError, HostConfig, Ports, WriteError, app_template,
    check_names, host_template, own_host_template, write_new,
};

use steps::Written;

/// The first ports that are given out.
const FIRST_PORT: u16 = 4000;
/// No pair of ports begins after it.
const LAST_PORT: u16 = 32_000;

/// Why nothing was written. For the person who typed the command.
#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error(transparent)]
    Name(#[from] BadName),
    #[error(
        "{user} is root: a release must not be able to change the host. Name a user that is this app's alone with --user"
    )]
    Root { user: String },
    #[error("{0} says how, for an app: name it, as in `vial init shop {0} …`")]
    WithoutApp(&'static str),
    #[error("{what} belongs to the app {owner} already: choose another with {option}")]
    Taken { what: String, owner: String, option: &'static str },
    #[error(
        "{0}. Which ports that app has is not known before: correct it first, or choose two with \
         --ports"
    )]
    Broken(String),
    #[error("no two neighbouring ports are left: name two with --ports")]
    NoPorts,
    #[error("{0}. Correct it first, so that the new app fits to what is there")]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Write(WriteError),
    #[error("{0}. Use sudo, or name a folder of your own with --dir")]
    Denied(WriteError),
}

impl From<WriteError> for InitError {
    fn from(error: WriteError) -> Self {
        match &error {
            WriteError::Io { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
                InitError::Denied(error)
            }
            _ => InitError::Write(error),
        }
    }
}

impl InitError {
    fn exit(&self) -> Exit {
        match self {
            InitError::Name(_) | InitError::Root { .. } | InitError::WithoutApp(_) => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

/// `vial init`
pub fn init(global: &Global, args: &Init) -> ExitCode {
    match write(global, args) {
        Ok(written) => {
            let said = if global.json { written.json() } else { written.page(global.quiet) };
            println!("{}", said.trim_end());
            Exit::Done.into()
        }
        Err(error) => {
            eprintln!("vial: {error}.");
            error.exit().into()
        }
    }
}

/// An app as it will be written.
struct NewApp {
    name: String,
    release: String,
    hosts: Vec<String>,
    user: Option<String>,
}

fn write(global: &Global, args: &Init) -> Result<Written, InitError> {
    let app = args.app.as_deref().map(|name| new_app(name, args)).transpose()?;
    if app.is_none() {
        without_app(args)?;
    }
    let file = host_file(global, args);
    let there = file.symlink_metadata().is_ok();
    let config = there.then(|| Config::load(&file)).transpose()?;
    let apps_dir = match &config {
        Some(config) => config.host.apps_dir.clone(),
        None => file.with_file_name("apps"),
    };
    // All that can be refused is refused before the first file is written.
    let text = match &app {
        None => None,
        Some(app) => {
            let path = apps_dir.join(format!("{}.toml", app.name));
            if path.symlink_metadata().is_ok() {
                return Err(WriteError::Exists { path }.into());
            }
            Some((path, app_text(app, args, config.as_ref())?))
        }
    };
    let (mut wrote, mut kept) = (Vec::new(), Vec::new());
    if there {
        kept.push(file.clone());
    } else {
        let moved = args.dir.is_some() || file != Path::new(config::DEFAULT_FILE);
        // Only root may use the usual folders.
        let own = moved && !geteuid().is_root();
        write_new(&file, &if own { own_host_template() } else { host_template() })?;
        wrote.push(file.clone());
    }
    if let Some((path, text)) = text {
        write_new(&path, &text)?;
        wrote.push(path);
    }
    let host = HostConfig::load(&file)?;
    let steps = steps::steps(&host, app.as_ref());
    Ok(Written { wrote, kept, steps })
}

fn new_app(name: &str, args: &Init) -> Result<NewApp, InitError> {
    let release = args.release.as_deref().unwrap_or(name);
    let hosts: Vec<&str> = args.hosts.iter().map(String::as_str).collect();
    check_names(name, release, &hosts, args.user.as_deref())?;
    let mut hosts: Vec<String> = Vec::new();
    for host in args.hosts.iter().map(|host| host.to_lowercase()) {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    // A daemon that runs as root starts no app without a user of its own.
    let usual = geteuid().is_root().then(|| name.to_owned());
    let user = args.user.clone().or(usual);
    if let Some(user) = &user
        && let Ok(Some(known)) = User::from_name(user)
        && (known.uid.is_root() || known.gid.as_raw() == 0)
    {
        return Err(InitError::Root { user: user.clone() });
    }
    Ok(NewApp { name: name.to_owned(), release: release.to_owned(), hosts, user })
}

fn without_app(args: &Init) -> Result<(), InitError> {
    let given = [
        ("--release", args.release.is_some()),
        ("--host", !args.hosts.is_empty()),
        ("--ports", args.ports.is_some()),
        ("--user", args.user.is_some()),
    ];
    let first = given.into_iter().find_map(|(option, given)| given.then_some(option));
    first.map_or(Ok(()), |option| Err(InitError::WithoutApp(option)))
}

/// The app's file, where nothing that it wants is another's.
fn app_text(app: &NewApp, args: &Init, config: Option<&Config>) -> Result<String, InitError> {
    let others: Vec<&AppConfig> = config.iter().flat_map(|it| it.apps.values()).collect();
    let taken = |what: String, owner: &AppConfig, option| {
        Err(InitError::Taken { what, owner: owner.name.clone(), option })
    };
    let with_port = |port: u16| {
        others.iter().find(|it| it.ports.is_some_and(|it| it.blue == port || it.green == port))
    };
    for host in &app.hosts {
        if let Some(owner) = others.iter().find(|it| it.hosts.contains(host)) {
            return taken(format!("the host {host}"), owner, "--host");
        }
    }
    if let Some(user) = app.user.as_ref().filter(|_| geteuid().is_root())
        && let Some(owner) =
            others.iter().find(|it| it.user.as_ref().is_some_and(|it| it.name == *user))
    {
        return taken(format!("the user {user}"), owner, "--user");
    }
    let ports = match args.ports {
        Some((blue, green)) => {
            for port in [blue, green] {
                if let Some(owner) = with_port(port) {
                    return taken(format!("port {port}"), owner, "--ports");
                }
            }
            Ports { blue, green }
        }
        None if config.is_some_and(|config| !config.broken.is_empty()) => {
            let problem = config.and_then(|config| config.problems.first());
            let said = problem.map(|it| it.message.clone()).unwrap_or_default();
            return Err(InitError::Broken(said));
        }
        None => (FIRST_PORT..=LAST_PORT)
            .step_by(2)
            .find(|blue| with_port(*blue).or(with_port(blue + 1)).is_none())
            .map(|blue| Ports { blue, green: blue + 1 })
            .ok_or(InitError::NoPorts)?,
    };
    let hosts: Vec<&str> = app.hosts.iter().map(String::as_str).collect();
    Ok(app_template(&app.name, &app.release, ports, &hosts, app.user.as_deref()))
}

fn host_file(global: &Global, args: &Init) -> PathBuf {
    let file = match (&args.dir, &global.config) {
        (Some(folder), _) => folder.join("vial.toml"),
        (None, file) => config::location(file.as_deref(), None),
    };
    std::path::absolute(&file).unwrap_or(file)
}

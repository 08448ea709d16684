//! What each command of the command line takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use vial_protocol::{EnvironmentChoice, Slot, StandbyMode};

/// `vial deploy`
#[derive(Debug, Args)]
pub struct Deploy {
    /// The app
    pub app: String,
    /// A release folder, a .tar.gz of one, or - for standard input
    #[arg(required_unless_present = "reference", conflicts_with = "reference")]
    pub path: Option<PathBuf>,
    /// Build this branch, tag or whole commit id of the app's repository instead
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Return once the daemon has the release, or has taken the build, and let the deployment go on
    #[arg(long)]
    pub detach: bool,
    /// Go ahead where it brings a destructive migration, which the release that serves meets
    #[arg(long)]
    pub allow_destructive: bool,
}

/// `vial redeploy`
#[derive(Debug, Args)]
pub struct Redeploy {
    /// The app
    pub app: String,
    /// The deployment whose commit is built [default: the one that serves]
    pub number: Option<u64>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Return once it is accepted, and let it go on
    #[arg(long)]
    pub detach: bool,
    /// Go ahead where it brings a destructive migration, which the release that serves meets
    #[arg(long)]
    pub allow_destructive: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `vial rollback`
#[derive(Debug, Args)]
pub struct Rollback {
    /// The app
    pub app: String,
    /// Go back to the release of this deployment
    #[arg(long, value_name = "N")]
    pub to: Option<u64>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Print what it would do, and do nothing
    #[arg(long)]
    pub plan: bool,
    /// Cancel the deployment in progress first
    #[arg(long)]
    pub cancel: bool,
    /// Return once it is accepted, and let it go on
    #[arg(long)]
    pub detach: bool,
    /// Leave the migrations that the older release does not know as they are
    #[arg(long, conflicts_with = "revert_migrations")]
    pub keep_migrations: bool,
    /// Revert them, in the release that is left
    #[arg(long)]
    pub revert_migrations: bool,
    /// Start it with the environment that it ran with (own; what is marked secret is today's), or
    /// with all of today's (current)
    #[arg(long, value_name = "WHICH", default_value = "own", hide_default_value = true)]
    pub env: EnvironmentChoice,
    /// Do not ask, whatever stands in the way; keeps migrations unless told to revert them
    #[arg(long)]
    pub force: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// A command that needs the app's name only.
#[derive(Debug, Args)]
pub struct App {
    /// The app
    pub app: String,
}

/// `vial status`
#[derive(Debug, Args)]
pub struct Status {
    /// The app; all of them where absent
    pub app: Option<String>,
    /// Show each change until Ctrl-C
    #[arg(long, short)]
    pub watch: bool,
}

/// `vial history`
#[derive(Debug, Args)]
pub struct History {
    /// The app
    pub app: String,
    /// How many deployments
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Those before this one
    #[arg(long, value_name = "N")]
    pub before: Option<u64>,
}

/// `vial show`
#[derive(Debug, Args)]
pub struct Show {
    /// The app
    pub app: String,
    /// The deployment's number
    pub number: u64,
}

/// `vial logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// The app
    pub app: String,
    /// blue or green; the active one where absent
    #[arg(long, short)]
    pub slot: Option<Slot>,
    /// What the build of this deployment printed
    #[arg(long, value_name = "N", conflicts_with_all = ["slot", "since"])]
    pub build: Option<u64>,
    /// Go on with what comes, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// How many of the last lines; 100 where neither this nor a time is said
    #[arg(long, short = 'n', value_name = "N")]
    pub lines: Option<u32>,
    /// What was written since: 10m ago, or "2026-03-01 06:03"; up to a minute more
    #[arg(long, value_name = "TIME", value_parser = super::when::parse)]
    pub since: Option<jiff::Timestamp>,
}

/// `vial restart`
#[derive(Debug, Args)]
pub struct Restart {
    /// The app
    pub app: String,
    /// Stop and start it in its own slot, with an interruption
    #[arg(long)]
    pub in_place: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Return once it is accepted, and let it go on
    #[arg(long)]
    pub detach: bool,
}

/// `vial standby`
#[derive(Debug, Args)]
pub struct Standby {
    /// The app
    pub app: String,
    /// What it is kept as
    #[arg(value_parser = modes())]
    pub mode: StandbyMode,
    /// How long, before it is stopped: 1s to 24h [default: as the app's file says]
    #[arg(long = "for", value_name = "TIME", value_parser = super::when::lasts)]
    pub lasts: Option<Duration>,
    /// Return once it is accepted, and let it go on
    #[arg(long)]
    pub detach: bool,
}

/// The words of the protocol, which completions offer too.
fn modes() -> impl TypedValueParser<Value = StandbyMode> {
    PossibleValuesParser::new(["cold", "warm", "frozen"])
        .try_map(|word| word.parse::<StandbyMode>())
}

/// `vial env`
#[derive(Debug, Args)]
pub struct Env {
    /// The app
    pub app: String,
    /// What to do.
    #[command(subcommand)]
    pub action: EnvAction,
}

/// What `vial env` does.
#[derive(Debug, Subcommand)]
pub enum EnvAction {
    /// List the names, and what waits for the next start
    List {
        /// Show the values too; operators may
        #[arg(long)]
        reveal: bool,
    },
    /// Set one variable; its value comes from a prompt, standard input or a file
    Set(EnvSet),
    /// Unset variables
    Unset {
        /// Their names
        #[arg(required = true, value_name = "KEY")]
        names: Vec<String>,
    },
    /// Set all variables of a file; what it does not name stays
    Import(EnvImport),
}

/// `vial env APP set`
#[derive(Debug, Args)]
pub struct EnvSet {
    /// Its name; never KEY=VALUE, which others could see
    #[arg(required = true, value_name = "KEY")]
    pub names: Vec<String>,
    /// Read the value from this file; the end of its last line is not part of it
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Whether it is secret.
    #[command(flatten)]
    pub mark: EnvMark,
}

/// `vial env APP import`
#[derive(Debug, Args)]
pub struct EnvImport {
    /// Lines of NAME=value, as in an env_file; - for standard input
    #[arg(value_name = "FILE")]
    pub path: PathBuf,
    /// Whether they are secret.
    #[command(flatten)]
    pub mark: EnvMark,
}

/// Whether what is set is secret; as it was where neither is said.
#[derive(Debug, Clone, Copy, Args)]
pub struct EnvMark {
    /// Mark it secret: a rollback too takes today's value, so that what was revoked stays gone
    #[arg(long)]
    pub secret: bool,
    /// Take the mark away
    #[arg(long, conflicts_with = "secret")]
    pub not_secret: bool,
}

/// `vial migrations`
#[derive(Debug, Args)]
pub struct Migrations {
    /// The app
    pub app: String,
    /// The release of this deployment; the one that serves where absent
    #[arg(long, value_name = "N")]
    pub release: Option<u64>,
    /// Revert this version and all that came after it
    #[arg(long, value_name = "VERSION", conflicts_with = "up")]
    pub down_to: Option<u64>,
    /// Apply whatever is not applied
    #[arg(long)]
    pub up: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `vial console`
#[derive(Debug, Args)]
pub struct Console {
    /// The app
    pub app: String,
    /// blue or green; the active one where absent
    #[arg(long, short)]
    pub slot: Option<Slot>,
    /// The release of this deployment, which need not run
    #[arg(long, value_name = "N", conflicts_with = "slot")]
    pub release: Option<u64>,
}

/// `vial auto-deploy`
#[derive(Debug, Args)]
pub struct AutoDeploy {
    /// The app
    pub app: String,
    /// What of it; how it stands where absent
    pub what: Option<AutoDeployWhat>,
    /// With `secret`: put a new one in place of the old one
    #[arg(long)]
    pub rotate: bool,
}

/// What of auto-deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AutoDeployWhat {
    /// Deploy new commits by themselves
    On,
    /// Deploy when somebody asks for it
    Off,
    /// Print the secret of the app's webhooks
    Secret,
}

/// `vial rpc` and `vial eval`
#[derive(Debug, Args)]
pub struct Evaluate {
    /// The app
    pub app: String,
    /// An Elixir expression
    #[arg(allow_hyphen_values = true)]
    pub expression: String,
    /// blue or green; the active one where absent
    #[arg(long, short)]
    pub slot: Option<Slot>,
}

/// `vial caddy`
#[derive(Debug, Subcommand)]
pub enum Caddy {
    /// Print the snippet that the Caddyfile imports
    #[command(after_help = "Example:
  vial caddy snippet shop")]
    Snippet(App),
}

/// `vial serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Tell whether this binary would start: the configuration, the state folder and the history;
    /// change nothing, also while another daemon runs
    #[arg(long)]
    pub check: bool,
}

/// `vial down`
#[derive(Debug, Args)]
pub struct Down {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `vial upgrade`
#[derive(Debug, Args)]
pub struct Upgrade {
    /// The new binary [default: the file that the running daemon was started from]
    #[arg(long, value_name = "PATH")]
    pub binary: Option<PathBuf>,
    /// For a package's script: where it cannot be done, warn, leave the old daemon, and end with 0
    #[arg(long)]
    pub package: bool,
}

/// `vial init`
#[derive(Debug, Args)]
pub struct Init {
    /// The app; the host's own configuration only where absent
    pub app: Option<String>,
    /// The release's name, where it is not the app's
    #[arg(long, value_name = "NAME")]
    pub release: Option<String>,
    /// A host name that it answers to; may be repeated
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// The ports of its slots, blue first: 4000,4001
    #[arg(long, value_name = "BLUE,GREEN", value_parser = two_ports)]
    pub ports: Option<(u16, u16)>,
    /// The user that it runs as
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Where the configuration is written [default: /etc/vial]
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
}

fn two_ports(text: &str) -> Result<(u16, u16), &'static str> {
    text.split_once(',')
        .and_then(|(blue, green)| Some((blue.trim().parse().ok()?, green.trim().parse().ok()?)))
        .filter(|(blue, green)| blue != green && *blue != 0 && *green != 0)
        .ok_or("two different ports belong here, blue first: 4000,4001")
}

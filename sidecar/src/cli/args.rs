//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use vial_protocol::{EnvironmentChoice, Slot};

use super::exit;

/// Runs a BEAM release in two slots behind Caddy, and takes a bad deploy back in seconds
#[derive(Debug, Parser)]
#[command(name = "vial", version, after_help = exit::HELP, propagate_version = true)]
#[command(disable_help_subcommand = true)]
pub struct CommandLine {
    /// What applies to every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What applies to every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "For every command")]
pub struct Global {
    /// The daemon's socket [default: the one in the configuration, or /run/vial/vial.sock]
    #[arg(long, global = true, value_name = "PATH", env = "VIAL_SOCKET", hide_env_values = true)]
    pub socket: Option<PathBuf>,
    /// The host's configuration file [default: /etc/vial/vial.toml]
    #[arg(long, global = true, value_name = "PATH", env = "VIAL_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Print JSON for programs, and nothing else on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Print the outcome only, not the progress
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring a release and make it active
    ///
    /// The release starts in the idle slot while the active one serves. When it is healthy, Caddy
    /// is switched to it; the release before it stays ready until the bake ends.
    #[command(after_help = "Examples:
  vial deploy shop _build/prod/rel/shop
  vial deploy shop shop-2.0.0.tar.gz --reason 'new checkout'
  ssh build.example.com cat shop.tar.gz | vial deploy shop -
  vial deploy shop --ref main           build the branch here, as `[source]` says, and deploy it")]
    Deploy(Deploy),
    /// Build the commit of a deployment afresh, with today's environment, and make it active
    ///
    /// Of an older deployment: migrations that came after it stay.
    #[command(after_help = "Examples:
  vial redeploy shop                    the commit that serves
  vial redeploy shop 7 --yes            that of deployment 7, without a question")]
    Redeploy(Redeploy),
    /// Put the previous release back
    ///
    /// Shows the plan and, on a terminal, asks. Needs no build, and leaves the database alone unless
    /// it is told otherwise. Where a destructive migration stands in the way, it wants to be told.
    #[command(after_help = "Examples:
  vial rollback shop
  vial rollback shop --plan             what it would do, and nothing more
  vial rollback shop --to 5 --yes       the release of deployment 5, without a question
  vial rollback shop --cancel           cancel the deployment in progress first
  vial rollback shop --revert-migrations
                                        revert what the older release does not know, then switch")]
    Rollback(Rollback),
    /// Cancel the deployment in progress, before it is live
    #[command(after_help = "Example:
  vial cancel shop
Once it is live, `vial rollback shop` takes it back.")]
    Cancel(App),
    /// Show what serves, its health, and what is in progress
    #[command(after_help = "Examples:
  vial status
  vial status shop --watch
  vial status shop --json | jq -r .serving.version")]
    Status(Status),
    /// List an app's deployments, newest first
    #[command(after_help = "Example:
  vial history shop --limit 50")]
    History(History),
    /// Show one deployment with its steps and its error
    #[command(after_help = "Example:
  vial show shop 7")]
    Show(Show),
    /// Print a slot's log, or that of a build
    #[command(after_help = "Examples:
  vial logs shop                        the active slot's last lines
  vial logs shop --slot green -f        follow the other one
  vial logs shop --since 2h | less      all that is kept of the last two hours
  vial logs shop --since 06:00 -n 500   the last 500 lines of it
  vial logs shop --build 7              what the build of deployment 7 printed")]
    Logs(Logs),
    /// List the apps
    Apps,
    /// Stop an app until it is started again
    Stop(App),
    /// Start an app that was stopped
    Start(App),
    /// Stop every app of the host until `vial up`
    ///
    /// Each slot gets its SIGTERM and its time, as `vial stop` does it for one app. The daemon runs
    /// on and keeps them stopped, also across a boot; `systemctl stop vial` alone ends no slot.
    #[command(after_help = "Examples:
  vial down
  vial down --yes && systemctl stop vial.socket vial")]
    Down(Down),
    /// Start again what `vial down` stopped
    ///
    /// An app that `vial stop` had stopped before stays stopped.
    Up,
    /// Start the active release again, with today's environment
    ///
    /// It starts in the idle slot and takes the traffic once it is healthy: no request is lost.
    #[command(after_help = "Examples:
  vial restart shop --reason 'new DATABASE_URL'
  vial restart shop --in-place          in its own slot, with an interruption")]
    Restart(Restart),
    /// Show and set the variables that an app's releases start with
    ///
    /// They are sealed on the disk, and shown to nobody unless an operator asks with --reveal. A
    /// change takes effect with the next deploy or restart. A rollback starts with what its release
    /// ran with, but with today's value of what is marked secret. A value never stands on a command
    /// line: it comes from a prompt, standard input or a file.
    #[command(after_help = "Examples:
  vial env shop list
  vial env shop set POOL_SIZE           asks for the value
  pass show shop/db | vial env shop set DATABASE_URL --secret
  vial env shop set TLS_KEY --secret --from key.pem
  vial env shop import .env.prod        lines of NAME=value
  vial env shop unset POOL_SIZE")]
    Env(Env),
    /// Show which migrations are applied, and move them
    ///
    /// As one release sees it: the one that serves, or another that is on the disk. What a rollback
    /// left applied is reverted in the release that brought it, which alone has the files.
    #[command(after_help = "Examples:
  vial migrations shop
  vial migrations shop --release 11 --down-to 20240301000000
                                        reverts that one and what came after it
  vial migrations shop --release 11 --up")]
    Migrations(Migrations),
    /// Open IEx in the running release, or on one that does not run
    #[command(after_help = "Examples:
  vial console shop
  vial console shop --release 11        a clean IEx: no traffic, the app is not started
Ctrl-] leaves the console; the release goes on.")]
    Console(Console),
    /// Evaluate an expression in the running release
    #[command(after_help = "Example:
  vial rpc shop 'IO.inspect(Shop.Orders.count())'")]
    Rpc(Evaluate),
    /// Evaluate an expression in a fresh instance of the release, its application not started
    #[command(after_help = "Example:
  vial eval shop 'Shop.Release.migrate()'")]
    Eval(Evaluate),
    /// Show whether new commits are deployed by themselves, or switch that
    ///
    /// On, the tip of the app's branch is deployed whenever it is new: told by a webhook, found by
    /// asking the repository (`poll`), or pushed. A rollback leaves this as it was; what was rolled
    /// back, or failed, is not deployed again by itself.
    #[command(after_help = "Examples:
  vial auto-deploy shop
  vial auto-deploy shop on
  vial auto-deploy shop secret          what the forge's webhook must know
  vial auto-deploy shop secret --rotate a new one, and the old one is refused")]
    AutoDeploy(AutoDeploy),
    /// Make a repository on this host that deploys what is pushed to it
    #[command(after_help = "Example:
  vial git-init shop
  git push ssh://www.example.com/var/lib/vial/git/shop.git main")]
    GitInit(App),
    /// What Git runs after a push to that repository
    #[command(hide = true)]
    PostReceive(App),
    /// What Caddy needs to know
    Caddy {
        /// What of it.
        #[command(subcommand)]
        what: Caddy,
    },
    /// Make the daemon read its configuration again
    Reload,
    /// Run the daemon
    Serve(Serve),
    /// Write a commented configuration for the host, and for an app
    #[command(after_help = "Example:
  vial init shop --host shop.example.com --ports 4000,4001 --user shop")]
    Init(Init),
    /// Check the configuration, Caddy and the host, and name what is wrong
    Doctor,
    /// Put the daemon on the binary that is installed now; the slots run on
    ///
    /// The new binary checks the configuration and the history first (`vial serve --check`). Only
    /// where it would start, the daemon is restarted by systemd; otherwise the old one runs on.
    #[command(after_help = "Examples:
  sudo install target/release/vial /usr/local/bin/ && sudo vial upgrade
  vial upgrade --package                as a package's script: a failed check is a warning")]
    Upgrade(Upgrade),
    /// Print the completions of a shell
    #[command(after_help = "Example:
  vial completions bash >~/.local/share/bash-completion/completions/vial
The Debian package brings those of bash, zsh and fish.")]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

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

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;

//! The command line: which commands there are. What each takes stands in [`options`](super::options).

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub use super::options::*;
pub use super::options_access::*;

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
    /// Change what the idle slot is kept as, for the next rollback
    ///
    /// cold: it is stopped, and a rollback starts its release anew. warm: its release runs on,
    /// without traffic. frozen: its release came to rest and was stopped by SIGSTOP; it takes memory,
    /// and no processor. Where nothing runs there, the release that a rollback goes to is started
    /// for it. It holds until the next deployment uses the slot; what holds after each deploy stands
    /// in the app's file (`standby`).
    #[command(after_help = "Examples:
  vial standby shop frozen
  vial standby shop warm --for 2h       through a launch: a rollback is one switch
  vial standby shop cold                its memory is needed now
Ends with 1 where the slot became something else, and says why.")]
    Standby(Standby),
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
    /// Make a link by which somebody comes into the dashboard first
    ///
    /// Whoever opens it sets the user's password and is logged in. It serves once, for an hour.
    #[command(after_help = "Examples:
  vial login-link anna                  an admin
  vial login-link ben --role viewer")]
    LoginLink(LoginLink),
    /// The dashboard's users: make, list, change and remove them
    ///
    /// A viewer looks; a deployer also deploys, rolls back and restarts; an admin may do everything.
    /// A password never stands on a command line: it is asked for, read from standard input, or made.
    User {
        /// What to do.
        #[command(subcommand)]
        what: UserWhat,
    },
    /// API tokens for programs: make, list and remove them
    Token {
        /// What to do.
        #[command(subcommand)]
        what: TokenWhat,
    },
    /// Who is logged in to the dashboard, and ending that
    Session {
        /// What to do.
        #[command(subcommand)]
        what: SessionWhat,
    },
    /// Show who did what, from where and with which outcome
    #[command(after_help = "Examples:
  vial audit
  vial audit shop -n 200")]
    Audit(Audit),
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

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;

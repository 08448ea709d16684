//! The command line: arguments in, calls to the daemon, sentences and tables out.
//!
//! The map: [`args`] is what can be typed; [`run`] picks a file of [`command`], which works with
//! a [`session`] (the client, the [`screen`], the person) and ends in an [`exit`]. [`follow`]
//! watches a deployment with [`progress`], and [`outcome`] says how it went. The `view_` files
//! turn protocol values into text, purely, in a [`look`]; [`table`] aligns, [`problem`] shows
//! refusals, [`when`] reads times, [`hidden`] what is typed and not shown, and [`text`] cleans whatever was written by an app, an archive or another person.
//! Everything untrusted goes through [`text`] before it is printed.
//!
//! It reaches the daemon through [`crate::client`] alone, and must never import what the daemon
//! is made of: `serve`, `init`, `doctor` and `upgrade` are [`Hooks`] that the binary passes in.

pub mod args;
pub mod command;
pub mod exit;
pub mod follow;
pub mod hidden;
pub mod look;
pub mod options;
pub mod options_access;
pub mod outcome;
pub mod problem;
pub mod progress;
pub mod screen;
pub mod session;
pub mod table;
pub mod text;
pub mod view_access;
pub mod view_env;
pub mod view_history;
pub mod view_migrations;
pub mod view_plan;
pub mod view_source;
pub mod view_standby;
pub mod view_status;
pub mod when;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use vial_protocol::request::Evaluate;

use self::args::{Caddy, Command, CommandLine, Global};
use self::command::{
    access, build, console, control, deploy, env, evaluate, history, logs, migrations, rollback,
    source, standby, status, together,
};
use self::exit::Exit;
use self::screen::Screen;
use self::session::{Interrupt, Pack, Session, Stop};
use crate::client::Client;

/// Where the daemon listens if nobody says otherwise.
const DEFAULT_SOCKET: &str = "/run/vial/vial.sock";

/// What the command line offers and does not do itself.
pub struct Hooks {
    /// `vial serve`
    pub serve: fn(&Global, &args::Serve) -> ExitCode,
    /// `vial init`
    pub init: fn(&Global, &args::Init) -> ExitCode,
    /// `vial upgrade`; the path is the same.
    pub upgrade: fn(&Global, &args::Upgrade, &Path) -> ExitCode,
    /// `vial doctor`; the path is the socket that the other commands would call.
    pub doctor: fn(&Global, &Path) -> ExitCode,
    /// The socket that the configuration names: the file given, or the usual one.
    pub configured_socket: fn(Option<&Path>) -> Option<PathBuf>,
    /// Packs a release folder.
    pub pack: Pack,
}

/// The whole program.
#[must_use]
pub fn main(hooks: &Hooks) -> ExitCode {
    if let Some(folder) = command::manual::requested() {
        return command::manual::pages(&folder);
    }
    let CommandLine { global, command } = match CommandLine::try_parse() {
        Ok(parsed) => parsed,
        Err(error) => error.exit(),
    };
    match &command {
        Command::Serve(args) => return (hooks.serve)(&global, args),
        Command::Init(args) => return (hooks.init)(&global, args),
        Command::Doctor => return (hooks.doctor)(&global, &socket_path(&global, hooks)),
        Command::Upgrade(args) => {
            return (hooks.upgrade)(&global, args, &socket_path(&global, hooks));
        }
        Command::Completions { shell } => return command::manual::completions(*shell),
        _ => {}
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("vial: cannot start: {error}");
            return Exit::Failed.into();
        }
    };
    let mut session = Session {
        client: Client::new(socket_path(&global, hooks)).telling_of_waits(waits),
        screen: Screen::of_process(global.json, global.quiet),
        input: Some(Box::new(io::stdin())),
        input_terminal: io::stdin().is_terminal(),
        interrupt: Interrupt::default(),
        pack: hooks.pack,
    };
    let exit = runtime.block_on(run(&mut session, &command));
    // A thread may still wait for standard input, which must not hold up the end.
    runtime.shutdown_background();
    exit.into()
}

/// The socket to call: the one that was typed or is in the environment, the configuration's, or
/// the usual one.
#[must_use]
pub fn socket_path(global: &Global, hooks: &Hooks) -> PathBuf {
    global
        .socket
        .clone()
        .or_else(|| (hooks.configured_socket)(global.config.as_deref()))
        .unwrap_or_else(|| DEFAULT_SOCKET.into())
}

/// Runs a command that speaks to the daemon.
pub async fn run(session: &mut Session, command: &Command) -> Exit {
    let result = dispatch(session, command).await;
    session.settle(result)
}

async fn dispatch(session: &mut Session, command: &Command) -> Result<Exit, Stop> {
    match command {
        Command::Deploy(args) => match &args.reference {
            Some(reference) => build::deploy(session, args, reference).await,
            None => deploy::run(session, args).await,
        },
        Command::Redeploy(args) => build::redeploy(session, args).await,
        Command::Rollback(args) => rollback::run(session, args).await,
        Command::Status(args) => status::run(session, args).await,
        Command::Apps => status::apps(session).await,
        Command::History(args) => history::history(session, args).await,
        Command::Show(args) => history::show(session, args).await,
        Command::Logs(args) => logs::run(session, args).await,
        Command::Restart(args) => control::restart(session, args).await,
        Command::Standby(args) => standby::run(session, args).await,
        Command::Env(args) => env::run(session, args).await,
        Command::Migrations(args) => migrations::run(session, args).await,
        Command::Console(args) => console::run(session, args).await,
        Command::AutoDeploy(args) => source::auto_deploy(session, args).await,
        Command::GitInit(args) => source::git_init(session, args).await,
        Command::PostReceive(args) => source::post_receive(session, args).await,
        Command::Reload => control::reload(session).await,
        Command::Caddy { what: Caddy::Snippet(args) } => control::snippet(session, &args.app).await,
        Command::Cancel(args) => {
            let accepted = session.client.cancel(&args.app).await;
            control::told(session, accepted)
        }
        Command::Stop(args) => {
            let accepted = session.client.stop(&args.app).await;
            control::told(session, accepted)
        }
        Command::Start(args) => {
            let accepted = session.client.start(&args.app).await;
            control::told(session, accepted)
        }
        Command::Rpc(args) => {
            let evaluated = session.client.rpc(&args.app, &request(args)).await;
            evaluate::told(session, evaluated)
        }
        Command::Eval(args) => {
            let evaluated = session.client.eval(&args.app, &request(args)).await;
            evaluate::told(session, evaluated)
        }
        Command::Down(args) => together::down(session, args).await,
        Command::Up => together::up(session).await,
        Command::User { what } => access::user(session, what).await,
        Command::Token { what } => access::token(session, what).await,
        Command::Session { what } => access::session(session, what).await,
        Command::LoginLink(args) => access::login_link(session, args).await,
        Command::Audit(args) => access::audit(session, args).await,
        Command::Serve(_)
        | Command::Init(_)
        | Command::Doctor
        | Command::Upgrade(_)
        | Command::Completions { .. } => {
            Err(Stop::Usage("This command does not speak to a daemon.".into()))
        }
    }
}

/// On standard error, so that it stands in nobody's JSON.
fn waits() {
    eprintln!("vial: the daemon has not answered yet; it may be starting. Waiting…");
}

fn request(args: &args::Evaluate) -> Evaluate {
    Evaluate { expression: args.expression.clone(), slot: args.slot }
}

//! Commands that run on the host itself and only hand over.

use std::path::Path;
use std::process::ExitCode;

use vial::cli::args::{Global, Upgrade};
use vial::cli::exit::Exit;
use vial::cli::screen::Screen;
use vial::cli::text;
use vial::client::{ClientError, Why};
use vial::config;
use vial::doctor::{self, Request, view};
use vial::upgrade::{self, UpgradeError};

/// `vial doctor`
pub fn doctor(global: &Global, socket: &Path) -> ExitCode {
    let file =
        config::location(global.config.as_deref(), std::env::var_os(config::ENV_VAR).as_deref());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("vial: cannot start: {error}");
            return Exit::Failed.into();
        }
    };
    let request = Request { file, socket: socket.to_owned() };
    let findings = runtime.block_on(doctor::examine(&request));
    runtime.shutdown_background();
    let mut screen = Screen::of_process(global.json, global.quiet);
    let said = if screen.json {
        screen.say_json(&view::json(&findings))
    } else {
        let page = view::page(&findings, screen.quiet, &screen.look());
        screen.say(&page)
    };
    let fine = said.is_ok() && !view::is_wrong(&findings);
    if fine { Exit::Done } else { Exit::Failed }.into()
}

/// `vial upgrade`
pub fn upgrade(global: &Global, args: &Upgrade, socket: &Path) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("vial: cannot start: {error}");
            return Exit::Failed.into();
        }
    };
    let request = upgrade::Request {
        socket: socket.to_owned(),
        config: global.config.clone(),
        binary: args.binary.clone(),
    };
    let upgraded = runtime.block_on(upgrade::upgrade(&request));
    runtime.shutdown_background();
    let mut screen = Screen::of_process(global.json, global.quiet);
    match upgraded {
        Ok(told) if screen.json => done(screen.say_json(&serde_json::json!({ "message": told }))),
        Ok(told) => done(screen.say(&text::block(&told, screen.colour))),
        // A package that is installed where no daemon runs has nothing to replace.
        Err(UpgradeError::Away(ClientError::Unreachable {
            why: Why::Missing | Why::Stale,
            ..
        })) if args.package => Exit::Done.into(),
        Err(error) => {
            let said = text::block(&error.to_string(), screen.err_colour);
            if args.package {
                screen.complain(&format!("Warning: {said}"));
                return Exit::Done.into();
            }
            screen.complain(&said);
            match error {
                UpgradeError::Away(_) => Exit::Unreachable,
                UpgradeError::WouldNotStart { .. } | UpgradeError::NotInstalled { .. } => {
                    Exit::Refused
                }
                _ => Exit::Failed,
            }
            .into()
        }
    }
}

fn done(said: std::io::Result<()>) -> ExitCode {
    if said.is_ok() { Exit::Done } else { Exit::Failed }.into()
}

//! Commands that run on the host itself and only hand over.

use std::path::Path;
use std::process::ExitCode;

use vial::cli::args::Global;
use vial::cli::exit::Exit;
use vial::cli::screen::Screen;
use vial::config;
use vial::doctor::{self, Request, view};

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

//! `vial doctor`
use std::path::Path;
use std::process::ExitCode;

use vial::cli::args::Global;
use vial::config::{self, Config};

/// `vial doctor`
pub fn doctor(global: &Global, _socket: &Path) -> ExitCode {
    let file =
        config::location(global.config.as_deref(), std::env::var_os(config::ENV_VAR).as_deref());
    match Config::load(&file) {
        Ok(config) => {
            for problem in config.problems.iter().chain(&config.warnings) {
                println!("{problem}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

//! The handshake: arguments and configuration in, the daemon or a command of the command line.

mod commands;
mod init;
mod serve;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use vial::cli::{self, Hooks};
use vial::config::{self, HostConfig};
use vial::slot::trampoline;

fn main() -> ExitCode {
    if let Some(args) = trampoline::requested() {
        return trampoline::run(args);
    }
    cli::main(&Hooks {
        serve: serve::serve,
        init: init::init,
        doctor: commands::doctor,
        upgrade: commands::upgrade,
        configured_socket,
        pack: |folder, out| vial::release::pack(folder, out).map_err(std::io::Error::other),
    })
}

/// The socket that the host's configuration names, if there is one that can be read.
fn configured_socket(file: Option<&Path>) -> Option<PathBuf> {
    let file = config::location(file, std::env::var_os(config::ENV_VAR).as_deref());
    HostConfig::load(&file).ok().map(|host| host.socket())
}

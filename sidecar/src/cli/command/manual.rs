//! The command line, written down: manual pages and completions.
//!
//! Both come from what [`args`](crate::cli::args) declares, so that they cannot say anything else
//! than `--help`. The package is built with them; see `bin/package`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::args::CommandLine;
use crate::cli::exit::Exit;

/// What the page of `vial` itself ends with: where things are, which no option says.
const FILES: &str = "\
.SH FILES
.TP
.I /etc/vial/vial.toml
The host's configuration.
.TP
.I /etc/vial/apps/*.toml
One file an app.
.TP
.I /var/lib/vial
Releases, the slots' logs, and the history.
.TP
.I /run/vial/vial.sock
Where the daemon listens.
.TP
.I /usr/share/doc/vial/examples
Both configuration files with every key explained; \\fBvial init\\fR writes them.
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1),
.BR caddy (8).
\\fBsystemctl status vial\\fR shows the daemon and its apps, \\fBjournalctl \\-u vial\\fR what it did.
";

/// `vial completions SHELL`
#[must_use]
pub fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "vial", &mut script);
    // A reader that has enough, such as `head`, is no failure.
    let written = io::stdout().lock().write_all(&script);
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            failed("the completions were not written", &error)
        }
        _ => Exit::Done.into(),
    }
}

/// The folder, where this is `vial __man DIR`. That is for building a package only, so it stands
/// in no help and in no completion.
#[must_use]
pub fn requested() -> Option<PathBuf> {
    let mut args = std::env::args_os().skip(1);
    (args.next()? == "__man").then(|| args.next().map(PathBuf::from)).flatten()
}

/// Writes `vial.1`, and a page for each command.
#[must_use]
pub fn pages(folder: &Path) -> ExitCode {
    let mut command = CommandLine::command();
    command.build();
    match write_pages(&command, folder) {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            failed(&format!("the manual pages were not written to {}", folder.display()), &error)
        }
    }
}

fn write_pages(command: &clap::Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        write_pages(below, folder)?;
    }
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let mut page = Vec::new();
    Man::new(command.clone()).manual("Vial").render(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    // What stands below the options in `--help` has another name on a manual page.
    let own = name == "vial";
    let title = if own { ".SH \"EXIT STATUS\"" } else { ".SH EXAMPLES" };
    page = page.replacen(".SH EXTRA", title, 1);
    if own {
        page.push_str(FILES);
    }
    fs::write(folder.join(format!("{name}.1")), page)
}

fn failed(what: &str, error: &io::Error) -> ExitCode {
    eprintln!("vial: {what}: {error}.");
    Exit::Failed.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_the_first_one_says_where_things_are() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = CommandLine::command();
        command.build();
        write_pages(&command, folder.path()).unwrap();
        let page = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
            let said = page(&format!("vial-{}.1", below.get_name()));
            assert!(said.contains(".SH SYNOPSIS"), "{}", below.get_name());
        }
        let first = page("vial.1");
        assert!(first.contains("/var/lib/vial") && first.contains("EXIT STATUS"), "{first}");
        assert!(page("vial-deploy.1").contains(".SH EXAMPLES"));
        assert!(page("vial-caddy-snippet.1").contains("vial caddy snippet"));
    }

    #[test]
    fn completions_offer_what_can_be_typed_and_nothing_of_vial_s_own() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut CommandLine::command(), "vial", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("rollback") && script.contains("revert-migrations"));
            assert!(!script.contains("__man") && !script.contains("__exec"), "{shell}");
        }
    }
}

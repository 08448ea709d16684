//! `vial serve`: what runs on the host itself, not through the socket.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::ExitCode;

use futures_util::StreamExt;
use listenfd::ListenFd;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_tokio::Signals;
use tokio::sync::mpsc;
use vial::cli::args::{Global, Serve};
use vial::config::{self, Config};
use vial::daemon::check::{self, Checked};
use vial::daemon::manager::Manager;
use vial::daemon::{self, Signal, Start};
use vial::slot::Spec;

/// `vial serve`
pub fn serve(global: &Global, args: &Serve) -> ExitCode {
    let file =
        config::location(global.config.as_deref(), std::env::var_os(config::ENV_VAR).as_deref());
    let config = Config::load(&file);
    if args.check {
        return tell(&check::check(&file, config), global.json);
    }
    let config = match config {
        Ok(config) => config,
        Err(error) => return fail(&error),
    };
    // Before there is a second thread: it changes the environment.
    let listener = match inherited() {
        Ok(listener) => listener,
        Err(error) => return fail(&error),
    };
    let manager = Manager::of_environment();
    daemon::logging::start(&config.host.log);
    // Two are enough for what is little work; more would only cost memory.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let served = runtime.block_on(async {
        let signals = signals().map_err(|error| error.to_string())?;
        let binary = PathBuf::from(Spec::OWN_BINARY);
        let start = Start { config, binary, listener, signals, manager };
        daemon::run(start).await.map_err(|error| error.to_string())
    });
    // What still reads or waits has nothing left to tell anyone.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// The socket that the service manager holds open, if it does: the only one that it hands over.
fn inherited() -> Result<Option<UnixListener>, String> {
    let mut given = ListenFd::from_env();
    match given.len() {
        0 => Ok(None),
        1 => given.take_unix_listener(0).map_err(|error| {
            format!("the socket that the service manager handed over cannot be used: {error}")
        }),
        count => Err(format!(
            "the service manager handed over {count} sockets, and one is expected: look at \
             `ListenStream` in vial.socket"
        )),
    }
}

fn signals() -> std::io::Result<mpsc::Receiver<Signal>> {
    let mut caught = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let (tell, told) = mpsc::channel(4);
    tokio::spawn(async move {
        while let Some(number) = caught.next().await {
            let signal = if number == SIGHUP { Signal::Reload } else { Signal::Stop };
            if tell.send(signal).await.is_err() {
                return;
            }
        }
    });
    Ok(told)
}

fn tell(found: &Checked, json: bool) -> ExitCode {
    let exit = if found.is_fine() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if json {
        return match serde_json::to_string_pretty(found) {
            Ok(text) => {
                println!("{text}");
                exit
            }
            Err(error) => fail(&error),
        };
    }
    for line in found.problems.iter().chain(&found.warnings) {
        eprintln!("{line}");
    }
    for line in &found.fine {
        println!("{line}");
    }
    exit
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("vial: {error}");
    ExitCode::FAILURE
}

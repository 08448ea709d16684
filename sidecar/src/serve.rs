//! `vial serve` and `vial init`: what runs on the host itself, not through the socket.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use futures_util::StreamExt;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_tokio::Signals;
use tokio::sync::mpsc;
use vial::cli::args::{Global, Serve};
use vial::config::{self, Config};
use vial::daemon::{self, Signal};
use vial::slot::Spec;

/// `vial serve`
pub fn serve(global: &Global, args: &Serve) -> ExitCode {
    let file =
        config::location(global.config.as_deref(), std::env::var_os(config::ENV_VAR).as_deref());
    let config = match Config::load(&file) {
        Ok(config) => config,
        Err(error) => return fail(&error),
    };
    if args.check {
        return check(&file, &config);
    }
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
        daemon::run(config, &binary, signals, || {}).await.map_err(|error| error.to_string())
    });
    // What still reads or waits has nothing left to tell anyone.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
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

fn check(file: &Path, config: &Config) -> ExitCode {
    for problem in config.problems.iter().chain(&config.warnings) {
        eprintln!("{problem}");
    }
    if config.problems.is_empty() {
        println!("{} and its {} apps are right.", file.display(), config.apps.len());
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("vial: {error}");
    ExitCode::FAILURE
}

//! A release without a BEAM: it starts in milliseconds, so that a test can start thousands.
//!
//! A release's script hands over to it: `vial-stub [--version V] [--migrations 1,2] [--dies-at
//! FILE] [--unhealthy-while FILE] [--slow MS] [--library JOURNAL [--job MS] [--restless-while FILE]]
//! start`, or `eval EXPRESSION` in place of `start`. It answers HTTP as the shop
//! does, and what Vial evaluates as a release with Ecto does: the versions that are applied stand
//! in the file that `STUB_DB` names.

// A stub that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod database;
mod library;
mod web;

use std::path::PathBuf;
use std::time::Duration;

/// What the release's script says of it.
#[derive(Debug, Clone, Default)]
pub struct Release {
    /// The version that it answers with.
    pub version: String,
    /// The versions of its migrations.
    pub migrations: Vec<u64>,
    /// It dies when this file is there.
    pub dies_at: Option<PathBuf>,
    /// Its health check fails while this file is there.
    pub unhealthy_while: Option<PathBuf>,
    /// How long it takes to listen, and to move a migration.
    pub slow: Duration,
    /// What the library in it does; it has none where absent.
    pub library: Option<library::Library>,
}

fn main() {
    let mut release = Release::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--version" => release.version = args.next().unwrap(),
            "--migrations" => {
                let list = args.next().unwrap();
                let numbers = list.split(',').filter(|it| !it.is_empty());
                release.migrations = numbers.map(|it| it.parse().unwrap()).collect();
            }
            "--dies-at" => release.dies_at = args.next().map(PathBuf::from),
            "--slow" => release.slow = millis(args.next()),
            "--unhealthy-while" => release.unhealthy_while = args.next().map(PathBuf::from),
            "--library" => library(&mut release).journal = args.next().unwrap().into(),
            "--job" => library(&mut release).job = millis(args.next()),
            "--restless-while" => {
                library(&mut release).restless_while = args.next().map(PathBuf::from);
            }
            "start" => {
                if let Some(library) = release.library.take() {
                    std::thread::spawn(move || library::run(library));
                }
                return web::serve(release);
            }
            "eval" => return database::evaluate(&release, &args.next().unwrap()),
            other => {
                eprintln!("vial-stub: `{other}` is not for a stub");
                std::process::exit(64);
            }
        }
    }
}

fn library(release: &mut Release) -> &mut library::Library {
    release.library.get_or_insert_default()
}

fn millis(text: Option<String>) -> Duration {
    Duration::from_millis(text.unwrap().parse().unwrap())
}

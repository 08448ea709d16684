//! `vial-demo`: shows a rollback under load. `bin/demo` builds what it needs and starts it.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use vial_demo::ground::Ground;
use vial_demo::place::{APP, HOST, Settings};
use vial_demo::probe::Question;
use vial_demo::program::last_lines;
use vial_demo::story::{self, Visitors};
use vial_demo::trouble::{Trouble, trying};
use vial_demo::verdict::Numbers;

/// Deploys v1, v2 and a bad v3 of a small shop under load, takes v3 back, and says what was lost.
#[derive(Parser)]
#[command(name = "bin/demo")]
struct Arguments {
    /// Ends by itself; the exit status says whether everything went as it should
    #[arg(long)]
    once: bool,
    /// Writes the numbers to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Rolls back only once the previous release was stopped, so that it must be started
    #[arg(long)]
    cold: bool,
    /// Requests a second
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// WebSockets that stay open
    #[arg(long, default_value_t = 20)]
    websockets: u32,
    /// The `vial` to show
    #[arg(long, hide = true)]
    vial: PathBuf,
    /// The folder of the shop's releases
    #[arg(long, hide = true)]
    shop: PathBuf,
    /// Whom the shop runs as; needed as root
    #[arg(long, hide = true)]
    user: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let told = match Told::listen() {
        Ok(told) => told,
        Err(trouble) => return failed(&trouble),
    };
    match run(&arguments, told).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => failed(&trouble),
    }
}

fn failed(trouble: &Trouble) -> ExitCode {
    eprintln!("demo: {trouble}");
    ExitCode::FAILURE
}

/// Whether everything went as it should.
async fn run(arguments: &Arguments, mut told: Told) -> Result<bool, Trouble> {
    let settings =
        Settings { user: arguments.user.clone(), bake: "4s", drain: "1s", more: String::new() };
    let ground = Ground::prepare(&arguments.vial, &settings).await?;
    let (daemon, caddy) = ground.pids();
    println!(
        "A daemon (process {daemon}) and a Caddy (process {caddy}) of our own, in {}\n",
        ground.place.root().display()
    );
    let visitors = Visitors { rate: arguments.rate, websockets: arguments.websockets };
    let played = tokio::select! {
        played = story::play(&ground, &arguments.shop, visitors, arguments.cold) => Some(played),
        () = told.enough() => None,
    };
    let mut written = Ok(());
    let held = match &played {
        Some(Ok(numbers)) => {
            written = write(arguments.json.as_deref(), numbers);
            if arguments.once {
                written = written.and(shows_pages(&ground).await);
            } else {
                let link = ground.vial(&["login-link", "demo", "--quiet"]).await;
                let link = link.unwrap_or_else(|trouble| trouble.to_string());
                invite(&ground, &arguments.vial, link.trim());
                tokio::select! { () = enter() => {}, () = told.enough() => {} }
            }
            numbers.all_held()
        }
        Some(Err(_)) => false,
        None => {
            println!("\nEnding.");
            false
        }
    };
    if !held {
        // The folder is about to go.
        eprintln!(
            "The daemon's last lines:\n{}",
            last_lines(&ground.place.root().join("daemon.log"))
        );
    }
    ground.end().await?;
    println!("All that was started has ended, and its folder is gone.");
    written?;
    match played {
        Some(Err(trouble)) => Err(trouble),
        _ => Ok(held),
    }
}

fn write(file: Option<&Path>, numbers: &Numbers) -> Result<(), Trouble> {
    let Some(file) = file else { return Ok(()) };
    let mut json = serde_json::to_vec_pretty(numbers)?;
    json.push(b'\n');
    std::fs::write(file, json).map_err(trying(file.display().to_string()))
}

/// The dashboard is there, with its pages.
async fn shows_pages(ground: &Ground) -> Result<(), Trouble> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ground.place.dashboard));
    let page = Question { address, host: address.to_string(), path: "/" };
    let limit = Duration::from_secs(10);
    let shown = page.first(limit, |answer| answer.status == 200).await;
    shown.map(drop).ok_or(Trouble::Waited { what: "the dashboard's page".into(), seconds: 10 })
}

fn invite(ground: &Ground, vial: &Path, link: &str) {
    let config = ground.place.config();
    let http = ground.place.http;
    let vial =
        |command: &str| format!("VIAL_CONFIG={} {} {command}", config.display(), vial.display());
    println!(
        "\nAll of it still runs. Look at it:\n\
         \n  {link}   the dashboard; this link logs you in, once\
         \n  http://{HOST}:{http}/\
         \n  curl -i -H 'Host: {HOST}' http://127.0.0.1:{http}/\
         \n  {}\n  {}\n  {}\n  {}\n\
         \nEnter or Ctrl-C ends it.",
        vial(&format!("status {APP}")),
        vial(&format!("history {APP}")),
        vial(&format!("show {APP} 4")),
        vial(&format!("console {APP}")),
    );
}

/// Waits for Enter. Where nobody can press it, it does not come.
async fn enter() {
    let (tell, told) = oneshot::channel();
    // A thread of its own: the runtime would wait for one of its threads that waits to read.
    std::thread::spawn(move || {
        if matches!(std::io::stdin().read(&mut [0]), Ok(read) if read > 0) {
            let _ = tell.send(());
        }
    });
    if told.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The ways in which the user, or the system, says that it is enough.
struct Told([Signal; 3]);

impl Told {
    fn listen() -> Result<Told, Trouble> {
        let on = |kind| signal(kind).map_err(trying("listening for signals"));
        Ok(Told([
            on(SignalKind::interrupt())?,
            on(SignalKind::terminate())?,
            on(SignalKind::hangup())?,
        ]))
    }

    async fn enough(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

//! `vial-bench`: every figure that the README states. `bin/bench` builds what it needs and starts it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use tokio::time::Instant;
use vial_bench::group::Group;
use vial_bench::groups;
use vial_bench::host::Tools;
use vial_bench::machine::{Machine, load};
use vial_bench::readme;
use vial_bench::results::Results;
use vial_demo::trouble::{Trouble, trying};

/// Measures what Vial's README states, side by side, in one run.
#[derive(Parser)]
#[command(name = "bin/bench")]
struct Arguments {
    /// Writes the numbers to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measures this group only; may be given many times
    #[arg(long, value_enum)]
    only: Vec<Group>,
    /// So many stub apps, in place of 1, 10 and 100, and no real ones; may be given many times
    #[arg(long, value_name = "N")]
    apps: Vec<usize>,
    /// Few repetitions: whether it works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// Measures nothing: writes the tables of an earlier run's FILE into the README
    #[arg(long, value_name = "FILE")]
    readme: Option<PathBuf>,
    /// The `vial` to measure
    #[arg(long, hide = true, default_value = "vial")]
    vial: PathBuf,
    /// The folder of the shop's releases
    #[arg(long, hide = true, default_value = ".")]
    shop: PathBuf,
    /// Whom the apps run as; needed as root
    #[arg(long, hide = true)]
    user: Option<String>,
    /// The root of the repository
    #[arg(long, hide = true, env = "VIAL_ROOT", default_value = ".")]
    root: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.readme {
        Some(file) => write_readme(&arguments.root, file).map(|()| true),
        None => measure(&arguments).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("bench: {trouble}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every group was measured.
async fn measure(arguments: &Arguments) -> Result<bool, Trouble> {
    let own = std::env::current_exe().map_err(trying("this program's own path"))?;
    let tools = Tools {
        vial: arguments.vial.clone(),
        stub: own.with_file_name("vial-bench-stub"),
        shop: arguments.shop.clone(),
        root: arguments.root.clone(),
        user: arguments.user.clone(),
        quick: arguments.quick,
        apps: arguments.apps.clone(),
    };
    let groups = match arguments.only.as_slice() {
        [] => Group::ALL.to_vec(),
        some => some.to_vec(),
    };
    let began = Instant::now();
    let mut results = Results {
        machine: Machine::of_this_run(&tools.vial, command(arguments)),
        quick: tools.quick,
        ..Results::default()
    };
    busy(results.machine.load_before);
    groups::run(&tools, &groups, &mut results).await;
    results.machine.seconds = began.elapsed().as_secs_f64().round();
    results.machine.load_after = load();
    if let Some(file) = &arguments.json {
        let json = serde_json::to_vec_pretty(&results)?;
        std::fs::write(file, json).map_err(trying(file.display().to_string()))?;
    }
    for (group, why) in &results.failed {
        eprintln!("{group} failed: {why}");
    }
    Ok(results.failed.is_empty())
}

fn busy(load: f64) {
    if load > 0.5 {
        eprintln!(
            "The load of the last minute was {load:.2}: what else runs is measured too. Let the host \
             be idle."
        );
    }
}

/// What repeats the run.
fn command(arguments: &Arguments) -> String {
    let mut command = String::from("bin/bench");
    for group in &arguments.only {
        command.push_str(&format!(" --only {group:?}").to_lowercase());
    }
    for count in &arguments.apps {
        command.push_str(&format!(" --apps {count}"));
    }
    command + if arguments.quick { " --quick" } else { "" }
}

fn write_readme(root: &Path, file: &Path) -> Result<(), Trouble> {
    let json = std::fs::read(file).map_err(trying(file.display().to_string()))?;
    let results: Results = serde_json::from_slice(&json)?;
    let path = root.join("README.md");
    let text = std::fs::read_to_string(&path).map_err(trying(path.display().to_string()))?;
    let new = readme::rewrite(&text, &results).ok_or_else(|| {
        Trouble::Missing(format!(
            "{} has no {:?} and {:?}",
            path.display(),
            readme::BEGIN,
            readme::END
        ))
    })?;
    std::fs::write(&path, new).map_err(trying(path.display().to_string()))
}

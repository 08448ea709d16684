//! `vial-bench-rollback`: what Vial adds to the start of a release. `bin/bench-rollback` builds
//! what it needs and starts it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use vial_demo::by_hand::With;
use vial_demo::ground::Ground;
use vial_demo::pairs::{self, Comparison, Pair};
use vial_demo::place::Settings;
use vial_demo::trouble::{Trouble, trying};

/// Measures rollbacks to a release that is not running against the same release started by hand,
/// in pairs, in turns.
#[derive(Parser)]
#[command(name = "bin/bench-rollback")]
struct Arguments {
    /// How many pairs
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Writes the numbers to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The `vial` to measure
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
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("bench-rollback: {trouble}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Trouble> {
    // No bake: what is measured is the rollback to a release that does not run any more.
    let settings =
        Settings { user: arguments.user.clone(), bake: "0s", drain: "1s", more: String::new() };
    let ground = Ground::prepare(&arguments.vial, &settings).await?;
    let measured = tokio::select! {
        measured = measure(arguments, &ground) => measured,
        _ = tokio::signal::ctrl_c() => Ok(None),
    };
    let ended = ground.end().await;
    if let Some(comparison) = measured? {
        print(&comparison);
        if let Some(file) = &arguments.json {
            let json = serde_json::to_vec_pretty(&comparison)?;
            std::fs::write(file, json).map_err(trying(file.display().to_string()))?;
        }
    }
    ended
}

async fn measure(arguments: &Arguments, ground: &Ground) -> Result<Option<Comparison>, Trouble> {
    let turns = pairs::prepare(ground, &arguments.shop).await?;
    let with = With { user: arguments.user.clone(), ..With::default() };
    // Whatever is slow only once: file caches, above all.
    for turn in &turns {
        pairs::measure(ground, &with, turn, true).await?;
    }
    println!("pair  release  first     rollback   by hand   starting  verifying  switching");
    let mut measured = Vec::new();
    for (count, turn) in (1..=arguments.pairs).zip(turns.iter().cycle()) {
        let pair = pairs::measure(ground, &with, turn, count % 4 < 2).await?;
        line(count, &pair);
        measured.push(pair);
    }
    Ok(Comparison::of(measured))
}

fn line(count: u32, pair: &Pair) {
    println!(
        "{count:>4}  v{}   {:<8} {:>6.0} ms {:>6.0} ms  {:>6} ms  {:>6} ms  {:>6} ms",
        pair.version,
        if pair.rollback_first { "rollback" } else { "by hand" },
        pair.rollback_ms,
        pair.by_hand_ms,
        pair.starting_ms,
        pair.verifying_ms,
        pair.switching_ms,
    );
}

fn print(comparison: &Comparison) {
    println!(
        "\nrollback, from the command to the first answer through Caddy\n  {}\n\
         by hand, from the start to the first healthy answer\n  {}\n\
         difference of the medians  {:+.0} ms\n\
         ratio of the medians       {:.3}\n\
         difference within a pair\n  {}",
        comparison.rollback,
        comparison.by_hand,
        comparison.difference_ms,
        comparison.ratio,
        comparison.within_pairs,
    );
}

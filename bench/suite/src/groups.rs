//! The groups, one after another: each starts what it measures, and ends it. One that fails says why,
//! and the others go on.

use vial_demo::trouble::Trouble;

use crate::group::Group;
use crate::host::Tools;
use crate::losses::Way;
use crate::results::Results;
use crate::{apps, history, logs, losses, report, rollback};

/// Runs these groups, and prints each as it comes.
pub async fn run(tools: &Tools, groups: &[Group], results: &mut Results) {
    for group in groups {
        eprintln!("measuring {} …", group.name());
        let measured = match group {
            Group::Rollback => rollbacks(tools, results).await,
            Group::Losses => all_losses(tools, results).await,
            Group::Apps => all_apps(tools, results).await,
            Group::History => histories(tools, results).await,
            Group::Logs => all_logs(tools, results).await,
        };
        println!("{}", report::group(results, *group));
        if let Err(trouble) = measured {
            eprintln!("{} FAILED: {trouble}\n", group.name());
            results.failed.insert(group.name().into(), trouble.to_string());
        }
    }
}

async fn rollbacks(tools: &Tools, results: &mut Results) -> Result<(), Trouble> {
    let (all, more) = rollback::measure(tools).await?;
    (results.rollback_ms, results.rollback) = (all, Some(more));
    Ok(())
}

async fn all_losses(tools: &Tools, results: &mut Results) -> Result<(), Trouble> {
    for way in Way::ALL {
        results.losses.push(losses::measure(tools, way).await?);
    }
    Ok(())
}

async fn all_apps(tools: &Tools, results: &mut Results) -> Result<(), Trouble> {
    let counts: &[usize] = match tools.apps.as_slice() {
        [] if tools.quick => &[1, 10],
        [] => &[1, 10, 100],
        asked => asked,
    };
    for count in counts {
        results.apps.push(apps::measure(tools, *count, false).await?);
    }
    if tools.apps.is_empty() {
        let count = if tools.quick { 1 } else { apps::REAL };
        results.apps.push(apps::measure(tools, count, true).await?);
    }
    Ok(())
}

async fn histories(tools: &Tools, results: &mut Results) -> Result<(), Trouble> {
    let counts: &[u64] = if tools.quick { &[10, 1000] } else { &[10, 1000, 100_000] };
    for count in counts {
        results.history.push(history::measure(tools, *count).await?);
    }
    Ok(())
}

async fn all_logs(tools: &Tools, results: &mut Results) -> Result<(), Trouble> {
    for (rate, followed) in [
        (Some(2_000), false),
        (Some(2_000), true),
        (Some(20_000), false),
        (Some(20_000), true),
        (None, false),
    ] {
        results.logs.push(logs::measure(tools, rate, followed).await?);
    }
    Ok(())
}

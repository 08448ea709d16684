//! A rollback from the command to the first answer of the previous release: cold, warm and frozen,
//! against a start by hand, and against a shell script. In turns, side by side, on real releases.
//!
//! [`stage`] is the ground they share, [`turns`] are the ways. Both releases are the same program in
//! two archives: whichever is gone back to, it is the same start.

mod stage;
mod turns;

use std::collections::BTreeMap;

use vial_demo::trouble::Trouble;

use self::stage::Stage;
use self::turns::{Turn, Way};
use crate::apps::spread;
use crate::elsewhere;
use crate::figures::Figures;
use crate::host::Tools;
use crate::losses;
use crate::results::{Lost, Rollback};

/// All that was measured, by way.
#[derive(Default)]
struct Measured {
    ms: BTreeMap<&'static str, Vec<f64>>,
    daemon: BTreeMap<String, Vec<f64>>,
    lost: BTreeMap<String, Lost>,
    missing: BTreeMap<String, String>,
}

/// Measures all ways.
///
/// # Errors
/// Where one that is always there cannot be measured.
pub async fn measure(tools: &Tools) -> Result<(BTreeMap<String, Figures>, Rollback), Trouble> {
    let mut stage = Stage::prepare(tools).await?;
    let measured = tokio::select! {
        measured = in_turns(tools, &mut stage) => measured,
        _ = tokio::signal::ctrl_c() => Err(Trouble::Waited { what: "the end".into(), seconds: 0 }),
    };
    let commands = stage.commands(tools.times(30, 3)).await;
    let ended = stage.end().await;
    let (measured, commands) = (measured?, commands?);
    ended?;
    let mut all = BTreeMap::new();
    for (way, ms) in &measured.ms {
        all.insert((*way).to_owned(), spread(ms)?);
    }
    let mut parts_ms = BTreeMap::from([("command".to_owned(), spread(&commands)?)]);
    for (way, ms) in &measured.daemon {
        parts_ms.insert(format!("daemon {way}"), spread(ms)?);
    }
    let ratio =
        all.get("cold").zip(all.get("floor")).map(|(cold, floor)| cold.median / floor.median);
    let rollback = Rollback {
        cold_to_floor: ratio,
        parts_ms,
        losses: measured.lost,
        missing: measured.missing,
        elsewhere: elsewhere::waits(),
    };
    Ok((all, rollback))
}

async fn in_turns(tools: &Tools, stage: &mut Stage) -> Result<Measured, Trouble> {
    let mut measured = Measured::default();
    // What is slow only once, file caches above all, is no one's.
    for way in [Way::Floor, Way::Cold, Way::Script] {
        stage.take(way).await?;
    }
    for round in 0..tools.times(15, 1) {
        let mut ways = Way::ALL.to_vec();
        // Each comes first, in the middle and last.
        ways.rotate_left(round % Way::ALL.len());
        if round % 2 == 1 {
            ways.reverse();
        }
        for way in ways {
            let name = way.name();
            if measured.missing.contains_key(name) {
                continue;
            }
            match stage.take(way).await {
                Ok(turn) => measured.add(name, &turn),
                Err(trouble) if !way.line().is_empty() => {
                    stage.recover().await?;
                    measured.missing.insert(name.into(), trouble.to_string());
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }
    Ok(measured)
}

impl Measured {
    fn add(&mut self, name: &'static str, turn: &Turn) {
        self.ms.entry(name).or_default().push(turn.ms);
        if let Some(ms) = turn.daemon_ms {
            self.daemon.entry(name.into()).or_default().push(ms);
        }
        if let Some((report, stops)) = &turn.visitors {
            self.lost.entry(name.into()).or_default().add(&losses::lost(report, stops));
        }
    }
}

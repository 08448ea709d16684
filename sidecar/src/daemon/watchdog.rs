//! Whether the daemon lives: the main loop looks from time to time, and only what it sees here lets
//! it tell the service manager that all is well.
//!
//! Asked are the history's thread and each app's task. A look gives each something to answer and
//! notes how far it has come; two looks in a row without a move, and it hangs. Looks are counted and
//! not seconds: a daemon that was frozen as a whole, or a machine that slept, has missed one look.
//!
//! What is slow and no hang:
//! - the history's thread while the kernel has it wait for the disk. Another daemon would have the
//!   same disk, and this one could not even be ended before the disk answers: so the daemon goes on
//!   and says so, and the slots serve;
//! - the history's thread while it finishes anything at all, be it one piece in five seconds;
//! - an app's task whose journal cannot be written: it tries again each second, and each try counts;
//! - an app's task while the history is slow or hangs: it waits for nothing else.
//!
//! A task or thread that is gone, because it panicked, does not move either.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::manager::Manager;
use crate::app::registry::Registry;
use crate::store::Store;

/// So many looks without a move are a hang: with three looks in the time that systemd waits, it
/// acts one and a third times that long after the last answer.
const PATIENCE: u32 = 2;

/// Looks, where the service manager wants to know.
pub(super) struct Watchdog {
    tick: Option<Interval>,
    vigil: Vigil,
    said: Verdict,
}

impl Watchdog {
    pub(super) fn new(manager: &Manager) -> Watchdog {
        let tick = manager.watchdog().map(|patience| {
            let mut tick = interval((patience / 3).max(Duration::from_millis(1)));
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            tick
        });
        Watchdog { tick, vigil: Vigil::default(), said: Verdict::Alive }
    }

    /// Waits until it is time to look.
    pub(super) async fn due(&mut self) {
        match &mut self.tick {
            Some(tick) => drop(tick.tick().await),
            None => pending().await,
        }
    }

    /// Looks, and tells the service manager where all is well.
    pub(super) async fn look(&mut self, manager: &Manager, store: &Store, registry: &Registry) {
        let history =
            History { beats: store.pulse().beats(), disk: store.pulse().waits_for_disk() };
        let apps = registry.apps.iter().map(|(name, app)| (name.clone(), app.beats()));
        let verdict = self.vigil.look(history, apps.collect());
        store.nudge();
        registry.apps.values().for_each(crate::app::handle::App::nudge);
        if verdict != self.said {
            say(&verdict);
        }
        let lives = !matches!(verdict, Verdict::Hangs(_));
        self.said = verdict;
        if lives {
            manager.alive().await;
        }
    }
}

fn say(verdict: &Verdict) {
    match verdict {
        Verdict::Alive => tracing::info!("everything answers again"),
        Verdict::Slow => tracing::warn!(
            "the disk of the history does not answer; commands wait for it, and the slots serve on"
        ),
        Verdict::Hangs(who) => tracing::error!(
            who = who.join(", "),
            "no answer: the service manager is no longer told that the daemon lives, and will \
             start it again; the slots run on"
        ),
    }
}

/// What is known of the history's thread at a look.
#[derive(Debug, Clone, Copy)]
struct History {
    beats: u64,
    disk: bool,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Alive,
    /// The disk lets the history wait.
    Slow,
    /// These do not move.
    Hangs(Vec<String>),
}

/// How long something has not moved.
#[derive(Debug, Clone, Copy)]
struct Still {
    beats: u64,
    looks: u32,
}

impl Still {
    /// Whether it hangs by now.
    fn look(seen: Option<Still>, beats: u64) -> Still {
        match seen {
            Some(it) if it.beats == beats => Still { beats, looks: it.looks + 1 },
            _ => Still { beats, looks: 0 },
        }
    }

    fn hangs(self) -> bool {
        self.looks >= PATIENCE
    }
}

/// What earlier looks have seen. Pure.
#[derive(Debug, Default)]
struct Vigil {
    history: Option<Still>,
    /// The looks in a row at which the history had not moved and did not wait for the disk either.
    idle: u32,
    apps: BTreeMap<String, Still>,
}

impl Vigil {
    fn look(&mut self, history: History, apps: BTreeMap<String, u64>) -> Verdict {
        let seen = Still::look(self.history, history.beats);
        let rests = seen.looks > 0;
        self.idle = if rests && !history.disk { self.idle + 1 } else { 0 };
        let hangs = self.idle >= PATIENCE;
        let slow = seen.hangs() && !hangs;
        self.history = Some(seen);
        let before = std::mem::take(&mut self.apps);
        for (name, beats) in apps {
            let mut app = Still::look(before.get(&name).copied(), beats);
            if rests {
                app.looks = 0;
            }
            self.apps.insert(name, app);
        }
        let mut who: Vec<String> = Vec::new();
        if hangs {
            who.push("the history".into());
        }
        let apps = self.apps.iter().filter(|(_, app)| app.hangs());
        who.extend(apps.map(|(name, _)| format!("the app {name}")));
        match (who.is_empty(), slow) {
            (false, _) => Verdict::Hangs(who),
            (true, true) => Verdict::Slow,
            (true, false) => Verdict::Alive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(vigil: &mut Vigil, history: (u64, bool), shop: u64, store: u64) -> Verdict {
        let apps = BTreeMap::from([("shop".to_owned(), shop), ("store".to_owned(), store)]);
        vigil.look(History { beats: history.0, disk: history.1 }, apps)
    }

    #[test]
    fn what_moves_lives() {
        let mut vigil = Vigil::default();
        for beat in 0..9 {
            assert_eq!(look(&mut vigil, (beat, false), beat, beat), Verdict::Alive);
        }
    }

    #[test]
    fn an_app_that_missed_two_looks_hangs_and_is_named_until_it_moves() {
        let mut vigil = Vigil::default();
        assert_eq!(look(&mut vigil, (1, false), 1, 1), Verdict::Alive);
        assert_eq!(look(&mut vigil, (2, false), 1, 2), Verdict::Alive);
        let hangs = Verdict::Hangs(vec!["the app shop".into()]);
        assert_eq!(look(&mut vigil, (3, false), 1, 3), hangs);
        assert_eq!(look(&mut vigil, (4, false), 1, 4), hangs);
        assert_eq!(look(&mut vigil, (5, false), 2, 5), Verdict::Alive);
    }

    #[test]
    fn a_history_that_hangs_is_named_alone_because_the_apps_wait_for_it() {
        let mut vigil = Vigil::default();
        look(&mut vigil, (1, false), 1, 1);
        look(&mut vigil, (1, false), 1, 1);
        for _ in 0..5 {
            let verdict = look(&mut vigil, (1, false), 1, 1);
            assert_eq!(verdict, Verdict::Hangs(vec!["the history".into()]));
        }
        assert_eq!(look(&mut vigil, (2, false), 1, 1), Verdict::Alive);
        assert_eq!(look(&mut vigil, (3, false), 2, 2), Verdict::Alive);
    }

    #[test]
    fn a_disk_that_does_not_answer_is_slow_for_as_long_as_it_takes() {
        let mut vigil = Vigil::default();
        look(&mut vigil, (1, true), 1, 1);
        look(&mut vigil, (1, true), 1, 1);
        for _ in 0..50 {
            assert_eq!(look(&mut vigil, (1, true), 1, 1), Verdict::Slow);
        }
        // Awake between two waits for the disk.
        assert_eq!(look(&mut vigil, (1, false), 1, 1), Verdict::Slow);
        assert_eq!(look(&mut vigil, (1, true), 1, 1), Verdict::Slow);
        assert_eq!(look(&mut vigil, (2, false), 2, 2), Verdict::Alive);
    }

    #[test]
    fn an_app_that_is_new_has_its_time_and_one_that_is_gone_is_forgotten() {
        let mut vigil = Vigil::default();
        look(&mut vigil, (1, false), 5, 5);
        look(&mut vigil, (2, false), 5, 6);
        vigil.look(History { beats: 3, disk: false }, BTreeMap::new());
        assert_eq!(look(&mut vigil, (4, false), 5, 7), Verdict::Alive);
        assert_eq!(look(&mut vigil, (5, false), 5, 8), Verdict::Alive);
    }
}

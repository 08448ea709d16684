//! What is kept of one app.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use vial_protocol::live::{HealthChange, Metrics, Sample, SlotSample};
use vial_protocol::{AppStatus, Slot};

use super::measure::{Measured, MeasuredSlot};
use crate::slot::usage::Usage;

/// How far apart the samples are that are kept.
pub(super) const SLOW: Duration = Duration::from_secs(10);
/// How far apart they are while somebody looks.
pub(super) const FAST: Duration = Duration::from_secs(2);
/// For how long they are kept.
const KEPT: Duration = Duration::from_secs(600);
/// A sample that comes a little early is as good.
const EARLY: Duration = Duration::from_secs(1);
/// How many changes of health are kept.
const CHANGES: usize = 100;

/// What is kept of one app.
pub(super) struct Kept {
    app: String,
    samples: VecDeque<(Instant, Sample)>,
    health: VecDeque<HealthChange>,
    before: [Option<(Instant, Usage)>; 2],
    tell: watch::Sender<Arc<Metrics>>,
}

impl Kept {
    pub(super) fn new(app: &str) -> Kept {
        let none = Metrics { app: app.into(), every_ms: 0, samples: vec![], health: vec![] };
        Kept {
            app: app.into(),
            samples: VecDeque::new(),
            health: VecDeque::new(),
            before: [None, None],
            tell: watch::Sender::new(Arc::new(none)),
        }
    }

    /// Whether somebody follows it.
    pub(super) fn is_followed(&self) -> bool {
        self.tell.receiver_count() > 0
    }

    /// When it was measured last.
    pub(super) fn measured_at(&self) -> Option<Instant> {
        self.before.iter().flatten().map(|(at, _)| *at).max()
    }

    pub(super) fn follow(&self) -> watch::Receiver<Arc<Metrics>> {
        let mut following = self.tell.subscribe();
        if !following.borrow().samples.is_empty() {
            following.mark_changed();
        }
        following
    }

    /// The last ten minutes.
    pub(super) fn recent(&self) -> Metrics {
        Metrics {
            app: self.app.clone(),
            every_ms: millis(SLOW),
            samples: self.samples.iter().map(|(_, sample)| sample.clone()).collect(),
            health: self.health.iter().cloned().collect(),
        }
    }

    /// Takes up what was measured.
    pub(super) fn add(&mut self, measured: Measured) {
        let Measured { at, time, in_flight, slots } = measured;
        let mut before = [None, None];
        let mut shown = Vec::new();
        for MeasuredSlot { slot, usage, in_flight } in slots {
            let Some(usage) = usage else { continue };
            let cpu = share(self.before[index(slot)], at, usage);
            before[index(slot)] = Some((at, usage));
            shown.push(SlotSample { slot, memory: usage.memory, cpu, in_flight });
        }
        self.before = before;
        let sample = Sample { at: time, in_flight, slots: shown };
        while self.samples.front().is_some_and(|(then, _)| at - *then > KEPT) {
            self.samples.pop_front();
        }
        if self.samples.back().is_none_or(|(then, _)| at - *then + EARLY >= SLOW) {
            self.samples.push_back((at, sample.clone()));
        }
        self.say(sample);
    }

    /// Takes up what the health checks say now.
    pub(super) fn look(&mut self, status: &AppStatus) {
        let mut news: Vec<HealthChange> = Vec::new();
        for slot in &status.slots {
            let Some(health) = &slot.health else { continue };
            let last = self.health.iter().rev().find(|it| it.slot == slot.slot);
            if last.is_none_or(|last| last.at != health.since || last.healthy != health.healthy) {
                news.push(HealthChange {
                    slot: slot.slot,
                    at: health.since,
                    healthy: health.healthy,
                    detail: health.detail.clone(),
                });
            }
        }
        if news.is_empty() {
            return;
        }
        news.sort_by_key(|it| it.at);
        self.health.extend(news);
        while self.health.len() > CHANGES {
            self.health.pop_front();
        }
        // What is read is let go before it is written: the one would wait for the other for ever.
        let last = self.tell.borrow().samples.first().cloned();
        if let Some(sample) = last {
            self.say(sample);
        }
    }

    fn say(&self, sample: Sample) {
        self.tell.send_replace(Arc::new(Metrics {
            app: self.app.clone(),
            every_ms: millis(FAST),
            samples: vec![sample],
            health: self.health.iter().cloned().collect(),
        }));
    }
}

/// The share of a core since the time before; of a process that was not there then, since its start.
fn share(before: Option<(Instant, Usage)>, at: Instant, now: Usage) -> f64 {
    let (took, during) = match before {
        Some((then, before)) if before.start_ticks == now.start_ticks => {
            (now.cpu.saturating_sub(before.cpu), at - then)
        }
        _ => (now.cpu, now.age),
    };
    if during.is_zero() { 0.0 } else { took.as_secs_f64() / during.as_secs_f64() }
}

fn index(slot: Slot) -> usize {
    match slot {
        Slot::Blue => 0,
        Slot::Green => 1,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use vial_protocol::{Desired, Health, RollbackOffer, SlotState, SlotStatus};

    use super::*;

    fn usage(start_ticks: u64, cpu_ms: u64) -> Usage {
        let (age, cpu) = (Duration::from_secs(100), Duration::from_millis(cpu_ms));
        Usage { start_ticks, age, memory: 50 << 20, cpu }
    }

    fn measured(at: Instant, usage: Option<Usage>) -> Measured {
        let slots = vec![MeasuredSlot { slot: Slot::Green, usage, in_flight: Some(3) }];
        Measured { at, time: Timestamp::now(), in_flight: Some(3), slots }
    }

    fn newest(kept: &Kept) -> Sample {
        kept.tell.borrow().samples[0].clone()
    }

    #[test]
    fn cpu_is_a_share_of_the_time_since_the_sample_before() {
        let (mut kept, start) = (Kept::new("shop"), Instant::now());
        kept.add(measured(start, Some(usage(7, 20_000))));
        assert!((newest(&kept).slots[0].cpu - 0.2).abs() < 1e-9, "since it started");
        kept.add(measured(start + FAST, Some(usage(7, 21_000))));
        assert!((newest(&kept).slots[0].cpu - 0.5).abs() < 1e-9);
        // Another process, of the same slot: nothing of the one before it counts.
        kept.add(measured(start + FAST * 2, Some(usage(8, 1_000))));
        assert!((newest(&kept).slots[0].cpu - 0.01).abs() < 1e-9);
        // What was orphaned is not there any more: never less than nothing.
        kept.add(measured(start + FAST * 3, Some(usage(8, 500))));
        assert!(newest(&kept).slots[0].cpu.abs() < 1e-9);
        kept.add(measured(start + FAST * 4, None));
        assert!(newest(&kept).slots.is_empty());
        assert_eq!(newest(&kept).in_flight, Some(3));
    }

    #[test]
    fn ten_minutes_are_kept_ten_seconds_apart_however_often_it_was_measured() {
        let (mut kept, start) = (Kept::new("shop"), Instant::now());
        for step in 0..900 {
            kept.add(measured(start + FAST * step, Some(usage(7, 0))));
        }
        let recent = kept.recent();
        assert_eq!(recent.every_ms, 10_000);
        assert!((60..=61).contains(&recent.samples.len()), "{}", recent.samples.len());
    }

    #[test]
    fn whoever_follows_has_the_newest_at_once_and_is_known_to_be_there() {
        let mut kept = Kept::new("shop");
        assert!(!kept.is_followed());
        assert!(!kept.follow().has_changed().unwrap(), "nothing was measured yet");
        kept.add(measured(Instant::now(), Some(usage(7, 0))));
        let following = kept.follow();
        assert!(kept.is_followed());
        assert!(following.has_changed().unwrap());
        assert_eq!(following.borrow().samples.len(), 1);
        assert_eq!(following.borrow().every_ms, 2_000);
        drop(following);
        assert!(!kept.is_followed());
    }

    fn status(healthy: bool, second: i64) -> AppStatus {
        let since = Timestamp::from_second(second).unwrap();
        let slot = SlotStatus {
            slot: Slot::Blue,
            state: SlotState::Running,
            release: None,
            port: None,
            node: "shop_blue@127.0.0.1".into(),
            pid: None,
            since: None,
            restarts: 0,
            health: Some(Health { healthy, detail: format!("said at {second}"), since }),
            last_exit: None,
            standby: None,
        };
        AppStatus {
            name: "shop".into(),
            revision: 1,
            desired: Desired::Running,
            active: Some(Slot::Blue),
            serving: None,
            works: None,
            serving_since: None,
            slots: vec![slot],
            deployment: None,
            queued: None,
            last: None,
            rollback: RollbackOffer { target: None, refusal: None },
            route: None,
            auto_deploy: None,
            warnings: vec![],
        }
    }

    #[test]
    fn each_change_of_health_is_kept_once_and_the_oldest_go_first() {
        let mut kept = Kept::new("shop");
        for second in 0..150 {
            kept.look(&status(second % 2 == 0, second));
            kept.look(&status(second % 2 == 0, second));
        }
        let health = kept.recent().health;
        assert_eq!(health.len(), CHANGES);
        assert_eq!(health[0].detail, "said at 50");
        assert!(health[0].healthy && !health[1].healthy);
    }

    #[test]
    fn a_change_of_health_is_told_with_the_sample_before_it() {
        let mut kept = Kept::new("shop");
        kept.add(measured(Instant::now(), Some(usage(7, 0))));
        let mut following = kept.follow();
        following.mark_unchanged();
        kept.look(&status(true, 1));
        assert!(following.has_changed().unwrap());
        let told = following.borrow_and_update();
        assert_eq!((told.samples.len(), told.health.len()), (1, 1));
    }
}

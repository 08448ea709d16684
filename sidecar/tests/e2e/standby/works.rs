//! Who works the queues: one slot, and none while it is frozen.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use vial_protocol::{Slot, SlotState};

use super::stage::Stage;
use crate::figure;
use crate::support::stub::Stub;

/// A job: its slot and process, and when it was worked, in microseconds.
#[derive(Debug, Clone)]
struct Job {
    slot: String,
    pid: u32,
    began: u64,
    ended: Option<u64>,
}

fn jobs(stage: &Stage) -> Vec<Job> {
    let text = std::fs::read_to_string(stage.journal()).unwrap();
    let mut open: BTreeMap<u32, Job> = BTreeMap::new();
    let mut jobs = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (pid, at) = (words[1].parse().unwrap(), words[3].parse().unwrap());
        match words[2] {
            "begin" => {
                let job = Job { slot: words[0].into(), pid, began: at, ended: None };
                open.insert(pid, job);
            }
            _ => {
                let job = open.remove(&pid).unwrap();
                jobs.push(Job { ended: Some(at), ..job });
            }
        }
    }
    // What was ended at its work.
    jobs.extend(open.into_values());
    jobs.sort_by_key(|it| it.began);
    jobs
}

#[tokio::test(flavor = "multi_thread")]
async fn through_ten_deploys_and_rollbacks_one_slot_works_at_a_time_and_none_is_frozen_at_it() {
    let stage = Stage::new("{ mode = \"frozen\", rest = \"20s\" }").await;
    let mut frozen = Vec::new();
    stage.deploy(&stage.with_library(1)).await;
    for turn in 0..10 {
        stage.deploy(&stage.with_library(2 + turn)).await;
        let (_, standby) = {
            let status = stage.host.until("shop", |it| {
                it.slots.iter().any(|slot| slot.standby.as_ref().is_some_and(|it| it.ready))
            });
            let status = status.await;
            let slot = status.slots.iter().find(|it| it.standby.is_some()).unwrap().clone();
            assert_eq!(slot.state, SlotState::Frozen);
            (slot.slot, (slot.pid.unwrap(), slot.standby.unwrap().since))
        };
        let (pid, since) = standby;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let thawed = Timestamp::now();
        stage.roll_back().await;
        frozen.push((pid, since.as_microsecond(), thawed.as_microsecond()));
        let works = stage.host.until("shop", |it| it.works.is_some() && it.works == it.active);
        works.await;
        // It works again.
        let before = jobs(&stage).len();
        for _ in 0..200 {
            if jobs(&stage).len() > before + 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let jobs = jobs(&stage);
    let slots: std::collections::BTreeSet<&str> = jobs.iter().map(|it| it.slot.as_str()).collect();
    assert_eq!(slots.len(), 2, "both have worked");
    for pair in jobs.windows(2) {
        let (one, next) = (&pair[0], &pair[1]);
        if one.pid != next.pid {
            let ended = one.ended.unwrap_or(0);
            assert!(ended <= next.began, "two work at once: {one:?} {next:?}");
        }
    }
    for (pid, from, to) in &frozen {
        for job in jobs.iter().filter(|it| it.pid == *pid) {
            let (from, to) = (u64::try_from(*from).unwrap(), u64::try_from(*to).unwrap());
            let over = job.ended.is_some_and(|it| it <= from) || job.began >= to;
            assert!(over, "frozen at its work: {job:?} from {from} to {to}");
        }
    }
    figure!("{} jobs through 10 deploys and rollbacks, none at once", jobs.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_does_not_come_to_rest_keeps_the_other_from_work_for_a_time_only() {
    let stage = Stage::new("{ mode = \"cold\", rest = \"2s\" }").await;
    stage.host.vial(&["status", "shop"]).await.ends(0);
    stage.deploy(&stage.with_library(1)).await;
    stage.host.until("shop", |it| it.works == Some(Slot::Blue)).await;
    std::fs::write(stage.restless(), "").unwrap();
    // Without a bake it would be stopped at once, and work no more.
    let file = std::fs::read_to_string(stage.host.path("apps/shop.toml")).unwrap();
    let file = file.replace("bake = \"0s\"", "bake = \"20s\"");
    std::fs::write(stage.host.path("apps/shop.toml"), file).unwrap();
    stage.host.client.reload().await.unwrap();
    let archive = stage.with_library(2).archive(&stage.host.path("made"));
    let path = archive.display().to_string();
    stage.host.vial(&["deploy", "shop", &path, "--detach"]).await.ends(0);
    let nobody =
        stage.host.until("shop", |it| it.active == Some(Slot::Green) && it.works.is_none());
    nobody.await;
    stage.host.until("shop", |it| it.works == Some(Slot::Green)).await;
    let said = stage.said_of(2).await;
    assert!(said.contains("blue did not say in time"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_library_speaks_nobody_is_waited_for() {
    let stage = Stage::new("{ mode = \"cold\", rest = \"10m\" }").await;
    stage.deploy(&Stub::new(1)).await;
    stage.deploy(&Stub::new(2)).await;
    let status = stage.host.status("shop").await;
    assert_eq!(status.works, Some(Slot::Green));
}

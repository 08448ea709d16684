//! The daemon's hot paths alone: `cargo bench -p vial-bench`.
//!
//! The machine's step is taken at each event of an app, a plan is made anew for each status, a status
//! is turned into JSON for each reader, and a log's end is read for each look at it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench is a test")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use vial::app::history::History;
use vial::app::known::Known;
use vial::app::machine::{Event, Fact, Life, Settings, State, step};
use vial::app::request::RollbackAsk;
use vial::app::standbys::Standbys;
use vial::log::{Unfinished, tail};
use vial::vault::Kept;
use vial_protocol::{Deployment, Kind, Release, Slot, StandbyMode, Status};

fn settings() -> Settings {
    Settings {
        migrates: false,
        bakes: false,
        standby: StandbyMode::Cold,
        otherwise: StandbyMode::Cold,
        lasts: Duration::from_secs(900),
    }
}

/// An app whose release of that number serves.
fn serving(number: u64) -> State {
    let mut state = State::new();
    state.active = Some(Slot::Blue);
    state.serving = Some(number);
    state.works = Some(Slot::Blue);
    state.slots.blue.release = Some(number);
    state.slots.blue.life = Life::Running { run: 1, healthy: true };
    state.slots.green.release = Some(number - 1);
    (state.next_number, state.next_run) = (number + 1, 2);
    state
}

fn release(number: u64) -> Release {
    Release {
        number,
        name: "shop".into(),
        version: format!("{number}.0.0"),
        sha256: format!("{number:064x}"),
        size: 1 << 20,
        erts: Some("13.1.5".into()),
        elixir: Some("1.14.0".into()),
        migrations: Vec::new(),
        unpacked_at: Timestamp::UNIX_EPOCH,
        commit: None,
    }
}

fn deployment(number: u64, newest: u64) -> Deployment {
    Deployment {
        number,
        kind: Kind::Deploy,
        status: if number == newest { Status::Succeeded } else { Status::Superseded },
        release: Some(release(number)),
        slot: Some(Slot::Blue),
        replaces: number.checked_sub(1),
        rolled_back_by: None,
        actor: "anna".into(),
        reason: None,
        error: None,
        queued_at: Timestamp::UNIX_EPOCH,
        live_at: Some(Timestamp::UNIX_EPOCH),
        ended_at: Some(Timestamp::UNIX_EPOCH),
        applied: Vec::new(),
        reverts: Vec::new(),
        reverted: Vec::new(),
        environment: 0,
        build: None,
        commit: None,
        steps: Vec::new(),
    }
}

fn machine(bench: &mut Criterion) {
    let state = serving(1000);
    let healthy = || Event::Fact(Fact::Healthy { slot: Slot::Blue, run: 1 });
    bench.bench_function("machine: a step that changes nothing", |it| {
        it.iter(|| step(black_box(&state), healthy(), settings()));
    });
    let exited = || {
        let problem = vial_protocol::Problem::new(vial_protocol::Code::Internal, "It exited.");
        Event::Fact(Fact::Exited { slot: Slot::Blue, run: 1, problem })
    };
    bench.bench_function("machine: the active slot exits", |it| {
        it.iter(|| step(black_box(&state), exited(), settings()));
    });
}

fn plan(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("plan of a rollback, by deployments remembered");
    for count in [10, 1000] {
        let deployments: Vec<_> = (1..=count).rev().map(|it| deployment(it, count)).collect();
        let releases: BTreeMap<_, _> = (count - 4..=count).map(|it| (it, release(it))).collect();
        let (state, history) = (serving(count), History::new(&deployments, releases));
        let (standbys, environment) = (Standbys::default(), Kept::default());
        let known = Known {
            app: "shop",
            state: &state,
            history: &history,
            standbys: &standbys,
            environment: &environment,
        };
        assert!(known.rollback(&RollbackAsk::default()).is_ok());
        group.bench_with_input(BenchmarkId::from_parameter(count), &known, |it, known| {
            it.iter(|| black_box(*known).rollback(&RollbackAsk::default()));
        });
    }
    group.finish();
}

fn json(bench: &mut Criterion) {
    let page: Vec<_> = (1..=50).map(|it| deployment(it, 50)).collect();
    bench.bench_function("a page of 50 deployments as JSON", |it| {
        it.iter(|| serde_json::to_vec(black_box(&page)));
    });
}

fn logs(bench: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("blue.log");
    let mut file = std::fs::File::create(&path).expect("a file");
    for number in 0..200_000 {
        writeln!(file, "{number:09} [info] GET /carts/{} sent 200 in 7 ms", number % 977)
            .expect("a line");
    }
    let mut group = bench.benchmark_group("the last lines of a log");
    for lines in [100, 10_000] {
        group.throughput(Throughput::Elements(lines as u64));
        group.bench_with_input(BenchmarkId::from_parameter(lines), &lines, |it, lines| {
            it.iter(|| tail(black_box(&path), *lines, 0, Unfinished::Wait).expect("lines"));
        });
    }
    group.finish();
}

criterion_group!(hot_paths, machine, plan, json, logs);
criterion_main!(hot_paths);

//! A slot's log is kept within its bounds, and no reader notices.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use vial::client::{LogAsk, Told};
use vial_protocol::{Event, Slot};

use super::QUICK;
use crate::figure;
use crate::support::{Host, SOON};

const LINES: u64 = 100_000;
const SMALL: &str = "logs = { live = \"1MiB\", keep = \"1GiB\", for = \"30d\" }";

fn numbered(number: u64) -> String {
    format!("{number:06} [info] GET /carts/{} sent 200 in {} ms", number % 977, number % 41)
}

/// What a release does: appends to the slot's log, whoever else does.
struct Writer(File);

impl Writer {
    fn new(host: &Host) -> Writer {
        Writer(OpenOptions::new().append(true).open(log(host)).unwrap())
    }

    fn write(&mut self, numbers: std::ops::Range<u64>) {
        let text: String = numbers.map(|number| numbered(number) + "\n").collect();
        self.0.write_all(text.as_bytes()).unwrap();
    }
}

fn log(host: &Host) -> PathBuf {
    host.state.join("apps/shop/slots/blue.log")
}

fn segments(host: &Host) -> usize {
    let names = host.listing(&host.state.join("apps/shop/slots/blue.log.d"));
    names.iter().filter(|name| name.ends_with(".zst")).count()
}

fn number_of(line: &str) -> Option<u64> {
    line.split_once(" [info] GET /carts/")?.0.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_100_000_lines_is_read_once_while_the_daemon_comes_and_goes() {
    let mut host = Host::shop(&format!("{QUICK}\n{SMALL}")).await;
    host.deploy(1).await;
    let ask = LogAsk { slot: Some(Slot::Blue), ..LogAsk::default() };
    let mut events = host.client.follow_log("shop", ask).await.unwrap();
    let reader = tokio::spawn(async move {
        let (mut next, mut lost) = (0, 0);
        while next < LINES {
            match events.next().await.unwrap() {
                Told::Event(Event::Log(chunk)) => {
                    assert_eq!(chunk.gap, 0);
                    for number in chunk.lines.iter().filter_map(|line| number_of(&line.text)) {
                        assert_eq!(number, next);
                        next += 1;
                    }
                }
                Told::Lost(_) => lost += 1,
                Told::Back | Told::Event(_) => {}
                Told::Ended(error) => panic!("after {next} lines: {error}"),
            }
        }
        lost
    });
    let mut writer = Writer::new(&host);
    for part in 0..10 {
        for hundred in 0..100 {
            let first = part * 10_000 + hundred * 100;
            writer.write(first..first + 100);
            sleep(Duration::from_millis(2)).await;
        }
        match part {
            2 | 5 => {
                host.kill_daemon();
                host.start_daemon().await;
            }
            // Takes the log up anew.
            7 => host.reconfigure(&format!("{QUICK}\n{SMALL}\nkeep_releases = 4")).await,
            _ => {}
        }
    }
    let lost = timeout(SOON, reader).await.expect("all lines come").unwrap();
    assert_eq!(lost, 2, "the daemon went away twice");
    let made = segments(&host);
    assert!(made >= 3, "{made} segments");
    let file = std::fs::metadata(log(&host)).unwrap();
    figure!(
        "{LINES} lines, {} KiB, followed across two kills of the daemon: each once; {made} segments, \
         {} KiB of the live file on the disk",
        file.len() >> 10,
        file.blocks() / 2
    );
    // What was freed is printed as ever.
    let said = host.vial(&["logs", "shop", "-n", "10000"]).await.ends(0);
    let numbers: Vec<u64> = said.out.lines().filter_map(number_of).collect();
    assert!(numbers.iter().copied().eq(LINES - 10_000..LINES));
    let said = host.vial(&["logs", "shop", "--since", "1h"]).await.ends(0);
    assert!(said.out.lines().filter_map(number_of).eq(0..LINES), "all of it, a page at a time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_told_what_is_no_longer_kept() {
    let host = Host::shop(&format!("{QUICK}\nlogs = {{ live = \"1MiB\", keep = 0 }}")).await;
    host.deploy(1).await;
    let before = segments(&host);
    assert_eq!(before, 0);
    let mut writer = Writer::new(&host);
    writer.write(0..60_000);
    let deadline = tokio::time::Instant::now() + SOON;
    while segments(&host) == 0 {
        assert!(tokio::time::Instant::now() < deadline, "the log is not kept within its bounds");
        sleep(Duration::from_millis(20)).await;
    }
    let said = host.vial(&["logs", "shop", "--since", "1d"]).await.ends(0);
    let said = said.says(&["what came before is no longer kept", "`logs` in the file of shop"]);
    assert_eq!(said.out.lines().next_back().and_then(number_of), Some(59_999));
    host.vial(&["logs", "shop", "-n", "1"]).await.ends(0).never_says(&["no longer kept"]);
    host.vial(&["logs", "shop", "--since", "soon"]).await.ends(2).says(&["a time belongs here"]);
}

/// Not a test but a measurement: `VIAL_MEASURE_LOGS=60` makes it last a minute, and
/// `VIAL_RELEASE_BIN` names the binary.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_lines_a_second_cost_little() {
    let Some(seconds) =
        std::env::var("VIAL_MEASURE_LOGS").ok().and_then(|it| it.parse::<u64>().ok())
    else {
        return;
    };
    let mut setup = crate::support::Setup::new().app("shop", &format!("{QUICK}\n{SMALL}")).alone();
    if let Some(binary) = std::env::var_os("VIAL_RELEASE_BIN") {
        setup = setup.binary(binary.into());
    }
    let host = setup.start().await;
    host.deploy(1).await;
    let pid = host.daemon_pid();
    let mut writer = Writer::new(&host);
    let cpu = super::idle::cpu_ticks(pid);
    let (mut most, mut written) = (0, 0);
    let began = std::time::Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for tick in 0..seconds * 100 {
        ticks.tick().await;
        writer.write(tick * 20..tick * 20 + 20);
        written += 20;
        if tick % 10 == 0 {
            most = most.max(super::idle::kib(pid, "VmRSS:"));
        }
    }
    let took = began.elapsed().as_secs_f64();
    let share = (super::idle::cpu_ticks(pid) - cpu) as f64 / took;
    figure!(
        "{:.0} lines a second for {took:.0} s: {share:.2} % of a core, {:.1} MiB resident at most, \
         {} segments",
        f64::from(u32::try_from(written).unwrap()) / took,
        f64::from(most) / 1024.0,
        segments(&host)
    );
}

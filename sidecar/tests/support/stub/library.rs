//! What the `vial` library does in a real release: it hears who works, says whether this release is at
//! rest, and holds still to be frozen. Beside it a queue, which says in a journal when each job began
//! and ended: `blue 4711 begin 1732982400000000`.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// What the release's script says of it.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// The queue's journal.
    pub journal: PathBuf,
    /// How long a job takes.
    pub job: Duration,
    /// It does not come to rest while this file is there.
    pub restless_while: Option<PathBuf>,
}

struct Me {
    socket: PathBuf,
    app: String,
    slot: String,
    run: String,
}

/// Runs beside the release.
pub fn run(library: Library) {
    let variable = |name: &str| std::env::var(name).unwrap();
    let me = Me {
        socket: variable("VIAL_SOCKET").into(),
        app: variable("VIAL_APP"),
        slot: variable("VIAL_SLOT"),
        run: variable("VIAL_RUN"),
    };
    let works = Arc::new(AtomicBool::new(false));
    let in_hand = Arc::new(Mutex::new(()));
    {
        let (library, slot) = (library.clone(), me.slot.clone());
        let (works, in_hand) = (works.clone(), in_hand.clone());
        std::thread::spawn(move || work(&library, &slot, &works, &in_hand));
    }
    let mut said = None;
    let mut revision = 0;
    loop {
        std::thread::sleep(Duration::from_millis(15));
        let Some(status) = me.ask("GET", &format!("/v1/apps/{}", me.app), None) else { continue };
        let now = status["revision"].as_u64().unwrap();
        // Another daemon has not heard what the one before it was told.
        if now < revision {
            said = None;
        }
        revision = now;
        let mine = status["works"] == json!(me.slot) && said.is_some();
        let restless = library.restless_while.as_deref().is_some_and(Path::exists);
        works.store(mine, Ordering::SeqCst);
        if !mine {
            // It ends what it has in hand.
            drop(in_hand.lock().unwrap());
        }
        let rested = !mine && !restless;
        if said != Some(rested) && me.say(revision, rested, false) {
            said = Some(rested);
        }
        let slots = status["slots"].as_array().unwrap();
        let resting =
            slots.iter().any(|it| it["slot"] == json!(me.slot) && it["state"] == "resting");
        if resting && rested {
            let _held = in_hand.lock().unwrap();
            me.say(revision, true, true);
        }
    }
}

fn work(library: &Library, slot: &str, works: &AtomicBool, in_hand: &Mutex<()>) {
    let mut journal = OpenOptions::new().create(true).append(true).open(&library.journal).unwrap();
    let mut note = |what: &str| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let line = format!("{slot} {} {what} {now}\n", std::process::id());
        journal.write_all(line.as_bytes()).unwrap();
    };
    loop {
        {
            let _job = in_hand.lock().unwrap();
            if works.load(Ordering::SeqCst) {
                note("begin");
                std::thread::sleep(library.job);
                note("end");
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Me {
    /// Whether it was heard.
    fn say(&self, revision: u64, rested: bool, holds: bool) -> bool {
        let path = format!("/v1/apps/{}/slots/{}/rest", self.app, self.slot);
        let detail = (!rested).then_some("a job is in hand");
        let body = json!({
            "run": self.run, "revision": revision, "rested": rested, "holds": holds,
            "detail": detail,
        });
        self.ask("POST", &path, Some(body)).is_some()
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Option<Value> {
        let body = body.map(|it| it.to_string()).unwrap_or_default();
        let mut socket = UnixStream::connect(&self.socket).ok()?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: vial\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        if !head.starts_with("HTTP/1.1 200") {
            return None;
        }
        serde_json::from_str(body).ok()
    }
}

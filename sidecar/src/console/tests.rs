//! Consoles on a terminal whose other side the test holds in its hand.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use jiff::Timestamp;

use super::*;

const SOON: Duration = Duration::from_secs(20);
const LONG: Limits = Limits { kept: SOON, idle: SOON };

/// Consoles, and what ends them.
struct Stage {
    consoles: Consoles,
    stop: watch::Sender<bool>,
    session: CancellationToken,
}

/// One that is open, with the program's side of its terminal.
struct Opened {
    id: String,
    program: File,
    gone: oneshot::Sender<String>,
    why: oneshot::Receiver<String>,
}

impl Stage {
    fn new() -> Stage {
        let (stop, stopped) = watch::channel(false);
        Stage { consoles: Consoles::new(stopped), stop, session: CancellationToken::new() }
    }

    fn open(&self, owner: &str, limits: Limits) -> Result<Opened, Problem> {
        let place = self.consoles.place(owner)?;
        let id = place.id().to_owned();
        let size = Size { rows: 24, columns: 80 };
        let (terminal, theirs) = Terminal::open(size, None).unwrap();
        // What is typed is not printed by the terminal itself, and nothing else is changed.
        let mut plain = rustix::termios::tcgetattr(&theirs).unwrap();
        plain.make_raw();
        rustix::termios::tcsetattr(&theirs, rustix::termios::OptionalActions::Now, &plain).unwrap();
        let console = Console {
            id: id.clone(),
            app: "shop".into(),
            slot: None,
            release: 1,
            label: "v1.0.0".into(),
            node: None,
            user: owner.into(),
            opened_at: Timestamp::now(),
            kept_ms: 0,
            idle_ms: 0,
        };
        let (gone, is_gone) = oneshot::channel();
        let (tell, why) = oneshot::channel();
        let is_gone = async {
            match is_gone.await {
                Ok(why) => why,
                Err(_) => std::future::pending().await,
            }
        };
        let parts = Parts {
            terminal,
            end: Box::new(|| async { Exit::Status(0) }.boxed()),
            gone: is_gone.boxed(),
            session: self.session.clone(),
            ended: Box::new(|why| async { drop(tell.send(why)) }.boxed()),
            limits,
        };
        place.open(console, parts);
        Ok(Opened { id, program: File::from(theirs), gone, why })
    }

    async fn attach(&self, opened: &Opened, cursor: Option<u64>) -> Page {
        self.consoles.attach(&opened.id, "ada", cursor).await.unwrap()
    }
}

impl Opened {
    fn prints(&mut self, text: &str) {
        self.program.write_all(text.as_bytes()).unwrap();
    }

    async fn ends_for(self) -> String {
        tokio::time::timeout(SOON, self.why).await.expect("it ends").unwrap()
    }
}

async fn said(page: &mut Page) -> Option<Said> {
    tokio::time::timeout(SOON, page.said.recv()).await.expect("it says something")
}

/// What is printed, up to a text.
async fn until(page: &mut Page, end: &str) -> String {
    let mut all = String::new();
    while !all.ends_with(end) {
        match said(page).await {
            Some(Said::Printed(bytes)) => all.push_str(std::str::from_utf8(&bytes).unwrap()),
            other => panic!("{other:?} after {all:?}"),
        }
    }
    all
}

#[tokio::test]
async fn what_is_typed_reaches_the_program_and_what_it_prints_the_page() {
    let stage = Stage::new();
    let mut opened = stage.open("ada", LONG).unwrap();
    let mut page = stage.attach(&opened, None).await;
    assert_eq!(said(&mut page).await, Some(Said::At(0)));
    opened.prints("iex(1)> ");
    until(&mut page, "iex(1)> ").await;
    page.typed.send(Typed::Keys("1 + 1\r".into())).await.unwrap();
    let mut program = opened.program.try_clone().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let mut keys = [0; 6];
        program.read_exact(&mut keys).unwrap();
        keys
    });
    assert_eq!(&tokio::time::timeout(SOON, read).await.unwrap().unwrap(), b"1 + 1\r");
    page.typed.send(Typed::Resize(Size { rows: 40, columns: 120 })).await.unwrap();
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let size = rustix::termios::tcgetwinsize(&opened.program).unwrap();
        if (size.ws_row, size.ws_col) == (40, 120) {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "it keeps its size: {size:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_page_that_comes_back_finds_what_was_printed_meanwhile() {
    let stage = Stage::new();
    let mut opened = stage.open("ada", LONG).unwrap();
    let mut page = stage.attach(&opened, None).await;
    said(&mut page).await;
    opened.prints("before.");
    until(&mut page, "before.").await;
    drop(page);
    opened.prints("meanwhile.");
    let mut page = stage.attach(&opened, Some(7)).await;
    assert_eq!(said(&mut page).await, Some(Said::At(7)));
    assert_eq!(until(&mut page, "meanwhile.").await, "meanwhile.");
    opened.prints("after.");
    assert_eq!(until(&mut page, "after.").await, "after.");
    let mut fresh = stage.attach(&opened, None).await;
    assert_eq!(said(&mut fresh).await, Some(Said::At(0)));
    assert_eq!(until(&mut fresh, "after.").await, "before.meanwhile.after.");
    assert_eq!(said(&mut page).await, None, "taken over: it ends without a reason");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_read_stops_the_program_and_its_leaving_lets_it_go_on() {
    const ALL: usize = 2 << 20;
    let stage = Stage::new();
    let opened = stage.open("ada", LONG).unwrap();
    let page = stage.attach(&opened, None).await;
    let written = Arc::new(AtomicUsize::new(0));
    let mut program = opened.program.try_clone().unwrap();
    let count = written.clone();
    let writer = tokio::task::spawn_blocking(move || {
        let line = [b'x'; 1024];
        while count.load(Ordering::Relaxed) < ALL {
            program.write_all(&line).unwrap();
            count.fetch_add(line.len(), Ordering::Relaxed);
        }
    });
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = written.load(Ordering::Relaxed);
        if now > 0 && now == before {
            break;
        }
        before = now;
    }
    assert!(before <= 256 << 10, "{before} bytes are held for a page that does not read");
    drop(page);
    tokio::time::timeout(SOON, writer).await.expect("it is read without a page").unwrap();
    assert_eq!(written.load(Ordering::Relaxed), ALL);
}

#[tokio::test]
async fn a_program_that_closes_its_terminal_ends_its_console() {
    let stage = Stage::new();
    let mut opened = stage.open("ada", LONG).unwrap();
    let mut page = stage.attach(&opened, None).await;
    said(&mut page).await;
    opened.prints("bye.");
    opened.program = File::open("/dev/null").unwrap();
    until(&mut page, "bye.").await;
    let why = "IEx exited with status 0.";
    assert_eq!(said(&mut page).await, Some(Said::Ended(why.into())));
    assert_eq!(opened.ends_for().await, why);
    stage.stop.send_replace(true);
    // What a console says last may be on its way as long as its page is there.
    stage.consoles.ended().now_or_never().ok_or(()).unwrap_err();
    drop(page);
    tokio::time::timeout(SOON, stage.consoles.ended()).await.unwrap();
    assert!(stage.consoles.lock().is_empty());
}

#[tokio::test]
async fn a_console_ends_with_the_session_the_daemon_or_the_node() {
    for (cause, reason) in [("session", "session"), ("daemon", "daemon stops"), ("node", "gone")] {
        let stage = Stage::new();
        let opened = stage.open("ada", LONG).unwrap();
        let mut page = stage.attach(&opened, None).await;
        said(&mut page).await;
        let Opened { gone, why, .. } = opened;
        match cause {
            "session" => stage.session.cancel(),
            "daemon" => drop(stage.stop.send_replace(true)),
            _ => gone.send("It is gone.".into()).unwrap(),
        }
        let Some(Said::Ended(told)) = said(&mut page).await else { panic!("{cause}") };
        assert!(told.contains(reason), "{cause}: {told}");
        assert_eq!(tokio::time::timeout(SOON, why).await.unwrap().unwrap(), told);
    }
}

#[tokio::test]
async fn a_console_without_a_page_ends_and_one_with_a_page_only_when_nothing_happens() {
    let stage = Stage::new();
    let kept = Limits { kept: Duration::from_millis(50), idle: SOON };
    let opened = stage.open("ada", kept).unwrap();
    assert!(opened.ends_for().await.starts_with("It had no page for"));
    let idle = Limits { kept: Duration::from_millis(50), idle: Duration::from_millis(400) };
    let opened = stage.open("ada", idle).unwrap();
    let mut page = stage.attach(&opened, None).await;
    said(&mut page).await;
    let why = opened.ends_for().await;
    assert!(why.starts_with("Nothing was typed or printed in it for"), "{why}");
    assert_eq!(said(&mut page).await, Some(Said::Ended(why)));
}

#[tokio::test]
async fn a_user_has_their_own_consoles_and_not_too_many() {
    let stage = Stage::new();
    let own: Vec<Opened> = (0..OF_A_USER).map(|_| stage.open("ada", LONG).unwrap()).collect();
    assert_eq!(stage.open("ada", LONG).err().unwrap().code, Code::TooManyRequests);
    let others: Vec<Opened> = (OF_A_USER..ALL).map(|_| stage.open("bob", LONG).unwrap()).collect();
    assert_eq!(stage.open("eve", LONG).err().unwrap().code, Code::TooManyRequests);
    assert_eq!(stage.consoles.of("ada").len(), OF_A_USER);
    assert!(stage.consoles.of("eve").is_empty());

    let id = &own[0].id;
    let end = |owner| stage.consoles.end(id, owner, "It was ended.".into());
    assert_eq!(end("bob").await.unwrap_err().code, Code::NotFound);
    let refused = stage.consoles.attach(id, "bob", None).await.unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
    end("ada").await.unwrap();
    assert_eq!(stage.consoles.of("ada").len(), OF_A_USER - 1);
    assert_eq!(end("ada").await.unwrap_err().code, Code::NotFound);
    // Its place is free by the time that its end is told.
    stage.open("ada", LONG).unwrap();
    drop(others);
}

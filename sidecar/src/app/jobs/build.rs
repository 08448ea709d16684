//! Building a release from a commit of the app's repository, and packing it for the unpacking.

use std::io::{self, Write};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;
use vial_protocol::{Build, Code, Problem};

use crate::app::context::Context;
use crate::app::helpers::{Journalled, Purpose};
use crate::app::machine::Fact;
use crate::app::message::Message;
use crate::app::request::{Part, Upload};
use crate::build::{self, BuildError, BuildLog, Builder, Built, Journal, Order, Place, Told};
use crate::config::Source;
use crate::fault;
use crate::release;
use crate::slot::{Identity, User};

/// How many pieces of a packed release may wait for the unpacking.
const WAITING: usize = 16;
/// How large they are.
const PIECE: usize = 128 << 10;

/// Builds the release of a deployment, when its turn has come.
pub(in crate::app) async fn build(
    context: Arc<Context>,
    number: u64,
    asked: Build,
    tell: mpsc::Sender<Message>,
) -> Message {
    let (notes, mut heard) = mpsc::unbounded_channel();
    let work = async {
        // Dropped with the work, so that the forwarding ends.
        let notes = notes;
        turn(&context, number, asked, &notes).await
    };
    let forward = async {
        while let Some(fact) = heard.recv().await {
            let _ = tell.send(Message::Fact(fact)).await;
        }
    };
    match tokio::join!(work, forward).0 {
        Ok(built) => Message::Built(number, Box::new(built)),
        Err(problem) => Message::Fact(Fact::StepFailed { number, problem }),
    }
}

type Notes = mpsc::UnboundedSender<Fact>;

async fn turn(
    context: &Arc<Context>,
    number: u64,
    asked: Build,
    notes: &Notes,
) -> Result<Built, Problem> {
    let note = |outcome: String| {
        let _ = notes.send(Fact::BuildNoted { number, outcome });
    };
    let Some(source) = context.config.source.clone() else {
        return Err(Problem::new(Code::Configuration, "The app has no `[source]` any more."));
    };
    let name = format!("{} #{number}", context.app());
    // Whoever is asked for is told who must be waited for.
    let _turn = context.daemon.builds.turn(name, note).await;
    fault::point(|| "build: its turn".into());
    let place = Place::new(context.layout.root());
    let began = place.make_log(number).and_then(|path| {
        BuildLog::create(&path, source.output).map_err(|source| BuildError::Disk { path, source })
    });
    let vault = context.vault.clone();
    let hide = Box::new(move |text: &str| vault.mask(text).into_owned());
    let log = began.map_err(|error| problem(context, number, &error, Vec::new()))?;
    let mut log = log.hiding(hide);
    let built = order(context, number, asked, source, place);
    let built = match built {
        Ok(order) => {
            let journal = Helpers { context: context.clone(), number };
            let told = |told| {
                let _ = notes.send(match told {
                    Told::Step(outcome) => Fact::BuildNoted { number, outcome },
                    Told::Fetched(commit) => Fact::Fetched { number, commit },
                });
            };
            build::build(order, &journal, &mut log, told).await
        }
        Err(error) => Err(error),
    };
    fault::point(|| "build: ended".into());
    built.map_err(|error| {
        let last = log.last();
        log.say(&error.to_string());
        problem(context, number, &error, last)
    })
}

fn order(
    context: &Context,
    number: u64,
    asked: Build,
    source: Source,
    place: Place,
) -> Result<Order, BuildError> {
    let builder = builder(context, &source, &format!("build-{number}"))?;
    Ok(Order {
        place,
        release: context.config.release.clone(),
        reference: asked.reference,
        sha: asked.sha,
        builder,
        source,
    })
}

/// Who fetches and builds, for a purpose that its programs are marked by.
pub(super) fn builder(
    context: &Context,
    source: &Source,
    purpose: &str,
) -> Result<Builder, BuildError> {
    let user = source.user.as_ref().map(|user| User {
        name: user.name.clone(),
        uid: user.uid,
        gid: user.gid,
        home: user.home.clone(),
    });
    if user.is_none() && nix::unistd::geteuid().is_root() {
        return Err(BuildError::NoBuilder { user: crate::config::BUILDER.into() });
    }
    let binary = context.daemon.binary.clone();
    let marker = format!("{}.{}-{purpose}", context.marker(0), std::process::id());
    Ok(Builder::new(binary, user, marker, source.processes))
}

fn problem(context: &Context, number: u64, error: &BuildError, last: Vec<String>) -> Problem {
    let code = if error.is_for_want_of_space() { Code::NoSpace } else { Code::BuildFailed };
    Problem::new(code, error.to_string()).next(error.next(context.app(), number)).log(last)
}

/// The programs of a build are written down beside those of releases.
struct Helpers {
    context: Arc<Context>,
    number: u64,
}

impl Journal for Helpers {
    type Row = Journalled;

    async fn begin(&self, marker: &str, identity: &Identity) -> Result<Journalled, String> {
        let purpose = Purpose::Build(self.number);
        let row = Journalled::write(&self.context, purpose, marker, identity).await;
        row.map_err(|error| error.to_string())
    }

    async fn end(&self, row: Journalled, ending: &str) {
        row.close(ending).await;
    }
}

/// Packs what was built, for the same unpacking that an archive goes through.
pub(in crate::app) fn pack(built: Built) -> Upload {
    let (parts, upload) = mpsc::channel(WAITING);
    // Detached: where nobody unpacks any more, it ends at its next piece.
    drop(tokio::task::spawn_blocking(move || {
        let mut out = Pieces { parts, buffer: Vec::with_capacity(PIECE) };
        let packed = release::pack(&built.folder, &mut out);
        fault::point(|| "build: packed".into());
        let end = match packed {
            Ok(()) => {
                built.was_good();
                Part::End
            }
            Err(error) => Part::Broken(error.to_string()),
        };
        let _ = out.parts.blocking_send(end);
    }));
    upload
}

struct Pieces {
    parts: mpsc::Sender<Part>,
    buffer: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        self.parts
            .blocking_send(Part::Bytes(Bytes::from(bytes)))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

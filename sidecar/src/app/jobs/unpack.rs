//! Receiving, checking and unpacking the archive that came with a deploy.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tokio_util::bytes::{Buf, Bytes};
use vial_protocol::{Code, Problem, Release};

use crate::app::context::Context;
use crate::app::machine::Fact;
use crate::app::message::Message;
use crate::app::request::{Part, Upload};
use crate::release::{self, Limits, Spec, UnpackError};

/// Unpacks the release of a deployment.
pub(in crate::app) async fn unpack(
    context: Arc<Context>,
    number: u64,
    upload: Option<Upload>,
    commit: Option<String>,
) -> Message {
    match receive(&context, number, upload, commit).await {
        Ok(release) => Message::Unpacked(release),
        Err(problem) => Message::Fact(Fact::StepFailed { number, problem }),
    }
}

async fn receive(
    context: &Arc<Context>,
    number: u64,
    upload: Option<Upload>,
    commit: Option<String>,
) -> Result<Release, Problem> {
    let Some(upload) = upload else {
        return Err(
            Problem::new(Code::Interrupted, "The upload was interrupted.").next("send it again")
        );
    };
    // Set when this future is dropped: the blocking thread notices and leaves nothing behind.
    let abandoned = Abandoned::default();
    let stop = abandoned.0.clone();
    let blocking = context.clone();
    let done = tokio::task::spawn_blocking(move || install(&blocking, number, upload, &stop)).await;
    let manifest = match done {
        Ok(done) => done?,
        Err(panic) => {
            return Err(Problem::new(Code::Internal, format!("Unpacking broke off: {panic}.")));
        }
    };
    let release = Release {
        number,
        name: manifest.name,
        version: manifest.version,
        sha256: manifest.sha256,
        size: manifest.size,
        erts: manifest.erts,
        elixir: manifest.elixir,
        migrations: manifest.migrations,
        unpacked_at: Timestamp::now(),
        commit,
    };
    let store = &context.daemon.store;
    store.release_added(context.app(), release.clone()).await.map_err(|error| {
        Problem::new(Code::Internal, format!("The release could not be written down: {error}."))
    })?;
    Ok(release)
}

fn install(
    context: &Context,
    number: u64,
    upload: Upload,
    stop: &AtomicBool,
) -> Result<release::Manifest, Problem> {
    let limits = &context.daemon.host.limits;
    let spec = Spec {
        name: context.config.release.clone(),
        staging: context.layout.incoming(),
        owner_gid: context.config.user.as_ref().map(|user| user.gid),
        limits: Limits {
            max_bytes: limits.release_bytes,
            max_entries: limits.release_entries,
            max_ratio: limits.release_ratio,
            ..Limits::default()
        },
    };
    let source = Parts { upload, rest: Bytes::new(), ended: false };
    let staged = release::unpack(source, &spec, &|| stop.load(Ordering::Relaxed))
        .map_err(|error| refused(&error))?;
    let manifest = staged.manifest.clone();
    staged.install(&context.layout.release(number)).map_err(|error| {
        Problem::new(Code::NoSpace, format!("The release could not be put in its place: {error}"))
    })?;
    Ok(manifest)
}

fn refused(error: &UnpackError) -> Problem {
    let code = match error {
        UnpackError::NoSpace { .. } => Code::NoSpace,
        UnpackError::Cancelled => Code::Cancelled,
        UnpackError::Disk { .. } | UnpackError::Host(_) => Code::Internal,
        _ => Code::BadRelease,
    };
    let problem = Problem::new(code, error.to_string());
    match error.next() {
        Some(next) => problem.next(next),
        None => problem,
    }
}

#[derive(Default)]
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The parts of an upload as one stream, for a blocking thread.
struct Parts {
    upload: Upload,
    rest: Bytes,
    ended: bool,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() && !self.ended {
            match self.upload.blocking_recv() {
                Some(Part::Bytes(bytes)) => self.rest = bytes,
                Some(Part::End) => self.ended = true,
                Some(Part::Broken(why)) => return Err(io::Error::other(why)),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = buffer.len().min(self.rest.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.advance(count);
        Ok(count)
    }
}

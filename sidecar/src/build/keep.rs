//! What the last good build of the configured branch left: lent to the next where the lock file, the
//! commands, their environment and the tools are the same.
//!
//! Copies, as clones where the file system can; never hard links, because what writes into a file
//! would write into both.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::BuildError;
use super::log::BuildLog;
use super::place::{self, Held};
use super::program::{Builder, Journal, Limits, Program, run};
use crate::config::Source;
use crate::slot::Exit;

/// What Mix keeps between two builds.
const FOLDERS: [&str; 2] = ["_build", "deps"];

/// As much of a lock file as is looked at.
const LOCK: u64 = 16 << 20;

/// What a build must have in common with another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

/// Looks at a checkout and at the tools that it would be built with.
pub(super) async fn key<J: Journal>(
    source: &Source,
    (builder, journal): (&Builder, &J),
    mut tools: Program,
    limits: &Limits,
    log: &mut BuildLog,
) -> Result<Key, BuildError> {
    tools.told = false;
    let checkout = limits.place().source();
    let versions = run(builder, journal, tools, limits, log).await?;
    let mut hash = Sha256::new();
    let mut add = |name: &str, bytes: &[u8]| {
        hash.update(format!("{name} {}\n", bytes.len()));
        hash.update(bytes);
    };
    add("tools", versions.output.as_bytes());
    add("lock", &lock_file(&checkout.join("mix.lock")));
    for command in &source.build {
        add("command", command.as_bytes());
    }
    for (name, value) in source.env.iter() {
        add(name, value.as_bytes());
    }
    let digest = hash.finalize();
    Ok(Key(digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// What is in it; a link is none.
fn lock_file(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    if fs::symlink_metadata(path).is_ok_and(|it| it.is_file())
        && let Ok(file) = File::open(path)
        && file.take(LOCK).read_to_end(&mut bytes).is_err()
    {
        bytes.clear();
    }
    bytes
}

/// Copies what is kept into a build's folders. Whether something of it fits.
pub(super) async fn lend<J: Journal>(
    key: &Key,
    (builder, journal): (&Builder, &J),
    env: &[(std::ffi::OsString, std::ffi::OsString)],
    limits: &Limits,
    log: &mut BuildLog,
) -> Result<bool, BuildError> {
    let place = limits.place();
    let cache = place.cache();
    let there = |name: &&str| cache.join(name).is_dir();
    let fits = fs::read_to_string(cache.join("key")).is_ok_and(|it| it == key.0);
    let mut copies = Vec::new();
    if fits {
        // A folder of the checkout's own is not written over.
        let free = |name: &&&str| !place.source().join(name).exists();
        copies.extend(
            FOLDERS.iter().filter(|it| there(it)).filter(free).map(|it| (*it, place.source())),
        );
    }
    copies.extend(Some(("home", place.work())).filter(|(name, _)| there(name)));
    if copies.is_empty() {
        return Ok(false);
    }
    place::open(&cache)?;
    let mut copied = true;
    for (name, to) in copies {
        let from = cache.join(name);
        let program = Program {
            name: "cp",
            args: vec![
                "-a".into(),
                "--reflink=auto".into(),
                "-T".into(),
                "--".into(),
                from.into(),
                to.join(name).into(),
            ],
            env: env.to_vec(),
            cwd: place.source(),
            told: true,
        };
        let done = run(builder, journal, program, limits, log).await;
        copied &= matches!(&done, Ok(done) if done.exit == Exit::Status(0));
        if done.is_err() {
            place::close(&cache)?;
        }
        done?;
    }
    place::close(&cache)?;
    Ok(fits && copied)
}

/// Keeps what a good build left, in place of what was kept before. Nothing of the build runs any
/// more.
pub(super) fn take(held: &Held, key: &Key, release: &Path) -> io::Result<()> {
    let place = held.place();
    let cache = place.cache();
    // Without its key it is nobody's, should this be cut off in the middle.
    match fs::remove_file(cache.join("key")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Mix would ask whether to write over it, and nobody is there to answer.
    place::remove(release)?;
    let own = FOLDERS.map(|name| (name, place.source()));
    for (name, from) in own.into_iter().chain([("home", place.work())]) {
        place::remove(&cache.join(name))?;
        if is_folder(&from.join(name)) {
            fs::rename(from.join(name), cache.join(name))?;
        }
    }
    fs::write(cache.join("key"), &key.0)
}

/// A folder itself, and no link to one.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|it| it.is_dir())
}

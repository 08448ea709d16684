//! A shorter live file in place of one that could not be freed, while nobody writes to it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};

use super::edge::{Edge, Step, System};
use super::live::Live;
use super::segment::{Segments, folder};

/// What is not worth it.
const LITTLE: u64 = 1 << 20;
/// A file that long is renewed although it is freed: ext4 has an end at 16 TiB.
const FAR: u64 = 1 << 40;

/// How many bytes of the disk the live file takes that are in segments already: nearly none, but
/// where the file system cannot free them.
///
/// # Errors
/// Where it cannot be looked at.
pub fn unfreed(path: &Path) -> io::Result<u64> {
    let Some(live) = Live::open(path)? else { return Ok(0) };
    let (end, kept) = (live.end()?, Segments::of(path)?.end());
    let known = kept.saturating_sub(live.data(live.start())?);
    // What is on the disk beyond what is live: a file system may hold it, whatever it says of holes.
    Ok(live.on_disk()?.saturating_sub(end.saturating_sub(kept)).min(known))
}

/// Puts a shorter file in the log's place, where that frees something and nobody has it open to
/// write. To be called before a slot is started. Says whether it did.
///
/// # Errors
/// Where it cannot be written: the old file stays as it is.
pub fn renew(path: &Path) -> io::Result<bool> {
    renew_on(path, &System)
}

pub(super) fn renew_on(path: &Path, edge: &dyn Edge) -> io::Result<bool> {
    let Some(live) = Live::open(path)? else { return Ok(false) };
    let folder = folder(path);
    if !folder.is_dir() {
        return Ok(false);
    }
    let _held = Flock::lock(File::open(&folder)?, FlockArg::LockExclusive)
        .map_err(|(_, errno)| io::Error::from(errno))?;
    let far = live.file().metadata()?.len() >= FAR;
    if (unfreed(path)? < LITTLE && !far) || is_written(live.file())? {
        return Ok(false);
    }
    let from = Segments::of(path)?.end();
    let old = live.file().metadata()?;
    let aside = folder.join("live.new");
    let written = (|| {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&aside)?;
        file.write_all(&Live::header(from))?;
        io::copy(&mut live.range(from, live.end()?)?, &mut file)?;
        let _ = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
        file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))?;
        file.sync_all()
    })();
    if let Err(error) = written {
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    edge.done(Step::Copied);
    fs::rename(&aside, path)?;
    if let Some(parent) = path.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(true)
}

/// Whether any process that we may look at has the file open to write.
fn is_written(file: &File) -> io::Result<bool> {
    let it = file.metadata()?;
    let is_it = |path: &Path| {
        fs::metadata(path).is_ok_and(|other| (other.dev(), other.ino()) == (it.dev(), it.ino()))
    };
    for process in fs::read_dir("/proc")?.flatten() {
        let is_pid = process.file_name().to_str().is_some_and(|it| it.parse::<u32>().is_ok());
        let Some(files) = is_pid.then(|| fs::read_dir(process.path().join("fd")).ok()).flatten()
        else {
            continue;
        };
        for open in files.flatten().filter(|open| is_it(&open.path())) {
            let info = process.path().join("fdinfo").join(open.file_name());
            // Gone meanwhile, it does not write.
            let Ok(info) = fs::read_to_string(info) else { continue };
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
            let flags = flags.and_then(|text| u32::from_str_radix(text.trim(), 8).ok());
            if flags.is_none_or(|flags| flags & 0o3 != 0) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

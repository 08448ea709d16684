//! A release's way from a hostile byte stream to an immutable folder, and back into a stream.
//!
//! ```text
//! bytes → source   counts, hashes, decompresses, enforces the limits, looks at `stop`
//!       → archive  tar headers and their extensions → one checked `Entry` at a time
//!       → tree     writes an entry below the staging folder without following any link
//!       → links    after the last entry: no link may leave the folder
//!       → layout   is it a release, and the one that was expected?
//!       → heart    does it bring a supervisor of its own that would fight Vial's?
//!       → elf      can this machine run the Erlang inside? (`program` reads it)
//!       → manifest, migrations   what the release says of itself
//!       = Staged   → `install` renames it into place; dropped, it leaves nothing
//! ```
//!
//! [`unpack`] does all of that on the caller's thread: it blocks, so it belongs on a blocking
//! one. Memory stays constant however large the archive is. [`pack`] is the other direction, used
//! by the command line, [`room`] says before all of that whether the disk has any, and [`sweep`] removes what a crash left in a staging folder.
//!
//! Nothing here knows of apps, slots or deployments, of configuration, or of the socket; the one
//! type it shares with them is [`vial_protocol::Migration`]. It must never import
//! another folder of this crate.

mod archive;
mod elf;
mod error;
mod extensions;
mod header;
mod heart;
mod layout;
mod limits;
mod links;
mod manifest;
mod migrations;
mod names;
mod pack;
mod program;
mod room;
mod source;
mod space;
mod staging;
mod tree;

use std::io::Read;
use std::path::PathBuf;

pub use error::{EntryFault, ErtsFault, InstallError, PackError, UnpackError};
pub use limits::Limits;
pub use manifest::Manifest;
pub use pack::pack;
pub use room::{NoRoom, room};
pub use staging::{Staged, sweep};

/// What to unpack, and where.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The release's name: the archive must have `bin/NAME`.
    pub name: String,
    /// The folder in which releases are staged; made, readable by nobody else, where it is
    /// missing. It must be on the file system of the final place.
    pub staging: PathBuf,
    /// The group that may read what is unpacked; without it, the process' own.
    pub owner_gid: Option<u32>,
    /// How much an archive may bring.
    pub limits: Limits,
}

/// Unpacks a `.tar.gz` or `.tar` of a release into a staging folder and checks it.
///
/// `input` is read to its end, also after the last entry: the digest is that of every byte
/// received. `stop` is asked between blocks; when it says true the work ends with
/// [`UnpackError::Cancelled`].
///
/// # Errors
///
/// Whatever the error, nothing is left behind.
pub fn unpack(
    input: impl Read,
    spec: &Spec,
    stop: &dyn Fn() -> bool,
) -> Result<Staged, UnpackError> {
    let stage = staging::Stage::create(&spec.staging)?;
    let mut archive = archive::Archive::open(input, spec.limits, stop)?;
    let mut tree = tree::Tree::create(&stage.tree(), spec.owner_gid, spec.limits.keep_free)?;
    while let Some(entry) = archive.next()? {
        tree.write(&entry, &mut archive)?;
    }
    let receipt = archive.finish()?;
    let size = tree.finish();

    let root = layout::root(&stage.tree(), &spec.name)?;
    links::check(&root)?;
    let layout = layout::Layout::read(&root, &spec.name)?;
    heart::check(&root)?;
    if let Some(erts) = &layout.erts {
        elf::check(&root.join(format!("erts-{erts}/bin/beam.smp")), &elf::Host::here()?)
            .map_err(|fault| UnpackError::Erts { erts: erts.clone(), fault })?;
    }
    let manifest = Manifest {
        name: spec.name.clone(),
        version: layout.version,
        sha256: receipt.sha256,
        size,
        erts: layout.erts,
        elixir: layout.elixir,
        migrations: migrations::list(&root)?,
    };
    Ok(Staged::new(stage, root, manifest))
}

//! Archives made by hand, so that they can be wrong in every way; and a place to unpack them in.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};
use tempfile::TempDir;
use vial::release::{EntryFault, Limits, Spec, Staged, UnpackError, unpack};

/// A tar stream under construction, without its end marker.
#[derive(Default, Clone)]
pub struct Tar(Vec<u8>);

impl Tar {
    /// Adds an entry with whatever name, kind and mode.
    pub fn raw(
        mut self,
        kind: u8,
        name: &[u8],
        target: &[u8],
        mode: u32,
        claimed: u64,
        data: &[u8],
    ) -> Self {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target);
        header.set_mode(mode);
        header.set_size(claimed);
        header.set_mtime(1_700_000_000);
        header.set_entry_type(EntryType::new(kind));
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub fn file(self, name: &str, mode: u32, data: impl AsRef<[u8]>) -> Self {
        let data = data.as_ref();
        self.raw(b'0', name.as_bytes(), b"", mode, data.len() as u64, data)
    }

    pub fn folder(self, name: &str) -> Self {
        self.raw(b'5', name.as_bytes(), b"", 0o755, 0, b"")
    }

    pub fn link(self, name: &str, target: &str) -> Self {
        self.raw(b'2', name.as_bytes(), target.as_bytes(), 0o777, 0, b"")
    }

    pub fn hard_link(self, name: &str, target: &str) -> Self {
        self.raw(b'1', name.as_bytes(), target.as_bytes(), 0o644, 0, b"")
    }

    /// A PAX record for the next entry.
    pub fn pax(self, records: &[(&str, &str)]) -> Self {
        let data = pax(records);
        self.raw(b'x', b"PaxHeaders/x", b"", 0o644, data.len() as u64, &data)
    }

    /// The whole archive.
    pub fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }

    /// What there is, without an end.
    pub fn cut(self) -> Vec<u8> {
        self.0
    }
}

pub fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut data = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while length != rest + length.to_string().len() {
            length = rest + length.to_string().len();
        }
        writeln!(data, "{length} {key}={value}").unwrap();
    }
    data
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The files of a release named `shop` that uses the host's Erlang, version 0.1.0.
pub fn shop() -> Tar {
    shop_without(&[])
}

/// The same without some of its files.
pub fn shop_without(missing: &[&str]) -> Tar {
    let files: [(&str, u32, &str); 8] = [
        ("bin/shop", 0o755, "#!/bin/sh\n"),
        ("releases/start_erl.data", 0o644, "13.1.5 0.1.0"),
        ("releases/0.1.0/start.boot", 0o644, "boot"),
        ("releases/0.1.0/vm.args", 0o644, "## -heart\n+P 1000\n"),
        ("releases/0.1.0/env.sh", 0o644, "#!/bin/sh\n# export HEART_COMMAND\n"),
        ("releases/0.1.0/elixir", 0o755, "#!/bin/sh\n"),
        ("lib/elixir-1.14.0/ebin/elixir.app", 0o644, "{}."),
        ("lib/shop-0.1.0/priv/repo/migrations/20240101000000_add_users.exs", 0o644, "x"),
    ];
    files
        .iter()
        .filter(|(name, ..)| !missing.contains(name))
        .fold(Tar::default(), |tar, (name, mode, data)| tar.file(name, *mode, data))
}

/// The program that stands in for a release's `beam.smp`: one that runs here.
pub fn program() -> Vec<u8> {
    fs::read("/bin/true").unwrap()
}

/// A folder with a staging folder in it, and something beside it that must never change.
pub struct Place {
    pub folder: TempDir,
    pub spec: Spec,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("precious"), "untouched").unwrap();
        let spec = Spec {
            name: "shop".to_owned(),
            staging: folder.path().join("staging"),
            owner_gid: None,
            limits: Limits { keep_free: 0, ..Limits::default() },
        };
        Place { folder, spec }
    }

    pub fn unpack(&self, bytes: &[u8]) -> Result<Staged, UnpackError> {
        unpack(bytes, &self.spec, &|| false)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Asserts that nothing is left in the staging folder, nor anything new beside it.
    pub fn assert_clean(&self) {
        let staged: Vec<_> = fs::read_dir(&self.spec.staging)
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        assert!(staged.is_empty(), "left behind: {staged:?}");
        let mut beside: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "staging")
            .collect();
        beside.sort();
        assert_eq!(beside, ["precious"]);
        assert_eq!(fs::read_to_string(self.path("precious")).unwrap(), "untouched");
    }
}

/// Unpacks, expecting a refusal that leaves nothing behind.
pub fn refused(bytes: &[u8]) -> UnpackError {
    let place = Place::new();
    let error = place.unpack(bytes).expect_err("it was accepted");
    place.assert_clean();
    error
}

/// The same for one entry that is at fault; returns the name the error gives it.
pub fn fault(tar: Tar) -> (String, EntryFault) {
    match refused(&tar.end()) {
        UnpackError::Entry { name, fault } => (name, fault),
        other => panic!("another error: {other}"),
    }
}

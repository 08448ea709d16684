//! The records that precede an entry in an archive and speak about it: GNU long names and PAX.

use tar::{EntryType, Header, PaxExtensions};

use super::error::EntryFault;

/// What the records before an entry said about it.
#[derive(Default)]
pub(super) struct Extensions {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    seen: Vec<EntryType>,
}

impl Extensions {
    /// Whether nothing was said.
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Takes in one record. A second one of its kind before the same entry is refused: readers
    /// differ in which of the two they believe.
    pub(super) fn add(&mut self, kind: EntryType, data: &[u8]) -> Result<(), EntryFault> {
        if kind == EntryType::XGlobalHeader {
            return self.global(data);
        }
        if self.seen.contains(&kind) {
            return Err(EntryFault::Contradiction("two records of one kind before it"));
        }
        self.seen.push(kind);
        match kind {
            EntryType::GNULongName => set(&mut self.path, until_nul(data)),
            EntryType::GNULongLink => set(&mut self.target, until_nul(data)),
            _ => self.pax(data),
        }
    }

    fn pax(&mut self, data: &[u8]) -> Result<(), EntryFault> {
        for (key, value) in pax_records(data)? {
            match key {
                b"path" => set(&mut self.path, value)?,
                b"linkpath" => set(&mut self.target, value)?,
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                    if size.is_none() || self.size.is_some() {
                        return Err(EntryFault::Contradiction("its size"));
                    }
                    self.size = size;
                }
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(EntryFault::Kind("a sparse file"));
                }
                // Owners, times and attributes: what is unpacked gets Vial's.
                _ => {}
            }
        }
        Ok(())
    }

    /// A record for all entries that follow: a comment (git puts the commit there) at most.
    fn global(&self, data: &[u8]) -> Result<(), EntryFault> {
        let harmless = |key: &[u8]| {
            !matches!(key, b"path" | b"linkpath" | b"size") && !key.starts_with(b"GNU.")
        };
        if pax_records(data)?.iter().all(|(key, _)| harmless(key)) {
            Ok(())
        } else {
            Err(EntryFault::Contradiction("a global record that renames every entry"))
        }
    }

    /// The entry's path.
    pub(super) fn path(&self, header: &Header) -> Vec<u8> {
        self.path.clone().unwrap_or_else(|| header.path_bytes().into_owned())
    }

    /// What the entry links to.
    pub(super) fn target(&self, header: &Header) -> Vec<u8> {
        let own = || header.link_name_bytes().map(std::borrow::Cow::into_owned);
        self.target.clone().or_else(own).unwrap_or_default()
    }

    /// Whether the entry's size is what the records say. One that differs would make this reader
    /// see other entries than the one who checked the archive before.
    pub(super) fn agrees_on_size(&self, size: u64) -> bool {
        self.size.is_none_or(|said| said == size)
    }
}

fn set(slot: &mut Option<Vec<u8>>, value: &[u8]) -> Result<(), EntryFault> {
    if slot.replace(value.to_vec()).is_some() {
        return Err(EntryFault::Contradiction("two names"));
    }
    Ok(())
}

/// A GNU long name ends with one NUL; any other is part of the name, and refused with it.
fn until_nul(data: &[u8]) -> &[u8] {
    data.strip_suffix(b"\0").unwrap_or(data)
}

/// A key and its value.
type Record<'a> = (&'a [u8], &'a [u8]);

fn pax_records(data: &[u8]) -> Result<Vec<Record<'_>>, EntryFault> {
    PaxExtensions::new(data)
        .map(|record| {
            let record = record.map_err(|_| EntryFault::Contradiction("a malformed PAX record"))?;
            Ok((record.key_bytes(), record.value_bytes()))
        })
        .collect()
}

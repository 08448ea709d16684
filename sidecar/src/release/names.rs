//! Names that an archive brings: checked, or made printable for an error.

use super::error::{EntryFault, UnpackError};
use super::limits::Limits;

/// A relative path of an entry: at least one part, none of them `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryPath(String);

impl EntryPath {
    /// Checks a name as the archive has it. `None` for the folder that was packed itself (`./`).
    pub(super) fn parse(raw: &[u8], limits: &Limits) -> Result<Option<Self>, EntryFault> {
        let name = text(raw, limits)?;
        if name.is_empty() {
            return Err(EntryFault::EmptyPath);
        }
        if name.starts_with('/') {
            return Err(EntryFault::Absolute);
        }
        let mut path = String::with_capacity(name.len());
        let mut depth = 0;
        for part in name.split('/').filter(|part| !matches!(*part, "" | ".")) {
            if part == ".." {
                return Err(EntryFault::ParentPath);
            }
            if part.len() > limits.max_name || depth > limits.max_depth {
                return Err(too_long(limits));
            }
            if depth > 0 {
                path.push('/');
            }
            path.push_str(part);
            depth += 1;
        }
        Ok((depth > 0).then_some(EntryPath(path)))
    }

    /// The whole path, its parts joined by `/`.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The folders above it, and its own name.
    pub(super) fn split(&self) -> (impl Iterator<Item = &str>, &str) {
        let (parents, name) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        (parents.split('/').filter(|part| !part.is_empty()), name)
    }

    /// An error about the entry of this path.
    pub(super) fn fault(&self, fault: EntryFault) -> UnpackError {
        UnpackError::Entry { name: printable(self.0.as_bytes()), fault }
    }
}

/// A name or a link's target as text that may be kept and shown.
pub(super) fn text<'a>(raw: &'a [u8], limits: &Limits) -> Result<&'a str, EntryFault> {
    if raw.len() > limits.max_path {
        return Err(too_long(limits));
    }
    let text = std::str::from_utf8(raw).map_err(|_| EntryFault::NotUtf8)?;
    if text.chars().any(misleads) { Err(EntryFault::ControlCharacters) } else { Ok(text) }
}

/// An untrusted name for an error: escaped, and cut where it is long.
pub(super) fn printable(raw: &[u8]) -> String {
    const MOST: usize = 200;
    let text = String::from_utf8_lossy(raw);
    let mut out: String =
        text.chars().take(MOST).flat_map(|c| c.escape_debug().collect::<Vec<_>>()).collect();
    if text.chars().nth(MOST).is_some() {
        out.push('…');
    }
    out
}

/// Control characters, and the marks that make a terminal show text in another order.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn too_long(limits: &Limits) -> EntryFault {
    EntryFault::TooLong { path: limits.max_path, name: limits.max_name, depth: limits.max_depth }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Result<Option<String>, EntryFault> {
        EntryPath::parse(name.as_bytes(), &Limits::default()).map(|path| path.map(|p| p.0))
    }

    #[test]
    fn dots_and_double_slashes_are_normalised_away() {
        assert_eq!(parse("./bin//./shop/"), Ok(Some("bin/shop".to_owned())));
        assert_eq!(parse("./"), Ok(None));
        assert_eq!(parse("a..b/..c"), Ok(Some("a..b/..c".to_owned())));
    }

    #[test]
    fn what_could_leave_the_folder_is_refused() {
        assert_eq!(parse("/etc/passwd"), Err(EntryFault::Absolute));
        assert_eq!(parse("bin/../../x"), Err(EntryFault::ParentPath));
        assert_eq!(parse(".."), Err(EntryFault::ParentPath));
        assert_eq!(parse(""), Err(EntryFault::EmptyPath));
    }

    #[test]
    fn names_that_would_mislead_a_reader_are_refused() {
        for name in ["a\nb", "a\u{1b}[2Jb", "a\0b", "a\u{202e}b", "a\u{85}b"] {
            assert_eq!(parse(name), Err(EntryFault::ControlCharacters), "{name:?}");
        }
        assert_eq!(parse("größe/日本"), Ok(Some("größe/日本".to_owned())));
    }

    #[test]
    fn long_and_deep_paths_are_refused() {
        assert!(matches!(parse(&"a".repeat(256)), Err(EntryFault::TooLong { .. })));
        assert!(matches!(parse(&"a/".repeat(1100)), Err(EntryFault::TooLong { .. })));
        assert!(matches!(parse(&"a/".repeat(100)), Err(EntryFault::TooLong { .. })));
        assert!(parse(&"a/".repeat(65)).is_ok());
    }

    #[test]
    fn what_an_error_shows_of_a_name_is_escaped_and_short() {
        assert_eq!(printable(b"a\x1b[31m\xff"), "a\\u{1b}[31m\u{fffd}");
        assert_eq!(printable(&[b'x'; 5000]).chars().count(), 201);
    }
}

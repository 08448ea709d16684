//! A table of a file: hands out its values by key, and knows which keys there are.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::entry::{Entry, quoted};
use super::text::nearest;

/// One table, with its unknown keys reported already.
pub(super) struct Section<'d, 'i> {
    document: &'d Document,
    table: &'d DeTable<'i>,
    keys: &'static [&'static str],
    /// "" for the file itself, "health." within `health`.
    prefix: String,
    /// Where the table stands; absent for the file itself.
    span: Option<Range<usize>>,
}

impl<'d, 'i> Section<'d, 'i> {
    /// The file itself.
    pub fn root(
        document: &'d Document,
        table: &'d DeTable<'i>,
        keys: &'static [&'static str],
    ) -> Self {
        let section = Section { document, table, keys, prefix: String::new(), span: None };
        section.report_unknown(&[]);
        section
    }

    /// The table in an entry that holds one. `above`: the keys of the file itself.
    pub fn inner(
        entry: &Entry<'d, 'i>,
        table: &'d DeTable<'i>,
        keys: &'static [&'static str],
        above: &[&str],
    ) -> Self {
        let section = Section {
            document: entry.document(),
            table,
            keys,
            prefix: format!("{}.", entry.path()),
            span: Some(entry.span()),
        };
        section.report_unknown(above);
        section
    }

    /// The document that the table is in.
    pub fn document(&self) -> &'d Document {
        self.document
    }

    /// The value of a key, which is one of those that the section was made with.
    pub fn get(&self, key: &'static str) -> Option<Entry<'d, 'i>> {
        debug_assert!(self.keys.contains(&key), "{key} is read, but not among the known keys");
        let (_, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(Entry::new(self.document, format!("{}{key}", self.prefix), value))
    }

    /// A table within this one.
    pub fn table(
        &self,
        key: &'static str,
        keys: &'static [&'static str],
        example: &str,
    ) -> Option<Section<'d, 'i>> {
        let entry = self.get(key)?;
        let above = if self.span.is_none() { self.keys } else { &[] };
        match entry.value() {
            DeValue::Table(table) => Some(Section::inner(&entry, table, keys, above)),
            _ => {
                entry.wrong(&format!("it must be a table, such as `{example}`"));
                None
            }
        }
    }

    /// Every value, for a table whose keys are not known beforehand.
    pub fn every(entry: &Entry<'d, 'i>) -> Option<Vec<(&'d str, Range<usize>, Entry<'d, 'i>)>> {
        let DeValue::Table(table) = entry.value() else { return None };
        let values = table.iter().map(|(name, value)| {
            let name_text: &str = name.get_ref();
            let path = format!("{}.{}", entry.path(), quoted_key(name_text));
            (name_text, name.span(), Entry::new(entry.document(), path, value))
        });
        Some(values.collect())
    }

    /// Reports a key that must be there.
    pub fn missing(&self, key: &str, hint: &str) {
        let start = self.span.as_ref().map(|span| span.start);
        let what = format!("`{}{key}` is missing", self.prefix);
        self.document.find(start, what, hint.to_owned());
    }

    fn report_unknown(&self, above: &[&str]) {
        for (name, _) in self.table.iter() {
            let key: &str = name.get_ref();
            if self.keys.contains(&key) {
                continue;
            }
            let hint = if above.contains(&key) {
                format!("`{key}` belongs to the file itself: put it above the first `[table]`")
            } else if let Some(near) = nearest(key, self.keys) {
                format!("did you mean `{}{near}`?", self.prefix)
            } else {
                format!("the keys here are {}", self.keys.join(", "))
            };
            let what = format!("unknown key `{}{}`", self.prefix, quoted_key(key));
            self.document.find(Some(name.span().start), what, hint);
        }
    }
}

/// A key as it would be written: quoted and cut where it is not a bare one.
pub(super) fn quoted_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.len() <= 60 && key.chars().all(bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_key_finds_the_one_that_was_meant() {
        let known = ["ports", "hosts", "health", "env_file", "slot_env", "keep_releases"];
        for (typed, meant) in [
            ("helth", "health"),
            ("port", "ports"),
            ("Hosts", "hosts"),
            ("env-file", "env_file"),
            ("keep", "keep_releases"),
        ] {
            assert_eq!(nearest(typed, &known), Some(meant), "{typed}");
        }
        assert_eq!(nearest("quux", &known), None);
        assert_eq!(nearest(&"p".repeat(1000), &known), None);
    }
}

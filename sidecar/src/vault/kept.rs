//! Which value holds in which version of an app's environment. Pure.
//!
//! A name's value lives from the version that brought it until the next that changed it. A start
//! takes the values of one version, its own; but a name that is marked secret, by its newest row,
//! always takes today's: what was revoked must not come back.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Mask, Plain};

/// What a version made of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The variable's name.
    pub name: String,
    /// The version.
    pub version: u64,
    /// Whether it is marked secret from here on.
    pub secret: bool,
    /// Its value from here on.
    pub held: Held,
    /// When that was.
    pub at: Timestamp,
    /// Who did it.
    pub actor: String,
}

/// A value as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// None: the name was unset.
    Unset,
    /// This one.
    Plain(Plain),
    /// One that the key does not open.
    Locked,
}

/// All rows of an app.
#[derive(Debug, Default)]
pub struct Kept {
    today: u64,
    /// By name, oldest first.
    rows: BTreeMap<String, Vec<Row>>,
    mask: Mask,
}

/// Names whose values the key does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked(pub Vec<String>);

impl Kept {
    /// From rows in any order, and the newest version.
    #[must_use]
    pub fn new(today: u64, rows: impl IntoIterator<Item = Row>) -> Kept {
        let mut kept = Kept { today, ..Kept::default() };
        for row in rows {
            kept.rows.entry(row.name.clone()).or_default().push(row);
        }
        for rows in kept.rows.values_mut() {
            rows.sort_by_key(|row| row.version);
        }
        kept.mask = Mask::new(kept.rows().filter_map(|row| match &row.held {
            Held::Plain(value) => Some((row.name.as_str(), value.reveal())),
            _ => None,
        }));
        kept
    }

    /// The same, with the rows of one more version.
    #[must_use]
    pub fn with(&self, version: u64, rows: Vec<Row>) -> Kept {
        Kept::new(version.max(self.today), self.rows().cloned().chain(rows))
    }

    /// The same without some rows.
    #[must_use]
    pub fn without(&self, gone: &[(String, u64)]) -> Kept {
        let stays = |row: &&Row| {
            !gone.iter().any(|(name, version)| *name == row.name && *version == row.version)
        };
        Kept::new(self.today, self.rows().filter(stays).cloned())
    }

    /// The newest version.
    #[must_use]
    pub fn today(&self) -> u64 {
        self.today
    }

    /// Finds the values in text.
    #[must_use]
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().flatten()
    }

    /// The newest row of a name, set or not.
    #[must_use]
    pub fn newest(&self, name: &str) -> Option<&Row> {
        self.rows.get(name)?.last()
    }

    /// What is set today.
    pub fn set(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().filter_map(|rows| rows.last()).filter(|row| row.held != Held::Unset)
    }

    /// What a start takes that has a version of its own: that version's values, but today's of
    /// what is secret.
    ///
    /// # Errors
    /// Where the key does not open all of them.
    pub fn at(&self, version: u64) -> Result<Vec<(String, String)>, Locked> {
        let mut locked = Vec::new();
        let mut values = Vec::new();
        for (name, rows) in &self.rows {
            match effective(rows, version).map(|row| &row.held) {
                Some(Held::Plain(value)) => values.push((name.clone(), value.reveal().to_owned())),
                Some(Held::Locked) => locked.push(name.clone()),
                Some(Held::Unset) | None => {}
            }
        }
        if locked.is_empty() { Ok(values) } else { Err(Locked(locked)) }
    }

    /// Names that a start with a version takes otherwise than one with today's.
    #[must_use]
    pub fn differs(&self, version: u64) -> Vec<String> {
        self.names(|rows| {
            let secret = rows.last().is_some_and(|row| row.secret);
            !secret && !same(as_of(rows, version), rows.last())
        })
    }

    /// Secret names that had another value in a version, and take today's all the same.
    #[must_use]
    pub fn renewed(&self, version: u64) -> Vec<String> {
        self.names(|rows| {
            let secret = rows.last().is_some_and(|row| row.secret);
            secret && !same(as_of(rows, version), rows.last())
        })
    }

    /// Names that a start with today's version takes otherwise than one did that had a version of its
    /// own when another was the newest: of what is secret it took that one's.
    #[must_use]
    pub fn changed(&self, version: u64, fresh: u64) -> Vec<String> {
        self.names(|rows| {
            let secret = as_of(rows, fresh).or(rows.last()).is_some_and(|row| row.secret);
            !same(as_of(rows, if secret { fresh } else { version }), rows.last())
        })
    }

    /// Rows that no start can need any more: another follows each of them, in a version that all of
    /// `needed` know, and did so before `until`. As long as that they are kept to be masked in logs.
    #[must_use]
    pub fn spent(&self, needed: &[u64], until: Timestamp) -> Vec<(String, u64)> {
        let followed = self.rows.values().flat_map(|rows| rows.windows(2));
        let spent = followed.filter_map(|pair| {
            let [row, next] = pair else { return None };
            let seen = needed.iter().any(|it| (row.version..next.version).contains(it));
            (!seen && next.at < until).then(|| (row.name.clone(), row.version))
        });
        spent.collect()
    }

    fn names(&self, wanted: impl Fn(&[Row]) -> bool) -> Vec<String> {
        self.rows.iter().filter(|(_, rows)| wanted(rows)).map(|(name, _)| name.clone()).collect()
    }
}

/// The row of a name that a start with a version takes.
fn effective(rows: &[Row], version: u64) -> Option<&Row> {
    let newest = rows.last()?;
    if newest.secret { Some(newest) } else { as_of(rows, version) }
}

fn as_of(rows: &[Row], version: u64) -> Option<&Row> {
    rows.iter().rfind(|row| row.version <= version)
}

fn same(one: Option<&Row>, other: Option<&Row>) -> bool {
    let held = |row: Option<&Row>| row.map_or(Held::Unset, |row| row.held.clone());
    match (held(one), held(other)) {
        // What cannot be opened is the same only where it is the same row.
        (Held::Locked, Held::Locked) => one.map(|it| it.version) == other.map(|it| it.version),
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, version: u64, value: Option<&str>, secret: bool) -> Row {
        let held = value.map_or(Held::Unset, |it| Held::Plain(Plain::new(it.into())));
        let at = Timestamp::from_second(i64::try_from(version).unwrap()).unwrap();
        Row { name: name.into(), version, secret, held, at, actor: "ana".into() }
    }

    fn kept() -> Kept {
        Kept::new(
            5,
            [
                row("POOL", 1, Some("10"), false),
                row("POOL", 3, Some("20"), false),
                row("PASSWORD", 1, Some("old password"), false),
                row("PASSWORD", 4, Some("new password"), true),
                row("GONE", 2, Some("there"), false),
                row("GONE", 5, None, false),
            ],
        )
    }

    fn at(kept: &Kept, version: u64) -> Vec<String> {
        kept.at(version)
            .unwrap()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    #[test]
    fn a_version_has_its_own_values_and_todays_of_what_is_secret() {
        let kept = kept();
        assert_eq!(at(&kept, 0), ["PASSWORD=new password"]);
        assert_eq!(at(&kept, 2), ["GONE=there", "PASSWORD=new password", "POOL=10"]);
        assert_eq!(at(&kept, 5), ["PASSWORD=new password", "POOL=20"]);
    }

    #[test]
    fn what_is_secret_and_was_unset_does_not_come_back() {
        let kept = kept().with(6, vec![row("PASSWORD", 6, None, true)]);
        assert_eq!(at(&kept, 2), ["GONE=there", "POOL=10"]);
        assert_eq!(kept.renewed(2), ["PASSWORD"]);
    }

    #[test]
    fn names_that_differ_are_told_by_their_values() {
        let kept = kept();
        assert_eq!(kept.differs(2), ["GONE", "POOL"]);
        assert_eq!(kept.renewed(2), ["PASSWORD"]);
        assert_eq!((kept.differs(5).len(), kept.renewed(5).len()), (0, 0));
        let again = kept.with(6, vec![row("POOL", 6, Some("10"), false)]);
        assert_eq!(again.differs(2), ["GONE"], "it has the value that it had");
    }

    #[test]
    fn what_the_key_does_not_open_is_named_and_nothing_starts_without_it() {
        let locked = Row { held: Held::Locked, ..row("POOL", 6, None, false) };
        let kept = kept().with(6, vec![locked]);
        assert_eq!(kept.at(6), Err(Locked(vec!["POOL".into()])));
        assert!(kept.at(5).is_ok(), "that version did not have it");
    }

    #[test]
    fn a_row_is_spent_once_another_follows_it_that_all_who_need_it_know() {
        let kept = kept();
        let late = Timestamp::from_second(100).unwrap();
        assert_eq!(kept.spent(&[5], late).len(), 3);
        assert_eq!(kept.spent(&[2, 5], late), [], "version 2 takes all three of them");
        assert_eq!(kept.spent(&[4, 5], late), [("PASSWORD".to_owned(), 1), ("POOL".to_owned(), 1)]);
        assert_eq!(kept.spent(&[5], Timestamp::from_second(4).unwrap()), [("POOL".to_owned(), 1)]);
        let left = kept.without(&kept.spent(&[5], late));
        assert_eq!(at(&left, 5), at(&kept, 5));
    }
}

//! A file as bytes, then as a tree that knows where each value stands.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use toml::de::DeTable;

use super::finding::{Finding, Place};

/// No honest configuration is larger, and none larger is worth parsing.
const MOST_BYTES: u64 = 1024 * 1024;

/// More mistakes than these are not listed: after so many, the file is not what it was taken for.
const LISTED: usize = 20;

/// One file, and what was found wrong in it so far.
pub(super) struct Document {
    path: PathBuf,
    text: String,
    findings: RefCell<Vec<Remark>>,
    warnings: RefCell<Vec<Remark>>,
}

/// A finding with the byte that it is about: lines are counted for those that are listed.
struct Remark {
    start: Option<usize>,
    what: String,
    hint: String,
}

/// Why there is no document.
#[derive(Debug)]
pub(super) enum NoDocument {
    /// The system said no.
    Io(io::Error),
    /// The file is not one that can be used.
    Refused(Finding),
}

impl Document {
    /// Reads the file at an absolute path. `privileged`: what it says is done as root.
    pub fn read(path: &Path, privileged: bool) -> Result<Document, NoDocument> {
        let refuse = |what: &str, hint: &str| {
            NoDocument::Refused(Finding {
                file: path.to_owned(),
                place: None,
                what: what.into(),
                hint: hint.into(),
            })
        };
        // O_NONBLOCK: to open a FIFO that nobody writes to would wait for ever.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(path)
            .map_err(NoDocument::Io)?;
        let metadata = file.metadata().map_err(NoDocument::Io)?;
        if !metadata.is_file() {
            return Err(refuse(
                "something that is not a regular file",
                "put a plain text file there, or take it away",
            ));
        }
        if privileged && metadata.permissions().mode() & 0o002 != 0 {
            return Err(refuse(
                "permission for everyone to write",
                "whoever writes this file decides what a daemon that runs as root starts; take it \
                 away with `chmod o-w`",
            ));
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(NoDocument::Io)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(refuse(
                "more than 1 MiB",
                "a configuration is a few kilobytes of text; is this another file?",
            ));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Document::new(path, text)),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let bytes = error.into_bytes();
                let head = String::from_utf8_lossy(bytes.get(..good).unwrap_or_default());
                Err(NoDocument::Refused(Finding {
                    file: path.to_owned(),
                    place: Some(place_in(&head, good)),
                    what: "bytes that are not text".into(),
                    hint: "save the file as UTF-8".into(),
                }))
            }
        }
    }

    /// A document with a text that is already here.
    pub fn new(path: &Path, text: String) -> Document {
        Document {
            path: path.to_owned(),
            text,
            findings: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// Parses the text and has `read` take from it what it needs. What `read` makes of a file with
    /// mistakes is thrown away, so it may fill in anything where a value was wrong. Returns the
    /// value and the warnings, or the findings.
    pub fn interpret<T>(
        self,
        read: impl FnOnce(&Document, &DeTable<'_>) -> T,
    ) -> Result<(T, Vec<Finding>), Vec<Finding>> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        if !errors.is_empty() {
            // What could be saved of such a file is not what was meant: say nothing more about it.
            return Err(self.listed(errors.iter().map(syntax).collect()));
        }
        let value = read(&self, table.get_ref());
        let findings = self.listed(self.findings.take());
        if findings.is_empty() {
            Ok((value, self.listed(self.warnings.take())))
        } else {
            Err(findings)
        }
    }

    /// In the order of the file, as many as somebody may read.
    fn listed(&self, mut remarks: Vec<Remark>) -> Vec<Finding> {
        remarks.sort_by_key(|remark| remark.start);
        let more = remarks.len().saturating_sub(LISTED);
        remarks.truncate(LISTED);
        if more > 0 {
            let what = format!("{more} more mistakes");
            remarks.push(Remark { start: None, what, hint: "correct those above first".into() });
        }
        let finding = |remark: Remark| Finding {
            file: self.path.clone(),
            place: remark.start.map(|start| self.place(start)),
            what: remark.what,
            hint: remark.hint,
        };
        remarks.into_iter().map(finding).collect()
    }

    /// The folder that relative paths start from.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// The file itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line and column of a byte.
    pub fn place(&self, start: usize) -> Place {
        place_in(&self.text, start)
    }

    /// Notes down a mistake, and at which byte it begins.
    pub fn find(&self, start: Option<usize>, what: String, hint: String) {
        self.findings.borrow_mut().push(Remark { start, what, hint });
    }

    /// Notes down what works, but not as somebody may think.
    pub fn warn(&self, start: Option<usize>, what: String, hint: String) {
        self.warnings.borrow_mut().push(Remark { start, what, hint });
    }
}

fn syntax(error: &toml::de::Error) -> Remark {
    // Only the message: how toml prints an error repeats the line, which may hold a secret.
    let detail = error.message().trim().replace('\n', ", ");
    Remark {
        start: error.span().map(|span| span.start),
        what: "a mistake in the TOML".into(),
        hint: if detail.is_empty() { "it cannot be understood here".into() } else { detail },
    }
}

fn place_in(text: &str, offset: usize) -> Place {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
    }
}

//! systemd's journal, in its own protocol: one datagram an event, with the event's fields as fields
//! of the journal, so that `journalctl VIAL_APP=shop` finds what concerns one app.
//!
//! `MESSAGE` has the fields too, as text: it is all that `journalctl -u vial` shows, and "deployment
//! ended" alone tells nobody which and how. That is why this is not the `tracing-journald` crate,
//! which leaves them out of it.

use std::fmt::{Debug, Write as _};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Where the journal takes datagrams.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";

/// A field that is longer is cut: a datagram has its limit, and nobody reads on.
const LONGEST: usize = 16 << 10;

/// Writes events to the journal.
#[derive(Debug)]
pub(super) struct Journal {
    socket: UnixDatagram,
}

impl Journal {
    /// Connects to it.
    pub(super) fn connect(path: &Path) -> io::Result<Journal> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        // A journal that is full must not hold up the daemon; it says itself what it missed.
        socket.set_nonblocking(true)?;
        Ok(Journal { socket })
    }
}

/// Whether what is written to standard error ends in the journal: systemd names the device and the
/// inode of the stream that it made.
pub(super) fn has_stderr() -> bool {
    let Some(told) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    let stderr = io::stderr();
    rustix::fs::fstat(stderr.as_fd())
        .is_ok_and(|stat| told == format!("{}:{}", stat.st_dev, stat.st_ino))
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut entry = Entry::default();
        event.record(&mut entry);
        let level = *event.metadata().level();
        let bytes = entry.finish(level);
        if self.socket.send(&bytes).is_err() {
            // The journal starts again, or is full. Its stream may take the line still.
            eprintln!("{level} {}", entry.text());
        }
    }
}

/// An event as it is collected.
#[derive(Debug, Default)]
struct Entry {
    message: String,
    /// As text, behind the message.
    tail: String,
    fields: Vec<u8>,
}

impl Entry {
    fn text(&self) -> String {
        format!("{}{}", self.message, self.tail)
    }

    fn finish(&self, level: Level) -> Vec<u8> {
        let mut bytes = self.fields.clone();
        put(&mut bytes, "PRIORITY", priority(level));
        put(&mut bytes, "SYSLOG_IDENTIFIER", "vial");
        put(&mut bytes, "MESSAGE", &self.text());
        bytes
    }

    fn add(&mut self, name: &str, value: &str) {
        if name == "message" {
            self.message = value.to_owned();
            return;
        }
        // As people read it: quoted only where it would run into the next.
        let _ = if value.is_empty() || value.contains([' ', '"', '\n']) {
            write!(self.tail, " {name}={value:?}")
        } else {
            write!(self.tail, " {name}={value}")
        };
        let name: String = name
            .chars()
            .map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_uppercase() } else { '_' })
            .collect();
        put(&mut self.fields, &format!("VIAL_{name}"), value);
    }
}

impl Visit for Entry {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field.name(), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value);
    }
}

fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        _ => "7",
    }
}

/// A field: its name, its length and its bytes, so that it may hold anything.
fn put(bytes: &mut Vec<u8>, name: &str, value: &str) {
    let mut end = value.len().min(LONGEST);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    let value = value.as_bytes().get(..end).unwrap_or_default();
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b'\n');
    bytes.extend_from_slice(&u64::try_from(value.len()).unwrap_or_default().to_le_bytes());
    bytes.extend_from_slice(value);
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What a journal would understand.
    fn parse(mut bytes: &[u8]) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        while !bytes.is_empty() {
            let end = bytes.iter().position(|it| *it == b'\n').unwrap();
            let name = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length: [u8; 8] = bytes[end + 1..end + 9].try_into().unwrap();
            let length = usize::try_from(u64::from_le_bytes(length)).unwrap();
            let value = String::from_utf8(bytes[end + 9..end + 9 + length].to_vec()).unwrap();
            assert_eq!(bytes[end + 9 + length], b'\n');
            bytes = &bytes[end + 10 + length..];
            fields.insert(name, value);
        }
        fields
    }

    fn logged(log: impl FnOnce()) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let journal = UnixDatagram::bind(&path).unwrap();
        let layer = Journal::connect(&path).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let mut bytes = vec![0; 1 << 18];
        journal.set_nonblocking(true).unwrap();
        let length = journal.recv(&mut bytes).unwrap();
        parse(&bytes[..length])
    }

    #[test]
    fn an_event_has_its_fields_and_a_message_that_tells_them() {
        let error = Some("the disk is full");
        let fields = logged(|| {
            tracing::error!(app = "shop", deployment = 5, error, "deployment ended");
        });
        assert_eq!(
            fields["MESSAGE"],
            "deployment ended app=shop deployment=5 error=\"the disk is full\""
        );
        assert_eq!(fields["VIAL_APP"], "shop");
        assert_eq!(fields["VIAL_DEPLOYMENT"], "5");
        assert_eq!(fields["PRIORITY"], "3");
        assert_eq!(fields["SYSLOG_IDENTIFIER"], "vial");
    }

    #[test]
    fn what_an_app_wrote_makes_no_field_of_its_own_and_has_its_limit() {
        let wrote = format!("x\nPRIORITY=0\n{}", "é".repeat(LONGEST));
        let fields = logged(|| tracing::info!(wrote, "line"));
        assert_eq!(fields["PRIORITY"], "6");
        assert!(fields["VIAL_WROTE"].starts_with("x\nPRIORITY=0\né"));
        assert!(fields["VIAL_WROTE"].len() <= LONGEST);
    }

    #[test]
    fn a_journal_that_is_away_is_no_journal() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Journal::connect(&folder.path().join("socket")).is_err());
    }
}

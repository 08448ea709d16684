//! Which streams are open, whose they are, and what each was asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use vial_protocol::live::Topics;
use vial_protocol::{Code, Problem};

/// The most of one user: six tabs in each of five browsers.
const OF_A_USER: usize = 32;
/// The most together.
const ALL: usize = 256;

/// Every open stream. Clones are the same.
#[derive(Debug, Clone)]
pub struct Streams {
    open: Arc<Mutex<HashMap<String, Entry>>>,
    stop: watch::Receiver<bool>,
}

#[derive(Debug)]
struct Entry {
    owner: String,
    topics: watch::Sender<Wanted>,
}

/// What a stream was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) topics: Topics,
    /// The newest row of the audit log at that time.
    pub(super) audit_after: u64,
}

/// A stream that was opened. Dropped, it is closed.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) id: String,
    pub(super) topics: watch::Receiver<Wanted>,
    /// The daemon stops.
    pub(super) stop: watch::Receiver<bool>,
    streams: Streams,
}

impl Streams {
    /// None yet. All of them end when `stop` says so.
    #[must_use]
    pub fn new(stop: watch::Receiver<bool>) -> Streams {
        Streams { open: Arc::default(), stop }
    }

    /// Opens one for somebody.
    pub(super) fn open(&self, owner: &str) -> Result<Opened, Problem> {
        let id = new_id()?;
        let (topics, asked) = watch::channel(Wanted::default());
        let mut open = self.lock();
        let own = open.values().filter(|it| it.owner == owner).count();
        if own >= OF_A_USER || open.len() >= ALL {
            return Err(Problem::new(
                Code::TooManyRequests,
                "Too many pages follow what happens: one more stream is not opened.",
            )
            .next("close some of the dashboard's pages, then load this one again"));
        }
        open.insert(id.clone(), Entry { owner: owner.to_owned(), topics });
        drop(open);
        Ok(Opened { id, topics: asked, stop: self.stop.clone(), streams: self.clone() })
    }

    /// Says what a stream brings from now on. Of another's stream nobody learns that it is there.
    pub(super) fn set(&self, id: &str, owner: &str, wanted: Wanted) -> Result<(), Problem> {
        match self.lock().get(id) {
            Some(entry) if entry.owner == owner => {
                entry.topics.send_replace(wanted);
                Ok(())
            }
            _ => Err(Problem::new(Code::NotFound, "This stream is not open, or not any more.")
                .next("open another by `GET /v1/stream`: its first event names it")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.streams.lock().remove(&self.id);
    }
}

fn new_id() -> Result<String, Problem> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Problem::new(Code::Internal, format!("The system has no random numbers: {error}."))
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams() -> (watch::Sender<bool>, Streams) {
        let (stop, stopped) = watch::channel(false);
        (stop, Streams::new(stopped))
    }

    #[test]
    fn one_user_cannot_take_the_place_of_all() {
        let (_stop, streams) = streams();
        let own: Vec<_> = (0..OF_A_USER).map(|_| streams.open("ada").unwrap()).collect();
        assert_eq!(streams.open("ada").unwrap_err().code, Code::TooManyRequests);
        let others = streams.open("bob").unwrap();
        drop(own);
        drop(others);
        assert!(streams.lock().is_empty());
        streams.open("ada").unwrap();
    }

    #[test]
    fn all_users_together_have_a_bound() {
        let (_stop, streams) = streams();
        let open = |number: usize| streams.open(&format!("user {}", number / OF_A_USER));
        let all: Vec<_> = (0..ALL).map(|number| open(number).unwrap()).collect();
        assert_eq!(streams.open("one more").unwrap_err().code, Code::TooManyRequests);
        drop(all);
    }

    #[test]
    fn a_stream_obeys_its_own_user_only() {
        let (_stop, streams) = streams();
        let opened = streams.open("ada").unwrap();
        let topics = Topics { metrics: vec!["shop".into()], ..Topics::default() };
        let wanted = Wanted { topics, audit_after: 0 };
        let refused = streams.set(&opened.id, "bob", wanted.clone()).unwrap_err();
        let unknown = streams.set("0", "ada", wanted.clone()).unwrap_err();
        assert_eq!(refused, unknown);
        assert_eq!(*opened.topics.borrow(), Wanted::default());
        streams.set(&opened.id, "ada", wanted.clone()).unwrap();
        assert_eq!(*opened.topics.borrow(), wanted);
    }
}

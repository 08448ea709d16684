//! Looking for planted secrets in everything that the daemon wrote and answered.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a form of a secret was found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// In what.
    pub place: String,
    /// Of which secret.
    pub name: String,
    /// In which form.
    pub form: &'static str,
}

/// Secrets that were planted, and what has been looked at.
pub struct Search {
    /// For each pattern of the finder, the secret and its form.
    forms: Vec<(String, &'static str)>,
    finder: AhoCorasick,
    leaks: BTreeSet<Leak>,
    /// How many files and answers were looked at.
    pub looked_at: usize,
}

impl Search {
    /// For these secrets, by name.
    pub fn new(secrets: &[(&str, &str)]) -> Search {
        let (mut forms, mut texts) = (Vec::new(), Vec::new());
        for (name, secret) in secrets {
            let mut add = |form, text: String| {
                forms.push((String::from(*name), form));
                texts.push(text);
            };
            add("plain", String::from(*secret));
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
                // In the middle of a longer text too, where its characters are others.
                for before in ["", "x", "xy"] {
                    let coded = engine.encode(format!("{before}{secret}"));
                    let from = (before.len() * 8).div_ceil(6);
                    let to = (before.len() + secret.len()) * 8 / 6;
                    add("base64", coded[from..to].to_owned());
                }
            }
            for set in [NON_ALPHANUMERIC, &UNRESERVED] {
                let encoded = utf8_percent_encode(secret, set).to_string();
                add("percent-encoded", encoded.to_lowercase());
                add("percent-encoded", encoded);
            }
        }
        let finder = AhoCorasick::new(texts).unwrap();
        Search { forms, finder, leaks: BTreeSet::new(), looked_at: 0 }
    }

    /// Looks at something that was said.
    pub fn look(&mut self, place: &str, bytes: &[u8]) {
        self.looked_at += 1;
        for found in self.finder.find_overlapping_iter(bytes) {
            let (name, form) = self.forms[found.pattern().as_usize()].clone();
            self.leaks.insert(Leak { place: place.to_owned(), name, form });
        }
    }

    /// Looks at every file below a folder, but for those that `is_the_apps` says.
    pub fn look_below(&mut self, folder: &Path, is_the_apps: &dyn Fn(&Path) -> bool) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if is_the_apps(&path) {
                continue;
            }
            // A name may hold one as well.
            self.look(&format!("the name {}", path.display()), path.as_os_str().as_encoded_bytes());
            if kind.is_dir() {
                self.look_below(&path, is_the_apps);
            } else if kind.is_file() {
                let bytes = std::fs::read(&path).unwrap_or_default();
                self.look(&path.display().to_string(), &bytes);
            }
        }
    }

    /// What was found.
    pub fn leaks(&self) -> Vec<String> {
        let shown = |leak: &Leak| format!("{} ({}) in {}", leak.name, leak.form, leak.place);
        self.leaks.iter().map(shown).collect()
    }
}

/// Watches the command lines of all processes, for as long as it lives.
pub struct CommandLines {
    seen: Arc<Mutex<BTreeSet<Vec<u8>>>>,
    end: Arc<AtomicBool>,
    watcher: Option<std::thread::JoinHandle<()>>,
}

impl CommandLines {
    pub fn watch() -> CommandLines {
        let (seen, end) =
            (Arc::<Mutex<BTreeSet<Vec<u8>>>>::default(), Arc::<AtomicBool>::default());
        let (into, until) = (seen.clone(), end.clone());
        let watcher = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                let processes = std::fs::read_dir("/proc").unwrap().flatten();
                for process in processes {
                    if let Ok(line) = std::fs::read(process.path().join("cmdline")) {
                        into.lock().unwrap().insert(line);
                    }
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        CommandLines { seen, end, watcher: Some(watcher) }
    }

    /// Looks at all that were seen; how many there were.
    pub fn end(mut self, search: &mut Search) -> usize {
        self.end.store(true, Ordering::Relaxed);
        self.watcher.take().unwrap().join().unwrap();
        let seen = self.seen.lock().unwrap();
        for line in seen.iter() {
            search.look(&format!("a command line: {}", String::from_utf8_lossy(line)), line);
        }
        seen.len()
    }
}

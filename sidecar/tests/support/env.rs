//! Variables of an app: setting them as a person does, and looking at what reached a process.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, Write};
use std::process::Stdio;

use super::host::Host;
use super::said::Said;

/// A text as a command's standard input.
pub fn input(text: &str) -> Stdio {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    Stdio::from(file)
}

/// The environment that a process was started with.
pub fn of(pid: u32) -> BTreeMap<String, String> {
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let each = text.split('\0').filter_map(|line| line.split_once('='));
    each.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl Host {
    /// `vial env shop set NAME`, with the value on standard input.
    pub async fn set(&self, name: &str, value: &str, flags: &[&str]) -> Said {
        let args = [&["env", "shop", "set", name][..], flags].concat();
        self.vial_with_input(&args, input(value)).await
    }

    /// The environment of what serves.
    pub async fn serving_environment(&self) -> BTreeMap<String, String> {
        let status = self.status("shop").await;
        of(self.pid("shop", status.active.unwrap()).await.unwrap())
    }

    /// A file of the test's own, in the host's folder.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

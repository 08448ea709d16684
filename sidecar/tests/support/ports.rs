//! Loopback ports that nobody listens on.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};

/// Those that this process has given away, also where nobody listens on them yet, each with a lock
/// that keeps the tests of other processes from it.
static GIVEN: Mutex<Option<HashMap<u16, File>>> = Mutex::new(None);

/// A port below those that the kernel gives to outgoing connections, never given twice while this
/// process lives. To bind it is no proof that it is free: Caddy shares its ports with whoever asks.
pub fn free() -> u16 {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    let folder = std::env::temp_dir().join(format!("vial-test-ports-{}", nix::unistd::geteuid()));
    std::fs::create_dir_all(&folder).unwrap();
    loop {
        let random = RandomState::new().build_hasher().finish();
        let port = 10_000 + u16::try_from(random % 20_000).unwrap();
        if given.contains_key(&port) || TcpListener::bind(("127.0.0.1", port)).is_err() {
            continue;
        }
        let lock = File::create(folder.join(port.to_string())).unwrap();
        if lock.try_lock().is_ok() {
            given.insert(port, lock);
            return port;
        }
    }
}

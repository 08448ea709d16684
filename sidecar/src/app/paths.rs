//! Where things are in the state folder.
//!
//! ```text
//! vial.db                      the journal and the history, 0600
//! environment.key              opens the apps' sealed values, which are in vial.db, 0600
//! ballast                      what is kept of the disk for the time when it is full, 0600
//! vial.db.schema-2.bak         what it was before a newer Vial migrated it, 0600
//! route/shop/                  what Caddy reads, 0755 (the route's own)
//! apps/shop/cookie             the secret of its Erlang nodes, 0600
//! apps/shop/probe              the secret that Caddy answers Vial's probe by, 0600
//! apps/shop/hook-secret        the secret that the forge knows too, 0600
//! git/shop.git/                what was pushed to this host, where `vial git-init` made it
//! apps/shop/incoming/          archives while they are unpacked, 0700
//! apps/shop/releases/7/        the release that deployment #7 brought
//! apps/shop/builds/7/build.log what the build of #7 printed (the build's own)
//! apps/shop/build/             where it is built (the build's own)
//! apps/shop/console/           where consoles on releases that do not run are started, 0755
//! apps/shop/nodes/             what its Erlang nodes read as they start: the cookie, 0755
//! apps/shop/slots/blue.log     what the release in the blue slot wrote, 0640
//! apps/shop/slots/blue.log.d/  what of that is compressed, 0750 (the log's own)
//! apps/shop/slots/blue/        its working folder: tmp/, erl_crash.dump
//! ```

use std::path::{Path, PathBuf};

use vial_protocol::Slot;

/// The key file's name.
pub const ENVIRONMENT_KEY: &str = "environment.key";

/// The state folder.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// At a folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Layout { root: root.to_owned() }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The journal and the history.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("vial.db")
    }

    /// The key that opens the apps' sealed values.
    #[must_use]
    pub fn environment_key(&self) -> PathBuf {
        self.root.join(ENVIRONMENT_KEY)
    }

    /// What is kept of the disk for the time when it is full.
    #[must_use]
    pub fn ballast(&self) -> PathBuf {
        self.root.join("ballast")
    }

    /// Held locked by the daemon that owns the folder.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// What Caddy reads of an app.
    #[must_use]
    pub fn route(&self, app: &str) -> PathBuf {
        self.root.join("route").join(app)
    }

    /// The repository of an app that is pushed to this host.
    #[must_use]
    pub fn repository(&self, app: &str) -> PathBuf {
        self.root.join("git").join(format!("{app}.git"))
    }

    /// One app's part of it.
    #[must_use]
    pub fn app(&self, app: &str) -> AppLayout {
        AppLayout { root: self.root.join("apps").join(app) }
    }
}

/// One app's part of the state folder.
#[derive(Debug, Clone)]
pub struct AppLayout {
    root: PathBuf,
}

impl AppLayout {
    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The secret of its Erlang nodes.
    #[must_use]
    pub fn cookie(&self) -> PathBuf {
        self.root.join("cookie")
    }

    /// The secret that proves a webhook.
    #[must_use]
    pub fn hook_secret(&self) -> PathBuf {
        self.root.join("hook-secret")
    }

    /// The secret with which Caddy is asked for the slot.
    #[must_use]
    pub fn probe(&self) -> PathBuf {
        self.root.join("probe")
    }

    /// Archives while they are unpacked.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// All releases.
    #[must_use]
    pub fn releases(&self) -> PathBuf {
        self.root.join("releases")
    }

    /// One release.
    #[must_use]
    pub fn release(&self, number: u64) -> PathBuf {
        self.releases().join(number.to_string())
    }

    /// Where consoles on releases that do not run are started; what IEx runs first lies there.
    #[must_use]
    pub fn console(&self) -> PathBuf {
        self.root.join("console")
    }

    /// What its Erlang nodes read as they start.
    #[must_use]
    pub fn nodes(&self) -> PathBuf {
        self.root.join("nodes")
    }

    /// The parent of what is each slot's.
    #[must_use]
    pub fn slots(&self) -> PathBuf {
        self.root.join("slots")
    }

    /// What the releases in a slot wrote.
    #[must_use]
    pub fn log(&self, slot: Slot) -> PathBuf {
        self.slots().join(format!("{slot}.log"))
    }

    /// A slot's working folder, the app's own.
    #[must_use]
    pub fn work(&self, slot: Slot) -> PathBuf {
        self.slots().join(slot.as_str())
    }

    /// A slot's RELEASE_TMP.
    #[must_use]
    pub fn tmp(&self, slot: Slot) -> PathBuf {
        self.work(slot).join("tmp")
    }

    /// Where the BEAM in a slot writes its crash dump.
    #[must_use]
    pub fn crash_dump(&self, slot: Slot) -> PathBuf {
        self.work(slot).join("erl_crash.dump")
    }
}

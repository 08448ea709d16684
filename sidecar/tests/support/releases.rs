//! The shop's releases, built once.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

static BUILT: OnceLock<PathBuf> = OnceLock::new();

/// The folder of the shop's sources.
pub fn shop() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/shop").canonicalize().unwrap()
}

/// All of them, in one folder. The build script takes a lock of its own, so that test binaries that
/// run at once wait for one another.
fn built() -> &'static PathBuf {
    BUILT.get_or_init(|| {
        let shop = shop();
        let built = Command::new(shop.join("build"))
            .env_remove("SHOP_OUT")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "examples/shop/build failed:\n{error}");
        shop.join("_build/releases")
    })
}

/// An unpacked release.
pub fn folder(version: u32) -> PathBuf {
    built().join(format!("shop-{version}"))
}

/// The same as an archive.
pub fn archive(version: u32) -> PathBuf {
    built().join(format!("shop-{version}.tar.gz"))
}

/// A path as an argument.
pub fn text(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

//! The dashboard's pages: files that `bin/lib/pages.sh` builds from `web/`, inside this binary.
//!
//! Whatever is no file is a page of the one document, `index.html`, whose script reads the address.
//! A build for tests reads the files from where they were built instead, so that a changed page
//! needs no other binary. This file knows nothing of HTTP but the names of types.

use std::borrow::Cow;
use std::fmt::Write;

use rust_embed::RustEmbed;

/// What `npm run build` leaves. A binary that is built without it says so, where a page would be.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Built;

/// Whose names change with what they hold.
const ASSETS: &str = "assets/";
const DOCUMENT: &str = "index.html";

/// A file's hash and what it holds.
type Found = ([u8; 32], Cow<'static, [u8]>);

/// Something to show, as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What it holds.
    pub bytes: Cow<'static, [u8]>,
    /// Its type, for the browser.
    pub kind: &'static str,
    /// Whether the bytes are compressed.
    pub gzip: bool,
    /// What tells it from an older one, quoted as HTTP wants it.
    pub tag: String,
    /// Whether the same name will never hold something else.
    pub forever: bool,
}

/// What stands at an address, compressed where the reader takes that and it was built so.
pub fn at(path: &str, gzip: bool) -> Option<File> {
    find(path, gzip, |name| {
        let found = Built::get(name)?;
        Some((found.metadata.sha256_hash(), found.data))
    })
}

/// The same in a set of files.
fn find(path: &str, gzip: bool, get: impl Fn(&str) -> Option<Found>) -> Option<File> {
    let path = path.strip_prefix('/')?;
    let last = path.rsplit('/').next().unwrap_or_default();
    let name = if last.contains('.') { path } else { DOCUMENT };
    // A name without an extension is a page's, but in the folder where only files are.
    if name == DOCUMENT && path.starts_with(ASSETS) {
        return None;
    }
    let kind = kind(name)?;
    let packed = gzip.then(|| get(&format!("{name}.gz"))).flatten();
    let compressed = packed.is_some();
    let Some((hash, bytes)) = packed.or_else(|| get(name)) else {
        return (name == DOCUMENT).then(without_pages);
    };
    Some(File { bytes, kind, gzip: compressed, tag: tag(&hash), forever: name.starts_with(ASSETS) })
}

/// The types of what is built. Anything else is not for browsers.
fn kind(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

fn tag(hash: &[u8; 32]) -> String {
    let mut tag = String::from("\"");
    for byte in hash.iter().take(12) {
        // Into a string nothing fails.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// Shown instead of every page, where none was built.
fn without_pages() -> File {
    let text = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width\"><title>Vial</title></head><body><main>\
        <h1>This Vial was built without the dashboard's pages</h1>\
        <p>The daemon runs, and its API and command line work as ever. The pages are built by npm, \
        which was not asked when this binary was made.</p>\
        <p>Next: in Vial's sources, run <code>bin/package</code>, which builds them into the \
        package, or <code>bin/lib/pages.sh</code> and then <code>cargo build --release</code>.</p>\
        </main></body></html>\n";
    File {
        bytes: Cow::Borrowed(text.as_bytes()),
        kind: "text/html; charset=utf-8",
        gzip: false,
        tag: "\"without-pages\"".into(),
        forever: false,
    }
}

#[cfg(test)]
#[path = "web_tests.rs"]
mod tests;

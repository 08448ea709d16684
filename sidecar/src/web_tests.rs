use super::*;

/// A set of files: each holds its own name, and has a hash of its own.
fn built(names: &'static [&'static str]) -> impl Fn(&str) -> Option<Found> {
    move |asked| {
        let index = names.iter().position(|name| *name == asked)?;
        let hash = [u8::try_from(index).unwrap(); 32];
        Some((hash, Cow::Borrowed(names[index].as_bytes())))
    }
}

const ALL: &[&str] = &[
    "index.html",
    "index.html.gz",
    "favicon.svg",
    "assets/index-a1.js",
    "assets/index-a1.js.gz",
    "assets/secret.toml",
];

fn at(path: &str, gzip: bool) -> Option<File> {
    find(path, gzip, built(ALL))
}

#[test]
fn every_page_is_the_one_document() {
    for path in ["/", "/apps/shop", "/apps/shop/deployments/7", "/login", "/apps/shop/"] {
        let page = at(path, false).unwrap();
        assert_eq!((&*page.bytes, page.kind), (&b"index.html"[..], "text/html; charset=utf-8"));
        assert!(!page.forever, "{path}: its address says nothing of what it holds");
    }
}

#[test]
fn who_takes_gzip_gets_it_where_it_was_built() {
    let page = at("/", true).unwrap();
    assert_eq!((&*page.bytes, page.gzip), (&b"index.html.gz"[..], true));
    assert_eq!(page.kind, "text/html; charset=utf-8");
    assert_ne!(page.tag, at("/", false).unwrap().tag, "other bytes have another tag");
    assert!(!at("/favicon.svg", true).unwrap().gzip);
}

#[test]
fn an_asset_is_kept_for_ever_and_a_missing_one_is_no_page() {
    assert!(at("/assets/index-a1.js", false).unwrap().forever);
    assert!(!at("/favicon.svg", false).unwrap().forever);
    assert_eq!(at("/assets/index-b2.js", false), None);
    assert_eq!(at("/assets/index", false), None);
    assert_eq!(at("/robots.txt", false), None);
}

#[test]
fn only_what_browsers_read_is_shown() {
    assert_eq!(at("/assets/secret.toml", false), None);
    assert_eq!(at("/index.html.gz", false), None);
    assert_eq!(at("/../../etc/passwd.txt", false), None);
    assert_eq!(at("index.html", false), None);
}

#[test]
fn a_binary_without_pages_says_so_on_every_page() {
    let page = find("/apps/shop", true, built(&[])).unwrap();
    let text = String::from_utf8(page.bytes.into_owned()).unwrap();
    assert!(text.contains("built without the dashboard's pages"), "{text}");
    assert!(text.contains("bin/lib/pages.sh"), "{text}");
    assert_eq!(find("/assets/index-a1.js", true, built(&[])), None);
}

//! The character sets of names, hosts and paths, and amounts of bytes.
//!
//! What passes here ends up in a Caddyfile, in the arguments of a process, in a node's name or in
//! a path, so each set is as small as the thing that it names allows.

use std::path::{Path, PathBuf};

use super::finding::visible;

/// An app's name: it is a file name, a folder and the first half of a node's name.
pub(super) fn is_app_name(text: &str) -> bool {
    text.len() <= 32 && is_lower_identifier(text)
}

/// A release's name, as `mix release` allows it: the script in `bin`.
pub(super) fn is_release_name(text: &str) -> bool {
    text.len() <= 64 && is_lower_identifier(text)
}

fn is_lower_identifier(text: &str) -> bool {
    let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(rest)
}

/// A user or a group of the system.
pub(super) fn is_user_name(text: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(rest)
}

/// The name of an environment variable.
pub(super) fn is_env_name(text: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 256 && text.starts_with(|c: char| !c.is_ascii_digit()) && text.chars().all(rest)
}

/// The host of a node's name. Without a dot Erlang refuses every connection to it.
pub(super) fn is_node_host(text: &str) -> bool {
    let of_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    text.len() <= 253
        && text.chars().all(of_host)
        && text.contains('.')
        && text.split('.').all(|label| !label.is_empty())
}

/// A host name in lower case; its first label may be `*`.
pub(super) fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    text.len() <= 253 && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let of_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&label.len())
        && label.chars().all(of_label)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The path, and query, of a request: what can stand in a request line.
pub(super) fn is_request_path(text: &str) -> bool {
    text.starts_with('/')
        && text.len() <= 2048
        && text.chars().all(|c| c.is_ascii_graphic() && c != '#')
}

/// A module of Elixir: it becomes part of an expression.
pub(super) fn is_module(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.len() <= 255 && text.split('.').all(part)
}

/// A branch of a Git repository: it becomes an argument.
pub(super) fn is_branch(text: &str) -> bool {
    let of_branch = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '+');
    (1..=255).contains(&text.len())
        && text.chars().all(of_branch)
        && !text.starts_with(['-', '/', '.'])
        && !text.ends_with(['/', '.'])
        && !text.contains("..")
        && !text.contains("//")
}

/// Where Git clones from. Its helpers that run a command (`ext::`) are not among them.
pub(super) fn is_git_address(text: &str) -> bool {
    let schemes = ["https://", "http://", "ssh://", "file:///", "/"];
    let plain = text.len() <= 2048 && text.chars().all(|c| c.is_ascii_graphic());
    let scheme = schemes.iter().any(|scheme| {
        text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('-'))
    });
    let scp = text.split_once(':').is_some_and(|(host, path)| {
        let host = host.split_once('@').map_or(host, |(_, host)| host);
        is_host(&host.to_lowercase()) && !path.is_empty() && !path.starts_with([':', '-', '/'])
    });
    plain && (scheme || scp)
}

/// An address on the web, as far as a request needs it to be one.
pub(super) fn is_web_address(text: &str) -> bool {
    let plain = text.len() <= 2048 && text.chars().all(|c| c.is_ascii_graphic() && c != '#');
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = |rest: &str| {
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        !host.is_empty() && !host.contains('@')
    };
    plain && rest.is_some_and(host)
}

/// A path from a folder; `.` in it is dropped, `..` and links stay as they are.
pub(super) fn within(folder: &Path, path: &str) -> PathBuf {
    let joined = folder.join(path);
    std::path::absolute(&joined).unwrap_or(joined)
}

const UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

/// "512 MiB" and the like, as bytes.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let (unit, factor) = UNITS.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    let digits = text.strip_suffix(unit)?.trim_end();
    if !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// Bytes in the largest unit that divides them.
pub(super) fn bytes_shown(bytes: u64) -> String {
    let unit =
        UNITS[..3].iter().rev().find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor));
    match unit {
        Some((unit, factor)) => format!("{} {unit}", bytes / factor),
        None => format!("{bytes} B"),
    }
}

/// How alike a mistyped key and a known one must be, from 0 to 1 (Jaro-Winkler).
const ALIKE: f64 = 0.8;

/// The known word that is most like this one, if one is like it at all.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.len() > 60 {
        return None;
    }
    let word: String = word.to_lowercase().replace('-', "_").chars().flat_map(visible).collect();
    known
        .iter()
        .map(|key| (strsim::jaro_winkler(&word, key), *key))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(is(text), "{text:?} should pass");
        }
        for text in bad {
            assert!(!is(text), "{text:?} should not pass");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_folder() {
        let bad = ["", "..", "a/b", "1shop", "_shop", "Shop", "shop-1", "sho\0p", "shöp", "a b"];
        check(is_app_name, &["shop", "s", "shop_2"], &bad);
        check(is_release_name, &["shop", "shop_2"], &bad);
        check(is_app_name, &[&"a".repeat(32)], &[&"a".repeat(33)]);
    }

    #[test]
    fn a_host_cannot_leave_its_line_in_a_caddyfile() {
        check(
            is_host,
            &["shop.example.com", "localhost", "*.example.com", "127.0.0.1", "xn--bcher-kva.ch"],
            &[
                "",
                "*",
                "*.",
                "a.*.com",
                "Shop.com",
                "a b",
                "a{b}",
                "a}",
                "a\n",
                "-a.com",
                "a-.com",
                "a..b",
                "a.",
                ".a",
                "a:80",
                "a/b",
                "http://a",
                "b\u{fc}cher.ch",
                "**.a",
                "a,b",
                "a#b",
                "a_b.com",
                "\"a\"",
            ],
        );
        check(is_host, &[&"a".repeat(63)], &[&"a".repeat(64), &["abc"; 70].join(".")]);
    }

    #[test]
    fn a_request_path_cannot_leave_its_request_line() {
        check(
            is_request_path,
            &["/", "/health", "/a?b=c&d=%20", "/~a/"],
            &["", "health", "/a b", "/a\r\nX: y", "/\u{e4}", "/a#b", "http://a/", "/\0"],
        );
    }

    #[test]
    fn what_becomes_an_argument_or_an_expression_stays_one() {
        check(
            is_user_name,
            &["shop", "_apt", "www-data"],
            &["", "0", "-shop", "a:b", "a b", "a/b"],
        );
        check(is_env_name, &["A", "_a1", "METRICS_PORT"], &["", "1A", "A=B", "A B", "A-B", "Ä"]);
        check(
            is_node_host,
            &["127.0.0.1", "app.internal", "A-1.b"],
            &["", "localhost", "a b.c", "a@b.c", ".a", "a.", "::1", "a_b.c"],
        );
        check(
            is_module,
            &["Shop.Repo", "Repo", "A.B.C_1"],
            &["", "shop", "Shop.", ".Repo", "Shop.repo", "Shop.Repo)", "A B", ":repo"],
        );
        check(
            is_branch,
            &["main", "feature/a-1", "v1.2"],
            &["", "-main", "--upload-pack=x", "a b", "a..b", "/a", "a/", "a//b", "a~1", "a:b"],
        );
        check(
            is_git_address,
            &["https://example.com/a.git", "git@example.com:a/b.git", "/srv/a.git", "ssh://a/b"],
            &["", "-u", "--x", "ext::sh -c x", "ext::x", "https://", "a b", "ssh://-oProxy=x/y"],
        );
    }

    #[test]
    fn bytes_are_read_and_shown_in_units() {
        assert_eq!(bytes("2GiB"), Some(2 << 30));
        assert_eq!(bytes("512 MiB"), Some(512 << 20));
        for wrong in ["", "GiB", "2", "2GB", "-1KiB", "1.5GiB", "99999999999GiB", "+1KiB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
        assert_eq!(bytes_shown(2 << 30), "2 GiB");
        assert_eq!(bytes_shown(1500), "1500 B");
    }

    #[test]
    fn a_relative_path_starts_from_the_folder() {
        let folder = Path::new("/etc/vial");
        assert_eq!(within(folder, "./state"), Path::new("/etc/vial/state"));
        assert_eq!(within(folder, "/var/lib/vial"), Path::new("/var/lib/vial"));
    }
}

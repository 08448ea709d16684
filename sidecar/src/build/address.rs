//! Where a repository is, taken apart: what may be said of it, and what must not.

use std::fmt;

/// An address that Git clones from, as the configuration has checked it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Without a password: what Git is told, and what a log may say.
    pub bare: String,
    /// `user:password`, where the address had one. For Git's environment alone.
    pub secret: Option<String>,
    /// By what Git speaks with it.
    pub protocol: Protocol,
}

/// By what Git speaks with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// https, or http where the address says so.
    Http,
    /// ssh.
    Ssh,
    /// A folder of this host.
    File,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.bare).finish()
    }
}

impl Address {
    /// Takes an address apart.
    #[must_use]
    pub fn parse(text: &str) -> Address {
        let plain = |protocol| Address { bare: text.into(), secret: None, protocol };
        if text.starts_with('/') || text.starts_with("file://") {
            return plain(Protocol::File);
        }
        let Some((scheme, rest)) = text.split_once("://") else { return plain(Protocol::Ssh) };
        if !matches!(scheme, "http" | "https") {
            // A password in there is of no use to ssh, and not repeated.
            let bare = without_password(scheme, rest);
            return Address { bare, secret: None, protocol: Protocol::Ssh };
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let Some((secret, host)) = host.rsplit_once('@') else { return plain(Protocol::Http) };
        Address {
            bare: format!("{scheme}://{host}/{path}"),
            secret: Some(decoded(secret)),
            protocol: Protocol::Http,
        }
    }

    /// `https://example.com/`: what a credential is good for.
    #[must_use]
    pub fn origin(&self) -> String {
        let (scheme, rest) = self.bare.split_once("://").unwrap_or(("https", &self.bare));
        format!("{scheme}://{}/", rest.split('/').next().unwrap_or_default())
    }

    /// What Git may use for it.
    #[must_use]
    pub fn git_protocol(&self) -> &'static str {
        match self.protocol {
            Protocol::Http if self.bare.starts_with("http://") => "http",
            Protocol::Http => "https",
            Protocol::Ssh => "ssh",
            Protocol::File => "file",
        }
    }
}

fn without_password(scheme: &str, rest: &str) -> String {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = match host.rsplit_once('@') {
        Some((user, host)) => {
            format!("{}@{host}", user.split(':').next().unwrap_or_default())
        }
        None => host.into(),
    };
    format!("{scheme}://{host}/{path}")
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Whether a text can name a branch, a tag or a commit without meaning anything else to Git: no
/// option, no refspec, no range. As `git check-ref-format` has it.
#[must_use]
pub fn is_reference(text: &str) -> bool {
    let forbidden = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    (1..=255).contains(&text.len())
        && !text.starts_with(['-', '/', '+'])
        && !text.ends_with(['/', '.'])
        && !text.contains("..")
        && !text.contains("//")
        && !text.contains("@{")
        && text != "@"
        && !text.chars().any(forbidden)
        && text.split('/').all(|part| !part.starts_with('.') && !part.ends_with(".lock"))
}

/// Whether a text is a whole commit id, of SHA-1 or SHA-256.
#[must_use]
pub fn is_sha(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|it| it.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_an_address() {
        let it = Address::parse("https://ana:s%40crt@example.com/a/b.git");
        assert_eq!(it.bare, "https://example.com/a/b.git");
        assert_eq!(it.secret.as_deref(), Some("ana:s@crt"));
        assert_eq!((it.origin().as_str(), it.git_protocol()), ("https://example.com/", "https"));
        assert!(!format!("{it:?}").contains("crt"));
        let it = Address::parse("ssh://git:hush@example.com/a.git");
        assert_eq!((it.bare.as_str(), it.secret), ("ssh://git@example.com/a.git", None));
    }

    #[test]
    fn each_kind_of_address_has_its_protocol() {
        for (text, protocol) in [
            ("https://example.com/a.git", "https"),
            ("http://127.0.0.1:8080/a.git", "http"),
            ("git@example.com:a/b.git", "ssh"),
            ("ssh://example.com/a", "ssh"),
            ("/srv/a.git", "file"),
            ("file:///srv/a.git", "file"),
        ] {
            let it = Address::parse(text);
            assert_eq!((it.bare.as_str(), it.git_protocol()), (text, protocol));
        }
    }

    #[test]
    fn only_what_names_one_thing_is_a_reference() {
        for right in ["main", "feature/a-1", "v1.2", "$(touch x)", "a;b", "'; rm -rf /", "ü", "`x`"]
        {
            // A space is no part of a name, whatever a shell would make of the rest.
            assert_eq!(is_reference(right), !right.contains(' '), "{right}");
        }
        let wrong = [
            "",
            "-x",
            "--upload-pack=touch",
            "+main",
            "a..b",
            "a:b",
            "a~1",
            "a^",
            "@{1}",
            "@",
            "a b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a\nb",
            "refs/heads/*",
            "a\\b",
        ];
        for wrong in wrong {
            assert!(!is_reference(wrong), "{wrong:?}");
        }
        assert!(is_sha(&"a".repeat(40)) && is_sha(&"0".repeat(64)));
        assert!(!is_sha("abc") && !is_sha(&"g".repeat(40)));
    }
}

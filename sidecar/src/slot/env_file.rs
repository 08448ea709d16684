//! Reading an app's `env_file`: what systemd's EnvironmentFile and dotenv files have in common.
//!
//! `KEY=VALUE` lines, comments, blank lines, `export `, values in single or double quotes that may
//! span lines, nothing expanded. Where systemd and dotenv would read the same line differently,
//! it is refused, because a secret that is subtly wrong is found at 3 a.m.; quotes always cure it.
//! No error says a value.

use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

/// More than any environment that exec would take.
const LARGEST: u64 = 1 << 20;

/// What a file says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct EnvFile {
    /// Names and values, in the file's order.
    pub variables: Vec<(String, String)>,
    /// What a person should look at, though it works: whole sentences.
    pub warnings: Vec<String>,
}

/// Why a file cannot be used; for the deployment's error. Never holds a value.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// It cannot be read.
    #[error("The env_file {} cannot be read: {source}.", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of it cannot be understood.
    #[error("The env_file {} cannot be understood in line {line}: {what}.", path.display())]
    Line {
        /// Which.
        path: PathBuf,
        /// Counts from 1.
        line: usize,
        /// What is wrong and what would be right.
        what: &'static str,
    },
}

/// Reads a file.
///
/// # Errors
/// Where it cannot be read or understood.
pub fn read(path: &Path) -> Result<EnvFile, EnvFileError> {
    let fail = |source| EnvFileError::Read { path: path.to_owned(), source };
    let file = std::fs::File::options()
        .read(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)
        .map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() {
        return Err(fail(io::Error::other("it is not a file")));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > LARGEST {
        return Err(fail(io::Error::other("it is larger than 1 MiB")));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| fail(io::Error::other("it is not UTF-8 text")))?;
    let variables = parse(&text).map_err(|(line, what)| EnvFileError::Line {
        path: path.to_owned(),
        line,
        what,
    })?;
    let mut warnings = Vec::new();
    if metadata.mode() & 0o004 != 0 {
        let path = path.display();
        warnings.push(format!("Every user of this host can read {path}: run `chmod o-r {path}`."));
    }
    Ok(EnvFile { variables, warnings })
}

/// The variables of a text of the same kind; where it cannot be understood, the line and what is
/// wrong with it.
///
/// # Errors
/// Where it cannot be understood.
pub fn variables(text: &str) -> Result<Vec<(String, String)>, (usize, &'static str)> {
    parse(text)
}

type Parsed<T> = Result<T, (usize, &'static str)>;

fn parse(text: &str) -> Parsed<Vec<(String, String)>> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    let mut variables = Vec::new();
    while !rest.is_empty() {
        let (first, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = first.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            rest = after;
            line += 1;
            continue;
        }
        let (name, value_at) = name(first).map_err(|what| (line, what))?;
        let value_from = &rest[value_at..];
        let (value, taken) = value(value_from).map_err(|what| (line, what))?;
        if value.contains('\0') {
            return Err((line, "a value cannot hold a NUL byte"));
        }
        line += value_from[..taken].matches('\n').count() + 1;
        let after_value = &value_from[taken..];
        rest = after_value.split_once('\n').map_or("", |(_, after)| after);
        variables.push((name.to_owned(), value));
    }
    Ok(variables)
}

/// The name in a line, and where its value begins.
fn name(line: &str) -> Result<(&str, usize), &'static str> {
    let Some((before, _)) = line.split_once('=') else { return Err("it has no `=`") };
    let name = before.trim_start();
    let name = name.strip_prefix("export").filter(|n| n.starts_with([' ', '\t'])).unwrap_or(name);
    let name = name.trim_start();
    let mut bytes = name.bytes();
    let begins = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !begins || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err("a name is letters, digits and `_`, does not begin with a digit, \
                    and is followed by `=` at once");
    }
    Ok((name, before.len() + 1))
}

/// A value, and how many bytes of the text it takes, up to the end of its line.
fn value(text: &str) -> Result<(String, usize), &'static str> {
    let blanks = text.len() - text.trim_start_matches([' ', '\t']).len();
    let (value, quoted) = match text[blanks..].chars().next() {
        Some('\'') => single(&text[blanks..])?,
        Some('"') => double(&text[blanks..])?,
        _ => return plain(text),
    };
    let taken = blanks + quoted;
    let line_rest = text[taken..].split('\n').next().unwrap_or("");
    let behind = line_rest.trim();
    if !(behind.is_empty() || behind.starts_with('#') && line_rest.starts_with([' ', '\t'])) {
        return Err("nothing but a comment may follow the closing quote");
    }
    Ok((value, taken + line_rest.len()))
}

fn plain(text: &str) -> Result<(String, usize), &'static str> {
    let line = text.split('\n').next().unwrap_or("");
    let value = line.trim();
    if value.contains('\\') {
        return Err("a backslash outside quotes means different things to different readers; \
                    put the value in single quotes");
    }
    if value.contains(" #") || value.contains("\t#") || value.starts_with('#') {
        return Err("` #` outside quotes may be a comment or not; put the value in quotes");
    }
    if value.contains(['\'', '"']) {
        return Err("a quote within a value means different things to different readers; \
                    put the whole value in the other kind of quotes");
    }
    Ok((value.to_owned(), line.len()))
}

fn single(text: &str) -> Result<(String, usize), &'static str> {
    match text[1..].split_once('\'') {
        Some((value, _)) => Ok((value.to_owned(), value.len() + 2)),
        None => Err("the single quote is never closed"),
    }
}

fn double(text: &str) -> Result<(String, usize), &'static str> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, at + 1)),
            '\\' => match chars.next().map(|(_, escaped)| escaped) {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some('\n') => {}
                Some(escaped @ ('"' | '\\' | '$' | '`')) => value.push(escaped),
                _ => {
                    return Err(
                        "in double quotes a backslash goes before n, r, t, \", \\, $ or `; \
                                write \\\\ for a backslash, or use single quotes",
                    );
                }
            },
            char => value.push(char),
        }
    }
    Err("the double quote is never closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> String {
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.len(), 1, "{parsed:?}");
        assert_eq!(parsed[0].0, "K");
        parsed[0].1.clone()
    }

    #[test]
    fn plain_lines_comments_and_exports_are_read() {
        let text =
            "# comment\n\n; comment\nA=1\r\n  export B = two words  \nexport\tC=\nexported=x";
        let error = parse(text).unwrap_err();
        assert_eq!(error.0, 5, "a blank before `=`");
        let text = text.replace("B = two", "B= two");
        let expected = [("A", "1"), ("B", "two words"), ("C", ""), ("exported", "x")];
        let parsed = parse(&text).unwrap();
        assert_eq!(parsed.iter().map(|(n, v)| (&**n, &**v)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn quotes_keep_what_they_hold_and_nothing_is_expanded() {
        assert_eq!(one("K=ecto://u:p$HOME@h/db?a=b#c"), "ecto://u:p$HOME@h/db?a=b#c");
        assert_eq!(one("K=' a # \"b\" \\n $X '  # comment"), " a # \"b\" \\n $X ");
        assert_eq!(one("K=\"a\\n\\\"b\\\" \\\\ \\$X $Y é\""), "a\n\"b\" \\ $X $Y é");
        assert_eq!(one("K=\"-----BEGIN\nkey\n-----END\"\n"), "-----BEGIN\nkey\n-----END");
        assert_eq!(one("K='a\nb'"), "a\nb");
        assert_eq!(one("K=\"\""), "");
    }

    #[test]
    fn an_error_names_the_line_and_never_the_value() {
        for (text, line) in [
            ("A='x\ny'\nnonsense s3cret", 3),
            ("A=1\n1B=s3cret", 2),
            ("A B=s3cret", 1),
            ("\n\nA='s3cret", 3),
            ("A=\"s3cret", 1),
            ("A=\"s3cret\\q\"", 1),
            ("A='s3cret' more", 1),
            ("A='s3cret'# tight", 1),
            ("A=s3cret # comment", 1),
            ("A=s3\\cret", 1),
            ("A=s3'cret", 1),
            ("A=s3cret\0", 1),
            ("=s3cret", 1),
        ] {
            let (at, what) = parse(text).unwrap_err();
            assert_eq!(at, line, "{text:?}: {what}");
            assert!(!what.contains("s3cret"));
        }
    }

    #[test]
    fn a_file_that_everyone_can_read_is_warned_about() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env");
        std::fs::write(&path, "A=1\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(read(&path).unwrap().warnings, Vec::<String>::new());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&path).unwrap().warnings[0].contains("chmod o-r"));
    }

    #[test]
    fn what_is_not_a_small_text_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env");
        assert!(matches!(read(&path), Err(EnvFileError::Read { .. })), "missing");
        assert!(matches!(read(folder.path()), Err(EnvFileError::Read { .. })), "a folder");
        std::fs::write(&path, b"A=\xff").unwrap();
        assert!(matches!(read(&path), Err(EnvFileError::Read { .. })), "not text");
        std::fs::write(&path, vec![b'\n'; LARGEST as usize + 1]).unwrap();
        assert!(matches!(read(&path), Err(EnvFileError::Read { .. })), "too large");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_single_quotes_keep_any_value(
            text in "(?s).{0,60}", value in "[^'\0]{0,40}"
        ) {
            let _ = parse(&text);
            proptest::prop_assert_eq!(one(&format!("K='{value}'")), value);
        }
    }
}

//! Finding known values in text that others read, and putting their names in their place.
//!
//! A value is looked for as it is, in base64 at any offset, and percent-encoded: so it shows in a
//! connection string, in an `Authorization` header, in a URL. What is shorter than six characters
//! is not looked for: half of a log would be masked for "4000". A value of many lines is looked for
//! line by line, because logs are read by the line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// The shortest value that is looked for, in characters.
const SHORTEST: usize = 6;
/// The shortest line of a value of many lines.
const SHORTEST_LINE: usize = 12;
/// The shortest piece of base64: what is shorter stands in any of it.
const SHORTEST_CODED: usize = 8;

/// What a URL leaves as it is.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What `URI.encode/1` and `encodeURI` leave as it is beside that.
const RESERVED: AsciiSet = CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'%')
    .add(b'[')
    .add(b']');

/// Finds values in text.
#[derive(Default)]
pub struct Mask {
    finder: Option<AhoCorasick>,
    /// For each pattern, what stands in its place.
    marks: Vec<String>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask of {} patterns", self.marks.len())
    }
}

impl Mask {
    /// Of names and their values.
    pub fn new<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Mask {
        let mut patterns = BTreeMap::new();
        for (name, value) in values {
            for pattern in forms(value) {
                patterns.entry(pattern).or_insert_with(|| format!("•••({name})"));
            }
        }
        if patterns.is_empty() {
            return Mask::default();
        }
        let (patterns, marks): (Vec<String>, Vec<String>) = patterns.into_iter().unzip();
        // Leftmost and longest: of two values that begin alike the whole of the longer one goes.
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(patterns);
        match finder {
            Ok(finder) => Mask { finder: Some(finder), marks },
            Err(error) => {
                // More states than an index holds: gigabytes of values, which no request may have.
                tracing::error!(%error, "values cannot be masked");
                Mask::default()
            }
        }
    }

    /// A text without the values.
    #[must_use]
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(finder) = self.finder.as_ref().filter(|it| it.is_match(text)) else {
            return Cow::Borrowed(text);
        };
        Cow::Owned(finder.replace_all(text, &self.marks))
    }
}

/// All forms that a value is looked for in.
fn forms(value: &str) -> Vec<String> {
    let value = value.trim();
    let mut forms = Vec::new();
    if value.chars().count() < SHORTEST {
        return forms;
    }
    let lines: Vec<&str> = value.lines().map(str::trim).collect();
    if lines.len() > 1 {
        let own = lines.iter().filter(|it| it.len() >= SHORTEST_LINE && !it.starts_with("-----"));
        for line in own {
            forms.extend(one_line(line));
        }
    }
    forms.extend(one_line(value));
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn one_line(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned(), escaped(value)];
    for shift in 0..3 {
        forms.extend(base64(value.as_bytes(), shift));
    }
    for set in [&NON_ALPHANUMERIC, &&UNRESERVED, &&RESERVED] {
        let encoded = utf8_percent_encode(value, set).to_string();
        forms.push(lower_hex(&encoded));
        forms.push(encoded.replace("%20", "+"));
        forms.push(encoded);
    }
    forms
}

/// As it stands between quotes, in what `inspect` and JSON print.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// What a value always is in base64, whatever stands before and after it, where `shift` bytes of
/// the three that make four characters stand before it; and the whole of it where none do.
fn base64(value: &[u8], shift: usize) -> Vec<String> {
    let bytes = [&[0; 2][..shift], value].concat();
    let from = (8 * shift).div_ceil(6);
    let to = 8 * bytes.len() / 6;
    let mut forms = Vec::new();
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        let coded = engine.encode(&bytes);
        if let Some(core) = coded.get(from..to).filter(|it| it.len() >= SHORTEST_CODED) {
            forms.push(core.to_owned());
        }
        if shift == 0 && coded.len() >= SHORTEST_CODED {
            let padding = "=".repeat((4 - coded.len() % 4) % 4);
            forms.push(coded.clone() + &padding);
            forms.push(coded);
        }
    }
    forms
}

/// `%2f` for `%2F`.
fn lower_hex(encoded: &str) -> String {
    let mut lower = String::with_capacity(encoded.len());
    let mut hex = 0;
    for char in encoded.chars() {
        lower.push(if hex > 0 { char.to_ascii_lowercase() } else { char });
        hex = if char == '%' { 2 } else { hex - i32::from(hex > 0) };
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "pä$$ w0rd/+?&=s3cret";

    fn mask(values: &[(&str, &str)]) -> Mask {
        Mask::new(values.iter().copied())
    }

    fn hides(text: &str) {
        let masked = mask(&[("PASSWORD", SECRET)]).apply(text).into_owned();
        assert!(masked.contains("•••(PASSWORD)"), "{text:?} became {masked:?}");
    }

    #[test]
    fn a_value_is_masked_by_its_name_and_the_rest_stays() {
        let mask = mask(&[("URL", "ecto://shop:hunter2@db/shop")]);
        assert_eq!(
            mask.apply("connecting to ecto://shop:hunter2@db/shop failed"),
            "connecting to •••(URL) failed"
        );
        assert!(matches!(mask.apply("nothing of it"), Cow::Borrowed(_)));
        assert!(matches!(Mask::default().apply("anything"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_value_is_found_in_base64_whatever_stands_around_it() {
        for before in ["", "u", "us", "use", "user:"] {
            for after in ["", "x", "xy", "xyz"] {
                let text = format!("{before}{SECRET}{after}");
                for coded in [
                    base64::engine::general_purpose::STANDARD.encode(&text),
                    base64::engine::general_purpose::URL_SAFE.encode(&text),
                    STANDARD_NO_PAD.encode(&text),
                ] {
                    hides(&format!("authorization: Basic {coded}"));
                }
            }
        }
    }

    #[test]
    fn of_base64_that_is_the_value_alone_nothing_stays() {
        let mask = mask(&[("KEY", "topsecret")]);
        assert_eq!(mask.apply("dG9wc2VjcmV0"), "•••(KEY)");
        let padded = base64::engine::general_purpose::STANDARD.encode("topsecret1");
        let mask = Mask::new([("KEY", "topsecret1")]);
        assert_eq!(mask.apply(&padded), "•••(KEY)", "{padded}");
    }

    #[test]
    fn a_value_is_found_percent_encoded_in_each_way_that_libraries_do_it() {
        for encoded in [
            // URI.encode_www_form/1, encodeURIComponent, URI.encode/1
            "p%C3%A4%24%24+w0rd%2F%2B%3F%26%3Ds3cret",
            "p%C3%A4%24%24%20w0rd%2F%2B%3F%26%3Ds3cret",
            "p%C3%A4$$%20w0rd/+?&=s3cret",
            "p%c3%a4%24%24%20w0rd%2f%2b%3f%26%3ds3cret",
        ] {
            hides(&format!("GET /?password={encoded}&x=1"));
        }
    }

    #[test]
    fn a_value_is_found_between_quotes_that_escape_it() {
        let mask = mask(&[("KEY", "a\"b\\c-secret")]);
        assert_eq!(mask.apply(r#"%{key: "a\"b\\c-secret"}"#), "%{key: \"•••(KEY)\"}");
    }

    #[test]
    fn of_a_value_of_many_lines_each_line_is_found() {
        let pem =
            "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\nshort\n-----END KEY-----\n";
        let mask = mask(&[("PEM", pem)]);
        assert_eq!(mask.apply("hkiG9w0BAQEFAASC"), "•••(PEM)");
        assert_eq!(mask.apply("-----BEGIN KEY-----"), "-----BEGIN KEY-----");
        assert_eq!(mask.apply("short"), "short");
    }

    #[test]
    fn of_two_values_that_begin_alike_the_longer_one_goes_whole() {
        let mask = mask(&[("SHORT", "secret"), ("LONG", "secret-and-more")]);
        assert_eq!(mask.apply("secret-and-more secret-and-less"), "•••(LONG) •••(SHORT)-and-less");
    }

    #[test]
    fn what_is_short_is_not_looked_for() {
        let mask =
            mask(&[("PORT", "4000"), ("FLAG", "true"), ("EMPTY", ""), ("BLANK", "        ")]);
        assert_eq!(mask.apply("4000 true"), "4000 true");
    }

    proptest::proptest! {
        #[test]
        fn no_value_stays_in_a_text_whatever_is_around_it(
            value in "[!-~]{6,40}", before in "[ -~]{0,20}", after in "[ -~]{0,20}"
        ) {
            let mask = Mask::new([("KEY", value.as_str())]);
            let masked = mask.apply(&format!("{before}{value}{after}")).into_owned();
            // Another match may begin before it and end in it; all of it never stays.
            proptest::prop_assert!(masked.contains("•••(KEY)"));
            proptest::prop_assert!(!masked.replace("•••(KEY)", "\0").contains(&value));
        }
    }
}

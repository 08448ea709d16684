//! What others wrote, made fit for a terminal.
//!
//! Names and versions in an archive, log lines, script output and reasons may hold any byte. A
//! terminal obeys some of them: it can be told to move the cursor over what was printed before,
//! to change its title, to answer as if someone typed. Only text and colours get through here.

use std::fmt::Write as _;

use vte::{Params, Parser, Perform};

/// One line of text. Colours stay where `colour` says so, and end with the line.
#[must_use]
pub fn line(text: &str, colour: bool) -> String {
    let mut cleaner = Cleaner { clean: String::with_capacity(text.len()), colour, coloured: false };
    Parser::<1024>::default().advance(&mut cleaner, text.as_bytes());
    if cleaner.coloured {
        cleaner.clean.push_str("\x1b[0m");
    }
    cleaner.clean
}

/// A name, version or other word inside a sentence or a table: no colours, no tabs.
#[must_use]
pub fn word(text: &str) -> String {
    line(text, false).replace('\t', " ")
}

/// Text of many lines, each as [`line`] makes it; without the last line break.
#[must_use]
pub fn block(text: &str, colour: bool) -> String {
    text.lines().map(|text| line(text, colour)).collect::<Vec<_>>().join("\n")
}

/// JSON for a terminal: characters that a terminal obeys and that JSON leaves bare are escaped.
/// They can only stand inside strings, so what they mean is the same.
#[must_use]
pub fn json(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if (c.is_control() && c != '\n') || is_invisible(c) {
            let mut units = [0_u16; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(clean, "\\u{unit:04x}");
            }
        } else {
            clean.push(c);
        }
    }
    clean
}

/// Marks that reorder or hide text around them, so that a line reads as something else.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

struct Cleaner {
    clean: String,
    colour: bool,
    coloured: bool,
}

impl Perform for Cleaner {
    fn print(&mut self, c: char) {
        if !c.is_control() && !is_invisible(c) {
            self.clean.push(c);
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\t' => self.clean.push('\t'),
            b'\n' => self.clean.push(' '),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if action != 'm' || !self.colour || ignore || !intermediates.is_empty() {
            return;
        }
        let kept = colours(params);
        if !kept.is_empty() {
            self.coloured = true;
            self.clean.push_str("\x1b[");
            self.clean.push_str(&kept.join(";"));
            self.clean.push('m');
        }
    }
}

/// The parameters of an SGR sequence that colour, embolden, underline or end such; what blinks
/// or conceals is left out.
fn colours(params: &Params) -> Vec<String> {
    let mut kept = Vec::new();
    let mut params = params.iter();
    while let Some(param) = params.next() {
        match param {
            [0..=4 | 7 | 21..=24 | 27 | 30..=37 | 39..=47 | 49 | 90..=97 | 100..=107] => {
                kept.push(param[0].to_string());
            }
            // A colour of the palette or in RGB: with colons in one parameter, or spread over the
            // next ones.
            [38 | 48 | 58, _, ..] => {
                kept.push(param.iter().map(u16::to_string).collect::<Vec<_>>().join(":"));
            }
            [ground @ (38 | 48)] => {
                let count = match params.next() {
                    Some([5]) => 1,
                    Some([2]) => 3,
                    _ => return kept,
                };
                let values: Vec<String> = params
                    .by_ref()
                    .take(count)
                    .filter_map(|value| value.first())
                    .filter(|value| **value <= 255)
                    .map(u16::to_string)
                    .collect();
                if values.len() != count {
                    return kept;
                }
                let kind = if count == 1 { 5 } else { 2 };
                kept.push(format!("{ground};{kind};{}", values.join(";")));
            }
            [4, 0..=5] => kept.push(format!("4:{}", param[1])),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_text_and_colours_reach_a_terminal() {
        let cases: &[(&str, &str)] = &[
            ("plain text", "plain text"),
            ("tab\tstays", "tab\tstays"),
            ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m\x1b[0m"),
            ("\x1b[1;38;5;208morange", "\x1b[1;38;5;208morange\x1b[0m"),
            ("\x1b[38;2;1;2;3mrgb", "\x1b[38;2;1;2;3mrgb\x1b[0m"),
            ("\x1b[38:2::1:2:3mrgb", "\x1b[38:2:0:1:2:3mrgb\x1b[0m"),
            ("\x1b[4:3mcurly", "\x1b[4:3mcurly\x1b[0m"),
            ("\x1b[mreset", "\x1b[0mreset\x1b[0m"),
            // Concealed and blinking text, and half a colour.
            ("\x1b[8mhidden\x1b[5m", "hidden"),
            ("\x1b[31;8mred", "\x1b[31mred\x1b[0m"),
            ("\x1b[38;5mhalf", "half"),
            ("\x1b[38;2;1;2mhalf", "half"),
            ("\x1b[38;7;1mwrong", "wrong"),
            // A title, a hyperlink, the clipboard; ended by BEL, by ST, or not at all.
            ("\x1b]0;title\x07after", "after"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1b]52;c;aGk=\x07", ""),
            ("before\x1b]0;never ends", "before"),
            // Cursor, screen, modes, questions that the terminal would answer.
            ("a\x1b[2J\x1b[H\x1b[1A\x1b[10Gb", "ab"),
            ("a\x1b[?1049h\x1b[?25lb", "ab"),
            ("\x1b[6n\x1b[c\x1b[>c\x1b[21t", ""),
            ("\x1b[>4;2mxterm keys", "xterm keys"),
            ("\x1b[?1m private", " private"),
            // Device control strings, APC, PM, SOS, single shifts, charsets, reset.
            ("a\x1bP+q544e\x1b\\b", "ab"),
            ("a\x1b_apc\x1b\\b\x1b^pm\x1b\\c\x1bXsos\x1b\\d", "abcd"),
            ("\x1bc\x1b7\x1b8\x1b(0x\x1bNy", "xy"),
            // C1 controls as UTF-8, and what overwrites a line.
            ("a\u{9b}31mb\u{9d}0;t\u{9c}", "a31mb0;t"),
            ("rm -rf /\rls\x08\x08ok\x7f\x00\x07", "rm -rf /lsok"),
            ("two\nlines\r\n", "two lines "),
            // Marks that turn text around.
            ("user\u{202e}txt.exe\u{2066}", "usertxt.exe"),
            ("zero\u{200b}width\u{feff}", "zerowidth"),
            // A sequence inside a sequence, and one cut off.
            ("\x1b[3\x1b[31mx", "\x1b[31mx\x1b[0m"),
            ("cut\x1b[3", "cut"),
            ("cut\x1b", "cut"),
            ("héllo ✓ 漢字", "héllo ✓ 漢字"),
        ];
        for (dirty, clean) in cases {
            assert_eq!(line(dirty, true), *clean, "{dirty:?}");
        }
    }

    #[test]
    fn without_colour_no_escape_is_left() {
        assert_eq!(line("\x1b[31mred\x1b[0m \x1b]0;t\x07x", false), "red x");
        assert_eq!(word("v1\t\x1b[31m2"), "v1 2");
    }

    #[test]
    fn a_colour_ends_with_its_line_and_a_sequence_does_not_span_lines() {
        assert_eq!(block("\x1b[31ma\nb\x1b]0;\nc", true), "\x1b[31ma\x1b[0m\nb\nc");
    }

    #[test]
    fn json_for_a_terminal_means_the_same() {
        let text = "a\u{9b}2J\u{202e}b\u{e0041}\x1b";
        let dirty = serde_json::to_string(text).unwrap();
        let clean = json(&dirty);
        assert!(clean.is_ascii(), "{clean}");
        assert_eq!(serde_json::from_str::<String>(&clean).unwrap(), text);
    }

    /// Text that is rich in what terminals obey.
    fn dirty() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            "[ -~]{0,6}",
            Just("\x1b[".to_owned()),
            Just("\x1b]".to_owned()),
            Just("\x1bP".to_owned()),
            Just("\x1b\\".to_owned()),
            Just("m".to_owned()),
            "[0-9;:?]{0,8}[@-~]",
            "[\\x00-\\x1f\u{7f}-\u{9f}]",
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    /// What is left after taking out the one shape of escape that may pass.
    fn without_colours(text: &str) -> String {
        let mut rest = text;
        let mut left = String::new();
        while let Some((before, after)) = rest.split_once("\x1b[") {
            left.push_str(before);
            let end = after.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':');
            match end {
                Some(end) if after[end..].starts_with('m') => rest = &after[end + 1..],
                _ => return format!("{left}\x1b[{after}"),
            }
        }
        left + rest
    }

    proptest! {
        #[test]
        fn no_control_but_a_colour_survives(text in dirty()) {
            let left = without_colours(&line(&text, true));
            prop_assert!(left.chars().all(|c| c == '\t' || !c.is_control()), "{left:?}");
            let plain = line(&text, false);
            prop_assert!(plain.chars().all(|c| c == '\t' || !c.is_control()), "{plain:?}");
        }

        #[test]
        fn cleaning_twice_changes_nothing(text in dirty()) {
            let once = line(&text, false);
            prop_assert_eq!(line(&once, false), once);
        }

        #[test]
        fn ordinary_text_is_kept(text in "[ -~\u{e0}-\u{17f}\u{4e00}-\u{4e40}]{0,60}") {
            prop_assert_eq!(line(&text, true), text);
        }
    }
}

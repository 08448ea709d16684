//! Server-sent events, as bytes come: tolerant of pieces cut anywhere and of every line ending.

/// More than any event that the daemon sends.
const LONGEST: usize = 16 << 20;

/// Collects bytes into events and keeps what is not complete yet.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    data: Option<String>,
    after_cr: bool,
}

/// An event longer than any that the daemon sends: whatever answers is not the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {LONGEST} bytes")]
pub struct TooLong;

impl Parser {
    /// Takes more bytes and returns the `data` of each event that they complete. Comments, `id`
    /// and unknown fields are passed over.
    ///
    /// # Errors
    /// The event is longer than any that the daemon sends.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > LONGEST {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.data.take();
        }
        if let Some(value) = value_of(&line, b"data") {
            let value = String::from_utf8_lossy(value);
            match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(&value);
                }
                None => self.data = Some(value.into_owned()),
            }
        }
        None
    }
}

fn value_of<'a>(line: &'a [u8], field: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(field)?;
    match rest {
        [] => Some(rest),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_line_ending_ends_a_line() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!(": hello{end}id: 7{end}data: a{end}data:b{end}{end}data: c{end}");
            let mut parser = Parser::default();
            assert_eq!(parser.feed(text.as_bytes()).unwrap(), ["a\nb"], "{end:?}");
            assert_eq!(parser.feed(end.as_bytes()).unwrap(), ["c"], "{end:?}");
        }
    }

    #[test]
    fn a_keep_alive_is_no_event() {
        assert!(Parser::default().feed(b":\n\n: still here\n\n\n").unwrap().is_empty());
    }

    #[test]
    fn a_field_with_a_longer_name_is_not_data() {
        assert!(Parser::default().feed(b"database: x\n\n").unwrap().is_empty());
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; 1 << 20];
        assert!((0..20).any(|_| parser.feed(&piece).is_err()));
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_makes_no_difference(
            lines in proptest::collection::vec("(data: ?[a-z\u{e9}]{0,5}|: c|id: 3|)", 0..20),
            end in proptest::sample::select(vec!["\n", "\r\n", "\r"]),
            cuts in proptest::collection::vec(1_usize..7, 1..40),
        ) {
            let text = lines.join(end) + end + end;
            let whole = Parser::default().feed(text.as_bytes()).unwrap();
            let mut parser = Parser::default();
            let mut events = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, later) = rest.split_at((*cut).min(rest.len()));
                events.extend(parser.feed(piece).unwrap());
                rest = later;
            }
            prop_assert_eq!(events, whole);
        }
    }
}

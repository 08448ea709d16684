//! Server-sent events, from bytes that are cut anywhere.

use std::collections::VecDeque;

/// More than any event that the daemon sends.
const LONGEST: usize = 16 << 20;

/// Keeps what is not complete yet.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    data: Option<String>,
    after_cr: bool,
}

impl Parser {
    /// Takes bytes, and adds the `data` of each event that they complete. Comments and other fields
    /// are passed over.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        events: &mut VecDeque<String>,
    ) -> Result<(), &'static str> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (piece, later) = rest.split_at(end.unwrap_or(rest.len()));
            let known = self.line.len() + self.data.as_ref().map_or(0, String::len);
            if known + piece.len() > LONGEST {
                return Err("an event does not end");
            }
            self.line.extend_from_slice(piece);
            rest = match later {
                [] => later,
                [ending, later @ ..] => {
                    self.after_cr = *ending == b'\r';
                    events.extend(self.end_line());
                    later
                }
            };
        }
        Ok(())
    }

    fn end_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.data.take();
        }
        let value = match line.strip_prefix(b"data") {
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
            Some(value @ []) => value,
            _ => return None,
        };
        let value = String::from_utf8_lossy(value);
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(&value);
            }
            None => self.data = Some(value.into_owned()),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(pieces: &[&[u8]]) -> Vec<String> {
        let mut parser = Parser::default();
        let mut events = VecDeque::new();
        for piece in pieces {
            parser.feed(piece, &mut events).unwrap();
        }
        events.into()
    }

    #[test]
    fn every_line_ending_ends_a_line_wherever_the_bytes_are_cut() {
        for end in ["\n", "\r\n", "\r"] {
            let text =
                format!(": hello{end}id: 7{end}data: a{end}data:b{end}{end}data: c{end}{end}");
            for at in 0..text.len() {
                let (one, two) = text.as_bytes().split_at(at);
                assert_eq!(fed(&[one, two]), ["a\nb", "c"], "{end:?} {at}");
            }
        }
    }

    #[test]
    fn a_keep_alive_is_no_event_and_a_longer_field_is_not_data() {
        assert!(fed(&[b":\n\n: still here\n\ndatabase: x\n\n\n"]).is_empty());
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; 1 << 20];
        assert!((0..20).any(|_| parser.feed(&piece, &mut VecDeque::new()).is_err()));
    }
}

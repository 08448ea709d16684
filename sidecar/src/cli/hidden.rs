//! Reading a value from a person, without showing it.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

/// Ctrl-C and Ctrl-D, as they come where the terminal makes no signals of them.
const LEAVE: [u8; 2] = [3, 4];
/// Backspace, on either kind of terminal, and Ctrl-U.
const RUB: [u8; 2] = [8, 127];
const CLEAR: u8 = 21;

/// A terminal that shows nothing of what is typed, for as long as this lives.
pub struct Hidden {
    terminal: OwnedFd,
    before: Termios,
}

impl Hidden {
    /// Standard input, where it is a terminal. Signals come as bytes meanwhile: one that ended the
    /// process would leave the terminal as it is now.
    ///
    /// # Errors
    /// The terminal cannot be changed: then nothing may be typed on it.
    pub fn on_input() -> io::Result<Option<Self>> {
        let terminal = io::stdin().as_fd().try_clone_to_owned()?;
        let Ok(before) = termios::tcgetattr(&terminal) else { return Ok(None) };
        let mut hidden = before.clone();
        hidden.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        termios::tcsetattr(&terminal, OptionalActions::Flush, &hidden)?;
        Ok(Some(Hidden { terminal, before }))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = termios::tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// A line as it is typed; absent where the person left instead.
///
/// # Errors
/// The terminal cannot be read, or the line is not UTF-8.
pub fn line(input: &mut dyn Read) -> io::Result<Option<String>> {
    let mut typed = Vec::new();
    let mut byte = [0];
    loop {
        // Byte by byte, so that nothing behind the line is taken.
        match input.read(&mut byte) {
            Ok(0) if typed.is_empty() => return Ok(None),
            Ok(0) => break,
            Ok(_) => match byte[0] {
                b'\n' | b'\r' => break,
                it if LEAVE.contains(&it) => return Ok(None),
                CLEAR => typed.clear(),
                it if RUB.contains(&it) => {
                    // The whole of a character, however many bytes it has.
                    while typed.pop().is_some_and(|it| it & 0xc0 == 0x80) {}
                }
                it => typed.push(it),
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    String::from_utf8(typed)
        .map(Some)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "what was typed is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> Option<String> {
        line(&mut &bytes[..]).unwrap()
    }

    #[test]
    fn a_line_is_what_was_left_of_it_when_it_was_ended() {
        assert_eq!(typed(b"s3cret\nmore").as_deref(), Some("s3cret"));
        assert_eq!(typed("sé\x7f3cret\r".as_bytes()).as_deref(), Some("s3cret"));
        assert_eq!(typed(b"wrong\x15right\n").as_deref(), Some("right"));
        assert_eq!(typed(b"\n").as_deref(), Some(""));
        assert_eq!(typed(b"s3c\x03\n"), None);
        assert_eq!(typed(b""), None);
    }
}

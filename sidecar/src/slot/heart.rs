//! Finds what would have a release started again by somebody else than Vial.
//!
//! With `-heart` the BEAM is watched by a process of its own, which starts it again whenever it
//! ends: after a stop that Vial ordered too, outside the slot and on its port. What a release brings
//! is looked at when it is unpacked; here it is what its environment says, and what in the end
//! stands on the emulator's command line, whatever put it there.

use super::identity::Identity;

const FLAG: &str = "-heart";

/// The emulator and Elixir's scripts take flags from these.
const FLAGS: [&str; 4] = ["ERL_AFLAGS", "ERL_FLAGS", "ERL_ZFLAGS", "ELIXIR_ERL_OPTIONS"];

/// A variable that turns heart on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{variable} has {FLAG}: heart would start the release again by itself, outside its slot, when \
     Vial stops it. Take {FLAG} out of {variable}; Vial restarts a release that ends."
)]
pub struct HeartError {
    /// Its name.
    pub variable: String,
}

/// The first of these variables that turns heart on.
#[must_use]
pub fn turned_on<'a>(
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<HeartError> {
    let mut variables = variables.into_iter();
    let (variable, _) = variables.find(|(name, value)| is_of_flags(name) && has_flag(value))?;
    Some(HeartError { variable: variable.to_owned() })
}

fn is_of_flags(name: &str) -> bool {
    let of_version = name.strip_prefix("ERL_OTP").and_then(|rest| rest.strip_suffix("_FLAGS"));
    FLAGS.contains(&name)
        || of_version.is_some_and(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()))
}

fn has_flag(flags: &str) -> bool {
    flags.split_whitespace().any(|word| word.trim_matches(['"', '\'']) == FLAG)
}

/// Whether a process is an emulator that was started with heart. A release that is healthy is one.
#[must_use]
pub fn watches(process: &Identity) -> bool {
    let line = std::fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
    on_command_line(&line) && process.is_alive().unwrap_or(false)
}

fn on_command_line(line: &[u8]) -> bool {
    let words = line.split(|byte| *byte == 0);
    // What follows -extra are the release's own arguments.
    words.take_while(|word| *word != b"-extra").any(|word| word == FLAG.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(name: &str, value: &str) -> bool {
        turned_on([("PORT", "4000"), (name, value)]).is_some()
    }

    #[test]
    fn every_variable_that_the_emulator_takes_flags_from_is_looked_at() {
        for name in
            ["ERL_AFLAGS", "ERL_FLAGS", "ERL_ZFLAGS", "ERL_OTP25_FLAGS", "ELIXIR_ERL_OPTIONS"]
        {
            assert!(on(name, "+sbwt none -heart"), "{name}");
            assert!(on(name, "\"-heart\""), "{name}");
            assert!(!on(name, "+sbwt none"), "{name}");
        }
    }

    #[test]
    fn other_variables_and_words_that_only_sound_alike_are_no_heart() {
        for (name, value) in [
            ("SHOP_FLAGS", "-heart"),
            ("ERL_OTP_FLAGS", "-heart"),
            ("ERL_OTPX_FLAGS", "-heart"),
            ("ERL_FLAGS", "-heartbeat 3"),
            ("ERL_FLAGS", "-shop -no-heart"),
        ] {
            assert!(!on(name, value), "{name}={value}");
        }
    }

    #[test]
    fn the_reason_names_the_variable_and_the_cure() {
        let error = turned_on([("ERL_ZFLAGS", "-heart")]).unwrap().to_string();
        assert!(error.contains("Take -heart out of ERL_ZFLAGS"), "{error}");
    }

    #[test]
    fn a_command_line_is_read_up_to_the_releases_own_arguments() {
        assert!(on_command_line(b"beam.smp\0--\0-root\0/x\0-heart\0-extra\0"));
        assert!(!on_command_line(b"beam.smp\0-root\0/x\0-extra\0-heart\0"));
        assert!(!on_command_line(b""));
    }
}

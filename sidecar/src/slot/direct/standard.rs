//! The scripts of a release as `mix release` writes them, known by their sums.
//!
//! What differs from release to release, its name and two versions, is taken out first. The sums
//! are of Elixir 1.14.0 to 1.21.0-dev, each of whose `elixir`s gives the emulator the same
//! arguments for `start`; a version that changes a script is not known here, and its releases are
//! started by it until it is.

use sha2::{Digest, Sha256};

/// `bin/NAME`, of a release that does not boot twice to configure itself.
const MAIN: [&str; 4] = [
    // 1.14
    "a0042144a1f92d18caeec2184205b0dc4a6bf23a8b73693b3436fffe9d5297c1",
    // 1.15.0 to 1.17.1
    "2c4363a6fdb28d9a7f412a79ff2e39185a8021c13695e2e6737aadb5a6e53b36",
    // 1.17.2
    "63b6b13d23efc65b58473b461c784f0e58dfcf3669d2d2729755d002f2ee1589",
    // 1.18 to 1.21
    "424d29aa20a1288dd94ce414b25b46cf6a6fa4a7cea97fac90491a397d8ddc36",
];

/// `releases/VSN/elixir`.
const ELIXIR: [&str; 9] = [
    // 1.14.0
    "84cfb643e568b4fb9771747c3a20a9078f70639ab0476cc915b802c630776473",
    // 1.14.1 to 1.14.5
    "de9afb94c246e3d889fc93c18bdcb29565dbd858fb20ad0dc8b8d1bb7c9f332f",
    // 1.15.0
    "a3ad04d3c8b67e911901a795e90afb62f13ae29bd074bf14c17803c429c5c728",
    // 1.15.1 to 1.16.2
    "181707462bac5324df25378e37679ed62571956bf45348bedaf3cb31547eca51",
    // 1.15.8 and 1.16.3
    "653fe4fded2c9d2e85935030bbf3851d3dd339d66e4222f9708cd36df3ce6621",
    // 1.17
    "f37274646789005a7d92517fe8700934e4099206bfd0852b5b5c4dc705f67faa",
    // 1.18.0 and 1.18.1
    "4518736e7cda20e9d733a0d5b81717a0dc4b82f6d9508ab0eb9feb4880ecb1c6",
    // 1.18.2 to 1.18.4
    "206d4248c47a62afe1e532c3af6102feb15f402dde45eade5e8656000b30528b",
    // 1.19 to 1.21
    "98f262865cea5330143de419146a5eec7f3e150db7433b9f2adae5df7b7bc79f",
];

/// `erts-VSN/bin/erl`, which has been the same all the time.
const ERL: &str = "88c9515bedc9d12435712e74c862edf5c219eee8583873a8915c39116f585b71";

/// Whether this is the script of a release of that name.
pub(super) fn is_main(text: &str, name: &str) -> bool {
    let own = format!("RELEASE_NAME=\"${{RELEASE_NAME:-\"{name}\"}}\"");
    let plain = by_line(text, |line| match line == own {
        true => "RELEASE_NAME=\"${RELEASE_NAME:-\"@\"}\"",
        false => line,
    });
    MAIN.contains(&sum(&plain).as_str())
}

/// Whether this is an `elixir` that runs this version of the runtime system.
pub(super) fn is_elixir(text: &str, erts: &str) -> bool {
    let own = format!("ERTS_BIN=\"$SCRIPT_PATH\"/../../erts-{erts}/bin/");
    let plain = by_line(text, |line| match line.strip_prefix("ELIXIR_VERSION=") {
        Some(version) if is_version(version) => "ELIXIR_VERSION=@",
        _ if line == own => "ERTS_BIN=@",
        _ => line,
    });
    ELIXIR.contains(&sum(&plain).as_str())
}

/// Whether this is the `erl` of a release.
pub(super) fn is_erl(text: &str) -> bool {
    sum(text) == ERL
}

/// Whether an `env.sh` does nothing: it has comments only.
pub(super) fn says_nothing(text: &str) -> bool {
    // A carriage return would be a command to the shell.
    let mut lines = text.split('\n').map(|line| line.trim_matches([' ', '\t']));
    lines.all(|line| line.is_empty() || line.starts_with('#'))
}

fn is_version(text: &str) -> bool {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
    !text.is_empty() && text.bytes().all(right)
}

fn by_line<'a>(text: &'a str, change: impl Fn(&'a str) -> &'a str) -> String {
    text.split('\n').map(change).collect::<Vec<_>>().join("\n")
}

fn sum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_env_sh_of_comments_alone_says_nothing() {
        assert!(says_nothing(""));
        assert!(says_nothing("#!/bin/sh\n\n\t# export RELEASE_MODE=interactive\n"));
        for says in ["export A=1", "#!/bin/sh\n. other.sh\n", "# fine\n\r\n", ":\n"] {
            assert!(!says_nothing(says), "{says:?}");
        }
    }

    #[test]
    fn what_is_taken_out_of_a_script_cannot_hide_a_command() {
        assert!(is_version("1.14.0") && is_version("1.21.0-dev"));
        for version in ["", "1.14; rm x", "$(rm x)", "1 x"] {
            assert!(!is_version(version), "{version:?}");
        }
        assert!(!is_main("RELEASE_NAME=\"${RELEASE_NAME:-\"shop\"}\"\n", "shop"));
        assert!(!is_elixir("ELIXIR_VERSION=1.14.0\n", "13.1.5"));
    }
}

# Shared by the commands in bin/: sourced, never run. Sets $root, and finds cargo.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Erlang and Mix take file names for Latin-1 without it.
export LC_ALL=${LC_ALL:-C.UTF-8}

say() { printf '%s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  shift
  (($# == 0)) || printf '%s\n' "$@" >&2
  exit 1
}

# Runs a command whose output matters only if it fails.
quietly() {
  local output
  if ! output=$("$@" 2>&1); then
    printf '%s\n' "$output" >&2
    return 1
  fi
}

# Rust is the one thing that is not installed here: which one is the user's own choice.
need_rust() {
  local wanted have
  wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
  if ! command -v cargo >/dev/null && [[ -x ${CARGO_HOME:-$HOME/.cargo}/bin/cargo ]]; then
    PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
  fi
  if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
    die "Rust is missing; Vial needs $wanted or newer." \
      "Next: install it from https://rustup.rs, or where rustup is there already: rustup default stable"
  fi
  have=$(cd "$root" && rustc --version 2>/dev/null | sed -n 's/^rustc \([0-9.]*\).*/\1/p') || true
  if [[ -z $have ]]; then
    die "rustc does not run; Vial needs Rust $wanted or newer." "Next: rustup default stable"
  fi
  if [[ $(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n 1) != "$wanted" ]]; then
    die "Rust $have is too old; Vial needs $wanted or newer." \
      "Next: rustup update stable && rustup default stable (a Rust from Debian: install rustup's beside it, from https://rustup.rs)"
  fi
}

# Installs what is missing, from Debian packages: sourced, after common.sh.

# Names the packages that bring what this host lacks, one a line.
missing_packages() {
  command -v cc >/dev/null || echo gcc libc6-dev
  command -v git >/dev/null || echo git
  command -v curl >/dev/null || echo curl
  command -v flock >/dev/null || echo util-linux
  command -v caddy >/dev/null || echo caddy
  command -v mix >/dev/null || echo elixir
  # A clock that a test sets.
  [[ ! ${with_clock:-} ]] ||
    compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || echo faketime
  [[ ! ${with_postgres:-} ]] || has_postgres || echo postgresql
  # What a release is assembled from; an Erlang without one of them is a part of Debian's.
  if ! command -v erl >/dev/null || ! has_applications; then
    echo erlang-nox erlang-dev
  fi
}

# The same for what the dashboard's pages are built with.
missing_for_pages() {
  command -v flock >/dev/null || echo util-linux
  command -v node >/dev/null || echo nodejs
  command -v npm >/dev/null || echo npm
}

# And for what shows them to the tests.
missing_for_browser() {
  command -v "${VIAL_CHROMIUM:-chromium}" >/dev/null || echo chromium
}

# Debian keeps its programs out of the PATH.
has_postgres() {
  command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
}

has_applications() {
  erl -noinput -boot start_clean -eval '
    Missing = [A || A <- [crypto, sasl, ssl, public_key, runtime_tools, parsetools, tools],
                    is_tuple(code:lib_dir(A))],
    halt(length(Missing)).' >/dev/null 2>&1
}

# need_packages [LIST]: installs what the function LIST names, missing_packages unless it is said.
need_packages() {
  local list=${1:-missing_packages}
  local -a packages
  mapfile -t packages < <("$list" | tr ' ' '\n' | sort -u)
  ((${#packages[@]})) || return 0
  local cure="install these packages: ${packages[*]}"
  command -v apt-get >/dev/null || die "This is not Debian or one like it." "Next: $cure"
  local -a as_root=()
  if ((EUID != 0)); then
    as_root=(sudo)
    if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
      die "Packages are missing, and this user cannot install them." \
        "Next, as root: apt-get install --no-install-recommends ${packages[*]}"
    fi
  fi
  say "Installing ${packages[*]} …"
  "${as_root[@]}" "$root/bin/lib/install-packages" "${packages[@]}" ||
    die "The packages were not installed; what apt-get said is above." "Next: $cure"
  local -a left
  mapfile -t left < <("$list" | tr ' ' '\n' | sort -u)
  ((${#left[@]} == 0)) ||
    die "Still missing after the installation: ${left[*]}" "Next: $cure"
}

# The demo's releases and tests need Elixir 1.14 or newer, as Debian 12 has it.
need_elixir() {
  local have
  have=$(elixir --short-version 2>/dev/null) || have=0
  [[ $(printf '%s\n1.14\n' "${have%%-*}" | sort -V | head -n 1) == 1.14 ]] ||
    die "Elixir $have is too old; the examples need 1.14 or newer." \
      "Next: install a newer one, or take Debian's: apt-get install elixir"
}

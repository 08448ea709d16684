# Builds what the demo and the benchmark run: sourced, after common.sh and packages.sh.

# build PROFILE SHOP-VERSION...: sets $built, the folder of the binaries, and $shop, that of the
# releases. What else is to be built stands in $packages.
packages=()
build() {
  local profile=$1
  shift
  need_rust
  need_packages
  need_elixir
  say "Building (the first time takes some minutes) …"
  local what=(-p vial -p vial-demo "${packages[@]}")
  # The tests have a build of their own at hand. It is the same one only with all of their targets:
  # what those depend on decides with which features everything is compiled.
  [[ -z ${VIAL_BUILD_FEATURES:-} ]] ||
    what=(--workspace --all-targets --features "$VIAL_BUILD_FEATURES")
  (cd "$root" && cargo build --quiet --locked --profile "$profile" "${what[@]}") ||
    die "Vial was not built; what cargo said is above."
  local folder=$profile
  [[ $profile != dev ]] || folder=debug
  built=${CARGO_TARGET_DIR:-$root/target}/$folder
  "$root/examples/shop/build" "$@" >/dev/null
  shop=${SHOP_OUT:-$root/examples/shop/_build/releases}
}

# Sets $as to the arguments that name the app's user. As root an app needs one of its own, as on a
# real host; whoever is not root runs it as themselves.
choose_user() {
  local user=vial-demo
  as=()
  ((EUID == 0)) || return 0
  if ! getent passwd "$user" >/dev/null; then
    say "Making the system user $user, which the demo's app runs as (userdel $user removes it)."
    # Another demo may be as fast.
    quietly useradd --system --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin "$user" || getent passwd "$user" >/dev/null ||
      die "The user $user could not be made." "Next: useradd --system $user"
  fi
  as=(--user "$user")
}

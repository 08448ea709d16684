# A disposable Debian with a systemd of its own, in a container: sourced by bin/test-systemd.
#
# box_refused       says why there can be none on this host, if that is so
# box_make          makes the golden root, once for each recipe
# box_up, box_down  boots a throw-away copy of it; powers it off and throws it away
# box CMD...        runs CMD in it, as root
#
# Nothing of the host's own systemd is needed, which may be absent. The network is the box's own:
# a loopback and nothing else.

# What is in it beside the system: Caddy, and what a release with its own ERTS links to.
box_packages=caddy,ca-certificates,systemd,systemd-sysv,dbus,procps,iproute2,curl,jq,libssl3,libstdc++6,libtinfo6,zlib1g
# Debian 13 is "trixie".
box_suite=${VIAL_BOX_SUITE:-bookworm}
box_cache=${XDG_CACHE_HOME:-/var/cache}/vial-box

# cgroups of both kinds, or of the newer kind only.
box_groups=/sys/fs/cgroup
box_unified=$box_groups
[[ ! -d $box_groups/unified ]] || box_unified=$box_groups/unified

box_refused() {
  if ((EUID != 0)); then
    echo "a container with its own systemd takes root, and this is $(id -un)"
  elif ! command -v apt-get >/dev/null; then
    echo "this is not Debian or one like it, so there is no mmdebstrap"
  elif ! unshare --mount --pid --net --uts --fork true 2>/dev/null; then
    echo "this host makes no namespaces"
  elif ! grep -q cgroup2 /proc/self/mountinfo; then
    echo "no cgroup2 is mounted, in which the box's systemd keeps its units"
  elif ! box_tools; then
    echo "mmdebstrap, systemd-container, jq or dpkg-dev is missing, and could not be installed"
  fi
}

box_tools() {
  local tool missing=
  for tool in mmdebstrap systemd-nspawn jq dpkg-shlibdeps; do
    command -v "$tool" >/dev/null || missing=yes
  done
  [[ ! $missing ]] ||
    "$root/bin/lib/install-packages" mmdebstrap systemd-container jq dpkg-dev >/dev/null 2>&1
}

# The mirrors are the host's own, as its apt knows them; another Debian's are asked for this suite.
box_mirrors() {
  local all security main
  all=$(apt-get indextargets --format '$(REPO_URI)' | sort -u)
  security=$(grep -m1 security <<<"$all") || security=http://deb.debian.org/debian-security
  main=$(grep -v security <<<"$all" | grep -m1 debian) || main=http://deb.debian.org/debian
  printf '%s\n' "deb $main $box_suite main" "deb $main $box_suite-updates main" \
    "deb $security $box_suite-security main"
}

# Sets $golden. Whoever comes second waits for the first.
box_make() {
  local recipe fresh old
  recipe=$({ echo "$box_suite $box_packages"; declare -f box_make box_settle; } | sha256sum | cut -c1-16)
  golden=$box_cache/$box_suite-$recipe
  mkdir -p "$box_cache"
  exec 8>"$box_cache/.lock"
  flock 8
  [[ ! -d $golden ]] || { exec 8>&-; return 0; }
  fresh=$(mktemp -d "$box_cache/.making-XXXXXX")
  if ! box_mirrors | mmdebstrap --variant=minbase --include="$box_packages" \
    --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
    "$box_suite" "$fresh/root" - >"$fresh/log" 2>&1; then
    tail -n 20 "$fresh/log"
    rm -rf "$fresh"
    return 1
  fi
  box_settle "$fresh/root"
  # Of an older recipe: nobody asks for it any more. But one may be in use at this moment.
  for old in "$box_cache/$box_suite"-*; do
    grep -qF "lowerdir=$old" /proc/mounts || rm -rf "$old"
  done
  mv "$fresh/root" "$golden"
  rm -rf "$fresh"
  exec 8>&-
}

box_settle() {
  local unit
  # What a test does not wait for.
  for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer dpkg-db-backup.timer \
    console-getty.service systemd-networkd-wait-online.service; do
    ln -sf /dev/null "$1/etc/systemd/system/$unit"
  done
  # The journal of the boot before is what the test of the reboot reads.
  mkdir -p "$1/var/log/journal"
  systemd-id128 new >"$1/etc/machine-id"
  echo box >"$1/etc/hostname"
  printf '127.0.0.1 localhost box shop.example.com\n' >"$1/etc/hosts"
}

box_up() {
  box_name=vial-$$
  # Beside the golden root: an overlay does not lie on an overlay.
  box_folder=$(mktemp -d "$box_cache/run-XXXXXX")
  mkdir "$box_folder"/{upper,work,root}
  mount -t overlay overlay \
    -o "lowerdir=$golden,upperdir=$box_folder/upper,workdir=$box_folder/work" "$box_folder/root"
  box_options=("$@")
  box_start
}

# The processes of the container begin here, at each boot.
box_start() {
  # A group of its own, so that two boxes never share one.
  local group
  for group in "$box_groups/systemd" "$box_unified"; do
    [[ ! -d $group ]] || mkdir -p "$group/$box_name"
  done
  (
    for group in "$box_groups/systemd" "$box_unified"; do
      [[ ! -d $group ]] || echo "$BASHPID" >"$group/$box_name/cgroup.procs"
    done
    # It is told to a file, or it would keep our own pipe open.
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec setsid systemd-nspawn --quiet \
      --directory="$box_folder/root" --machine="$box_name" --register=no --keep-unit --boot \
      --console=read-only --resolv-conf=off --private-network "${box_options[@]}" \
      </dev/null >"$box_folder/console.log" 2>&1 7>&- 8>&- 9>&-
  ) &
  box_pid=$!
  box_booted
}

# Waits until all that starts has started.
box_booted() {
  local state deadline=$((SECONDS + 60))
  while ((SECONDS < deadline)); do
    box_leader=$(pgrep -P "$box_pid" | head -n 1) || true
    if [[ -n $box_leader ]]; then
      mkdir -p /run/systemd/machines
      printf 'NAME=%s\nCLASS=container\nLEADER=%d\n' "$box_name" "$box_leader" \
        >"/run/systemd/machines/$box_name"
      state=$(systemctl -M "$box_name" is-system-running 2>/dev/null) || true
      case $state in
        running) return 0 ;;
        degraded) systemctl -M "$box_name" --failed --no-pager && return 1 ;;
      esac
    fi
    kill -0 "$box_pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "The box did not start. The end of what it said:"
  tail -n 30 "$box_folder/console.log"
  return 1
}

# The container ends with the status by which it asks for the next boot.
box_reboot() {
  local status=0
  # The connection goes down with it.
  box systemctl reboot >/dev/null 2>&1 || true
  wait "$box_pid" || status=$?
  box_leader=
  ((status == 133)) || { echo "The box ended with $status, and did not ask for a boot."; return 1; }
  rm -rf "/run/systemd/nspawn/propagate/$box_name"
  box_start
}

# From the host's side, so that the journal holds what the box itself did and nothing else.
box() {
  nsenter --target "$box_leader" --mount --uts --ipc --net --pid --wdns=/root \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root \
    LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1 DEBIAN_FRONTEND=noninteractive "$@" </dev/null 7>&- 8>&- 9>&-
}

box_down() {
  [[ -n ${box_folder:-} ]] || return 0
  kill -TERM "$box_pid" 2>/dev/null || true
  local step
  for step in $(seq 150); do
    kill -0 "$box_pid" 2>/dev/null || break
    sleep 0.1
  done
  # The first process of the container takes all others with it.
  [[ -z ${box_leader:-} ]] || kill -KILL "$box_leader" 2>/dev/null || true
  kill -KILL "$box_pid" 2>/dev/null || true
  wait "$box_pid" 2>/dev/null || true
  for step in $(seq 50); do
    ! umount "$box_folder/root" 2>/dev/null || break
    sleep 0.1
  done
  rm -f "/run/systemd/machines/$box_name"
  rm -rf "/run/systemd/nspawn/propagate/$box_name"
  local group
  for group in "$box_groups/systemd" "$box_unified"; do
    [[ ! -d $group/$box_name ]] || find "$group/$box_name" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
  ! mountpoint --quiet "$box_folder/root" || return 0
  rm -rf "$box_folder"
  box_folder=
}

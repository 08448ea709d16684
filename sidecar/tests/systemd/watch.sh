# What the story sends, measures and compares: sourced by bin/test-systemd.
#
# noted, step        what is told; expect, same, until_so  what must hold
# load_begin, load_end  requests from the host into the box, each answer counted
# daemon_pid, slot_pids, answers  what runs

site=shop.example.com

now() { date +%s%3N; }
began=$(now)
noted() { printf '%6.1f s  %s\n' "$(bc_seconds "$began")" "$*"; }
bc_seconds() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.2f", (to - from) / 1000 }'; }

# What a failure is said to be in.
step() {
  current=$1
  step_began=$(now)
}
# The end of a step, with its figures.
did() { printf 'ok  %5.1f s  %s%s\n' "$(bc_seconds "$step_began")" "$current" "${1:+: $1}"; }

fail() {
  echo "FAILED  $current: $*"
  exit 1
}

# expect SENTENCE CMD...: the command must succeed.
expect() {
  local sentence=$1 said
  shift
  said=$("$@" 2>&1) || fail "$sentence. \`$*\` ended with $? and said:
$said"
}

# same SENTENCE BEFORE AFTER
same() { [[ $2 == "$3" ]] || fail "$1: before '$2', after '$3'"; }

# has SENTENCE TEXT PART: the text must contain the part.
has() { [[ $2 == *"$3"* ]] || fail "$1: '$3' is not in:
$2"; }

# until_so SECONDS SENTENCE CMD...: waits for what comes by itself.
until_so() {
  local limit=$(($(now) + $1 * 1000)) sentence=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    (($(now) < limit)) || fail "$sentence: not so in time (\`$*\`)"
    sleep 0.05
  done
}

show() { systemctl -M "$box_name" show --property="$1" --value "${2:-vial.service}"; }
daemon_pid() { show MainPID; }
# The BEAMs, whatever anybody's records say.
slot_pids() { box pgrep -x beam.smp | sort -n | paste --serial --delimiters=' ' || true; }
journal() { box journalctl --no-pager --quiet --output=short-monotonic "$@"; }

# The page of the app, asked from the host.
page() {
  nsenter -t "$box_leader" -n curl --silent --fail --max-time 2 --header "Host: $site" http://127.0.0.1/
}
answers() { [[ $(page) == *"\"version\":\"$1\""* ]]; }

# Another daemon than the one with this pid is ready.
another_daemon() {
  local pid
  pid=$(daemon_pid)
  [[ $pid != 0 && $pid != "$1" && $(show ActiveState) == active && $(show SubState) == running ]]
}

# load_begin [OPTION...]: as vial-load has them.
load_begin() {
  mkfifo "$work/load.until"
  nsenter -t "$box_leader" -n "$CARGO_TARGET_DIR/debug/vial-load" --address 127.0.0.1:80 \
    --host "$site" --rate 100 --until-stdin-closes --json "$work/load.json" "$@" <"$work/load.until" >"$work/load.said" 2>&1 8>&- 9>&- &
  load_pid=$!
  # Held open for as long as the load is wanted.
  exec 7>"$work/load.until"
}

# Ends it, and tells what was counted. Nothing may be lost.
load_end() {
  local clean=yes
  exec 7>&-
  wait "$load_pid" || clean=
  load_pid=
  rm -f "$work/load.until"
  requests=$(jq '[.classes[].sent] | add' "$work/load.json")
  lost=$(jq '[.classes[].failed] | add' "$work/load.json")
  sockets=$(jq '.websockets.opened' "$work/load.json")
  closed=$(jq '.websockets.dropped | length' "$work/load.json")
  [[ $clean && $lost == 0 ]] || fail "$lost of $requests requests were lost:
$(cat "$work/load.said")"
  # That nothing was lost means something only where something was sent.
  ((requests > 100)) || fail "only $requests requests were sent"
}

load_abandoned() {
  [[ -n ${load_pid:-} ]] || return 0
  exec 7>&-
  kill "$load_pid" 2>/dev/null || true
  wait "$load_pid" 2>/dev/null || true
}

# repacked PACKAGE VERSION FOLDER: the same package as another version, in the binary too.
repacked() {
  local tree=$3/repacked version
  version=$(dpkg-deb --field "$1" Version)
  ((${#version} == ${#2})) || fail "$2 is not as long as $version"
  dpkg-deb --raw-extract "$1" "$tree"
  sed -i "s/^Version: .*/Version: $2/" "$tree/DEBIAN/control"
  LC_ALL=C sed -i "s/${version//./\\.}/$2/g" "$tree/usr/bin/vial"
  dpkg-deb --root-owner-group -Znone --build "$tree" "$3/vial_$2.deb" >/dev/null
  rm -rf "$tree"
}

# What whoever reads of a failure asks next.
trouble() {
  [[ -n ${box_leader:-} && -d /proc/$box_leader ]] || { echo "Ended with $1 in $current."; return; }
  echo "--- where it ended: $current (status $1); the journal's end:"
  journal --lines=60 || true
  box systemctl --no-pager status vial.service vial.socket || true
}

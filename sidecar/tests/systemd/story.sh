# The story that bin/test-systemd tells: sourced by it. Each step says what it saw; none is skipped.

story() {
  installed
  configured
  deployed
  # The WebSockets as well: none of this may close one.
  load_begin --websockets 4
  killed
  restarted
  hung
  stopped
  upgraded
  upgrade_refused
  counted "the load through all of that"
  load_begin
  rolled_back
  counted "the load through the rollback"
  rebooted
  load_begin --websockets 4
  removed
  installed_again
  counted "the load through removal and installation"
  purged
}

counted() {
  step "$1"
  load_end
  did "$requests requests, $lost lost; $sockets WebSockets opened, $closed closed"
}

apt() { box apt-get --quiet --yes --no-install-recommends "$@" 2>&1; }

installed() {
  step "apt-get install"
  local said
  said=$(apt install /srv/packages/vial_0.1.0_amd64.deb) || fail "$said"
  for unit in vial.socket vial.service; do
    expect "$unit is enabled" box systemctl is-enabled "$unit"
    expect "$unit is active" box systemctl is-active "$unit"
  done
  expect "there is a group for operators" box getent group vial
  expect "nothing that was packed is missing or changed" box dpkg --verify vial
  expect "needrestart can read its exclusion" box perl -e 'our %nrconf;
    do "/etc/needrestart/conf.d/vial.conf"; die $@ if $@;
    grep { "vial.service" =~ $_ } keys %{$nrconf{override_rc}} or die "it excludes nothing"'
  same "what systemd does not understand in the units" "" "$(box systemd-analyze verify --man=no \
    /usr/lib/systemd/system/vial.service /usr/lib/systemd/system/vial.socket 2>&1 | grep vial || true)"
  did "the daemon is ready, pid $(daemon_pid); it says: $(show StatusText)"
}

configured() {
  step "vial init, systemctl reload, Caddy"
  expect "the app has a user" box useradd --system --no-create-home --shell /usr/sbin/nologin shop
  expect "the app's file is written" \
    box vial init shop --host "$site" --ports 4000,4001 --user shop
  # The old slot is stopped a moment after a deploy, so that the story goes on. Secrets are the
  # operator's own file.
  box sh -c 'sed -i "s/^# bake = .*/bake = \"1s\"/" /etc/vial/apps/shop.toml
    sed -i "s/^# drain = .*/drain = { timeout = \"3s\" }/" /etc/vial/apps/shop.toml
    mkdir -p -m 700 /etc/vial/env
    echo SECRET_KEY_BASE=of-the-test >/etc/vial/env/shop
    chmod 600 /etc/vial/env/shop
    sed -i "s|^# env_file = .*|env_file = \"/etc/vial/env/shop\"|" /etc/vial/apps/shop.toml'
  expect "the daemon takes the app over" box systemctl reload vial
  box sh -c "printf 'http://%s {\n\timport /var/lib/vial/route/shop/Caddyfile\n}\n' $site \
    >/etc/caddy/Caddyfile"
  expect "Caddy reads the route" box systemctl reload caddy
  did
}

deployed() {
  local version
  for version in 1 2; do
    step "vial deploy, version $version"
    expect "version $version is deployed" box vial deploy shop "/srv/releases/shop-$version.tar.gz"
    until_so 20 "the bake ends" one_beam
    answers "$version.0.0" || fail "version $version does not answer: $(page)"
    did
  done
  step "vial doctor"
  expect "nothing is wrong with the host" box vial doctor
  did "$(box vial doctor | tail -n 1)"
  inherited
  slots=$(slot_pids)
  [[ -n $slots ]] || fail "no BEAM runs"
}

# What a slot has of the unit's settings, and what it must not have.
inherited() {
  step "what a slot inherits"
  local pid said
  pid=$(slot_pids)
  said=$(box cat "/proc/$pid/environ" | tr '\0' '\n')
  has "the NIF of the package is offered" "$said" VIAL_NIF=/usr/lib/vial/libvial_nif.so
  [[ $said != *NOTIFY_SOCKET* && $said != *LISTEN_* && $said != *WATCHDOG* ]] ||
    fail "the slot could speak for the daemon: $said"
  same "who it is" "$(box id -u shop)" "$(box stat -c %u "/proc/$pid")"
  same "its chance to be killed for memory" 0 "$(box cat "/proc/$pid/oom_score_adj")"
  expect "it writes to /tmp" box vial rpc shop 'File.write!("/tmp/of-the-slot", "x")'
  expect "the host sees it" box test -s /tmp/of-the-slot
  expect "a fresh instance of it starts" box vial eval shop 'IO.puts(System.pid())'
  did "user $(box stat -c %U "/proc/$pid"), $(box awk '/open files/ { print $4 }' "/proc/$pid/limits") open files"
}
daemon_pid_inside() { box systemctl show --property=MainPID --value vial; }

# The slot that served before is stopped once the bake is over.
one_beam() { [[ $(slot_pids | wc -w) == 1 ]]; }

# Who serves is who served.
untouched() {
  same "the slots' processes" "$slots" "$(slot_pids)"
  answers "$1" || fail "$1 does not answer: $(page)"
}

killed() {
  step "kill -9 of the daemon"
  local before
  before=$(daemon_pid)
  box kill -KILL "$before"
  until_so 20 "another daemon is ready" another_daemon "$before"
  expect "it answers" box vial status shop
  untouched 2.0.0
  did "another one was ready by itself, and the slot is still $slots"
}

restarted() {
  step "systemctl restart"
  local before calls
  before=$(daemon_pid)
  # Some of them made while it is away, and answered by the next one.
  box sh -c 'n=0; while [ ! -e /run/enough ]; do vial status shop >/dev/null || exit 1; n=$((n + 1)); done
    echo $n' >"$work/calls" &
  calls=$!
  # For the next step, too: a hang is found sooner.
  box sh -c 'mkdir -p /etc/systemd/system/vial.service.d
    printf "[Service]\nWatchdogSec=3s\n" >/etc/systemd/system/vial.service.d/test.conf
    systemctl daemon-reload'
  expect "it restarts" box systemctl restart vial
  [[ $(daemon_pid) != "$before" ]] || fail "the daemon is still $before"
  box touch /run/enough
  wait "$calls" || fail "a command was refused while the daemon was away"
  untouched 2.0.0
  did "$(cat "$work/calls") commands meanwhile, all answered"
}

hung() {
  step "a daemon that hangs"
  local before
  before=$(daemon_pid)
  box kill -STOP "$before"
  until_so 30 "the watchdog ends it, and another one is ready" another_daemon "$before"
  has "the journal names the cause" "$(journal -u vial)" "Watchdog timeout"
  expect "it answers" box vial status shop
  untouched 2.0.0
  did "the watchdog ended it, another one was ready"
}

stopped() {
  step "systemctl stop, and start"
  local said
  expect "it stops" box systemctl stop vial.socket vial.service
  same "the daemon" inactive "$(show ActiveState)"
  untouched 2.0.0
  said=$(journal -u vial | grep -i 'run on' | tail -n 1) || true
  has "the journal says what runs on" "$said" "shop"
  has "the status says so, too" "$(show StatusText)" "run on"
  expect "it starts" box systemctl start vial.socket vial.service
  expect "it answers" box vial status shop
  untouched 2.0.0
  did "$(sed 's/^[^:]*: //' <<<"$said")"
}

upgraded() {
  step "apt-get install of a newer version"
  local before said
  before=$(daemon_pid)
  said=$(apt install /srv/packages/vial_0.1.8.deb) || fail "$said"
  another_daemon "$before" || fail "the daemon is still $before; apt said:
$said"
  same "the version that runs" 0.1.8 "$(running_version)"
  untouched 2.0.0
  did "$(grep '^vial' <<<"$said" | tail -n 1)"
}

running_version() { box "/proc/$(daemon_pid_inside)/exe" --version | sed 's/^vial //'; }

upgrade_refused() {
  step "a newer version that would not start"
  local before said
  before=$(daemon_pid)
  # What the newer one does not understand. The older one has read its file long ago.
  box sh -c 'cp /etc/vial/vial.toml /root/; echo "nonsense = true" >>/etc/vial/vial.toml'
  said=$(apt install /srv/packages/vial_0.1.9.deb) || fail "apt ended with an error:
$said"
  same "the daemon" "$before" "$(daemon_pid)"
  same "the version that runs" 0.1.8 "$(running_version)"
  has "the package is whole" "$(box dpkg --status vial)" "Status: install ok installed"
  has "the reason is told" "$said" "nonsense"
  untouched 2.0.0
  box cp /root/vial.toml /etc/vial/vial.toml
  expect "once that is mended, the upgrade goes on" box vial upgrade
  same "the version that runs" 0.1.9 "$(running_version)"
  untouched 2.0.0
  did "the old daemon ran on; after the repair \`vial upgrade\` brought 0.1.9"
}

rolled_back() {
  step "vial rollback"
  expect "it goes back" box vial rollback shop --yes --reason 'of the test'
  until_so 20 "the rollback ends" one_beam
  answers 1.0.0 || fail "version 1 does not answer: $(page)"
  slots=$(slot_pids)
  did "version 1 serves again"
}

rebooted() {
  step "reboot"
  local history order caddy slot vial gone told
  told=$(box grep -c 'SIGTERM received' /var/lib/vial/apps/shop/slots/blue.log)
  history=$(box vial history shop --json | jq -c '[.[] | [.number, .kind, .status]]')
  box_reboot || fail "the host did not come up again"
  gone=$(bc_seconds "$step_began")
  until_so 30 "the app is served again" answers 1.0.0
  same "the history" "$history" "$(box vial history shop --json | jq -c '[.[] | [.number, .kind, .status]]')"
  # The slot got its SIGTERM and its time, while Caddy still served.
  order=$(journal --boot=-1 | sed -n '/Stopped target multi-user/,$p')
  slot=$(line_of 'slot stopped .*slot=blue killed=false' "$order")
  vial=$(line_of 'Stopped vial.service' "$order")
  caddy=$(line_of 'Stopping caddy.service' "$order")
  [[ $slot && $vial && $caddy ]] && ((slot < vial && vial < caddy)) ||
    fail "the slot, the daemon and Caddy were not stopped in this order:
$order"
  same "how often the slot was told to stop" $((told + 1)) \
    "$(box grep -c 'SIGTERM received' /var/lib/vial/apps/shop/slots/blue.log)"
  slots=$(slot_pids)
  did "booted after $gone s, served again after $(bc_seconds "$step_began") s, history whole"
}

line_of() { grep -n "$1" <<<"$2" | head -n 1 | cut -d : -f 1; }

removed() {
  step "apt-get remove"
  local daemon said
  daemon=$(daemon_pid)
  said=$(apt remove vial) || fail "$said"
  has "it says what runs on" "$said" "run on until this host restarts"
  same "the daemon" "$daemon" "$(daemon_pid)"
  # Any other package's installation does that.
  box systemctl daemon-reload
  untouched 1.0.0
  same "how the daemon would be ended" process "$(show KillMode)"
  box test ! -e /usr/bin/vial || fail "the command is still there"
  expect "the releases are still there" box test -d /var/lib/vial/apps/shop/releases
  did "nothing stopped: daemon $daemon, slot $slots"
}

installed_again() {
  step "apt-get install after a removal"
  local before said
  before=$(daemon_pid)
  said=$(apt install /srv/packages/vial_0.1.9.deb) || fail "$said"
  another_daemon "$before" || fail "the daemon is still $before; apt said:
$said"
  expect "it answers" box vial status shop
  same "what restarts it" always "$(show Restart)"
  untouched 1.0.0
  did "another daemon, the same slot"
}

purged() {
  step "apt-get purge"
  local said left
  said=$(apt purge vial) || fail "$said"
  left=$(box ps -eo args= | grep -E '[b]eam|[e]pmd|[e]rl_child|[v]ial' || true)
  same "what still runs of it" "" "$left"
  for path in /var/lib/vial /run/vial /etc/vial/vial.toml /etc/vial/apps /run/systemd/system/vial.service; do
    box test ! -e "$path" || fail "$path is still there"
  done
  has "the secrets are somebody's own" "$said" /etc/vial/env/shop
  expect "they are left" box test -e /etc/vial/env/shop
  has "Caddy's file is named" "$said" /etc/caddy/Caddyfile
  same "systemd's failed units" "" "$(box systemctl --failed --quiet --plain)"
  did "no process and no state left; the app's secrets are"
}

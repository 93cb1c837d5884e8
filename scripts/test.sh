#!/bin/sh
# Runs the tests on Node 24, installing what is missing: test.sh [--quick | --full] [vitest's arguments].
#   --quick   *.test.ts
#   default   and *.slow.test.ts: real tools, browser, kills
#   --full    and *.full.test.ts: soaks, big repositories
set -eu
root=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd -P)
. "$root/scripts/setup.sh"
set_up

mode=default
case ${1-} in
  --quick | --full)
    mode=${1#--}
    shift
    ;;
esac
case $mode in
  quick) set -- --project quick "$@" ;;
  default) set -- --project quick --project slow "$@" ;;
esac

# The quick tests do not look at the page. Otherwise a page that does not build counts as a failed test, in the
# summary line, instead of hiding what the other tests say.
if [ "$mode" != quick ] && ! build_ui; then
  ELT_TEST_SETUP_FAILURE='the page does not build (see above)'
  export ELT_TEST_SETUP_FAILURE
fi

PATH=$root/node_modules/.bin:$PATH
export PATH
cd "$root"
exec "$node" node_modules/vitest/vitest.mjs run "$@"

#!/bin/sh
# Installs Dagster and its web server into a virtual environment, for `npm run bench -- ui` to measure beside our page:
#   npm run bench:dagster [-- FOLDER]
# Then: BENCH_DAGSTER=FOLDER npm run bench -- ui. The product itself never needs it.
set -eu
root=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd -P)
folder=${1-$root/node_modules/.cache/elt-bench-dagster}
versions='dagster==1.13.* dagster-webserver==1.13.*'

if command -v uv >/dev/null; then
  uv venv --quiet --allow-existing "$folder"
  # shellcheck disable=SC2086 # several requirements
  uv pip install --quiet --python "$folder/bin/python" $versions
else
  python3 -m venv "$folder"
  # shellcheck disable=SC2086
  "$folder/bin/python" -m pip install --quiet $versions
fi
"$folder/bin/dagster" --version
echo "BENCH_DAGSTER=$folder npm run bench -- ui"

#!/usr/bin/env bash
# Writes requirements/{gateway,server,dev}.txt: every distribution at one version, with the hashes of its files,
# for all systems and for each Python that pyproject.toml allows. What is pinned stays unless a bound forbids it;
# --upgrade takes the newest of everything, --upgrade-package NAME of one.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
.venv/bin/python -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check uv

pin() {
  name=$1
  shift
  "$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-package kangban \
    --extra "$name" --output-file "requirements/$name.txt" pyproject.toml requirements/build.in "$@"
}
pin dev "$@"
# the smaller sets hold what the largest holds, at the same versions
pin server --constraint requirements/dev.txt "$@"
pin gateway --constraint requirements/dev.txt "$@"

if grep -nE '://|^-|@|(^|[ "])/' requirements/*.txt; then
  echo "an address or a path got into the files above" >&2
  exit 1
fi
wc -l requirements/*.txt

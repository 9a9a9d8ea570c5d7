#!/usr/bin/env bash
# Makes .venv with plain venv and pip, or brings it up to date: venv.sh gateway|server|dev. Everything comes at the
# version and with the hashes of requirements/; our own packages are installed editable. Quick when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$(pwd -P)
extra=$1

state_of() { cat "requirements/$1.txt" pyproject.toml | cksum; }
is_ready() { [ -f ".venv/kangban-$1" ] && [ "$(cat ".venv/kangban-$1")" = "$(state_of "$1")" ]; }
is_usable() {  # a .venv holds absolute paths: one that was moved or copied here is made anew
  grep -qsF "$here/.venv" .venv/bin/activate &&
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null
}
find_python() {
  for each in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
    "$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && { echo "$each"; return; }
  done
  echo "Kangban needs Python 3.11 or newer: install it, or name it with make PYTHON=/path/to/python." >&2
  exit 1
}

# each set holds the ones before it
case $extra in gateway) enough="gateway server dev" ;; server) enough="server dev" ;; dev) enough=dev ;; esac
if is_usable; then
  for each in $enough; do is_ready "$each" && exit 0; done
else
  python=$(find_python)
  rm -rf .venv
  "$python" -m venv .venv || {
    rm -rf .venv
    echo "This Python cannot make a .venv: install its venv module (Debian: apt install python3-venv)." >&2
    exit 1
  }
fi

echo "Installing what requirements/$extra.txt names into .venv (a minute, once) …"
pip() { .venv/bin/python -m pip -qq --disable-pip-version-check "$@"; }
pip install --require-hashes -r "requirements/$extra.txt"
pip install --no-deps --no-build-isolation --no-index --editable .
state_of "$extra" > ".venv/kangban-$extra"

#!/usr/bin/env bash
# Python environments of the tests: for each tests/requirements-NAME.txt one under ${RONDO_CACHE:-~/.cache/rondo}/venvs/NAME, made again when the file changes.
#   tools/venvs.sh [NAME...]    all, or the named ones; takes milliseconds when they are there
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
venvs=${RONDO_CACHE:-$HOME/.cache/rondo}/venvs
python=${PYTHON:-python3}
mkdir -p "$venvs"

make_venv() {  # NAME
  local file=tests/requirements-$1.txt dir=$venvs/$1 want
  [ -f "$file" ] || { echo "there is no $file" >&2; exit 2; }
  want="$(sha256sum <"$file" | cut -c1-64) $("$python" -c 'import sys; print(*sys.version_info[:3], sep=".")')"
  [ -f "$dir/.made-from" ] && [ "$(cat "$dir/.made-from")" = "$want" ] && return
  printf '\033[1m== Python environment %s\033[0m\n' "$1" >&2
  rm -rf "$dir"
  "$python" -m venv "$dir"
  "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -r "$file" || {
    rm -rf "$dir"
    echo "the packages of $file could not be installed: is the package index reachable?" >&2
    exit 3
  }
  echo "$want" >"$dir/.made-from"  # last: an interrupted one is made again
}

exec 9>"$venvs/.lock"
flock 9
if [ $# = 0 ]; then
  for file in tests/requirements-*.txt; do
    name=${file#tests/requirements-}
    make_venv "${name%.txt}"
  done
else
  for name in "$@"; do make_venv "$name"; done
fi

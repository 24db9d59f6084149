#!/usr/bin/env bash
# Builds the web pages into a folder: tools/build_ui.sh OUT_DIR. Installs ui/package-lock.json's packages when they changed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../ui"
out=$1
command -v npm >/dev/null || { echo "building the web pages needs Node.js 18 or newer with npm: install it (Debian: apt-get install nodejs npm), or run ./dev setup" >&2; exit 1; }
exec 9<package-lock.json
flock 9  # two build folders may build at once
stamp=node_modules/.rondo-lock
if ! cmp -s package-lock.json "$stamp"; then
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi
RONDO_UI_OUT=$out npm run --silent build

#!/usr/bin/env bash
# The S3 server of the tests (versitygw), built once by Go into the cache; prints its path. Exits 4 when there is no Go.
set -euo pipefail
version=v1.8.0
folder=${RONDO_CACHE:-$HOME/.cache/rondo}/tools/versitygw-$version
if [ ! -x "$folder/versitygw" ]; then
  command -v go >/dev/null || { echo "the S3 server of the tests needs Go to be built" >&2; exit 4; }
  mkdir -p "$folder"
  exec 9>"$folder/.lock"
  flock 9
  [ -x "$folder/versitygw" ] || GOBIN=$folder GOFLAGS=-mod=mod go install "github.com/versity/versitygw/cmd/versitygw@$version" >&2
fi
echo "$folder/versitygw"

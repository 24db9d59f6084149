#!/usr/bin/env bash
# Runs the fuzzers of fuzz/: tools/fuzz.sh [NAME] [SECONDS]. Needs clang 19 (./dev setup --tests).
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:-}
seconds=${2:-60}
[ -f build/fuzz/build.ninja ] || cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER=clang-19 -DRONDO_SANITIZE=ON -DRONDO_FUZZ=ON -DRONDO_TESTS=OFF \
  -DCMAKE_CXX_FLAGS="-fsanitize=fuzzer-no-link -Wno-error" >build/fuzz.cmake.log
for source in fuzz/*_fuzz.cc; do
  target=$(basename "$source" .cc)
  [ -z "$name" ] || [ "$name" = "$target" ] || [ "${name}_fuzz" = "$target" ] || continue
  ninja -C build/fuzz "$target" >/dev/null
  mkdir -p "build/corpus/$target"
  [ -d "fuzz/seeds/${target%_fuzz}" ] && seeds="fuzz/seeds/${target%_fuzz}" || seeds=
  echo "== $target for ${seconds} s"
  "build/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 "build/corpus/$target" $seeds 2>&1 | tail -4
done

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs all tests under AddressSanitizer, and those of the library under ThreadSanitizer. With `address` or `thread`
# only the one.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=${1:-both}

if [ "$wanted" != thread ]; then
  swift build --build-tests --sanitize=address --scratch-path .build-sanitize
  # Absurd allocations fail, as without the sanitizer. The command leaves at exit what its error messages hold, so
  # leaks are looked for in the libraries' tests alone.
  export KASANE_TEST_SEED=1 LSAN_OPTIONS="suppressions=$PWD/scripts/lsan.supp:print_suppressions=0"
  libraries='^Kasane(|Data|Recipes)Tests\.'
  test=(swift test --skip-build --sanitize=address --scratch-path .build-sanitize)
  ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 "${test[@]}" --filter "$libraries"
  ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=0 "${test[@]}" --skip "$libraries"
fi

if [ "$wanted" != address ]; then
  swift build --build-tests --sanitize=thread --scratch-path .build-sanitize-thread
  # One seed, because everything takes ten times as long.
  KASANE_TEST_SEED=1 TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/scripts/tsan.supp" \
    swift test --skip-build --sanitize=thread --scratch-path .build-sanitize-thread --filter '^KasaneTests\.'
fi

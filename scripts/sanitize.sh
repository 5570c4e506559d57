#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs all tests under AddressSanitizer, and those of the library under ThreadSanitizer. With `address` or `thread`
# only the one.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=${1:-both}

if [ "$wanted" != thread ]; then
  swift build --build-tests --sanitize=address --scratch-path .build-sanitize
  # The threads' tapes and rings of tensors stay to the end, which a search for leaks would report.
  ASAN_OPTIONS=detect_leaks=0 swift test --skip-build --sanitize=address --scratch-path .build-sanitize
fi

if [ "$wanted" != address ]; then
  swift build --build-tests --sanitize=thread --scratch-path .build-sanitize-thread
  # One seed, because everything takes ten times as long.
  KASANE_TEST_SEED=1 TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/scripts/tsan.supp" \
    swift test --skip-build --sanitize=thread --scratch-path .build-sanitize-thread --filter '^KasaneTests\.'
fi

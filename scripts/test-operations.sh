#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of the operations, which are built, in the ways that the plain run of all tests leaves out: on the
# reference engine, with one thread, and with the lesser instruction sets that the machine has. Each run takes the one
# fixed seed.
set -euo pipefail
cd "$(dirname "$0")/.."

run() { # suites, environment
  echo "The $1 tests with ${*:2}"
  env KASANE_TEST_SEED=1 "${@:2}" swift test --skip-build --quiet --filter "KasaneTests\\.\\w*($1)Tests"
}

run 'Operation|Fixture' KASANE_ENGINE=reference
run 'Operation|Fixture|Engine' KASANE_THREADS=1
for set in avx2 baseline; do
  found=$(KASANE_ISA=$set .build/debug/kasane info | awk '/^instruction set/ { print $3 }')
  if [ "$found" = "$set" ]; then run 'Operation|Fixture|Engine' KASANE_ISA="$set"; fi
done

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of the operations, which are built, in the ways that the plain run of all tests leaves out: on the
# reference engine, with one thread, and with the lesser instruction sets that the machine has.
set -euo pipefail
cd "$(dirname "$0")/.."

run() {
  echo "The operations with $*"
  env "$@" swift test --skip-build --quiet --filter 'KasaneTests\.\w*(Operation|Fixture|Engine)Tests'
}

run KASANE_ENGINE=reference
run KASANE_THREADS=1 OMP_NUM_THREADS=1
for set in avx2 baseline; do
  found=$(KASANE_ISA=$set .build/debug/kasane info | awk '/^instruction set/ { print $3 }')
  if [ "$found" = "$set" ]; then run KASANE_ISA="$set"; fi
done

# SPDX-License-Identifier: Apache-2.0
"""What the peer scripts of this folder share: arguments, timing loop and report.

Not run by itself. A peer script calls `parse_arguments` before it imports its library, because
the libraries read the thread variables once, when they load; then it hands `report` a function
that does one whole training iteration.
"""
import argparse
import itertools
import json
import os
import random
import statistics
import time

POOL_SIZE = 64
WARM_UP_SHARE = 0.2
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NPROC",  # the size of XLA's thread pool on the CPU
)


def parse_arguments(description):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3, help="how long to time (default 3)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(arguments.threads)
    return arguments


def binary_addition_pool(bits=8, seed=0):
    """POOL_SIZE problems, each the input bits [step][2] and the target bits [step][1] of the sum
    of two integers below 2^(bits-1), least significant bit first, as lists."""
    generator = random.Random(seed)
    pool = []
    for _ in range(POOL_SIZE):
        left = generator.randrange(2 ** (bits - 1))
        right = generator.randrange(2 ** (bits - 1))
        inputs = [[float(left >> t & 1), float(right >> t & 1)] for t in range(bits)]
        targets = [[float(left + right >> t & 1)] for t in range(bits)]
        pool.append((inputs, targets))
    return pool


def time_steps(step, problems, seconds):
    """The seconds of each call `step(*problem)`, over the problems in turn, once warmed up."""
    turns = itertools.cycle(problems)
    warm = time.perf_counter() + WARM_UP_SHARE * seconds
    for _ in problems:
        step(*next(turns))
    while time.perf_counter() < warm:
        step(*next(turns))

    durations = []
    now = time.perf_counter()
    end = now + seconds
    while now < end:
        problem = next(turns)
        start = time.perf_counter()
        step(*problem)
        now = time.perf_counter()
        durations.append(now - start)
    return durations


def report(name, peer, version, step, problems, arguments):
    durations = time_steps(step, problems, arguments.seconds)
    result = {
        "name": name,
        "peer": peer,
        "version": version,
        "best_ms": round(min(durations) * 1e3, 6),
        "median_ms": round(statistics.median(durations) * 1e3, 6),
        "threads": arguments.threads,
    }
    if arguments.json:
        print(json.dumps(result), flush=True)
    else:
        print(
            f"{name}, {peer} {version}, {arguments.threads} thread(s): "
            f"best {result['best_ms'] * 1e3:.2f} us, median {result['median_ms'] * 1e3:.2f} us"
        )

# SPDX-License-Identifier: Apache-2.0
"""What the scripts that run the suite in a peer share: arguments, timing and report.

Not run by itself. A script calls `parse_arguments` before it imports its library, because the
libraries read the thread variables once, when they load; then it hands `run` its workloads.
"""
import argparse
import json
import os
import statistics
import sys
import time

from timing import THREAD_VARIABLES

WARM_UPS = 2
FEWEST = 3


def at_least_one(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}, at least 1 expected")
    return number


def parse_arguments(description, precisions=("float32", "bfloat16"), options=None):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="workloads, or all")
    parser.add_argument("--seconds", type=float, default=3, help="how long to time (default 3)")
    parser.add_argument("--threads", type=at_least_one, default=os.cpu_count())
    parser.add_argument("--precision", choices=precisions, default="float32")
    parser.add_argument("--batch", type=at_least_one)
    parser.add_argument("--length", type=at_least_one)
    parser.add_argument("--image", type=at_least_one)
    parser.add_argument("--seed", type=int, default=0, help="of weights and data (default 0)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    if options:
        options(parser)
    arguments = parser.parse_args()
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(arguments.threads)
    return arguments


class Sizes:
    """A workload's sizes: what the command line gives, otherwise its own."""

    def __init__(self, arguments):
        self._arguments = arguments

    def batch(self, default):
        return self._arguments.batch or default

    def length(self, default):
        return self._arguments.length or default

    def image(self, default=224):
        return self._arguments.image or default


def peak_bytes():
    """The most memory that this process has had in the machine at once."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def time_steps(step, seconds):
    """The seconds of each call `step()`, at least three, once warmed up."""
    for _ in range(WARM_UPS):
        step()
    durations = []
    end = time.perf_counter() + seconds
    while len(durations) < FEWEST or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        durations.append(time.perf_counter() - start)
    return durations


def chosen(workloads, names):
    """The named workloads; ends the program where there is none of a name."""
    if names == ["all"]:
        return workloads
    for name in names:
        if name not in workloads:
            sys.exit(f"NAME: unknown workload {name}; known: {', '.join(workloads)}")
    return {name: workloads[name] for name in names}


def run(workloads, peer, version, arguments):
    """Times the workloads, each a function of the sizes that returns what one iteration does."""
    for name, make in chosen(workloads, arguments.names).items():
        durations = time_steps(make(Sizes(arguments)), arguments.seconds)
        result = {
            "name": name,
            "peer": peer,
            "version": version,
            "best_ms": round(min(durations) * 1e3, 6),
            "median_ms": round(statistics.median(durations) * 1e3, 6),
            "threads": arguments.threads,
            "precision": arguments.precision,
            "peak_bytes": peak_bytes(),
        }
        if arguments.json:
            print(json.dumps(result), flush=True)
        else:
            print(
                f"{name}, {peer} {version}, {arguments.threads} thread(s), {arguments.precision}: "
                f"best {result['best_ms']:.3f} ms, median {result['median_ms']:.3f} ms, "
                f"{result['peak_bytes'] / 2**20:.0f} MiB at most",
                flush=True,
            )

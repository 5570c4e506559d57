# SPDX-License-Identifier: Apache-2.0
"""Times the suite's workloads in Kasane and in its peers, turn by turn, and prints a table.

    swift build -c release
    python3 Benchmarks/compare.py [NAME...] [--python PEER_PYTHON] [--peers torch,jax,...]
        [--rounds 3] [--seconds 2] [--threads N] [--precision float32|bfloat16]
        [--batch N] [--length T] [--image SIDE] [--seed 0] [--quick]
        [--output TABLE.md] [--results RESULTS.json]

Needs only the standard library; the peers run under PEER_PYTHON, which has what
Benchmarks/requirements.txt lists. What is not installed, and what Kasane does not have, is said
and skipped. In each round every implementation runs once in a process of its own, so that a
machine that slows down slows all of them alike; the table shows medians over the rounds. With
--results the measurements are kept, and another run adds to them or takes the place of those of
the same workloads: one workload can be measured again without the others.
"""
import argparse
import datetime
import json
import os
import sys
from pathlib import Path

from comparison import implementations, machine, table
from comparison.machine import REPOSITORY, note

DEFAULT_PEERS = "torch,jax,onnxruntime,openvino,gensim"


def at_least_one(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}, at least 1 expected")
    return number


def above_zero(text):
    number = float(text)
    if not 0 < number <= 86_400:
        raise argparse.ArgumentTypeError(f"{text}, above 0 and at most 86400 expected")
    return number


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="workloads (default: all)")
    parser.add_argument("--python", default=sys.executable, help="the Python the peers run under")
    parser.add_argument(
        "--kasane",
        default=str(REPOSITORY / ".build" / "release" / "kasane"),
        help="the kasane command (default: this repository's release build)",
    )
    known = [peer.key for peer in implementations.ALL_PEERS]
    parser.add_argument(
        "--peers",
        default=DEFAULT_PEERS,
        help=f"of {', '.join(known)}, or all or none (default: {DEFAULT_PEERS})",
    )
    parser.add_argument("--rounds", type=at_least_one, default=3)
    parser.add_argument(
        "--seconds", type=above_zero, default=2, help="per implementation and round"
    )
    parser.add_argument("--threads", type=at_least_one, default=os.cpu_count())
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--batch", type=at_least_one)
    parser.add_argument("--length", type=at_least_one)
    parser.add_argument("--image", type=at_least_one)
    parser.add_argument("--seed", type=int, default=0, help="of the peers' weights and data")
    parser.add_argument("--quick", action="store_true", help="one round of half a second")
    parser.add_argument("--output", type=Path, help="a file to write the table to as well")
    parser.add_argument("--results", type=Path, help="a file that keeps the measurements")
    arguments = parser.parse_args()
    arguments.names = arguments.names or ["all"]
    if arguments.names == ["all"]:
        arguments.names = list(implementations.WORKLOADS)
    for name in arguments.names:
        if name not in implementations.WORKLOADS:
            parser.error(f"unknown workload {name}; known: {', '.join(implementations.WORKLOADS)}")
    keys = {"all": known, "none": []}.get(arguments.peers, arguments.peers.split(","))
    for key in keys:
        if key not in known:
            parser.error(f"--peers: unknown peer {key}; known: {', '.join(known)}, all, none")
    arguments.peers = keys
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 0.5
    return arguments


def sizes(arguments):
    """The options that Kasane and the peers share."""
    options = [f"--seconds={arguments.seconds:g}", f"--threads={arguments.threads}"]
    options.append(f"--precision={arguments.precision}")
    for key in ("batch", "length", "image"):
        if getattr(arguments, key):
            options.append(f"--{key}={getattr(arguments, key)}")
    return options


def measured_peaks(kasane, arguments):
    """What the machine does at best, as Kasane measures it."""
    options = [f"--threads={arguments.threads}", f"--precision={arguments.precision}"]
    return implementations.run(kasane, "peaks", options) if kasane else None


def measure(name, programs, arguments):
    """The results of all rounds of a workload, by implementation."""
    results = {}
    able = [program for program in programs if name in program.workloads]
    for number in range(1, arguments.rounds + 1):
        for program in list(able):
            options = sizes(arguments)
            if program.title != implementations.KASANE:
                options.append(f"--seed={arguments.seed}")
            result = implementations.run(program, name, options)
            if result is None:
                # It would fail in the other rounds too.
                able.remove(program)
                continue
            results.setdefault(program.title, []).append(result)
            note(
                f"{name} {number}/{arguments.rounds}: {program.title} {result['median_ms']:.4f} ms"
            )
    return results


def versions(results, arguments):
    named = {}
    for implementation in (title for found in results.values() for title in found.items()):
        title, rounds = implementation
        named[title] = rounds[0].get("version", "of unknown version")
    named[implementations.KASANE] = f"{named.get(implementations.KASANE, '')} {machine.commit()}"
    named["Python"] = machine.python_version(arguments.python)
    return ", ".join(f"{title} {version.strip()}" for title, version in named.items())


def conditions(results, peaks, loads, arguments):
    """What the table was measured on, and how, by what it is called."""
    found = {
        "Machine": machine.model(),
        "Versions": versions(results, arguments),
        "Date": datetime.date.today().isoformat(),
        "Runs": f"medians over {arguments.rounds} alternating rounds of {arguments.seconds:g} s,"
        f" seed {arguments.seed}",
    }
    given = [f"{key} {getattr(arguments, key)}" for key in ("batch", "length", "image")
             if getattr(arguments, key)]
    if given:
        found["Sizes"] = ", ".join(given)
    state = [
        f"{peak['gflops']:.0f} GFLOP/s and {peak['gbs']:.1f} GB/s {when}"
        for peak, when in zip(peaks, ("before", "after"))
        if peak
    ]
    state += [
        f"load {load:.1f} {when}"
        for load, when in zip(loads, ("before", "after"))
        if load is not None
    ]
    if state:
        found["The machine's state"] = ", ".join(state)
    return found


def merged(record, path):
    """The record with the workloads that an earlier run left in the file."""
    if path is None or not path.exists():
        return record
    earlier = json.loads(path.read_text(encoding="utf-8"))
    for key in ("precision", "threads", "sizes"):
        if earlier.get(key) != record[key]:
            sys.exit(f"{path}: {key} {earlier.get(key)}, not {record[key]}; name another file")
    results = earlier["results"]
    for name, found in record["results"].items():
        results.setdefault(name, {}).update(found)
    return {**record, "results": results}


def kept(results, peaks, loads, arguments):
    """All that a table says, with what the file of results has of other workloads; written there."""
    record = {
        "precision": arguments.precision,
        "threads": arguments.threads,
        "sizes": {key: getattr(arguments, key) for key in ("batch", "length", "image")},
        "conditions": conditions(results, peaks, loads, arguments),
        "peaks": max((peak for peak in peaks if peak), key=lambda p: p["gflops"], default=None),
        "results": results,
    }
    record = merged(record, arguments.results)
    if arguments.results:
        arguments.results.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


def main():
    arguments = parse_arguments()
    kasane = implementations.kasane(arguments.kasane, arguments.names)
    programs = ([kasane] if kasane else []) + implementations.peers(
        arguments.python, arguments.peers, arguments.names, arguments.precision
    )
    if not any(program.workloads for program in programs):
        sys.exit("nothing to compare")
    loads, peaks, results = [machine.load()], [measured_peaks(kasane, arguments)], {}
    for name in arguments.names:
        found = measure(name, programs, arguments)
        if found:
            results[name] = found
            # Kept as they come: a run takes long, and may be stopped.
            record = kept(results, peaks, loads, arguments)
    if not results:
        sys.exit("nothing was measured")
    peaks.append(measured_peaks(kasane, arguments))
    loads.append(machine.load())
    record = kept(results, peaks, loads, arguments)
    text = "\n".join(table.lines(record)) + "\n"
    print(text, end="")
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

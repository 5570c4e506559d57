# SPDX-License-Identifier: Apache-2.0
"""Times the methods of the exercise and its peers, turn by turn, and prints a Markdown table.

    swift build -c release
    python3 Benchmarks/exercise.py [--python PEER_PYTHON] [--kasane .build/release/kasane]
        [--rounds 5] [--seconds 1] [--threads 1] [--output FILE] [WORKLOAD]

Needs only the standard library; the peers run under PEER_PYTHON, which has what
Benchmarks/requirements.txt lists. What is not installed is skipped, and said so. In each round
every implementation runs once in a process of its own, so that a machine that slows down slows
all of them alike; the table shows medians over the rounds.
"""
import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from comparison import machine
from comparison.machine import REPOSITORY, note

PEER_SCRIPTS = REPOSITORY / "Benchmarks" / "peers"
REFERENCE = "PyTorch"
PEER_TITLES = {"torch": REFERENCE, "jax": "JAX", "numpy": "NumPy"}

# The ways `kasane bench WORKLOAD` can compute each workload.
KASANE_METHODS = {"binary-addition": ("bptt", "tape", "fused")}


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "workload", nargs="?", default="binary-addition", choices=sorted(KASANE_METHODS)
    )
    parser.add_argument("--python", default=sys.executable, help="the Python the peers run under")
    parser.add_argument(
        "--kasane",
        default=str(REPOSITORY / ".build" / "release" / "kasane"),
        help="the kasane command (default: this repository's release build)",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="per implementation and round")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, help="a file to write the table to as well")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def kasane_commands(arguments):
    """The command line of each of Kasane's methods, by the title of its row."""
    executable = shutil.which(arguments.kasane)
    if executable is None:
        note(f"skipping Kasane: no command at {arguments.kasane} (swift build -c release)")
        return {}
    return {
        f"Kasane {method}": [executable, "bench", arguments.workload, "--method", method]
        for method in KASANE_METHODS[arguments.workload]
    }


def peer_commands(arguments):
    """The command line of each peer that has a script and imports, by the title of its row."""
    if shutil.which(arguments.python) is None:
        sys.exit(f"no Python at {arguments.python}")
    commands = {}
    for peer, title in PEER_TITLES.items():
        script = PEER_SCRIPTS / f"{arguments.workload.replace('-', '_')}_{peer}.py"
        if not script.exists():
            note(f"skipping {title}: no script {script.name}")
            continue
        probe = subprocess.run(
            [arguments.python, "-c", f"import {peer}"], capture_output=True, text=True
        )
        if probe.returncode != 0:
            reason = (probe.stderr.strip().splitlines() or ["it does not import"])[-1]
            note(f"skipping {title}: {reason}")
            continue
        commands[title] = [arguments.python, str(script)]
    return commands


def run(title, command, arguments):
    """The JSON object one run prints on its last line."""
    options = ["--json", "--seconds", str(arguments.seconds), "--threads", str(arguments.threads)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    finished = subprocess.run(command + options, capture_output=True, text=True, env=environment)
    if finished.returncode != 0:
        sys.exit(f"{title} failed: {' '.join(command + options)}\n{finished.stderr}")
    try:
        result = json.loads(finished.stdout.strip().splitlines()[-1])
        return {**result, "median_ms": float(result["median_ms"])}
    except (IndexError, KeyError, TypeError, ValueError):
        sys.exit(f"{title} printed no result: {' '.join(command + options)}\n{finished.stdout}")


def measure(commands, arguments):
    """The results of every round, by title."""
    results = {title: [] for title in commands}
    for number in range(1, arguments.rounds + 1):
        for title, command in commands.items():
            result = run(title, command, arguments)
            results[title].append(result)
            note(f"round {number}/{arguments.rounds}: {title} {result['median_ms'] * 1e3:.2f} us")
    return results


def kasane_version(results):
    """What the command says of itself, otherwise the commit of this repository."""
    if "version" in results[0]:
        return results[0]["version"]
    return machine.commit()


def versions(results, arguments):
    named = []
    kasane = [rounds for title, rounds in results.items() if title.startswith("Kasane ")]
    if kasane:
        named.append(f"Kasane {kasane_version(kasane[0])}")
    for title in PEER_TITLES.values():
        if title in results:
            named.append(f"{title} {results[title][0]['version']}")
    named.append(f"Python {machine.python_version(arguments.python)}")
    return ", ".join(named)


def microseconds(milliseconds):
    return f"{milliseconds * 1e3:.2f}"


def table(results, arguments):
    medians = {
        title: statistics.median(result["median_ms"] for result in rounds)
        for title, rounds in results.items()
    }
    reference = medians.get(REFERENCE)
    lines = [
        f"## {arguments.workload}: one training iteration",
        "",
        f"- Machine: {machine.model()}",
        f"- Versions: {versions(results, arguments)}",
        f"- Date: {datetime.date.today().isoformat()}",
        f"- Runs: {arguments.threads} thread(s), medians over {arguments.rounds} alternating"
        f" rounds of {arguments.seconds:g} s",
        "",
        f"| Implementation | Median (µs) | Lowest to highest round (µs) | Time ÷ {REFERENCE}'s |",
        "|---|---:|---:|---:|",
    ]
    for title, median in medians.items():
        rounds = [result["median_ms"] for result in results[title]]
        spread = f"{microseconds(min(rounds))} to {microseconds(max(rounds))}"
        ratio = f"{median / reference:.3g}" if reference else "n/a"
        lines.append(f"| {title} | {microseconds(median)} | {spread} | {ratio} |")
    return "\n".join(lines) + "\n"


def main():
    arguments = parse_arguments()
    commands = {**kasane_commands(arguments), **peer_commands(arguments)}
    if not commands:
        sys.exit("nothing to compare")
    text = table(measure(commands, arguments), arguments)
    print(text, end="")
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

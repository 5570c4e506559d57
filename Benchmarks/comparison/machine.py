# SPDX-License-Identifier: Apache-2.0
"""What a table has to say of the machine and the programs that were measured."""
import os
import platform
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def note(message):
    print(message, file=sys.stderr, flush=True)


def output_of(*command):
    """What a command prints, or None where it cannot run."""
    try:
        finished = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    except OSError:
        return None
    return finished.stdout.strip() if finished.returncode == 0 else None


def model():
    """The processor, its cores and the system."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def _processor():
    if sys.platform == "darwin":
        return output_of("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def load():
    """How many processes waited for a processor in the last minute, or None."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def python_version(python):
    return output_of(python, "-c", "import platform; print(platform.python_version())")


def commit():
    return output_of("git", "describe", "--always", "--dirty") or "of unknown version"

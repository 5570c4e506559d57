# SPDX-License-Identifier: Apache-2.0
"""Reads an event file with TensorBoard's own reader and prints every scalar: tag, count, last step and value.

    pip install tensorboard
    python check_events.py FILE

Fails where TensorBoard stops before the end of the file: at a damaged record it only stops, without a word.
"""

import argparse
import os
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

RECORD_FRAME = 8 + 4 + 4  # the length, its check and the data's check


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", metavar="FILE")
    path = parser.parse_args().file

    size = os.path.getsize(path)
    read = sum(len(record) + RECORD_FRAME for record in RawEventFileLoader(path).Load())
    if read != size:
        sys.exit(f"{path}: TensorBoard reads {read} of {size} bytes")

    events = EventAccumulator(path, size_guidance={"scalars": 0})  # 0: keep all
    events.Reload()
    for tag in sorted(events.Tags()["scalars"]):
        scalars = events.Scalars(tag)
        print(f"{tag}\t{len(scalars)}\t{scalars[-1].step}\t{scalars[-1].value:.9g}")


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the samples of text in Sources/CSamples/text from the full data sets: the beginning of each half of the English
novels, and every fourth first name. Needs nothing but Python.

    python3 Tests/Fixtures/text_samples.py FOLDER    # the folder with english_novels and names
"""

import gzip
import pathlib
import sys

TARGET = pathlib.Path(__file__).parents[2] / "Sources" / "CSamples" / "text"


def lines(path: pathlib.Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def write(name: str, taken: list[str]) -> None:
    content = "".join(line + "\n" for line in taken).encode()
    # Without a time and a name, the same lines make the same bytes.
    (TARGET / name).write_bytes(gzip.compress(content, 9, mtime=0))


def beginning(all_lines: list[str], characters: int) -> list[str]:
    taken, length = [], 0
    for line in all_lines:
        if length >= characters:
            break
        taken.append(line)
        length += len(line) + 1
    return taken


if len(sys.argv) != 2:
    sys.exit(__doc__)
source = pathlib.Path(sys.argv[1])
write("novel-train.txt.gz", beginning(lines(source / "english_novels" / "train.txt.gz"), 200_000))
write("novel-valid.txt.gz", beginning(lines(source / "english_novels" / "valid.txt.gz"), 20_000))
write("names.txt.gz", lines(source / "names" / "names.txt.gz")[::4])

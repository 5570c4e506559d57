#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the samples of text in Sources/CSamples/text from the full data sets: the beginning of each half of the English
novels, every fourth first name, and what two speakers of plays say to each other. Needs nothing but Python.

    python3 Tests/Fixtures/text_samples.py FOLDER    # the folder with english_novels, names and tinyshakespeare
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


def dialogues(text: str) -> list[str]:
    """Each run of speeches by two speakers in turn, a line."""
    speeches = []
    for block in text.split("\n\n"):
        head, _, said = block.partition(":\n")
        words = said.split()
        if 0 < len(words) <= 30:
            speeches.append((head, " ".join(words)))
        else:
            speeches.append(("", ""))  # too long: what follows answers nobody
    found, run = [], []
    for speaker, said in [*speeches, ("", "")]:
        goes_on = said and (len(run) < 2 or run[-2][0] == speaker) and (not run or run[-1][0] != speaker)
        if not goes_on:
            if len(run) > 1:
                found.append(" __eou__ ".join(turn for _, turn in run))
            # The last speech may open the next dialogue with somebody else.
            run = run[-1:] if said and run and run[-1][0] != speaker else []
        if said:
            run.append((speaker, said))
    return found


if len(sys.argv) != 2:
    sys.exit(__doc__)
source = pathlib.Path(sys.argv[1])
write("novel-train.txt.gz", beginning(lines(source / "english_novels" / "train.txt.gz"), 200_000))
write("novel-valid.txt.gz", beginning(lines(source / "english_novels" / "valid.txt.gz"), 20_000))
write("names.txt.gz", lines(source / "names" / "names.txt.gz")[::4])
plays = dialogues(gzip.decompress((source / "tinyshakespeare" / "input.txt.gz").read_bytes()).decode())
training = beginning(plays, 150_000)
write("dialogues-train.txt.gz", training)
write("dialogues-valid.txt.gz", beginning(plays[len(training) :], 20_000))

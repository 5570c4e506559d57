#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the sample of digits in Sources/CSamples/digits from MNIST: of every digit the first 50 training images and
the first 20 test images, in the order in which MNIST has them. Needs nothing but Python.

    python3 Tests/Fixtures/digits_sample.py FOLDER    # the folder with MNIST's four .gz files
"""

import gzip
import pathlib
import struct
import sys

TARGET = pathlib.Path(__file__).parents[2] / "Sources" / "CSamples" / "digits"
PIXELS = 28 * 28


def write(name: str, magic: int, dimensions: list[int], elements: bytes) -> None:
    content = struct.pack(f">I{len(dimensions)}I", magic, *dimensions) + elements
    # Without a time and a name, the same images make the same bytes.
    (TARGET / name).write_bytes(gzip.compress(content, 9, mtime=0))


def take(source: pathlib.Path, split: str, each: int) -> None:
    images_name, labels_name = f"{split}-images-idx3-ubyte.gz", f"{split}-labels-idx1-ubyte.gz"
    images = gzip.decompress((source / images_name).read_bytes())
    labels = gzip.decompress((source / labels_name).read_bytes())
    assert images[:4] == b"\0\0\x08\x03" and labels[:4] == b"\0\0\x08\x01"
    images, labels = images[16:], labels[8:]
    taken: list[int] = []
    counts = [0] * 10
    for index, label in enumerate(labels):
        if counts[label] < each:
            counts[label] += 1
            taken.append(index)
    assert counts == [each] * 10
    pixels = b"".join(images[index * PIXELS : (index + 1) * PIXELS] for index in taken)
    write(images_name, 0x803, [len(taken), 28, 28], pixels)
    write(labels_name, 0x801, [len(taken)], bytes(labels[index] for index in taken))


if len(sys.argv) != 2:
    sys.exit(__doc__)
take(pathlib.Path(sys.argv[1]), "train", 50)
take(pathlib.Path(sys.argv[1]), "t10k", 20)

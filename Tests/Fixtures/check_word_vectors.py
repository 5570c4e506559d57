# SPDX-License-Identifier: Apache-2.0
"""Checks that gensim opens what `kasane words RUN export` writes, and that Kasane opens what gensim writes.

    kasane train word2vec --preset quick --output RUN
    python3 Tests/Fixtures/check_word_vectors.py RUN [--kasane .build/release/kasane]

Needs gensim and NumPy. The same words must come back with the same numbers, in each format.
"""
import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("run")
parser.add_argument("--kasane", default=".build/release/kasane")
arguments = parser.parse_args()


def kasane(*words):
    return subprocess.run([arguments.kasane, "words", *words], check=True, capture_output=True, text=True).stdout


def same(a, b):
    assert a.index_to_key == b.index_to_key
    np.testing.assert_array_equal(a.vectors, b.vectors)


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder)
    for name, form in (("v.bin", "binary"), ("v.txt", "word2vec"), ("g.txt", "glove")):
        kasane(arguments.run, "export", str(path / name), "--format", form)
    opened = KeyedVectors.load_word2vec_format(path / "v.bin", binary=True)
    same(opened, KeyedVectors.load_word2vec_format(path / "v.txt", binary=False))
    same(opened, KeyedVectors.load_word2vec_format(path / "g.txt", binary=False, no_header=True))
    word = opened.index_to_key[len(opened) // 2]
    wanted = [found for found, _ in opened.most_similar(word, topn=5)]
    opened.save_word2vec_format(path / "w.bin", binary=True)
    opened.save_word2vec_format(path / "w.txt", binary=False)
    for source in (arguments.run, path / "w.bin", path / "w.txt"):
        lines = kasane(str(source), "nearest", word, "--count", "5").splitlines()
        assert [line.split()[1] for line in lines] == wanted, (source, lines, wanted)
    print(f"{len(opened)} vectors of {opened.vector_size} numbers are the same in every format")

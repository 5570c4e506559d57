# SPDX-License-Identifier: Apache-2.0
"""Times the suite's word vectors in gensim.

    python3 Benchmarks/peers/suite_gensim.py NAME... | all [--threads N] [--seconds S] [--batch N]
        [--length T] [--json]

An iteration is one call of `train` over the same number of words, drawn as often as words are in
texts, with as many workers as there are threads.
"""
import suite

arguments = suite.parse_arguments(__doc__, precisions=("float32",))

import gensim  # noqa: E402  after the thread variables are set
import numpy as np  # noqa: E402

VOCABULARY = 20_000


def word_vectors(is_skip_gram):
    def make(sizes):
        count, length = sizes.batch(200_000), sizes.length(20)
        generator = np.random.default_rng(arguments.seed)
        sums = np.cumsum(1 / (np.arange(VOCABULARY) + 2.7))
        drawn = np.searchsorted(sums, generator.random(count) * sums[-1], side="right")
        words = [f"w{number}" for number in drawn]
        text = [words[start : start + length] for start in range(0, count, length)]
        counts = np.bincount(drawn, minlength=VOCABULARY) + 1
        model = gensim.models.Word2Vec(
            vector_size=100, window=5, min_count=1, sample=1e-3, negative=5, sg=int(is_skip_gram),
            workers=arguments.threads, seed=arguments.seed + 1,
        )
        model.build_vocab_from_freq({f"w{word}": int(n) for word, n in enumerate(counts)})

        def learn():
            model.train(
                text, total_examples=len(text), epochs=1, start_alpha=0.025, end_alpha=0.025
            )

        return learn

    return make


WORKLOADS = {"word2vec": word_vectors(True), "word2vec-cbow": word_vectors(False)}

if __name__ == "__main__":
    suite.run(WORKLOADS, "gensim", gensim.__version__, arguments)

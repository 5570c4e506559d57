# SPDX-License-Identifier: Apache-2.0
"""Makes the reference figures for BLEU with sacrebleu, on sentences as people write them and on random ones.

    pip install sacrebleu
    python3 Tests/Fixtures/bleu.py    # writes Tests/KasaneDataTests/Fixtures/bleu.json
"""
import json
import random
from pathlib import Path

from sacrebleu.metrics import BLEU

TOKENIZERS = {"none": "none", "13a": "13a", "char": "char"}
SMOOTHINGS = [("none", None), ("floor", 0.1), ("floor", 0.01), ("add-k", 1), ("add-k", 2), ("exp", None)]
WRITTEN = [
    "He said: \"It costs $3.14, not 1,000.\"", "It's a state-of-the-art - isn't it? Yes, 1990-1995...",
    "&quot;Tom &amp; Jerry&quot; (1,5) 10-2 a.b.c .5 5. ,x,", "彼は つらい 人生を送った。", "No match here at all!",
    "the the the the the the the", "A", "", "<skipped> x / y * z ~ w {q} [r] `s` ^t _u @v",
]


def score(found):
    return {
        "score": found.score, "counts": found.counts, "totals": found.totals, "precisions": found.precisions,
        "brevity": found.bp, "length": found.sys_len, "reference": found.ref_len,
    }


def sentences(generator, count, least):
    words = ["a", "b", "c", "d", "e."]
    return [" ".join(generator.choices(words, k=generator.randint(least, 9))) for _ in range(count)]


def main():
    generator = random.Random(1)
    shuffled = WRITTEN[1:] + WRITTEN[:1]
    near = [" ".join(s.split()[: max(1, len(s.split()) - 1)]) for s in WRITTEN]
    sets = [(near, [WRITTEN]), (near, [shuffled, WRITTEN]), ([""], [["a b"]]), (["a b c"], [["d e f"]])]
    for number in range(4):
        references = [sentences(generator, 6, 1) for _ in range(1 + number % 3)]
        sets.append((sentences(generator, 6, 0), references))
    cases = []
    for hypotheses, references in sets:
        for name, tokenizer in TOKENIZERS.items():
            for method, value in SMOOTHINGS:
                options = dict(smooth_method=method, smooth_value=value, tokenize=tokenizer, force=True)
                corpus = BLEU(**options).corpus_score(hypotheses, references)
                by_sentence = BLEU(**options, effective_order=True)
                own = [
                    by_sentence.sentence_score(h, [r[i] for r in references]).score
                    for i, h in enumerate(hypotheses)
                ]
                cases.append(
                    {
                        "hypotheses": hypotheses, "references": references, "tokenizer": name,
                        "smoothing": method, "value": value, "corpus": score(corpus), "sentences": own,
                    })
    path = Path(__file__).parents[1] / "KasaneDataTests" / "Fixtures" / "bleu.json"
    path.write_text(json.dumps(cases, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

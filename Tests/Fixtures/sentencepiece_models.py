# SPDX-License-Identifier: Apache-2.0
"""Has the Python package of SentencePiece learn models and take text apart, for Tests/KasaneDataTests.

    pip install sentencepiece
    python3 Tests/Fixtures/sentencepiece_models.py    # writes Tests/KasaneDataTests/Fixtures/SentencePiece
"""
import gzip
import io
import json
from pathlib import Path

import sentencepiece

ROOT = Path(__file__).resolve().parents[2]
TEXT = ROOT / "Sources" / "CSamples" / "text" / "novel-train.txt.gz"
OUTPUT = ROOT / "Tests" / "KasaneDataTests" / "Fixtures" / "SentencePiece"
SENTENCES = [
    "It was the best of times, it was the worst of times.",
    "",
    "  two  spaces ",
    "Zürich, 猫 and 3.14",
    "unbelievable counterrevolutionaries",
]

OUTPUT.mkdir(exist_ok=True)
lines = gzip.open(TEXT, "rt", encoding="utf-8").read().splitlines()[:400]
for kind in ("unigram", "bpe"):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type=kind, vocab_size=300, minloglevel=2
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    (OUTPUT / f"{kind}.model").write_bytes(model.getvalue())
    found = [
        {
            "text": text,
            "pieces": processor.encode(text, out_type=str),
            "numbers": processor.encode(text),
            "decoded": processor.decode(processor.encode(text)),
        }
        for text in SENTENCES
    ]
    (OUTPUT / f"{kind}.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

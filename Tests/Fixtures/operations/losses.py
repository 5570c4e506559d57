# SPDX-License-Identifier: Apache-2.0
import torch
from torch.nn import functional

from . import Case, index, positive, real

PAIR = (real(3, 5), real(3, 5))
WEIGHTS = torch.tensor([0.5, 2, 1, 0.25, 3], dtype=torch.float64)
SCORES = (real(2, 3, 5), index(5, 2, 3))
# Not drawn at random, where all may be ignored.
LABELS = torch.tensor([[0, 2, 4], [1, 2, 3]])


def differences(function, **options):
    """A loss of two tensors whose differences keep away from zero."""
    return lambda y, target, r: function(y, target - 3, reduction=r, **options)


def hinge(scores, targets, r):
    losses = (3.5 - (targets - 2) * scores).relu()
    return losses if r == "none" else getattr(losses, r)()


def cross_entropy(**options):
    """PyTorch's classes are the second axis."""
    return lambda x, labels, r: functional.cross_entropy(x.movedim(-1, 1), labels, reduction=r, **options)


def ignoring(index, **options):
    return lambda x, r: cross_entropy(ignore_index=index, **options)(x, LABELS, r)


def soft_cross_entropy(x, probabilities, r):
    losses = functional.cross_entropy(
        x.flatten(0, 1), probabilities.flatten(0, 1), WEIGHTS, label_smoothing=0.3, reduction=r
    )
    return losses.reshape(2, 3) if r == "none" else losses


def likelihood(x, r):
    return functional.nll_loss(x.movedim(-1, 1), LABELS, WEIGHTS, ignore_index=4, reduction=r)


def binary(x, t, r):
    return functional.binary_cross_entropy_with_logits(5 * x, t, reduction=r)


def weighted_binary(x, t, r):
    return functional.binary_cross_entropy_with_logits(x, t, pos_weight=WEIGHTS, reduction=r)


def cosine_embedding(a, b):
    targets = torch.tensor([1.0, -1, 1, -1, -1, 1], dtype=torch.float64)
    return functional.cosine_embedding_loss(a, b, targets, margin=-1.5, reduction="none")


FUNCTIONS = [
    ("meanSquaredError", differences(functional.mse_loss), PAIR),
    ("meanAbsoluteError", differences(functional.l1_loss), PAIR),
    ("huberLoss near", differences(functional.huber_loss, delta=6.0), PAIR),
    ("huberLoss far", differences(functional.huber_loss, delta=0.5), PAIR),
    ("smoothL1Loss near", differences(functional.smooth_l1_loss, beta=6.0), PAIR),
    ("smoothL1Loss far", differences(functional.smooth_l1_loss, beta=0.5), PAIR),
    ("smoothL1Loss of beta 0", differences(functional.smooth_l1_loss, beta=0.0), PAIR),
    ("hingeLoss", hinge, PAIR),
    ("klDivergence", lambda x, t, r: functional.kl_div(x, t, reduction=r), (real(3, 5), positive(3, 5))),
    ("binaryCrossEntropy", binary, (real(3, 5), positive(3, 5))),
    ("binaryCrossEntropy with weights", weighted_binary, (real(3, 5), positive(3, 5))),
    ("crossEntropy", cross_entropy(), SCORES),
    ("crossEntropy with weights", cross_entropy(weight=WEIGHTS), SCORES),
    ("crossEntropy with an ignored index", ignoring(2), SCORES[:1]),
    ("crossEntropy with smoothing", cross_entropy(label_smoothing=0.3), SCORES),
    ("crossEntropy with all", ignoring(2, weight=WEIGHTS, label_smoothing=0.3), SCORES[:1]),
    ("crossEntropy with probabilities", soft_cross_entropy, (real(2, 3, 5), positive(2, 3, 5))),
    ("negativeLogLikelihood", likelihood, SCORES[:1]),
]

CASES = {
    "half squared error": Case(
        lambda x, y: functional.mse_loss(x, y, reduction="sum") / 2, real(3, 5), real(3, 5)
    ),
    "cosineSimilarity": Case(lambda a, b: functional.cosine_similarity(a, b, -1), real(2, 3, 4), real(3, 4)),
    "cosineSimilarity of an axis": Case(
        lambda a, b: functional.cosine_similarity(a, b, 1), real(2, 3, 4), real(2, 3, 1)
    ),
    "cosineEmbeddingLoss": Case(cosine_embedding, real(6, 4), real(6, 4)),
} | {
    f"{name}, {r}": Case(lambda *tensors, f=function, r=r: f(*tensors, r), *inputs)
    for name, function, inputs in FUNCTIONS
    for r in ["none", "sum", "mean"]
}

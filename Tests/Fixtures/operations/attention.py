# SPDX-License-Identifier: Apache-2.0
import torch
from torch.nn import functional as F

from . import Case, real

# A query may attend to a key where their places add up to no multiple of three.
MASK = (torch.arange(4).unsqueeze(1) + torch.arange(5)) % 3 != 0
HEADS = (real(2, 3, 4, 6), real(2, 3, 5, 6), real(2, 3, 5, 7))


def weights(q, k, mask=None, scale=None):
    """The softmax that scaled_dot_product_attention keeps to itself."""
    scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
    return torch.softmax(scores if mask is None else scores.masked_fill(~mask, -torch.inf), -1)


CASES = {
    "attention": Case(F.scaled_dot_product_attention, *HEADS),
    "attention of one head": Case(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v), real(4, 6), real(5, 6), real(5, 2)
    ),
    "attention causal": Case(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), *HEADS),
    "attention masked": Case(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=MASK), *HEADS),
    "attention with a mask that is added": Case(
        lambda q, k, v, mask: F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.3),
        *HEADS,
        real(2, 1, 4, 5),
    ),
    "attention weights": Case(weights, real(2, 4, 6), real(2, 5, 6)),
    "attention weights masked": Case(lambda q, k: weights(q, k, MASK, 0.5), real(2, 4, 6), real(2, 5, 6)),
}

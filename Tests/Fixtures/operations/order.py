# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, distinct, index, real


def unique(part):
    return lambda x: torch.unique(x, return_inverse=True, return_counts=True)[part]


def search(right):
    return lambda x, values: torch.searchsorted(x.sort().values, values, right=right)


CASES = {
    "sorted": Case(lambda x, y: x.sort().values.square() * y, distinct(3, 5), real(3, 5)),
    "sorted descending of 0": Case(
        lambda x, y: x.sort(0, descending=True).values.square() * y, distinct(5, 3), real(5, 3)),
    "sorted empty": Case(lambda x, y: x.sort(0).values.square() * y, distinct(0, 3), real(0, 3)),
    "topK": Case(lambda x, y: x.topk(3).values.square() * y[:, :3], distinct(3, 7), real(3, 7)),
    "topK smallest of 0": Case(
        lambda x, y: x.topk(2, 0, largest=False).values.square() * y[:2], distinct(7, 2), real(7, 2)),
    "sorted indices": Case(lambda x: x.sort(descending=True).indices, distinct(3, 5), is_differentiable=False),
    "argsorted": Case(lambda x: x.argsort(0), distinct(4, 3), is_differentiable=False),
    "topK indices": Case(lambda x: x.topk(4).indices, distinct(3, 7), is_differentiable=False),
    "searchSorted before equal": Case(search(False), index(6, 9), index(7, 2, 4), is_differentiable=False),
    "searchSorted after equal": Case(search(True), index(6, 9), index(7, 2, 4), is_differentiable=False),
} | {
    f"unique {name}": Case(unique(part), index(5, 3, 4), is_differentiable=False)
    for part, name in enumerate(["values", "inverse", "counts"])
}

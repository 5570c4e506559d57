# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, boolean, index, real


def one_hot(indices):
    return torch.nn.functional.one_hot(indices, 4).float()


def scatter_inner(x, values, indices):
    """Adds values [2, *indices, 3] to x [2, 4, 3] at its second axis."""
    return x.index_add(1, indices.flatten(), values.flatten(1, 2)).square()


CASES = {
    "gathered": Case(lambda x, i: x[i].square(), real(5, 3), index(5, 7)),
    "gathered of 1": Case(lambda x, i: x[:, i].square(), real(2, 4, 3), index(4, 2, 3)),
    "gathered last": Case(lambda x, i: x[:, i].square(), real(2, 4), index(4)),
    "gathered none": Case(lambda x, i: x[i].square(), real(5, 3), index(5, 0)),
    "gathered from the end": Case(lambda x, i: x[i - 5].square(), real(5, 3), index(5, 4)),
    "scatterAdding": Case(
        lambda x, y, i: x.index_add(0, i, y).square(), real(5, 3), real(7, 3), index(5, 7)),
    "scatterAdding of 1": Case(scatter_inner, real(2, 4, 3), real(2, 2, 5, 3), index(4, 2, 5)),
    "scatterAdding broadcast": Case(
        lambda x, y, i: x.index_add(0, i, y.expand(6, 3)).square(), real(4, 3), real(3), index(4, 6)),
    "gatheredAlong": Case(lambda x, i: x.gather(0, i).square(), real(4, 3), index(4, 6, 3)),
    "gatheredAlong last": Case(lambda x, i: x.gather(2, i).square(), real(2, 3, 4), index(4, 2, 3, 2)),
    "gatheredAlong broadcast": Case(
        lambda x, i: x.expand(2, 3, 4).gather(2, i.expand(2, 3, 5)).square(), real(2, 1, 4), index(4, 3, 5)),
    "scatterAddingAlong": Case(
        lambda x, y, i: x.scatter_add(0, i, y).square(), real(4, 3), real(6, 3), index(4, 6, 3)),
    "scatterAddingAlong last": Case(
        lambda x, y, i: x.scatter_add(2, i, y).square(), real(2, 3, 4), real(2, 3, 5), index(4, 2, 3, 5)),
    "embedding": Case(lambda x, i: torch.nn.functional.embedding(i, x).square(), real(6, 4), index(6, 2, 5)),
    "embedding of one": Case(lambda x, i: torch.nn.functional.embedding(i, x).square(), real(6, 4), index(6)),
    "masked": Case(lambda x, m: x[m].square(), real(4, 5), boolean(4, 5)),
    "masked rows": Case(lambda x, m: x[m].square(), real(6, 2), boolean(6)),
    "nonzeroIndices": Case(torch.nonzero, boolean(4, 5), is_differentiable=False),
    "oneHot": Case(one_hot, index(4, 2, 3), is_differentiable=False),
}

# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real

SHAPES = [
    ([2, 3], [3, 4]), ([1, 5], [5, 1]), ([0, 3], [3, 2]), ([2, 0], [0, 3]), ([2, 3, 4], [4, 5]),
    ([2, 3, 4], [2, 4, 5]), ([3, 4], [2, 4, 5]), ([2, 1, 3, 2], [5, 2, 3]), ([7, 33], [33, 9]),
]

VECTORS = [
    ([3], [3]), ([3], [3, 2]), ([2, 3], [3]), ([2, 4, 3], [3]), ([3], [2, 3, 4]), ([0], [0]),
]

FORMULAS = [
    ("ij,jk->ik", [[2, 3], [3, 4]]),
    ("bij,bjk->bik", [[2, 3, 4], [2, 4, 2]]),
    ("bthd,bshd->bhts", [[2, 3, 2, 4], [2, 5, 2, 4]]),
    ("ii->i", [[3, 3]]),
    ("ii", [[3, 3]]),
    ("iji->j", [[3, 2, 3]]),
    ("ij->", [[2, 3]]),
    ("...ij->...ji", [[2, 3, 4]]),
    ("ba", [[2, 3]]),
    ("i,j", [[3], [4]]),
    ("i,i->i", [[4], [4]]),
    ("ij,ij->i", [[2, 3], [2, 3]]),
    ("...ij,...jk->...ik", [[2, 1, 2, 3], [4, 3, 2]]),
    ("ij,jk,kl->il", [[2, 3], [3, 4], [4, 2]]),
    ("ijk,kl,jm->lm", [[2, 3, 4], [4, 5], [3, 2]]),
    ("ij,j", [[2, 3], [3]]),
    ("ijkl,ijkl->", [[2, 2, 3, 2], [2, 2, 3, 2]]),
    ("i...,i...->...", [[3, 2, 4], [3, 4]]),
    ("ij,kl->ijkl", [[2, 3], [2, 2]]),
    ("iij,jk->ik", [[3, 3, 2], [2, 4]]),
    ("ij,jk->ki", [[2, 0], [0, 3]]),
]


def einsum(formula):
    return lambda *operands: torch.einsum(formula, *operands).square()


CASES = (
    {f"matmul {a} {b}": Case(torch.matmul, real(*a), real(*b)) for a, b in SHAPES + VECTORS}
    | {f"einsum {formula}": Case(einsum(formula), *(real(*shape) for shape in shapes)) for formula, shapes in FORMULAS}
    | {
        "dot": Case(torch.dot, real(7), real(7)),
        "outer": Case(torch.outer, real(3), real(4)),
    }
)

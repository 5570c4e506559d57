# SPDX-License-Identifier: Apache-2.0
import torch

from . import Case, real

SUBSCRIPTS = [
    "1", "-1, 2", "1:3", "1:, :2", "..., -1", "1:3, ..., -1", "0, ..., 1:", "1, 1, ..., -3:", ":, None, 1",
    "..., None", "::2, :, ::3", "1:4:2", ":-1, -2", "2:2", "0, 0, 0",
]


def subscript(text):
    return lambda x: eval(f"x[{text}]").square()


def replacement(change):
    """`change` sets elements of its first argument, a copy."""

    def function(x, y):
        x = x.clone()
        change(x, y)
        return x.square()

    return function


def set_first_two(x, y):
    x[1:3] = y


def set_last(x, y):
    x[..., -1] = y


def set_stepped(x, y):
    x[::2, 1] = y


def set_one(x, y):
    x[0][1] = y


def set_twice(x, y):
    x[0] = y
    x[:, 1] = x[0].clone() * y


CASES = {f"subscript [{text}]": Case(subscript(text), real(4, 3, 5)) for text in SUBSCRIPTS} | {
    "sliced": Case(lambda x: x[:, 1:].square(), real(4, 3)),
    "set [1:3]": Case(replacement(set_first_two), real(4, 3), real(2, 3)),
    "set [..., -1] broadcast": Case(replacement(set_last), real(2, 4, 3), real(4)),
    "set [::2, 1]": Case(replacement(set_stepped), real(5, 3), real(3)),
    "set [0][1]": Case(replacement(set_one), real(2, 3), real()),
    "set twice": Case(replacement(set_twice), real(3, 3), real(3)),
    "unfolded": Case(lambda x: x.unfold(0, 3, 1).square(), real(7)),
    "unfolded 2 by 3 of 1": Case(lambda x: x.unfold(1, 2, 3).square(), real(2, 9, 3)),
    "unfolded whole": Case(lambda x: x.unfold(0, 4, 1).square(), real(4, 3)),
}

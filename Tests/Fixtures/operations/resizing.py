# SPDX-License-Identifier: Apache-2.0
from torch.nn.functional import interpolate

from . import Case, real, to_channels_first, to_channels_last

SIZES = [(3, 4, 6, 8), (5, 4, 2, 3), (3, 2, 7, 5), (4, 5, 1, 1), (2, 3, 2, 3)]
MODES = {
    "nearest": {"mode": "nearest"},
    "bilinear": {"mode": "bilinear"},
    "corners": {"mode": "bilinear", "align_corners": True},
}


def resized(size, options):
    return lambda x: to_channels_last(interpolate(to_channels_first(x), size, **options)).square()


CASES = {
    f"interpolated {h} {w} to {new_h} {new_w} {mode}": Case(resized((new_h, new_w), options), real(2, h, w, 3))
    for h, w, new_h, new_w in SIZES
    for mode, options in MODES.items()
} | {
    "interpolated sequence": Case(resized(8, {"mode": "linear"}), real(2, 5, 3)),
    "interpolated sequence nearest": Case(resized(3, {"mode": "nearest"}), real(2, 5, 3)),
}

# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the tests of all operations, with PyTorch's autograd.

    python3 Tests/Fixtures/operations.py [FAMILY ...]

Needs torch, numpy and safetensors. Each module of Tests/Fixtures/operations is a family; its numbers go into
Tests/KasaneTests/Fixtures/Operations/FAMILY.safetensors. For every row of the module's CASES the file holds

    ROW/input0, ROW/input1, ...    what the function is called with: float32, int64 or bool
    ROW/value                      its value, computed in float64 and rounded to float32; or int64 or bool
    ROW/weights                    float32, the weights of the loss sum(value * weights)
    ROW/gradient0, ...             the gradients of that loss by the float32 inputs, in float32

A row's name is that of the row in Tests/KasaneTests/Operations, which takes the same inputs in the layouts of Kasane:
images NHWC, convolution kernels [height, width, inputs / groups, outputs], linear weights [inputs, outputs]. The
functions here convert them to PyTorch's layouts and back.
"""
import importlib
import pkgutil
import sys
import zlib
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file

import operations

FOLDER = Path(__file__).resolve().parents[1] / "KasaneTests" / "Fixtures" / "Operations"


def exact(tensor):
    return tensor.double().requires_grad_() if tensor.is_floating_point() else tensor


def tensors_of(name, case):
    """The named tensors of one row. Its numbers depend on its name alone, not on the other rows."""
    random = numpy.random.default_rng(zlib.crc32(name.encode()))
    inputs = [spec(random) if callable(spec) else spec for spec in case.inputs]
    result = {f"input{i}": x for i, x in enumerate(inputs)}
    leaves = [exact(x) for x in inputs]
    value = case.function(*leaves)
    if not value.is_floating_point():
        return result | {"value": value}
    result["value"] = value.detach().float()
    if not case.is_differentiable:
        return result
    result["weights"] = operations.real(*value.shape)(random)
    loss = (value * result["weights"].double()).sum()
    real = [i for i, x in enumerate(leaves) if x.requires_grad]
    gradients = torch.autograd.grad(loss, [leaves[i] for i in real], materialize_grads=True)
    for i, gradient in zip(real, gradients):
        result[f"gradient{i}"] = gradient.float()
    return result


def main():
    torch.set_num_threads(1)
    families = sys.argv[1:] or [module.name for module in pkgutil.iter_modules(operations.__path__)]
    for family in families:
        cases = importlib.import_module(f"operations.{family}").CASES
        tensors = {
            f"{row}/{part}": tensor.detach().clone(memory_format=torch.contiguous_format)
            for row, case in cases.items()
            for part, tensor in tensors_of(row, case).items()
        }
        path = FOLDER / f"{family}.safetensors"
        save_file(tensors, path)
        print(f"{path.name}: {len(cases)} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()

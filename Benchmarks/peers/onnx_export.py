# SPDX-License-Identifier: Apache-2.0
"""Writes the suite's models for inference as ONNX files, which ONNX Runtime and OpenVINO read.

    python3 Benchmarks/peers/onnx_export.py FILE NAME [--batch N] [--length T] [--image SIDE]

Run by the peers' scripts, in a process of its own so that PyTorch's memory is not counted.
"""
import subprocess
import sys
import tempfile
from pathlib import Path


def exported(name, arguments):
    """The file of a workload's model with the given sizes, written where it is not there yet."""
    sizes = [f"--{key}={getattr(arguments, key)}" for key in ("batch", "length", "image")
             if getattr(arguments, key)]
    label = "".join(sizes).replace("--", "-").replace("=", "")
    folder = Path(tempfile.gettempdir()) / "kasane-benchmarks"
    path = folder / f"{name}{label}-{arguments.seed}.onnx"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.onnx")
        command = [sys.executable, __file__, str(partial), name, f"--seed={arguments.seed}", *sizes]
        finished = subprocess.run(command, capture_output=True, text=True)
        if finished.returncode != 0:
            sys.exit(f"{name} could not be exported: {finished.stderr}")
        partial.rename(path)
    return path


def main():
    import suite

    path = Path(sys.argv.pop(1))
    arguments = suite.parse_arguments(__doc__)

    import torch

    import torch_transformers
    import torch_vision

    # The fast path is an operation of PyTorch's own, which ONNX does not have.
    torch.backends.mha.set_fastpath_enabled(False)
    torch.manual_seed(arguments.seed)
    models = {**torch_transformers.INFERENCE, **torch_vision.INFERENCE}
    (make,) = suite.chosen(models, arguments.names).values()
    model, x = make(suite.Sizes(arguments))
    torch.onnx.export(
        model, (x.contiguous(),), str(path), dynamo=True, external_data=False, verbose=False
    )


if __name__ == "__main__":
    main()

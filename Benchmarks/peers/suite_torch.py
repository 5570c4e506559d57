# SPDX-License-Identifier: Apache-2.0
"""Times the suite's workloads in PyTorch, eager or compiled.

    python3 Benchmarks/peers/suite_torch.py NAME... | all [--compile] [--threads N] [--seconds S]
        [--precision float32|bfloat16] [--batch N] [--length T] [--image SIDE] [--json]

An iteration is what its users write: a module, autograd and an optimizer of torch.optim, images
with their channels last, and for bfloat16 torch.autocast. With --compile the forward pass and
the loss go through torch.compile, whose first runs do not count.
"""
import suite


def _options(parser):
    parser.add_argument("--compile", action="store_true", help="use torch.compile")


arguments = suite.parse_arguments(__doc__, options=_options)

import torch  # noqa: E402  after the thread variables are set

import torch_audio  # noqa: E402
import torch_dense  # noqa: E402
import torch_dialogue  # noqa: E402
import torch_recurrent  # noqa: E402
import torch_transformers  # noqa: E402
import torch_translation  # noqa: E402
import torch_vision  # noqa: E402

# In the order of the table.
WORKLOADS = {
    **torch_recurrent.WORKLOADS,
    **torch_dialogue.WORKLOADS,
    **torch_translation.WORKLOADS,
    **torch_transformers.WORKLOADS,
    **torch_dense.WORKLOADS,
    **torch_vision.WORKLOADS,
    **torch_audio.WORKLOADS,
}


def iteration(workload, compiles):
    """What one iteration of a workload does."""
    function = torch.compile(workload.function) if compiles else workload.function
    if workload.optimizer is None:

        def infer():
            with torch.inference_mode():
                function()

        return infer

    def train():
        for _ in range(workload.steps):
            workload.optimizer.zero_grad()
            function().backward()
            if workload.largest_norm is not None:
                torch.nn.utils.clip_grad_norm_(workload.parameters, workload.largest_norm)
            workload.optimizer.step()

    return train


def prepared(make):
    """The workload as `suite.run` takes it."""

    def with_sizes(sizes):
        torch.manual_seed(arguments.seed)
        step = iteration(make(sizes), arguments.compile)
        if arguments.precision == "float32":
            return step

        def in_half_precision():
            with torch.autocast("cpu", torch.bfloat16):
                step()

        return in_half_precision

    return with_sizes


if __name__ == "__main__":
    torch.set_num_threads(arguments.threads)
    peer = "torch.compile" if arguments.compile else "torch"
    workloads = {name: prepared(make) for name, make in WORKLOADS.items()}
    suite.run(workloads, peer, torch.__version__, arguments)

# SPDX-License-Identifier: Apache-2.0
"""What a workload in PyTorch consists of."""
from dataclasses import dataclass
from typing import Callable, Optional

import torch


@dataclass
class Workload:
    """The loss of one training iteration and what follows it, or a pass at inference."""

    function: Callable[[], torch.Tensor]
    """Gives the loss, or without an optimizer the model's answer."""
    parameters: list = None
    optimizer: Optional[torch.optim.Optimizer] = None
    largest_norm: Optional[float] = None
    """To which the gradients' norm is clipped."""
    steps: int = 1
    """How many steps of training an iteration consists of."""


def parameters_of(*modules):
    return [parameter for module in modules for parameter in module.parameters()]

# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the binary-addition recipe, with PyTorch's autograd.

    python3 Tests/Fixtures/binary_addition.py [OUTPUT_DIRECTORY]

Needs torch and safetensors. Writes binary-addition-{sigmoid,relu,tanh}-{plain,bias}.safetensors,
by default into Tests/KasaneRecipesTests/Fixtures.

Two random integers are added bit by bit, least significant bit first; the network sees two bits a
step and answers one:

    u(t) = x(t) W_in + z(t-1) W (+ b)     z(t) = f(u(t))     z(-1) = 0
    v(t) = z(t) W_out (+ c)               y(t) = sigmoid(v(t))
    E = sum over t of (y(t) - d(t))^2 / 2

Each file holds, in float32:

    weight_input [2, 16], weight_hidden [16, 16], weight_output [16, 1]   the initial parameters
    bias_hidden [16], bias_output [1]                                     in the -bias files only
    inputs [problem, step, 2], targets [problem, step, 1]
    outputs [step, 1], gradient.<parameter>     of problem 0 at the initial parameters
    losses [problem]                            E of each problem before its update
    final.<parameter>                           after one SGD update a problem
"""
import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

BITS = 8
HIDDEN = 16
PROBLEMS = 50
LEARNING_RATE = 0.1
WEIGHT_SCALE = 0.5

# A recurrent ReLU at this weight scale can amplify a rounding error a million times over the
# updates. This seed is one whose runs stay within TOLERANCE of the same run in float64.
SEED = 26
TOLERANCE = 1e-5

ACTIVATIONS = {"sigmoid": torch.sigmoid, "relu": torch.relu, "tanh": torch.tanh}


def bits_of(numbers):
    """The bits of each number, least significant first: [problem, step]."""
    return (numbers.unsqueeze(1) >> torch.arange(BITS)) & 1


def make_problems(generator):
    """Inputs [problem, step, 2] and targets [problem, step, 1]; every sum fits in BITS bits."""
    left, right = torch.randint(2 ** (BITS - 1), (2, PROBLEMS), generator=generator)
    inputs = torch.stack([bits_of(left), bits_of(right)], dim=2)
    targets = bits_of(left + right).unsqueeze(2)
    return inputs.float(), targets.float()


def make_parameters(generator, with_bias):
    shapes = {
        "weight_input": (2, HIDDEN),
        "weight_hidden": (HIDDEN, HIDDEN),
        "weight_output": (HIDDEN, 1),
    }
    if with_bias:
        shapes.update({"bias_hidden": (HIDDEN,), "bias_output": (1,)})
    return {
        name: WEIGHT_SCALE * torch.randn(shape, generator=generator)
        for name, shape in shapes.items()
    }


def forward(parameters, activation, inputs):
    """The outputs [step, 1] for one problem's inputs [step, 2]."""
    state = torch.zeros(1, HIDDEN, dtype=inputs.dtype)
    outputs = []
    for x in inputs.split(1):
        u = x @ parameters["weight_input"] + state @ parameters["weight_hidden"]
        if "bias_hidden" in parameters:
            u = u + parameters["bias_hidden"]
        state = activation(u)
        v = state @ parameters["weight_output"]
        if "bias_output" in parameters:
            v = v + parameters["bias_output"]
        outputs.append(torch.sigmoid(v))
    return torch.cat(outputs)


def train(initial, activation, inputs, targets):
    """One SGD update a problem; what was seen on the way, by the names the file uses."""
    parameters = {name: value.clone().requires_grad_() for name, value in initial.items()}
    optimizer = torch.optim.SGD(parameters.values(), lr=LEARNING_RATE)
    seen = {}
    losses = []
    for problem, (x, d) in enumerate(zip(inputs, targets)):
        outputs = forward(parameters, activation, x)
        loss = ((outputs - d) ** 2).sum() / 2
        optimizer.zero_grad()
        loss.backward()
        if problem == 0:
            seen["outputs"] = outputs.detach()
            for name, parameter in parameters.items():
                seen[f"gradient.{name}"] = parameter.grad.clone()
        optimizer.step()
        losses.append(loss.detach())
    seen["losses"] = torch.stack(losses)
    for name, parameter in parameters.items():
        seen[f"final.{name}"] = parameter.detach()
    return seen


def make_fixture(activation, with_bias):
    generator = torch.Generator().manual_seed(SEED)
    inputs, targets = make_problems(generator)
    initial = make_parameters(generator, with_bias)
    seen = train(initial, ACTIVATIONS[activation], inputs, targets)
    exact = train(
        {name: value.double() for name, value in initial.items()},
        ACTIVATIONS[activation],
        inputs.double(),
        targets.double(),
    )
    for name, value in exact.items():
        difference = (seen[name] - value).abs().max().item()
        if difference > TOLERANCE:
            raise SystemExit(f"{activation}: {name} is {difference:.1e} from float64; change SEED")
    return {**initial, "inputs": inputs, "targets": targets, **seen}


def main():
    default = Path(__file__).resolve().parent.parent / "KasaneRecipesTests" / "Fixtures"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", nargs="?", type=Path, default=default)
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)

    torch.set_num_threads(1)
    for activation in ACTIVATIONS:
        for with_bias in (False, True):
            kind = "bias" if with_bias else "plain"
            path = directory / f"binary-addition-{activation}-{kind}.safetensors"
            tensors = make_fixture(activation, with_bias)
            save_file(tensors, path)
            first, last = tensors["losses"][0].item(), tensors["losses"][-1].item()
            print(f"{path.name}: loss {first:.4f} on problem 0, {last:.4f} on the last")


if __name__ == "__main__":
    main()

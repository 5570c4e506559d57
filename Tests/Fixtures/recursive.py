# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the recursive networks over trees, with PyTorch's autograd.

    python3 Tests/Fixtures/recursive.py [OUTPUT_DIRECTORY]

Needs torch and safetensors. Writes recursive-{rnn,mv-rnn,rntn,tree-lstm,child-sum}.safetensors, by default into
Tests/KasaneModelsTests/Fixtures. Each network goes through its trees node by node, as the papers' equations say.

Each file holds, in float32: words [leaves, inputs], tree by tree from left to right; parameter.NAME; the vectors of
all nodes, states [nodes, hidden], tree by tree and children first; weights of their sum, which is the loss; and
gradient.words, gradient.NAME.
"""
import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

INPUTS, HIDDEN = 5, 4

# The trees of the test, by brackets.
TREES = ["(a (b c))", "a", "((a b) (c d))", "((((a b) c) d) e)", "(a (b (c (d (e f)))))", "((a (b c)) (d e))", "(a b)"]


def parse(text):
    """The nodes of a tree, children first: None for a word, else the places of its two children."""
    nodes, stack = [], []
    for character in text:
        if character.isalpha():
            nodes.append(None)
            stack.append(len(nodes) - 1)
        elif character == ")":
            right, left = stack.pop(), stack.pop()
            nodes.append((left, right))
            stack.append(len(nodes) - 1)
    return nodes


def uniform(generator, *shape):
    return torch.rand(shape, generator=generator) - 0.5


def rnn(generator, inputs, hidden):
    parameters = {"weight": uniform(generator, 2 * hidden, hidden), "bias": uniform(generator, hidden)}

    def leaf(x):
        return (x,)

    def phrase(left, right):
        return (torch.tanh(torch.cat([left[0], right[0]]) @ parameters["weight"] + parameters["bias"]),)

    return hidden, parameters, leaf, phrase


def mv_rnn(generator, inputs, hidden, rank=2):
    parameters = {
        "weight": uniform(generator, 2 * hidden, hidden),
        "bias": uniform(generator, hidden),
        "matrixWeight": uniform(generator, 2 * hidden, hidden),
    }

    def leaf(x):
        vector, diagonal, columns, rows = x.split([hidden, hidden, hidden * rank, hidden * rank])
        return vector, columns.view(hidden, rank) @ rows.view(rank, hidden) + torch.diag(diagonal)

    def phrase(left, right):
        # The papers' W and W_M stand to the left of columns.
        (a, big_a), (b, big_b) = left, right
        vector = torch.tanh(parameters["weight"].T @ torch.cat([big_b @ a, big_a @ b]) + parameters["bias"])
        return vector, parameters["matrixWeight"].T @ torch.cat([big_a, big_b])

    return hidden * (2 + 2 * rank), parameters, leaf, phrase


def rntn(generator, inputs, hidden):
    parameters = {
        "tensor": uniform(generator, hidden, 2 * hidden, 2 * hidden),
        "weight": uniform(generator, 2 * hidden, hidden),
        "bias": uniform(generator, hidden),
    }

    def leaf(x):
        return (x,)

    def phrase(left, right):
        x = torch.cat([left[0], right[0]])
        meetings = torch.einsum("i,kij,j->k", x, parameters["tensor"], x)
        return (torch.tanh(meetings + x @ parameters["weight"] + parameters["bias"]),)

    return hidden, parameters, leaf, phrase


def tree_lstm(generator, inputs, hidden):
    parameters = {
        "inputWeight": uniform(generator, inputs, 3 * hidden),
        "childWeight": uniform(generator, 2 * hidden, 5 * hidden),
        "bias": uniform(generator, 5 * hidden),
    }

    def leaf(x):
        b_i, b_o, _, _, b_u = parameters["bias"].chunk(5)
        i, o, u = (x @ parameters["inputWeight"]).chunk(3)
        c = torch.sigmoid(i + b_i) * torch.tanh(u + b_u)
        return torch.sigmoid(o + b_o) * torch.tanh(c), c

    def phrase(left, right):
        gates = torch.cat([left[0], right[0]]) @ parameters["childWeight"] + parameters["bias"]
        i, o, f_left, f_right, u = gates.chunk(5)
        c = torch.sigmoid(i) * torch.tanh(u) + torch.sigmoid(f_left) * left[1] + torch.sigmoid(f_right) * right[1]
        return torch.sigmoid(o) * torch.tanh(c), c

    return inputs, parameters, leaf, phrase


def child_sum(generator, inputs, hidden):
    parameters = {
        "inputWeight": uniform(generator, inputs, 3 * hidden),
        "childWeight": uniform(generator, hidden, 3 * hidden),
        "forgetWeight": uniform(generator, hidden, hidden),
        "bias": uniform(generator, 3 * hidden),
        "forgetBias": uniform(generator, hidden),
    }

    def cell(gates, kept):
        i, o, u = gates.chunk(3)
        c = torch.sigmoid(i) * torch.tanh(u) + kept
        return torch.sigmoid(o) * torch.tanh(c), c

    def leaf(x):
        return cell(x @ parameters["inputWeight"] + parameters["bias"], 0)

    def phrase(*children):
        kept = sum(
            torch.sigmoid(h @ parameters["forgetWeight"] + parameters["forgetBias"]) * c for h, c in children
        )
        return cell(sum(h for h, _ in children) @ parameters["childWeight"] + parameters["bias"], kept)

    return inputs, parameters, leaf, phrase


NETWORKS = {"rnn": rnn, "mv-rnn": mv_rnn, "rntn": rntn, "tree-lstm": tree_lstm, "child-sum": child_sum}


def run(trees, words, leaf, phrase):
    """The vectors of all nodes, node by node."""
    rows, next_word = [], 0
    for tree in trees:
        states = []
        for node in tree:
            if node is None:
                states.append(leaf(words[next_word]))
                next_word += 1
            else:
                states.append(phrase(states[node[0]], states[node[1]]))
        rows += [state[0] for state in states]
    return torch.stack(rows)


def make_fixture(name):
    generator = torch.Generator().manual_seed(17)
    trees = [parse(text) for text in TREES]
    size, parameters, leaf, phrase = NETWORKS[name](generator, INPUTS, HIDDEN)
    leaves = sum(node is None for tree in trees for node in tree)
    words = uniform(generator, leaves, size)
    for value in [words, *parameters.values()]:
        value.requires_grad_()
    states = run(trees, words, leaf, phrase)
    weights = uniform(generator, *states.shape)
    (states * weights).sum().backward()
    result = {"words": words, "states": states, "weights": weights, "gradient.words": words.grad}
    for key, value in parameters.items():
        result[f"parameter.{key}"] = value
        result[f"gradient.{key}"] = value.grad
    return {key: value.detach().contiguous() for key, value in result.items()}


def main():
    default = Path(__file__).resolve().parent.parent / "KasaneModelsTests" / "Fixtures"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, default=default)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in NETWORKS:
        save_file(make_fixture(name), arguments.directory / f"recursive-{name}.safetensors")


if __name__ == "__main__":
    main()

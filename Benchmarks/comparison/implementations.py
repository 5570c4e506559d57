# SPDX-License-Identifier: Apache-2.0
"""Kasane and its peers, as commands that measure one workload and print a JSON object."""
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field

from .machine import REPOSITORY, note

PEERS = REPOSITORY / "Benchmarks" / "peers"
KASANE = "Kasane"
REFERENCE = "PyTorch"

RECURRENT = (
    "binary-addition",
    "next-word",
    "lstm-lm",
    "gru-lm",
    "bilstm",
    "seq2seq-attention",
)
INFERENCE = (
    "bert-base-infer",
    "minilm-infer-b8",
    "mobilenet-v1-infer",
    "densenet121-infer",
    "resnet50-infer",
)
# In the table's order.
WORKLOADS = (
    *RECURRENT,
    "hred",
    "beam-search",
    "word2vec",
    "word2vec-cbow",
    "transformer-mt",
    "bert-mini-mlm",
    "bert-base-infer",
    "minilm-infer-b8",
    "vae",
    "vae-epoch",
    "mobilenet-v1-infer",
    "mobilenet-v1-train",
    "densenet121-infer",
    "densenet121-train",
    "resnet50-infer",
    "resnet50-train",
    "wavenet-train",
    "dqn-update",
)
WORDS = ("word2vec", "word2vec-cbow")
TENSORS = tuple(name for name in WORKLOADS if name not in WORDS)


@dataclass
class Peer:
    """A library that does some of the workloads."""

    key: str
    title: str
    modules: tuple
    script: str
    options: tuple = ()
    workloads: tuple = TENSORS
    precisions: tuple = ("float32", "bfloat16")


ALL_PEERS = (
    Peer("torch", REFERENCE, ("torch",), "suite_torch.py"),
    Peer("compile", "torch.compile", ("torch",), "suite_torch.py", ("--compile",)),
    Peer("jax", "JAX", ("jax",), "suite_jax.py", (), RECURRENT, ("float32",)),
    Peer(
        "onnxruntime",
        "ONNX Runtime",
        ("onnxruntime", "onnx", "onnxscript", "torch"),
        "suite_onnxruntime.py",
        (),
        INFERENCE,
        ("float32",),
    ),
    Peer(
        "openvino",
        "OpenVINO",
        ("openvino", "onnx", "onnxscript", "torch"),
        "suite_openvino.py",
        (),
        INFERENCE,
    ),
    Peer("gensim", "gensim", ("gensim",), "suite_gensim.py", (), WORDS, ("float32",)),
)


@dataclass
class Implementation:
    """One way to do the workloads, and those that it can do."""

    title: str
    command: list
    workloads: set = field(default_factory=set)


def kasane(path, names):
    """The command, with those of the workloads that it has."""
    executable = shutil.which(path)
    if executable is None:
        note(f"skipping {KASANE}: no command at {path} (swift build -c release)")
        return None
    text = subprocess.run([executable, "bench", "--help"], capture_output=True, text=True).stdout
    known = {line.strip().split(":")[0] for line in text.splitlines() if ":" in line}
    missing = [name for name in names if name not in known]
    if missing:
        note(f"{KASANE} has no workload {', '.join(missing)}")
    return Implementation(KASANE, [executable, "bench"], set(names) - set(missing))


def peers(python, keys, names, precision):
    """The peers that are asked for and can be imported."""
    if shutil.which(python) is None:
        raise SystemExit(f"--python: no Python at {python}")
    found = []
    for peer in ALL_PEERS:
        if peer.key not in keys:
            continue
        workloads = set(names) & set(peer.workloads)
        if not workloads:
            continue
        if precision not in peer.precisions:
            note(f"skipping {peer.title}: it does not compute in {precision}")
            continue
        reason = _import_problem(python, peer.modules)
        if reason:
            note(f"skipping {peer.title}: {reason}")
            continue
        command = [python, str(PEERS / peer.script), *peer.options]
        found.append(Implementation(peer.title, command, workloads))
    return found


def _import_problem(python, modules):
    for module in modules:
        code = f"import importlib.util as u, sys; sys.exit(u.find_spec('{module}') is None)"
        if subprocess.run([python, "-c", code], capture_output=True).returncode != 0:
            return f"{module} is not installed (Benchmarks/requirements.txt)"
    return None


def run(implementation, name, options):
    """The JSON object of one measurement, or None where it failed, which is said."""
    command = [*implementation.command, name, "--json", *options]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    try:
        if finished.returncode != 0:
            raise ValueError(f"status {finished.returncode}: {finished.stderr.strip()[-2000:]}")
        result = json.loads(finished.stdout.strip().splitlines()[-1])
        if result["name"] != name:
            raise ValueError(f"a measurement of {result['name']}")
        return result
    except (IndexError, KeyError, TypeError, ValueError) as problem:
        note(f"{implementation.title} failed at {name}: {problem}\n  {' '.join(command)}")
        return None

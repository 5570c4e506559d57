# SPDX-License-Identifier: Apache-2.0
"""Times the suite's models at inference in ONNX Runtime, on its CPU provider.

    python3 Benchmarks/peers/suite_onnxruntime.py NAME... | all [--threads N] [--seconds S]
        [--batch N] [--length T] [--image SIDE] [--json]

All graph optimisations, results bound to memory of the runtime's. On x86 the provider computes
in float32 only.
"""
import suite

arguments = suite.parse_arguments(__doc__, precisions=("float32",))

import numpy  # noqa: E402  after the thread variables are set
import onnxruntime  # noqa: E402

import onnx_export  # noqa: E402

NAMES = (
    "bert-base-infer",
    "minilm-infer-b8",
    "mobilenet-v1-infer",
    "densenet121-infer",
    "resnet50-infer",
)


def prepared(name):
    def with_sizes(_):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = arguments.threads
        options.inter_op_num_threads = 1
        path = str(onnx_export.exported(name, arguments))
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0]
        generator = numpy.random.default_rng(arguments.seed)
        if entry.type == "tensor(int64)":
            x = generator.integers(30_522, size=entry.shape, dtype=numpy.int64)
        else:
            x = generator.standard_normal(entry.shape, dtype=numpy.float32)
        binding = session.io_binding()
        binding.bind_cpu_input(entry.name, x)
        for output in session.get_outputs():
            binding.bind_output(output.name)
        return lambda: session.run_with_iobinding(binding)

    return with_sizes


if __name__ == "__main__":
    workloads = {name: prepared(name) for name in NAMES}
    suite.run(workloads, "onnxruntime", onnxruntime.__version__, arguments)

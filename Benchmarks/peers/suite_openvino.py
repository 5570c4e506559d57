# SPDX-License-Identifier: Apache-2.0
"""Times the suite's models at inference in OpenVINO, on the CPU.

    python3 Benchmarks/peers/suite_openvino.py NAME... | all [--threads N] [--seconds S]
        [--precision float32|bfloat16] [--batch N] [--length T] [--image SIDE] [--json]

Compiled for latency, one request at a time. The precision is set explicitly: left alone OpenVINO
takes bfloat16 where the processor has it.
"""
import suite

arguments = suite.parse_arguments(__doc__)

import numpy  # noqa: E402  after the thread variables are set
import openvino  # noqa: E402

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
        core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": arguments.threads,
            "INFERENCE_PRECISION_HINT": "bf16" if arguments.precision == "bfloat16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
        }
        path = str(onnx_export.exported(name, arguments))
        compiled = core.compile_model(core.read_model(path), "CPU", settings)
        request = compiled.create_infer_request()
        entry = request.get_input_tensor()
        generator = numpy.random.default_rng(arguments.seed)
        if entry.element_type == openvino.Type.i64:
            entry.data[:] = generator.integers(30_522, size=entry.shape, dtype=numpy.int64)
        else:
            entry.data[:] = generator.standard_normal(entry.shape, dtype=numpy.float32)
        return request.infer

    return with_sizes


if __name__ == "__main__":
    version = openvino.__version__.partition("-")[0]
    suite.run({name: prepared(name) for name in NAMES}, "openvino", version, arguments)

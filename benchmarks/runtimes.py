#!/usr/bin/env python3
"""Runtimes for the backbone on a CPU, lines a second:  python benchmarks/runtimes.py [--model DIR] [--batch-size 64]

Runs the bundled model's backbone on random lines in ONNX Runtime, OpenVINO and TensorFlow (through Keras), whichever are
installed, in turns, five rounds; prints the median and the ratio to ONNX Runtime. The classifier, which docrec runs in NumPy on the
frames that are not blank, is left out.
"""

import argparse
import importlib.util
import os
import statistics
import time
from collections.abc import Callable

import numpy as np

from docrec.bundle import Bundle, load_bundle
from docrec.recognizer import load_keras_backbone, load_onnx_backbone

ROUNDS = 5


def openvino_backbone(bundle: Bundle) -> Callable[[np.ndarray], object]:
    """The same ONNX file in OpenVINO."""
    import openvino

    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(str(bundle.backbone), "CPU", hints)
    return lambda images: model([images])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--batch-size", type=int, default=64)
    arguments = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    makers: dict[str, Callable[[Bundle], Callable[[np.ndarray], object]]] = {
        "onnxruntime": load_onnx_backbone,
        "openvino": openvino_backbone,
        "tensorflow": load_keras_backbone,
    }
    bundle = load_bundle(arguments.model)
    images = np.random.default_rng(0).random((arguments.batch_size, 32, 280, 1)).astype(np.float32)
    runtimes = {name: make(bundle) for name, make in makers.items() if importlib.util.find_spec(name)}
    rates: dict[str, list[float]] = {name: [] for name in runtimes}
    for run in runtimes.values():
        run(images)
    for _ in range(ROUNDS):
        for name, run in runtimes.items():
            start = time.perf_counter()
            run(images)
            rates[name].append(arguments.batch_size / (time.perf_counter() - start))
    first = statistics.median(rates["onnxruntime"])
    for name, values in rates.items():
        print(f"{name:12} {statistics.median(values):6.0f} lines/s  {statistics.median(values) / first:5.2f}")


if __name__ == "__main__":
    main()

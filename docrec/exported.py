"""Reads with an exported model by its own runtime and NumPy alone, without the rest of docrec.

As a program, `exported.py MODEL IMAGES.npy READINGS.npz` does so in a process of its own; as a text, it shows how to use each form.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("lengths", "indices", "confidences", "starts", "ends")
Arrays = dict[str, np.ndarray]
Run = Callable[[np.ndarray], Arrays]
"""Images uint8 (N, 32, 280), 255 = paper, to arrays of NAMES, see export.OUTPUTS."""


def open_exported(path: str | Path) -> Run:
    """Open a SavedModel's version folder, a .tflite or an .onnx file."""
    opener = {".tflite": _open_litert, ".onnx": _open_onnx}.get(Path(path).suffix, _open_saved_model)
    return opener(str(path))


def _open_saved_model(path: str) -> Run:
    import tensorflow as tf

    model = tf.saved_model.load(path)

    def run(images: np.ndarray) -> Arrays:
        outputs = model.signatures["docrec"](images=tf.constant(images))
        return {name: outputs[name].numpy() for name in NAMES}

    return run


def _open_litert(path: str) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    signature = Interpreter(path).get_signature_runner()

    def run(images: np.ndarray) -> Arrays:
        outputs = [signature(images=image[None]) for image in images]
        return {name: np.concatenate([output[name] for output in outputs]) for name in NAMES}

    return run


def _open_onnx(path: str) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(images: np.ndarray) -> Arrays:
        (scores,) = session.run(["log_probabilities"], {"images": images})
        return best_path(scores)

    return run


def best_path(log_probabilities: np.ndarray) -> Arrays:
    """Decode along the best path: take the likeliest class of each frame, merge repeats, drop blanks.

    Args:
        log_probabilities: float32 (N, 70, classes + 1), the blank last.
    """
    path, certainty = log_probabilities.argmax(axis=2), np.exp(log_probabilities.max(axis=2))
    shown = path < log_probabilities.shape[2] - 1
    begins = shown & (path != np.pad(path, ((0, 0), (1, 0)), constant_values=-1)[:, :-1])
    place = np.where(shown, begins.cumsum(axis=1) - 1, -1)  # of the character that each frame shows
    frames = np.arange(path.shape[1])
    of_place = place[:, None, :] == frames[:, None]  # (N, place, frame)
    return {
        "lengths": begins.sum(axis=1),
        "indices": np.where(of_place, path[:, None], -1).max(axis=2),
        "confidences": 1 - np.where(of_place, 1 - certainty[:, None], 1).prod(axis=2),
        "starts": np.where(of_place & begins[:, None], frames, -1).max(axis=2),
        "ends": np.where(of_place, frames + 1, -1).max(axis=2),
    }


if __name__ == "__main__":
    model, given, readings = sys.argv[1:]
    read, images = open_exported(model), np.load(given)
    parts = [read(images[start : start + 64]) for start in range(0, len(images), 64)]
    arrays: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in NAMES}
    np.savez(readings, **arrays)

"""Chunks to Readings: a model, loaded once, run in batches on the CPU or a GPU."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from docrec.bundle import Bundle, keras_backbone, load_bundle
from docrec.charset import Charset
from docrec.chunk import Chunk
from docrec.ctc import Classifier, Reading, decode
from docrec.errors import BundleError, CharsetError, MissingDependencyError, OptionError
from docrec.options import CORES, DEVICES

Backbone = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Images float32 (N, 32, 280, 1) to features float32 (N, 70, F) and blank logits float32 (N, 70)."""

GPU_NODES = ("/dev/nvidiactl", "/dev/dxg")


class Recognizer:
    """A ChunkReader with one model; made by `load`.

    Attributes:
        bundle: the model, whose alphabet is `charset`.
        device: "cpu" or "gpu", where the network runs.
    """

    def __init__(self, bundle: Bundle, backbone: Backbone, classifier: Classifier, device: str) -> None:
        self.bundle = bundle
        self.charset = bundle.charset
        self._ngrams = bundle.ngrams()
        self.device = device
        self.limited = len(classifier.labels) < len(bundle.charset)
        self._backbone = backbone
        self._classifier = classifier

    def read(self, chunks: Iterable[Chunk], batch_size: int, ranks: int = 0) -> Iterator[Reading]:
        """See `ChunkReader.read`."""
        chunks = iter(chunks)
        while batch := list(itertools.islice(chunks, batch_size)):
            features, blank = self._backbone(np.stack([chunk.pixels for chunk in batch]))
            for reading in decode(features, blank, self._classifier, self.bundle.decoding, ranks):
                marks = self._ngrams.choose(reading, self.charset).marks
                yield Reading(tuple(replace(mark, ranking=mark.ranking[:ranks]) if mark.ranking else mark for mark in marks))


def load(model: str | Path | None = None, device: str = "auto", charset: Charset | None = None, threads: int = 0) -> Recognizer:
    """Load a model for reading.

    Args:
        model: its folder; None is the bundled model.
        device: "cpu", "gpu", or "auto": a GPU where there is one and TensorFlow to drive it.
        charset: the characters that may appear; None is all of the model's.
        threads: that the network runs on without a GPU; 0 is one for each core this process may use.

    Raises:
        BundleError: the model folder is absent, damaged or of another version.
        CharsetError: `charset` has characters that the model lacks.
        MissingDependencyError, OptionError: a GPU was asked for and there is no TensorFlow, or no GPU.
    """
    if device not in DEVICES:
        raise OptionError(f"the device must be one of {', '.join(DEVICES)}, got {device!r}")
    bundle = load_bundle(model)
    classifier = load_classifier(bundle, charset)
    if device == "gpu" or (device == "auto" and any(map(os.path.exists, GPU_NODES)) and find_spec("tensorflow")):
        backbone = _gpu_backbone(bundle, required=device == "gpu")
        if backbone:
            return Recognizer(bundle, backbone, classifier, "gpu")
    return Recognizer(bundle, load_onnx_backbone(bundle, threads), classifier, "cpu")


def load_classifier(bundle: Bundle, charset: Charset | None = None) -> Classifier:
    """The last layer, for all of the model's characters or those of `charset`; raises BundleError and CharsetError as `load` does."""
    weights = bundle.weights("classifier/")
    try:
        kernel, bias = weights["classifier/kernel"], weights["classifier/bias"]
    except KeyError as error:
        raise BundleError(f"the model folder {bundle.folder} is damaged: its weights lack {error}") from error
    if kernel.shape[1:] != bias.shape or len(bias) != len(bundle.charset):
        raise BundleError(f"the model folder {bundle.folder} is damaged: the classifier has the shape {kernel.shape}")
    labels = np.arange(len(bias))
    if charset is not None and set(charset.characters) != set(bundle.charset.characters):
        if lacking := bundle.charset.missing(charset.characters):
            shown = " ".join(lacking[:100]) + (" …" if len(lacking) > 100 else "")
            raise CharsetError(f"the dictionary may only hold characters that the model knows; it lacks these {len(lacking)}: {shown}")
        labels = np.array(sorted(bundle.charset.encode("".join(charset.characters))))
        kernel, bias = np.ascontiguousarray(kernel[:, labels]), bias[labels]
    return Classifier(kernel, bias, labels)


def load_onnx_backbone(bundle: Bundle, threads: int = 0) -> Backbone:
    """The backbone on ONNX Runtime, with so many threads, or one for each core this process may use."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or CORES
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # keeps the peak of memory to what a batch needs
    try:
        session = onnxruntime.InferenceSession(str(bundle.backbone), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's errors have no common class of their own
        raise BundleError(f"{bundle.backbone} is damaged: {error}") from error

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features, blank = session.run(["features", "blank"], {"image": images})
        return features, blank

    return run


def _gpu_backbone(bundle: Bundle, required: bool) -> Backbone | None:
    """The backbone on TensorFlow's GPU; None where there is none and it is not required."""
    try:
        import tensorflow
    except ImportError as error:
        raise MissingDependencyError("--device gpu needs TensorFlow; install docrec[gpu], or use --device cpu") from error
    if not tensorflow.config.list_physical_devices("GPU"):
        if required:
            raise OptionError("--device gpu needs a GPU, and TensorFlow finds none; install docrec[gpu], or use --device cpu")
        return None
    return load_keras_backbone(bundle)


def load_keras_backbone(bundle: Bundle) -> Backbone:
    """The backbone as the Keras model it was trained as, on whatever device Keras prefers."""
    model = keras_backbone(bundle)

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs = model.predict_on_batch(images)
        return outputs["features"], outputs["blank"][..., 0]

    return run

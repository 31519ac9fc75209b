"""A model folder to what other runtimes serve: a SavedModel, LiteRT or ONNX, each read back before it appears."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from docrec import __version__, exported
from docrec.bundle import CHAR_DICT, ORD_MAP, Bundle, keras_backbone
from docrec.charset import save_charset
from docrec.chunk import FRAMES, HEIGHT, INK_HEIGHT, WIDTH, Chunk, line_to_chunks, picture_to_line, readings_to_line
from docrec.clean import clean
from docrec.ctc import Mark, Reading, decode
from docrec.document import Line
from docrec.errors import ExportError, FileAccessError, InputFileError, MissingDependencyError, OptionError, SampleError
from docrec.layout import find_lines
from docrec.onnx_graph import reader_to_onnx
from docrec.options import ExportOptions, ReadOptions
from docrec.polarity import line_to_dark_on_light
from docrec.recognizer import load_classifier, load_onnx_backbone
from docrec.source import open_source
from docrec.training.lines import Dataset
from docrec.writers.replace import writing_to

NEEDS = {"saved-model": ("tensorflow",), "litert": ("tensorflow", "ai_edge_litert"), "onnx": ("onnx",)}
SIGNATURE, LITERT, ONNX = "signature.json", "model.tflite", "model.onnx"
INPUT = f"images: uint8 (N, {HEIGHT}, {WIDTH}), 255 = paper; Hanzi in their full height take {INK_HEIGHT} rows; padded at the right"
OUTPUTS = {
    "lengths": "int32 (N,): how many characters each picture shows, as read along the best path",
    "indices": f"int32 (N, {FRAMES}): their classes from left to right (see {ORD_MAP}), then -1",
    "confidences": f"float32 (N, {FRAMES}): how sure each is, 0 to 1, then 0",
    "starts": f"int32 (N, {FRAMES}): the frame each begins with, then -1; a frame is {WIDTH // FRAMES} columns",
    "ends": f"int32 (N, {FRAMES}): the frame after its last, then -1",
}
TEXT = "string (N,): the characters, in UTF-8"
SCORES = f"log_probabilities: float32 (N, {FRAMES}, classes + 1), natural logarithms, the blank last"
CRNN = (
    f"as CRNN_Tensorflow's: input_tensor float32 (N, {HEIGHT}, width, 3), BGR / 127.5 - 1, width at most {WIDTH}, padded with paper;"
    " decodes_indices int64 (n, 2), decodes_values int64 (n,), decodes_dense_shape int64 (2,), the parts of a sparse tensor of classes"
)
TOLERANCE = {"float32": (0.01, 0.02), "float16": (0.01, 0.02), "int8": (0.05, 0.2)}
"""By weights: the share of pictures that may read differently, and by how much the confidences of the others may differ."""
BGR_TO_GRAY = (0.114, 0.587, 0.299)
BATCH = 64
CHECK_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two readers of the same pictures agree: pictures, those read alike, and the largest difference of confidence in these."""

    pictures: int
    alike: int
    difference: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Wrong characters (edits) of the original and the exported model, and the characters and lines they were counted over.

    `skipped` are the lines that could not be used.
    """

    lines: int
    skipped: int
    characters: int
    original: int
    exported: int


def export(bundle: Bundle, out: str | Path, options: ExportOptions, images: np.ndarray | None = None) -> tuple[Path, Agreement | None]:
    """Write a model in another form; nothing is left behind if it fails.

    Args:
        bundle: the model.
        out: a folder, not there yet; of a SavedModel the folder of its versions.
        options: see ExportOptions.
        images: pieces of lines, uint8 (N, 32, 280), 255 = paper (see `document_to_images`), which the export, in a process of its
            own, must read as the original does; None leaves this out.

    Returns:
        The SavedModel's version folder, the .tflite or the .onnx file; and how it agrees with the original, if looked at.

    Raises:
        ExportError: the export reads otherwise than the original, or not at all.
        OptionError: the folder or the version is there already.
        BundleError, FileAccessError, MissingDependencyError: as they say.
    """
    if missing := [package for package in NEEDS[options.to] if not find_spec(package)]:
        lacking = " and ".join(missing)
        raise MissingDependencyError(f"an export to {options.to} needs {lacking}, which is not installed; install docrec[train,litert]")
    out = Path(out)
    with _appearing(out, options) as folder:
        if options.to == "saved-model":
            _save_saved_model(bundle, folder, options.signature)
            name = ""
        elif options.to == "litert":
            name = LITERT
            (folder / name).write_bytes(_to_litert(bundle, options.quantize))
        else:
            name = ONNX
            classifier = load_classifier(bundle)
            (folder / name).write_bytes(reader_to_onnx(bundle.backbone.read_bytes(), classifier.kernel, classifier.bias))
        agreement = None
        if images is not None:
            agreement = agree(read_original(bundle, images), read_in_own_process(folder / name, images))
            _insist(agreement, options.quantize)
        _describe(bundle, folder / "assets.extra" if options.to == "saved-model" else folder, options, agreement)
        place = folder.name
    return (out / place if options.to == "saved-model" else out) / name, agreement


def document_to_images(document: str | os.PathLike[str] | BinaryIO) -> np.ndarray:
    """The lines of a PDF or an image as the network is given them: uint8 (N, 32, 280), 255 = paper.

    Raises:
        InputFileError: it cannot be read, or there is no line on it.
    """
    with open_source(document, ReadOptions()) as source:
        pages = map(clean, source)
        chunks = [chunk for page in pages for box in find_lines(page) for chunk in line_to_chunks(page.gray, Line(box), 0)]
    if not chunks:
        raise InputFileError(f"an export is compared on lines of text, and {document} has none; name another document, or --no-check")
    return _to_images(chunks)


def read_original(bundle: Bundle, images: np.ndarray) -> list[Reading]:
    """Read images, uint8 (N, 32, 280), along the best path with the model folder itself, by ONNX Runtime."""
    backbone, classifier = load_onnx_backbone(bundle), load_classifier(bundle)
    ink = 1 - images[..., None].astype(np.float32) / 255
    return [reading for start in range(0, len(ink), BATCH) for reading in decode(*backbone(ink[start : start + BATCH]), classifier)]


def read_in_own_process(path: str | Path, images: np.ndarray) -> list[Reading]:
    """Read images, uint8 (N, 32, 280), with an exported model in a new process, which has NumPy and the model's runtime only.

    Raises:
        ExportError: the process fails, or takes more than ten minutes.
    """
    program = Path(exported.__file__).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        given, got = Path(folder) / "images.npy", Path(folder) / "readings.npz"
        np.save(given, images)
        command = [sys.executable, "-c", program, os.path.abspath(path), str(given), str(got)]
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
        try:
            subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, encoding="utf-8", timeout=CHECK_SECONDS)
        except subprocess.CalledProcessError as error:
            (*_, reason) = error.stderr.strip().splitlines() or [f"exit status {error.returncode}"]
            raise ExportError(f"the exported model must be readable by its runtime, and is not: {reason}") from error
        except subprocess.TimeoutExpired as error:
            raise ExportError(f"the exported model must read {len(images)} pictures in {CHECK_SECONDS} s, and did not") from error
        with np.load(got) as arrays:
            return arrays_to_readings(dict(arrays))


def arrays_to_readings(arrays: exported.Arrays) -> list[Reading]:
    """What an exported model puts out (see OUTPUTS) as Readings."""
    columns = (arrays[name] for name in ("lengths", "indices", "starts", "ends", "confidences"))
    return [
        Reading(tuple(map(Mark, labels[:length].tolist(), starts.tolist(), ends.tolist(), confidences.tolist())))
        for length, labels, starts, ends, confidences in zip(*columns, strict=True)
    ]


def agree(original: Sequence[Reading], other: Sequence[Reading]) -> Agreement:
    """Compare the readings of the same pictures."""
    alike = [(a, b) for a, b in zip(original, other, strict=True) if [m.label for m in a.marks] == [m.label for m in b.marks]]
    differences = [abs(m.confidence - n.confidence) for a, b in alike for m, n in zip(a.marks, b.marks, strict=True)]
    return Agreement(len(original), len(alike), max(differences, default=0.0))


def measure(bundle: Bundle, path: str | Path, dataset: Dataset) -> Accuracy:
    """Count on labelled lines what an export costs in accuracy.

    Args:
        bundle: the original.
        path: the exported model.
        dataset: labelled pictures, each taken whole as a line: its height becomes the network's.

    Raises:
        InputFileError: no line can be used.
        MissingDependencyError: the package rapidfuzz is not installed.
    """
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as error:
        raise MissingDependencyError("counting wrong characters needs the package rapidfuzz; install docrec[train]") from error
    texts: list[str] = []
    lines: list[Line] = []
    chunks: list[Chunk] = []
    for index in range(len(dataset)):
        with suppress(SampleError):
            picture = dataset[index]
            gray = line_to_dark_on_light(picture.gray)
            lines.append(picture_to_line(gray))
            chunks += line_to_chunks(gray, lines[-1], len(texts))
            texts.append("".join(picture.text.split()))
    if not texts:
        raise InputFileError(f"accuracy is measured on labelled lines, and none of the {len(dataset)} can be used")
    images = _to_images(chunks)
    edits = []
    for readings in (read_original(bundle, images), read_in_own_process(path, images)):
        edits.append(0)
        for number, pairs in groupby(zip(chunks, readings, strict=True), key=lambda pair: pair[0].line):
            pieces, read = zip(*pairs, strict=True)
            line = readings_to_line(pieces, read, lines[number], bundle.charset)
            edits[-1] += Levenshtein.distance("".join(line.text.split()), texts[number])
    return Accuracy(len(texts), len(dataset) - len(texts), sum(map(len, texts)), *edits)


def best_path(features: Any, blank: Any, kernel: np.ndarray, bias: np.ndarray) -> dict[str, Any]:
    """What `ctc.decode` does, as TensorFlow operations that LiteRT has too.

    Args:
        features: float32 (N, 70, F).
        blank: float32 (N, 70), logits.
        kernel: float32 (F, K).
        bias: float32 (K,).

    Returns:
        Tensors by the names in OUTPUTS.
    """
    import tensorflow as tf

    shape = tf.shape(blank, tf.int64)
    not_blank = tf.sigmoid(-blank)
    places = tf.where(not_blank > 0.5)  # the classifier is most of the work: only for frames that can show a character
    scores = tf.gather_nd(features, places) @ kernel + bias
    likeliest = 1 / tf.reduce_sum(tf.exp(scores - tf.reduce_max(scores, axis=1, keepdims=True)), axis=1)
    certainty = not_blank * tf.scatter_nd(places, likeliest, shape)
    path = tf.where(certainty > 1 - not_blank, tf.scatter_nd(places, tf.argmax(scores, axis=1, output_type=tf.int32), shape), -1)
    begins = (path >= 0) & (path != tf.concat([tf.fill(tf.shape(path[:, :1]), -1), path[:, :-1]], axis=1))
    place = tf.where(path >= 0, tf.cumsum(tf.cast(begins, tf.int32), axis=1) - 1, -1)  # of the character that each frame shows
    frames = tf.range(FRAMES)
    of_place = place[:, None, :] == frames[:, None]  # (N, place, frame)
    return {
        "lengths": tf.reduce_sum(tf.cast(begins, tf.int32), axis=1),
        "indices": tf.reduce_max(tf.where(of_place, path[:, None], -1), axis=2),
        "confidences": 1 - tf.reduce_prod(tf.where(of_place, 1 - certainty[:, None], 1.0), axis=2),
        "starts": tf.reduce_max(tf.where(of_place & begins[:, None], frames, -1), axis=2),
        "ends": tf.reduce_max(tf.where(of_place, frames + 1, -1), axis=2),
    }


def prefix_search(features: Any, blank: Any, kernel: np.ndarray, bias: np.ndarray) -> Any:
    """What `ctc.decode` does with "prefix-1", by TensorFlow's own operation: the classes of each picture as a sparse tensor."""
    import tensorflow as tf

    characters = tf.nn.log_softmax(tf.tensordot(features, kernel, 1) + bias) + tf.math.log_sigmoid(-blank)[..., None]
    scores = tf.transpose(tf.concat([characters, tf.math.log_sigmoid(blank)[..., None]], axis=2), [1, 0, 2])
    (decoded,), _ = tf.nn.ctc_beam_search_decoder(scores, tf.fill([tf.shape(blank)[0]], FRAMES), beam_width=1)
    return decoded


def _network(bundle: Bundle, pictures: int | None) -> Callable[[Any], tuple[Any, Any]]:
    """Ink float32 (pictures, 32, 280) to features and blank logits, as a TensorFlow function that holds the weights as constants."""
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise OptionError(f"this export needs Keras on TensorFlow, and it runs on {keras.backend.backend()}; set KERAS_BACKEND=tensorflow")
    backbone = keras_backbone(bundle)
    # LiteRT's converter fails on the variables of an LSTM, so weights go in as constants.
    trained, moving = ([v.numpy() for v in group] for group in (backbone.trainable_variables, backbone.non_trainable_variables))

    @tf.function(input_signature=[tf.TensorSpec((pictures, HEIGHT, WIDTH), tf.float32, "ink")], autograph=False)
    def run(ink: Any) -> tuple[Any, Any]:
        weights = (list(map(tf.constant, group)) for group in (trained, moving))
        outputs, _ = backbone.stateless_call(*weights, ink[..., None], training=False)
        return outputs["features"], outputs["blank"][..., 0]

    return run


def _save_saved_model(bundle: Bundle, folder: Path, signature: str) -> None:
    network, classifier = _network(bundle, None), load_classifier(bundle)
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, HEIGHT, WIDTH), tf.float32, "ink")], autograph=False)
    def read(ink: Any) -> dict[str, Any]:  # a function of its own, so that all signatures share the weights
        return best_path(*network(ink), classifier.kernel, classifier.bias)

    @tf.function(input_signature=[tf.TensorSpec((None, HEIGHT, WIDTH), tf.float32, "images")], autograph=False)
    def docrec_float(images: Any) -> dict[str, Any]:
        outputs = read(images)
        shown = tf.gather([*bundle.charset.characters, ""], tf.where(outputs["indices"] < 0, len(bundle.charset), outputs["indices"]))
        return {**outputs, "text": tf.strings.reduce_join(shown, axis=1)}

    @tf.function(input_signature=[tf.TensorSpec((None, HEIGHT, WIDTH), tf.uint8, "images")], autograph=False)
    def docrec(images: Any) -> dict[str, Any]:
        outputs: dict[str, Any] = docrec_float(1 - tf.cast(images, tf.float32) / 255)
        return outputs

    @tf.function(input_signature=[tf.TensorSpec((None, HEIGHT, None, 3), tf.float32, "input_tensor")], autograph=False)
    def crnn_tensorflow(input_tensor: Any) -> dict[str, Any]:
        width = tf.shape(input_tensor)[2]
        fits = tf.debugging.Assert(width <= WIDTH, [f"input_tensor may be at most {WIDTH} columns wide, got", width])
        with tf.control_dependencies([fits]):
            ink = 0.5 - tf.tensordot(input_tensor, tf.constant(BGR_TO_GRAY), 1) / 2
        padded = tf.pad(ink, [[0, 0], [0, 0], [0, tf.maximum(WIDTH - width, 0)]])
        ink = tf.ensure_shape(padded, (None, HEIGHT, WIDTH))
        if bundle.decoding == "prefix-1":
            decoded = prefix_search(*network(ink), classifier.kernel, classifier.bias)
            shape = decoded.dense_shape
            return {"decodes_indices": decoded.indices, "decodes_values": decoded.values, "decodes_dense_shape": shape}
        outputs = read(ink)
        shown = outputs["indices"] >= 0
        return {
            "decodes_indices": tf.where(shown),
            "decodes_values": tf.cast(outputs["indices"][shown], tf.int64),
            "decodes_dense_shape": tf.cast([tf.shape(shown)[0], tf.reduce_max(outputs["lengths"])], tf.int64),
        }

    module = tf.Module()
    module.signatures_of = functions = {"docrec": docrec, "docrec_float": docrec_float, "crnn_tensorflow": crnn_tensorflow}
    _save(module, folder, {"serving_default": functions[signature], **functions})


def _to_litert(bundle: Bundle, quantize: str) -> bytes:
    """LiteRT takes pictures one by one: it cannot hold an LSTM for any number of them."""
    network, classifier = _network(bundle, 1), load_classifier(bundle)
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, HEIGHT, WIDTH), tf.uint8, "images")], autograph=False)
    def docrec(images: Any) -> dict[str, Any]:
        return best_path(*network(1 - tf.cast(images, tf.float32) / 255), classifier.kernel, classifier.bias)

    module = tf.Module()
    module.docrec = docrec
    with tempfile.TemporaryDirectory() as folder:
        _save(module, folder, {"serving_default": docrec})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if quantize != "float32":
            # No representative data: with the scale of activations fixed by sample lines, 3 of those 125 lines still read the same.
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def _save(module: Any, folder: str | Path, signatures: dict[str, Any]) -> None:
    import tensorflow as tf

    try:
        tf.saved_model.save(module, str(folder), signatures)
    except tf.errors.OpError as error:
        raise FileAccessError(f"the SavedModel {folder} cannot be written: {error.message}") from error


def _describe(bundle: Bundle, folder: Path, options: ExportOptions, agreement: Agreement | None) -> None:
    """Put the dictionaries and SIGNATURE, which says what goes in and comes out, beside the model."""
    folder.mkdir(exist_ok=True)
    save_charset(bundle.charset, folder / CHAR_DICT, folder / ORD_MAP)
    content: dict[str, Any] = {"form": options.to, "input": INPUT, "outputs": OUTPUTS}
    if options.to == "onnx":
        content["outputs"] = SCORES
    elif options.to == "litert":
        content |= {"N": 1, "weights": options.quantize}
    else:
        content["outputs"] = {"text": TEXT, **OUTPUTS}
        content["signatures"] = {
            "serving_default": f"the same as {options.signature}",
            "docrec": "what stands above",
            "docrec_float": f"the same, with images: float32 (N, {HEIGHT}, {WIDTH}), 0 = paper, 1 = ink",
            "crnn_tensorflow": CRNN,
        }
    content |= {"classes": len(bundle.charset), "agreement": agreement and asdict(agreement), "model": bundle.folder.name}
    content["docrec"] = __version__
    (folder / SIGNATURE).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _insist(agreement: Agreement, weights: str) -> None:
    share, difference = TOLERANCE[weights]
    if agreement.pictures - agreement.alike > share * agreement.pictures or agreement.difference > difference:
        raise ExportError(
            f"the exported model must read at least {1 - share:.0%} of the lines as the original does, with confidences that differ by at "
            f"most {difference}; it reads {agreement.alike} of {agreement.pictures} so, and confidences differ by up to "
            f"{agreement.difference:.3f}; --no-check exports it nevertheless"
        )


@contextmanager
def _appearing(out: Path, options: ExportOptions) -> Iterator[Path]:
    """A new folder, which takes its place if the `with` block ends without an exception, and is removed if not."""
    with writing_to(str(out)):
        parent, name, made = out.parent, out.name, False
        if options.to == "saved-model":
            made = not out.exists()
            out.mkdir(parents=True, exist_ok=True)
            versions = [int(path.name) for path in out.iterdir() if path.name.isdecimal()]
            parent, name = out, str(options.version or max(versions, default=0) + 1)
        parent.mkdir(parents=True, exist_ok=True)
        if (parent / name).exists():
            raise OptionError(f"an export goes to a new place, and {parent / name} is there already; name another, or remove it")
        try:
            with tempfile.TemporaryDirectory(prefix=".docrec-", dir=parent) as temporary:
                folder = Path(temporary) / name
                folder.mkdir()
                yield folder
                folder.rename(parent / name)
        except BaseException:
            if made:
                out.rmdir()
            raise


def _to_images(chunks: Sequence[Chunk]) -> np.ndarray:
    return np.rint((1 - np.stack([chunk.pixels[..., 0] for chunk in chunks])) * 255).astype(np.uint8)

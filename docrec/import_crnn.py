"""A checkpoint of CRNN_Tensorflow to a model folder that reads the same."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from docrec.bundle import Bundle, save_bundle
from docrec.charset import Charset
from docrec.chunk import HEIGHT, WIDTH
from docrec.errors import CheckpointError
from docrec.recognizer import load_keras_backbone, load_onnx_backbone
from docrec.writers.replace import writing_to

SCOPE = "shadow_net/"
CNN = f"{SCOPE}feature_extraction_module"
RNN = f"{SCOPE}sequence_rnn_module"
PROJECTION = f"{RNN}/w"
FILE_ENDINGS = r"\.(index|meta|data-\d+-of-\d+)$"
TOLERANCE = 1e-2

CARD = """\
# {name}

Imported by docrec from a checkpoint of CRNN_Tensorflow, `{checkpoint}`: {variables} variables, {classes:,} characters and the blank.

The network, its input (BGR, value / 127.5 - 1) and its decoding (prefix search of width 1) are those of CRNN_Tensorflow and named in
`config.json`; the weights are kept as float32, as they were. The pictures are docrec's: lines scaled to their height and filled up with
paper to 280 columns, not stretched to them. A model trained on another width, as the English ones on 100, is given these pictures too.

How well it reads has not been measured.
"""


def import_crnn(checkpoint: str | Path, charset: Charset, folder: str | Path) -> tuple[Bundle, float]:
    """Turn a checkpoint into a model folder, and read the folder back.

    Args:
        checkpoint: its path without the ending, one of its files, or the folder whose latest checkpoint it is.
        charset: the alphabet it was trained with.
        folder: see `bundle.save_bundle`.

    Returns:
        The model, and the greatest difference on random pictures between its outputs on ONNX Runtime and in Keras.

    Raises:
        CheckpointError: the checkpoint is absent, damaged, or of another network or alphabet.
        FileAccessError: the folder cannot be written.
        MissingDependencyError: the package onnx is not installed.
    """
    from docrec.crnn_tensorflow import CrnnTensorflowConfig
    from docrec.network import build_backbone

    path = _checkpoint_path(Path(checkpoint))
    config = CrnnTensorflowConfig(len(charset))
    backbone = build_backbone(config)
    variables = _load(backbone, _read(path))
    with writing_to(str(folder)):
        # rounded to float16, the weights would now and then read another character
        bundle = save_bundle(folder, charset, config, backbone, backbone.get_layer("classifier"), dtype="float32")
        card = CARD.format(name=bundle.folder.resolve().name, checkpoint=path.name, variables=variables, classes=config.classes)
        (bundle.folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    return bundle, _difference(bundle, path)


def _checkpoint_path(path: Path) -> Path:
    """The path of a checkpoint without an ending, as TensorFlow names it."""
    import tensorflow as tf

    if path.is_dir():
        latest = tf.train.latest_checkpoint(str(path))
        if latest is None:
            raise CheckpointError(f"a folder must say in its file `checkpoint` which is the latest, {path} does not; name an .index file")
        return Path(latest)
    return path.with_name(re.sub(FILE_ENDINGS, "", path.name))


def _read(path: Path) -> dict[str, np.ndarray]:
    """The variables under SCOPE of a checkpoint, by name."""
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(path))
        variables = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if name.startswith(SCOPE)}
    except Exception as error:  # the reader's errors have no common class of their own
        raise CheckpointError(f"the checkpoint {path} cannot be read, it is damaged or none: {error}") from error
    if diverged := [name for name, value in variables.items() if not np.isfinite(value).all()]:
        raise CheckpointError(f"the variables of a checkpoint must be numbers, and some in {path} are not: {_some(diverged)}; take another")
    return variables


def _load(backbone: Any, variables: dict[str, np.ndarray]) -> int:
    """Assign a checkpoint's variables to the network's, and return how many they are."""
    plain: dict[str, Any] = {}  # the Keras variable of the same content
    for number in range(1, 8):
        conv, norm = backbone.get_layer(f"conv{number}"), backbone.get_layer(f"conv{number}_bn")
        conv_name, norm_name = (f"conv{number}/conv", f"conv{number}/bn") if conv.use_bias else (f"conv{number}", f"bn{number}")
        plain |= {f"{CNN}/{conv_name}/{letter}": variable for letter, variable in zip("Wb", conv.weights, strict=False)}
        plain |= {f"{CNN}/{norm_name}/{variable.name}": variable for variable in norm.weights}
    cells: dict[str, Any] = {}
    for number in (0, 1):
        layer, place = backbone.get_layer(f"bilstm{number}"), f"{RNN}/stack_bidirectional_rnn/cell_{number}/bidirectional_rnn"
        cells |= {f"{place}/fw/lstm_cell": layer.forward_layer.cell, f"{place}/bw/lstm_cell": layer.backward_layer.cell}
    classifier = backbone.get_layer("classifier")
    features, classes = classifier.kernel.shape
    expected = {name: tuple(variable.shape) for name, variable in plain.items()}
    expected |= {f"{name}/bias": tuple(cell.bias.shape) for name, cell in cells.items()}
    expected |= {f"{name}/kernel": (cell.kernel.shape[0] + cell.units, 4 * cell.units) for name, cell in cells.items()}
    expected[PROJECTION] = (features, classes + 1)
    _check(expected, {name: value.shape for name, value in variables.items()})

    for name, variable in plain.items():
        variable.assign(variables[name])
    for name, cell in cells.items():
        i, j, f, o = np.split(np.vstack([variables[f"{name}/kernel"], variables[f"{name}/bias"]]), 4, axis=1)
        f[-1] += 1  # the forget bias, which CRNN_Tensorflow adds at run time
        kernel, bias = np.split(np.hstack([i, f, j, o]), [-1])
        cell.bias.assign(bias[0])
        cell.kernel.assign(kernel[: -cell.units])
        cell.recurrent_kernel.assign(kernel[-cell.units :])
    classifier.kernel.assign(variables[PROJECTION][:, :-1])
    backbone.get_layer("blank_score").kernel.assign(variables[PROJECTION][:, -1:])
    return len(expected)


def _check(expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]) -> None:
    """Refuse a checkpoint whose variables are not those expected; what it holds besides, as an optimiser's, does not matter."""
    if missing := [f"{name} {shape}" for name, shape in expected.items() if name not in found]:
        has = _some(f"{name} {shape}" for name, shape in sorted(found.items()))
        raise CheckpointError(f"the checkpoint must be of CRNN_Tensorflow's network; it lacks {_some(missing)}; it has {has}")
    if odd := [f"{name} {shape}, found {found[name]}" for name, shape in expected.items() if name != PROJECTION and found[name] != shape]:
        raise CheckpointError(f"the checkpoint must be of CRNN_Tensorflow's network with all its sizes; expected {_some(odd)}")
    if found[PROJECTION] != expected[PROJECTION]:
        raise CheckpointError(
            f"the dictionary must be the one that the checkpoint was trained with; the last layer of the checkpoint is {found[PROJECTION]},"
            f" and with this dictionary's characters and the blank it is {expected[PROJECTION]}"
        )


def _some(items: Iterable[str]) -> str:
    """At most five of the items, and how many more there are."""
    listed = list(items)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "") if listed else "nothing"


def _difference(bundle: Bundle, checkpoint: Path) -> float:
    """By how much the model's outputs on the two runtimes differ at most, on random pictures."""
    images = np.random.default_rng(0).random((2, HEIGHT, WIDTH, 1), dtype=np.float32)
    pairs = zip(load_onnx_backbone(bundle)(images), load_keras_backbone(bundle)(images), strict=True)
    difference = max(float(np.abs(one - other).max()) for one, other in pairs)
    if not difference <= TOLERANCE:
        raise CheckpointError(f"{checkpoint} must give the same outputs on ONNX Runtime and in Keras, and they differ by {difference}")
    return difference

"""A model folder: all that reading needs, found, checked, loaded and saved.

config.json                         format version, sizes of the network, how its output is decoded
char_dict_cn.json, ord_map_cn.json  the alphabet, in class order
weights.npz                         every weight, float16 (float32 if imported), by the name of its Keras variable
backbone.onnx                       the backbone for the CPU runtime, made from the same weights
ngrams.npz                          which characters follow each other in the text it was trained on, if it was on text
"""

import json
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from docrec.charset import Charset, load_charset, save_charset
from docrec.chunk import FRAMES, HEIGHT, INK_HEIGHT, WIDTH
from docrec.ctc import DECODINGS
from docrec.errors import BundleError, DocrecError
from docrec.ngrams import NONE, Ngrams, load_ngrams
from docrec.resources import models_folder

FORMAT = 1
DEFAULT_MODEL = "crnn-zh"
INPUT = {"height": HEIGHT, "width": WIDTH, "frames": FRAMES, "ink_height": INK_HEIGHT}
CONFIG, WEIGHTS, BACKBONE, NGRAMS = "config.json", "weights.npz", "backbone.onnx", "ngrams.npz"
CHAR_DICT, ORD_MAP = "char_dict_cn.json", "ord_map_cn.json"


@dataclass(frozen=True)
class Bundle:
    """An opened model folder: where it is, its alphabet, and the configuration of its network (see network.to_config)."""

    folder: Path
    charset: Charset
    network: dict[str, Any]

    @property
    def backbone(self) -> Path:
        """The backbone as an ONNX file."""
        return self.folder / BACKBONE

    @property
    def decoding(self) -> str:
        """How the network's output is decoded, one of ctc.DECODINGS."""
        return str(self.network.get("decoding", "best-path"))

    def weights(self, prefix: str = "") -> dict[str, np.ndarray]:
        """Weights whose names begin with `prefix`, float32, by name.

        Raises:
            BundleError: the file is damaged.
        """
        try:
            with open(self.folder / WEIGHTS, "rb") as file, np.load(file) as stored:
                return {name: stored[name].astype(np.float32) for name in stored.files if name.startswith(prefix)}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise BundleError(f"{self.folder / WEIGHTS} is damaged ({error}); install or copy the model anew") from error

    def ngrams(self) -> Ngrams:
        """Which characters follow each other in running text.

        Raises:
            BundleError: the file is damaged.
        """
        path = self.folder / NGRAMS
        if not path.exists():
            return NONE
        try:
            with open(path, "rb") as file:
                return load_ngrams(file)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise BundleError(f"{path} is damaged ({error}); install or copy the model anew") from error


def load_bundle(folder: str | Path | None = None) -> Bundle:
    """Open a model folder, or the bundled model of this name; None opens the usual one.

    Raises:
        BundleError: it is absent, incomplete, damaged or of another format version.
    """
    if folder is None or not Path(folder).exists() and Path(folder).name == str(folder) and (models_folder() / folder).is_dir():
        folder = models_folder() / (folder or DEFAULT_MODEL)
    folder = Path(folder)
    if not folder.is_dir():
        raise BundleError(f"the model must be a folder, and {folder} is {'a file' if folder.exists() else 'not there'}")
    if missing := [name for name in (CONFIG, CHAR_DICT, ORD_MAP, WEIGHTS, BACKBONE) if not (folder / name).is_file()]:
        raise BundleError(f"the model folder {folder} is incomplete: it lacks {', '.join(missing)}")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        version, network, geometry = config["format"], dict(config["network"]), config["input"]
        classes = network["classes"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{folder / CONFIG} is no model configuration: {type(error).__name__} {error}") from error
    if version != FORMAT:
        raise BundleError(f"this docrec reads model format {FORMAT}, and {folder} is of format {version}; use the docrec it was made with")
    if geometry != INPUT:
        raise BundleError(f"the network's input must be {INPUT}, and that of {folder} is {geometry}")
    try:
        charset = load_charset(folder / CHAR_DICT, folder / ORD_MAP)
    except DocrecError as error:
        raise BundleError(f"the model folder {folder} is damaged: {error}") from error
    if classes != len(charset):
        raise BundleError(f"the model folder {folder} is damaged: the network has {classes} classes, the dictionary {len(charset)}")
    bundle = Bundle(folder, charset, network)
    if bundle.decoding not in DECODINGS:
        raise BundleError(f"this docrec decodes by {' or '.join(DECODINGS)}, and {folder} asks for {bundle.decoding}; use a newer docrec")
    return bundle


def keras_backbone(bundle: Bundle) -> Any:
    """The backbone as the Keras model of `network.build_backbone`, with the bundle's weights.

    Raises:
        BundleError: the weights are damaged, or are not those of the network that the bundle names.
    """
    from docrec.network import build_backbone, to_config

    weights = bundle.weights()
    try:
        model = build_backbone(to_config(bundle.network))
        for variable in model.weights:
            variable.assign(weights[variable.path])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"the weights in {bundle.folder} do not fit its network: {error}") from error
    return model


def save_bundle(
    folder: str | Path,
    charset: Charset,
    config: Any,
    backbone: Any,
    classifier: Any,
    prior_shift: np.ndarray | None = None,
    ngrams: Ngrams = NONE,
    dtype: str = "float16",
) -> Bundle:
    """Write a model folder from Keras objects.

    Args:
        folder: made if need be; files of these names in it are replaced.
        charset: alphabet, in class order.
        config: the network's NetworkConfig or CrnnTensorflowConfig.
        backbone: Keras model from `network.build_backbone`.
        classifier: Keras layer from `network.build_classifier`, or the backbone's own.
        prior_shift: float32 (classes,), what `training.fit.fit_to_running_text` added to the classifier's biases, to take it off
            again where training goes on.
        ngrams: of the text that the network was trained on.
        dtype: what weights are stored as.

    Raises:
        MissingDependencyError: the package onnx is not installed.
    """
    import keras

    from docrec.onnx_graph import backbone_to_onnx

    folder = Path(folder)
    variables = [*backbone.weights, *classifier.weights]
    arrays = {variable.path: keras.ops.convert_to_numpy(variable).astype(dtype) for variable in variables}
    if prior_shift is not None:
        arrays["prior_shift"] = prior_shift.astype(dtype)
    graph = backbone_to_onnx(backbone, dtype)
    content = {"format": FORMAT, "input": INPUT, "network": config.to_dict()}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".docrec-", dir=folder) as name:  # a folder that was there stays whole until all is written
        made = Path(name)
        np.savez(made / WEIGHTS, **arrays)
        (made / BACKBONE).write_bytes(graph)
        save_charset(charset, made / CHAR_DICT, made / ORD_MAP)
        with open(made / NGRAMS, "wb") as file:
            ngrams.save(file)
        (made / CONFIG).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        for path in made.iterdir():
            path.replace(folder / path.name)
    return Bundle(folder, charset, config.to_dict())

"""Checkpoints of CRNN_Tensorflow, made here with random weights, against the same graph computed in numpy."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pymupdf
import pytest

from docrec import import_crnn as module
from docrec.bundle import load_bundle
from docrec.charset import Charset, save_charset
from docrec.chunk import Chunk
from docrec.cli.app import run
from docrec.errors import BundleError, CheckpointError, ExitCode
from docrec.import_crnn import import_crnn
from docrec.network import build_classifier, to_config
from docrec.recognizer import load, load_keras_backbone, load_onnx_backbone

tf = pytest.importorskip("tensorflow")
pytest.importorskip("onnx")

ENGLISH = Charset(tuple("0123456789abcdefghijklmnopqrstuvwxyz"))
CNN, RNN = "shadow_net/feature_extraction_module", "shadow_net/sequence_rnn_module"
CONVOLUTIONS = [
    *(("conv1/conv", "conv1/bn", 3, 3, 64), ("conv2/conv", "conv2/bn", 3, 64, 128), ("conv3", "bn3", 3, 128, 256)),
    *(("conv4", "bn4", 3, 256, 256), ("conv5", "bn5", 3, 256, 512), ("conv6", "bn6", 3, 512, 512), ("conv7", "bn7", 2, 512, 512)),
]
POOLS = {"conv1/conv": (2, 2), "conv2/conv": (2, 2), "conv4": (2, 1), "conv6": (2, 1)}
CELLS = [f"{RNN}/stack_bidirectional_rnn/cell_{n}/bidirectional_rnn/{way}/lstm_cell" for n in (0, 1) for way in ("fw", "bw")]


def random_variables(classes: int) -> dict[str, np.ndarray]:
    """Variables of the predecessor's network by name, of such sizes that every layer's output is neither near 0 nor saturated."""
    random = np.random.default_rng(5)
    variables = {}

    def put(name: str, *shape: int, mean: float = 0.0, spread: float = 0.3) -> None:
        variables[name] = random.normal(mean, spread, shape).astype(np.float32)

    for conv, norm, size, channels, filters in CONVOLUTIONS:
        put(f"{CNN}/{conv}/W", size, size, channels, filters, spread=(2 / (size * size * channels)) ** 0.5)
        if conv.endswith("/conv"):
            put(f"{CNN}/{conv}/b", filters)
        for name in ("beta", "moving_mean"):
            put(f"{CNN}/{norm}/{name}", filters)
        put(f"{CNN}/{norm}/gamma", filters, mean=1.0, spread=0.1)
        variables[f"{CNN}/{norm}/moving_variance"] = random.uniform(0.5, 2, filters).astype(np.float32)
    for cell in CELLS:
        put(f"{cell}/kernel", 768, 1024, spread=0.06)
        put(f"{cell}/bias", 1024)
    put(f"{RNN}/w", 512, classes)
    return variables


def write_checkpoint(path: Path, variables: dict[str, np.ndarray]) -> Path:
    """Write variables as TensorFlow 1 does, among those of an optimiser, and the file that names the latest checkpoint."""
    everything = {**variables, "global_step": np.int64(7), f"train/{RNN}/w/Momentum": np.zeros((2, 2), np.float32)}
    path.parent.mkdir(exist_ok=True)
    tf.raw_ops.SaveV2(
        prefix=str(path), tensor_names=list(everything), shape_and_slices=[""] * len(everything), tensors=list(everything.values())
    )
    (path.parent / "checkpoint").write_text(f'model_checkpoint_path: "{path.name}"\n')
    return path


def network(variables: dict[str, np.ndarray], bgr: np.ndarray) -> np.ndarray:
    """The predecessor's network: uint8 pictures (N, 32, W, 3) to the scores of all classes (N, W / 4, classes)."""
    x = bgr.astype(np.float32) / 127.5 - 1
    for conv, norm, *_ in CONVOLUTIONS:
        x = convolve(x, variables[f"{CNN}/{conv}/W"], (2, 1) if conv == "conv7" else (1, 1)) + variables.get(f"{CNN}/{conv}/b", 0)
        beta, gamma, mean, variance = (variables[f"{CNN}/{norm}/{name}"] for name in ("beta", "gamma", "moving_mean", "moving_variance"))
        x = np.maximum((x - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0)
        if conv in POOLS:
            rows, columns = POOLS[conv]
            n, height, width, channels = x.shape
            x = x.reshape(n, height // rows, rows, width // columns, columns, channels).max(axis=(2, 4))
    assert x.shape[1] == 1
    x = x[:, 0]
    for forward, backward in (CELLS[:2], CELLS[2:]):
        there = lstm(x, variables[f"{forward}/kernel"], variables[f"{forward}/bias"])
        back = lstm(x[:, ::-1], variables[f"{backward}/kernel"], variables[f"{backward}/bias"])
        x = np.concatenate([there, back[:, ::-1]], axis=-1)
    return x @ variables[f"{RNN}/w"]


def convolve(x: np.ndarray, kernel: np.ndarray, strides: tuple[int, int]) -> np.ndarray:
    """Convolution with TensorFlow's "same" padding: what cannot be shared evenly goes to the bottom and the right."""
    pads = []
    for length, size, stride in zip(x.shape[1:3], kernel.shape, strides, strict=False):
        total = max((-(-length // stride) - 1) * stride + size - length, 0)
        pads.append((total // 2, total - total // 2))
    x = np.pad(x, ((0, 0), *pads, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))[:, :: strides[0], :: strides[1]]
    return np.einsum("nhwcij,ijcf->nhwf", windows, kernel, optimize=True)


def lstm(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """TensorFlow 1's LSTMCell over (N, T, F)."""
    state = output = np.zeros((len(x), len(bias) // 4), np.float32)
    outputs = []
    for t in range(x.shape[1]):
        i, j, f, o = np.split(np.concatenate([x[:, t], output], axis=1) @ kernel + bias, 4, axis=1)
        state = state * sigmoid(f + 1.0) + sigmoid(i) * np.tanh(j)
        output = np.tanh(state) * sigmoid(o)
        outputs.append(output)
    return np.stack(outputs, axis=1)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def pictures(count: int) -> np.ndarray:
    """Random grey pictures, uint8 (count, 32, 280), the last fifth of them paper."""
    gray = np.random.default_rng(2).integers(0, 256, (count, 32, 280), np.uint8)
    gray[:, :, 224:] = 255
    return gray


def to_ink(gray: np.ndarray) -> np.ndarray:
    return (1 - gray.astype(np.float32) / 255)[..., None]


@pytest.fixture(scope="module")
def variables() -> dict[str, np.ndarray]:
    return random_variables(len(ENGLISH) + 1)


@pytest.fixture(scope="module")
def checkpoint(variables: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("crnn") / "shadownet.ckpt", variables)


@pytest.fixture(scope="module")
def model(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of the checkpoint."""
    folder = tmp_path_factory.mktemp("models") / "imported"
    import_crnn(checkpoint, ENGLISH, folder)
    return folder


@pytest.fixture(scope="module")
def scores(variables: dict[str, np.ndarray]) -> np.ndarray:
    """What the network in numpy says of the pictures, (3, 70, 37)."""
    return network(variables, np.repeat(pictures(3)[..., None], 3, axis=-1))


@pytest.fixture
def dictionary(tmp_path: Path) -> tuple[str, str]:
    paths = str(tmp_path / "char_dict.json"), str(tmp_path / "ord_map.json")
    save_charset(ENGLISH, *paths)
    return paths


@pytest.mark.parametrize("load_backbone", [load_onnx_backbone, load_keras_backbone])
def test_computes_what_the_network_in_numpy_does(model, scores, load_backbone):
    bundle = load_bundle(model)
    features, blank = load_backbone(bundle)(to_ink(pictures(3)))
    characters = features @ bundle.weights("classifier/")["classifier/kernel"]
    characters = characters - np.logaddexp.reduce(characters, axis=-1, keepdims=True) - np.logaddexp(0, blank)[..., None]
    everything = np.concatenate([characters, -np.logaddexp(0, -blank)[..., None]], axis=-1)
    expected = scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    assert np.ptp(expected, axis=1).mean() > 1, "the frames must differ for the comparison to mean anything"
    np.testing.assert_allclose(everything, expected, atol=1e-3)


def test_reads_what_the_decoder_of_the_predecessor_does(model, scores):
    (decoded,), _ = tf.compat.v1.nn.ctc_beam_search_decoder(scores.transpose(1, 0, 2), [70] * 3, beam_width=1, merge_repeated=False)
    expected = [[label for label in row if label >= 0] for row in tf.sparse.to_dense(decoded, default_value=-1).numpy().tolist()]
    chunks = [Chunk(pixels, 0, 0.0, 1.0, 280) for pixels in to_ink(pictures(3))]
    assert [[mark.label for mark in reading.marks] for reading in load(model, "cpu").read(chunks, 2)] == expected
    assert min(map(len, expected)) > 3


@pytest.mark.slow
def test_its_clients_are_answered_as_the_predecessor_did(model, scores, tmp_path):
    from docrec.export import export
    from docrec.options import ExportOptions

    served, _ = export(load_bundle(model), tmp_path / "served", ExportOptions("saved-model", signature="crnn_tensorflow"))
    answer = tf.saved_model.load(str(served)).signatures["serving_default"]
    (expected,), _ = tf.compat.v1.nn.ctc_beam_search_decoder(scores.transpose(1, 0, 2), [70] * 3, beam_width=1, merge_repeated=False)
    got = answer(input_tensor=tf.constant(np.repeat(pictures(3)[..., None], 3, axis=-1) / 127.5 - 1, tf.float32))
    assert got["decodes_values"].numpy().tolist() == expected.values.numpy().tolist()
    assert got["decodes_indices"].numpy().tolist() == expected.indices.numpy().tolist()
    assert got["decodes_dense_shape"].numpy().tolist() == expected.dense_shape.numpy().tolist()


def test_every_form_of_the_path_names_the_checkpoint(checkpoint, dictionary, tmp_path, capsys):
    for path in (checkpoint.parent, f"{checkpoint}.index"):
        assert run(["-c", dictionary[0], "-o", dictionary[1], "import-crnn", str(path), "--out", str(tmp_path / "model")]) == 0
        assert re.search(r"model of 36 characters written to .*model; .* by \d\.\de-0\d at most", capsys.readouterr().err)
        shutil.rmtree(tmp_path / "model")


def test_the_folder_says_what_it_is(model):
    network = json.loads((model / "config.json").read_text())["network"]
    assert network == {"architecture": "crnn-tensorflow", "classes": 36, "input": "BGR, value / 127.5 - 1", "decoding": "prefix-1"}
    assert "`shadownet.ckpt`: 46 variables, 36 characters and the blank" in (model / "MODEL_CARD.md").read_text()
    weights = load_bundle(model).weights("classifier/")
    assert weights["classifier/kernel"].shape == build_classifier(to_config(network)).kernel.shape == (512, 36)
    assert {weight.dtype for weight in np.load(model / "weights.npz").values()} == {np.dtype(np.float32)}


def test_the_command_reads_a_picture_with_the_model(model, tmp_path, capsys):
    page = pymupdf.open().new_page(width=300, height=80)
    page.insert_text((20, 40), "reads 1234", fontsize=20)
    page.get_pixmap(dpi=150).save(tmp_path / "page.png")
    some = Charset(tuple("ab123"))
    save_charset(some, tmp_path / "char_dict.json", tmp_path / "ord_map.json")
    dictionary = ["-c", str(tmp_path / "char_dict.json"), "--ord-map", str(tmp_path / "ord_map.json")]
    read = []
    for arguments in ([], dictionary):
        options = ["-q", "--min-confidence", "0", "--device", "cpu", "--model", str(model)]
        assert run(["image", str(tmp_path / "page.png"), *options, *arguments]) == 0
        read.append(set(capsys.readouterr().out) - set(" \n\f"))
    assert read[0] - set(some.characters), "random weights read anything"
    assert read[1] <= set(some.characters)
    assert read[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({f"{CNN}/conv3/W": None}, r"lacks shadow_net/.*/conv3/W \(3, 3, 128, 256\); it has .*/bn3/beta \(256,\), .* and \d+ more"),
        ({f"{CNN}/conv3/W": np.zeros((3, 3, 1, 2))}, r"all its sizes; expected .*conv3/W \(3, 3, 128, 256\), found \(3, 3, 1, 2\)"),
        ({f"{RNN}/w": np.zeros((512, 40))}, r"dictionary .* checkpoint is \(512, 40\), and .* is \(512, 37\)"),
        ({f"{RNN}/w": np.zeros(5)}, r"checkpoint is \(5,\)"),
        ({f"{CNN}/conv3/W": np.full((3, 3, 128, 256), np.nan)}, "must be numbers, and some in .* are not: .*conv3/W"),
    ],
)
def test_a_checkpoint_of_something_else(variables, tmp_path, change, message):
    changed = {name: value.astype(np.float32) for name, value in {**variables, **change}.items() if value is not None}
    with pytest.raises(CheckpointError, match=message):
        import_crnn(write_checkpoint(tmp_path / "checkpoint" / "a.ckpt", changed), ENGLISH, tmp_path / "model")


def test_a_checkpoint_without_the_network(tmp_path):
    with pytest.raises(CheckpointError, match="lacks .* and 41 more; it has nothing"):
        import_crnn(write_checkpoint(tmp_path / "other.ckpt", {"dense/kernel": np.zeros(3)}), ENGLISH, tmp_path / "model")


def test_runtimes_that_disagree(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "load_onnx_backbone", lambda bundle: lambda images: (np.zeros((2, 70, 512)), np.zeros((2, 70))))
    with pytest.raises(CheckpointError, match="same outputs on ONNX Runtime and in Keras"):
        import_crnn(checkpoint, ENGLISH, tmp_path / "model")


@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001"])
def test_a_damaged_checkpoint(checkpoint, dictionary, tmp_path, capsys, ending):
    for file in checkpoint.parent.iterdir():
        shutil.copy(file, tmp_path)
    damaged = tmp_path / f"shadownet.ckpt.{ending}"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    status = run(["import-crnn", str(tmp_path), "-c", dictionary[0], "-o", dictionary[1], "--out", str(tmp_path / "model")])
    assert status == ExitCode.INVALID_CONFIG
    assert "shadownet.ckpt cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ("CHECKPOINT -c C --out FOLDER/new", ExitCode.BAD_ARGUMENTS, "needs an ord map"),
        ("CHECKPOINT --out FOLDER/new", ExitCode.BAD_ARGUMENTS, "name the dictionary it was trained with"),
        ("CHECKPOINT -c C -o O", ExitCode.BAD_ARGUMENTS, "Missing option '--out'"),
        ("CHECKPOINT -c C -o O --out C", ExitCode.BAD_ARGUMENTS, "is a file"),
        ("CHECKPOINT -c C -o O --out C/new", ExitCode.FILE_ACCESS, "not a folder"),
        ("FOLDER/none.ckpt -c C -o O --out FOLDER/new", ExitCode.INVALID_CONFIG, "none.ckpt cannot be read"),
        ("FOLDER -c C -o O --out FOLDER/new", ExitCode.INVALID_CONFIG, "a folder must say in its file `checkpoint` which is the latest"),
        ("C -c C -o O --out FOLDER/new", ExitCode.INVALID_CONFIG, "char_dict.json cannot be read"),
    ],
)
def test_what_the_command_refuses(checkpoint, dictionary, tmp_path, capsys, arguments, status, message):
    names = {"CHECKPOINT": str(checkpoint), "C": dictionary[0], "O": dictionary[1], "FOLDER": str(tmp_path)}
    words = [re.sub(r"^(CHECKPOINT|FOLDER|C|O)(?=$|/)", lambda word: names[word[0]], argument) for argument in arguments.split()]
    assert run(["import-crnn", *words]) == status
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_configuration_that_this_docrec_does_not_know(tiny_model_copy):
    path = tiny_model_copy / "config.json"
    config = json.loads(path.read_text())
    config["network"]["architecture"] = "transformer"
    path.write_text(json.dumps(config))
    with pytest.raises(BundleError, match="architecture must be crnn-tensorflow, or unnamed .* got 'transformer'"):
        load_keras_backbone(load_bundle(tiny_model_copy))
    config["network"]["decoding"] = "beam-10"
    path.write_text(json.dumps(config))
    with pytest.raises(BundleError, match="best-path or prefix-1, and .* asks for beam-10"):
        load_bundle(tiny_model_copy)

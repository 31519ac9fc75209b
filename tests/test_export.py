import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import docrec.export as module
from docrec import exported
from docrec.bundle import load_bundle
from docrec.cli.app import run
from docrec.ctc import Classifier, Mark, Reading, collapse, decode
from docrec.errors import ExitCode, ExportError, InputFileError, MissingDependencyError, OptionError, SampleError
from docrec.export import agree, arrays_to_readings, document_to_images, export, measure, read_in_own_process, read_original
from docrec.exported import best_path, open_exported
from docrec.options import ExportOptions
from docrec.training.lines import LineImage


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory):
    """The tiny model with a bias: without, its classes tie on paper, and rounding would decide."""
    folder = shutil.copytree(tiny_model, tmp_path_factory.mktemp("models") / "tiny")
    with np.load(folder / "weights.npz") as stored:
        weights = dict(stored)
    weights["classifier/bias"] = np.linspace(0, 0.007, len(weights["classifier/bias"]), dtype=np.float16)
    np.savez(folder / "weights.npz", **weights)
    return folder


@pytest.fixture(scope="module")
def bundle(model):
    return load_bundle(model)


@pytest.fixture(scope="module")
def images(root):
    """Pieces of real lines; the tiny model reads nonsense in them, but the same nonsense in every form."""
    return document_to_images(root / "examples" / "sample.png")


@pytest.fixture(scope="module")
def served(bundle, tmp_path_factory):
    """The tiny model's SavedModel, loaded."""
    import tensorflow as tf

    path, _ = export(bundle, tmp_path_factory.mktemp("served") / "docrec", ExportOptions("saved-model"))
    return tf.saved_model.load(str(path))


def labels(readings):
    return [[mark.label for mark in reading.marks] for reading in readings]


@pytest.mark.parametrize("quantize", ["float32", "float16", "int8"])
def test_litert_reads_as_the_original_does(bundle, images, tmp_path, monkeypatch, quantize):
    monkeypatch.setitem(module.TOLERANCE, quantize, (0.1, 0.02))  # an untrained network's best class leads by a hair
    path, agreement = export(bundle, tmp_path / "lite", ExportOptions("litert", quantize=quantize), images[:20])
    assert path == tmp_path / "lite" / "model.tflite"
    assert agreement is not None
    assert agreement.pictures == 20
    assert agreement.alike >= (20 if quantize == "float32" else 18)
    assert json.loads((tmp_path / "lite" / "signature.json").read_text())["weights"] == quantize
    assert (tmp_path / "lite" / "ord_map_cn.json").read_bytes() == (bundle.folder / "ord_map_cn.json").read_bytes()


def test_saved_models_are_numbered(bundle, images, tmp_path):
    first, agreement = export(bundle, tmp_path / "docrec", ExportOptions("saved-model", version=7), images[:20])
    second, _ = export(bundle, tmp_path / "docrec", ExportOptions("saved-model"))
    assert (first, second) == (tmp_path / "docrec" / "7", tmp_path / "docrec" / "8")
    assert agreement is not None
    assert agreement.alike == 20
    assert sorted(path.name for path in (tmp_path / "docrec").iterdir()) == ["7", "8"]
    assert (first / "saved_model.pb").is_file()
    assert (first / "assets.extra" / "ord_map_cn.json").is_file()


def test_onnx_gives_log_probabilities(bundle, images, tmp_path):
    import onnxruntime

    path, agreement = export(bundle, tmp_path / "onnx", ExportOptions("onnx"), images)
    assert agreement is not None
    assert (agreement.pictures, agreement.alike) == (len(images), len(images))
    (scores,) = onnxruntime.InferenceSession(str(path)).run(None, {"images": images[:3]})
    assert scores.shape == (3, 70, len(bundle.charset) + 1)
    np.testing.assert_allclose(np.exp(scores).sum(axis=2), 1, atol=1e-4)


def test_what_is_exported_reads_every_detail_alike(bundle, images, tmp_path):
    original = read_original(bundle, images)
    assert any(len(reading.marks) > 1 for reading in original)
    path, _ = export(bundle, tmp_path / "onnx", ExportOptions("onnx"))
    for one, other in zip(original, arrays_to_readings(open_exported(path)(images)), strict=True):
        assert [(m.label, m.start, m.end) for m in one.marks] == [(m.label, m.start, m.end) for m in other.marks]
        assert [m.confidence for m in one.marks] == pytest.approx([m.confidence for m in other.marks], abs=1e-3)


def test_pixels_may_be_numbers_of_either_kind(bundle, images, served):
    import tensorflow as tf

    whole = served.signatures["serving_default"](images=tf.constant(images[:4]))
    real = served.signatures["docrec_float"](images=tf.constant(1 - images[:4] / np.float32(255)))
    np.testing.assert_allclose(whole.pop("confidences"), real.pop("confidences"), atol=1e-5)
    assert {name: value.numpy().tolist() for name, value in whole.items()} == {name: value.numpy().tolist() for name, value in real.items()}
    texts = ["".join(bundle.charset.characters[label] for label in reading) for reading in labels(read_original(bundle, images[:4]))]
    assert [text.decode() for text in whole["text"].numpy()] == texts


def test_clients_of_the_predecessor_are_answered(served, images):
    import tensorflow as tf

    gray = np.repeat(images[:2, :, :200, None], 3, axis=3)
    padded = np.pad(images[:2, :, :200], ((0, 0), (0, 0), (0, 80)), constant_values=255)
    expected = served.signatures["docrec"](images=tf.constant(padded))
    outputs = served.signatures["crnn_tensorflow"](input_tensor=tf.constant(gray / 127.5 - 1, tf.float32))
    assert {value.dtype for value in outputs.values()} == {tf.int64}
    sparse = tf.sparse.SparseTensor(*(outputs[f"decodes_{part}"] for part in ("indices", "values", "dense_shape")))
    dense = tf.sparse.to_dense(sparse, default_value=-1).numpy()
    assert dense.tolist() == expected["indices"].numpy()[:, : dense.shape[1]].tolist()
    assert dense.shape == (2, expected["lengths"].numpy().max())
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 280"):
        served.signatures["crnn_tensorflow"](input_tensor=tf.zeros((1, 32, 281, 3)))


def test_colour_is_weighed_as_elsewhere(served):
    import tensorflow as tf

    colour = np.random.default_rng(1).integers(0, 256, (1, 32, 280, 3), np.uint8)
    gray = cv2.cvtColor(colour[0], cv2.COLOR_BGR2GRAY)
    expected = served.signatures["docrec"](images=tf.constant(gray[None]))
    outputs = served.signatures["crnn_tensorflow"](input_tensor=tf.constant(colour / 127.5 - 1, tf.float32))
    length = expected["lengths"].numpy()[0]
    assert outputs["decodes_values"].numpy().tolist() == expected["indices"].numpy()[0, :length].tolist()


def test_the_default_signature_can_be_the_predecessors(bundle, tmp_path):
    import tensorflow as tf

    path, _ = export(bundle, tmp_path / "crnn", ExportOptions("saved-model", signature="crnn_tensorflow"))
    names = set(tf.saved_model.load(str(path)).signatures["serving_default"].structured_outputs)
    assert names == {"decodes_indices", "decodes_values", "decodes_dense_shape"}


def test_both_best_paths_decode_as_docrec_does():
    random = np.random.default_rng(5)
    features = random.normal(size=(40, 70, 3)).astype(np.float32).repeat(2, axis=1)[:, :70]  # repeats, to be merged
    blank = random.normal(0, 2, (40, 70)).astype(np.float32).repeat(3, axis=1)[:, :70]
    classifier = Classifier(random.normal(0, 3, (3, 6)).astype(np.float32), random.normal(size=6).astype(np.float32), np.arange(6))
    expected = decode(features, blank, classifier)
    scores = features @ classifier.kernel + classifier.bias
    shown = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True)) - np.log1p(np.exp(blank))[..., None]
    probabilities = np.concatenate([shown, -np.log1p(np.exp(-blank))[..., None]], axis=2)
    tensors = module.best_path(features, blank, classifier.kernel, classifier.bias)
    for arrays in (best_path(probabilities), {name: tensor.numpy() for name, tensor in tensors.items()}):
        agreement = agree(expected, arrays_to_readings(arrays))
        assert agreement.alike == 40
        assert agreement.difference < 1e-5
        assert [[(m.start, m.end) for m in r.marks] for r in arrays_to_readings(arrays)] == [
            [(m.start, m.end) for m in r.marks] for r in expected
        ]


def test_agreement_is_counted():
    def reading(*marks):
        return Reading(tuple(Mark(label, 0, 1, confidence) for label, confidence in marks))

    one = [reading((1, 0.9), (2, 0.5)), reading((3, 0.9)), reading()]
    other = [reading((1, 0.8), (2, 0.5)), reading((4, 0.1)), reading()]
    agreement = agree(one, other)
    assert (agreement.pictures, agreement.alike) == (3, 2)
    assert agreement.difference == pytest.approx(0.1)


def test_an_export_that_reads_otherwise_is_refused_and_gone(bundle, images, tmp_path, monkeypatch):
    wrong = [collapse(np.array([1, -1, 2]), np.ones(3)) for _ in images]
    monkeypatch.setattr(module, "read_original", lambda bundle, images: wrong)
    with pytest.raises(ExportError, match=rf"reads \d of {len(images)} so.*--no-check") as caught:
        export(bundle, tmp_path / "onnx", ExportOptions("onnx"), images)
    assert caught.value.exit_code == ExitCode.OTHER
    with pytest.raises(ExportError):
        export(bundle, tmp_path / "serving", ExportOptions("saved-model"), images)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_its_runtime_cannot_open_is_refused(tmp_path, images):
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ExportError, match="readable by its runtime.*model.onnx"):
        read_in_own_process(tmp_path / "model.onnx", images)


def test_the_reading_process_needs_nothing_of_docrec(bundle, images, tmp_path):
    path, _ = export(bundle, tmp_path / "onnx", ExportOptions("onnx"))
    np.save(tmp_path / "images.npy", images)
    code = "import sys; sys.modules['docrec'] = sys.modules['cv2'] = sys.modules['tensorflow'] = None\n"
    program = code + Path(exported.__file__).read_text(encoding="utf-8")
    subprocess.run([sys.executable, "-c", program, str(path), "images.npy", "readings.npz"], cwd=tmp_path, check=True)
    with np.load(tmp_path / "readings.npz") as arrays:
        assert labels(arrays_to_readings(arrays)) == labels(read_original(bundle, images))


@pytest.mark.parametrize("to", ["onnx", "saved-model"])
def test_nothing_is_overwritten(bundle, tmp_path, to):
    (tmp_path / "there" / "1").mkdir(parents=True)
    (tmp_path / "there" / "1" / "mine").write_text("mine")
    version = 1 if to == "saved-model" else None
    with pytest.raises(OptionError, match="is there already"):
        export(bundle, tmp_path / "there", ExportOptions(to, version=version))
    assert [path.name for path in tmp_path.rglob("*")] == ["there", "1", "mine"]


@pytest.mark.parametrize(
    "options",
    [
        {"to": "pickle"},
        {"to": "saved-model", "version": 0},
        {"to": "onnx", "version": 2},
        {"to": "litert", "signature": "crnn_tensorflow"},
        {"to": "saved-model", "signature": "crnn"},
        {"to": "onnx", "quantize": "int8"},
        {"to": "litert", "quantize": "int4"},
    ],
)
def test_options_that_make_no_sense(options):
    with pytest.raises(OptionError, match="--"):
        ExportOptions(**options)


def test_a_missing_runtime_is_named(bundle, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingDependencyError, match="ai_edge_litert"):
        export(bundle, tmp_path / "lite", ExportOptions("litert"))


def test_another_keras_backend_is_refused(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "torch")
    with pytest.raises(OptionError, match="KERAS_BACKEND=tensorflow"):
        export(bundle, tmp_path / "serving", ExportOptions("saved-model"))
    assert not (tmp_path / "serving").exists()


class Lines:
    """A data set in memory; what is no picture cannot be used."""

    def __init__(self, *lines):
        self.lines = lines

    def __len__(self):
        return len(self.lines)

    def __getitem__(self, index):
        if self.lines[index] is None:
            raise SampleError("a picture", "it is damaged")
        return self.lines[index]


def test_wrong_characters_are_counted(bundle, images, tmp_path):
    path, _ = export(bundle, tmp_path / "onnx", ExportOptions("onnx"))
    wide = np.concatenate(list(images[:3]), axis=1)  # is read in several pieces
    dataset = Lines(LineImage("blank", "一 二", np.full((40, 90), 255, np.uint8)), None, LineImage("wide", "x" * 9, wide))
    accuracy = measure(bundle, path, dataset)
    assert (accuracy.lines, accuracy.skipped, accuracy.characters) == (2, 1, 11)
    assert accuracy.original == accuracy.exported >= 9
    with pytest.raises(InputFileError, match="none of the 1"):
        measure(bundle, path, Lines(None))


def test_the_command(model, tmp_path, capsys, root):
    command = ["export", "--to", "onnx", "--model", str(model), "--out"]
    assert run([*command, str(tmp_path / "onnx"), "--lines", str(root / "examples" / "sample.png")]) == ExitCode.OK
    said = capsys.readouterr().err
    assert str(tmp_path / "onnx" / "model.onnx") in said
    assert "pieces of lines as the original does" in said
    assert run([*command, str(tmp_path / "onnx")]) == ExitCode.BAD_ARGUMENTS
    assert run([*command, str(tmp_path / "onnx" / "model.onnx" / "below"), "--no-check"]) == ExitCode.FILE_ACCESS
    assert run([*command, str(tmp_path / "other"), "--lines", str(tmp_path / "none.pdf")]) == ExitCode.INPUT_FILE
    assert [path.name for path in tmp_path.iterdir()] == ["onnx"]


def test_the_command_measures_on_labelled_lines(model, images, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "line.png"), images[0])
    (tmp_path / "labels.tsv").write_text("line.png\t一二\n", encoding="utf-8")
    command = ["export", "--to", "onnx", "--model", str(model), "--no-check", "--measure"]
    assert run([*command, str(tmp_path), "--out", str(tmp_path / "onnx")]) == ExitCode.OK
    assert "on 1 lines (0 skipped), 2 characters" in capsys.readouterr().err
    assert run([*command, str(tmp_path / "none"), "--out", str(tmp_path / "other")]) == ExitCode.INPUT_FILE
    assert not (tmp_path / "other").exists()


def test_a_document_without_lines(tmp_path):
    from PIL import Image

    Image.new("L", (400, 300), 255).save(tmp_path / "blank.png")
    with pytest.raises(InputFileError, match="has none"):
        document_to_images(tmp_path / "blank.png")


@pytest.mark.slow
@pytest.mark.parametrize(("to", "quantize"), [("saved-model", "float32"), ("litert", "int8"), ("onnx", "float32")])
def test_the_bundled_model_is_exported(root, tmp_path, to, quantize):
    images = document_to_images(root / "examples" / "sample.pdf")
    path, agreement = export(load_bundle(), tmp_path / "out", ExportOptions(to, quantize=quantize), images)
    assert path.exists()
    assert agreement is not None
    assert agreement.alike >= (0.98 if quantize == "int8" else 0.99) * agreement.pictures

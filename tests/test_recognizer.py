import builtins
import json
import subprocess
import sys

import numpy as np
import pytest

import docrec
from docrec import recognizer as module
from docrec.bundle import load_bundle
from docrec.charset import Charset
from docrec.chunk import Chunk
from docrec.ctc import decode
from docrec.errors import BundleError, CharsetError, MissingDependencyError, OptionError
from docrec.recognizer import load, load_keras_backbone


def chunks(count, seed=0):
    random = np.random.default_rng(seed)
    return [Chunk(random.random((32, 280, 1)).astype(np.float32), 0, 0.0, 1.0, 280) for _ in range(count)]


def test_both_runtimes_read_the_same(tiny_model):
    recognizer = load(tiny_model, "cpu")
    keras_backbone = load_keras_backbone(load_bundle(tiny_model))
    images = np.stack([chunk.pixels for chunk in chunks(6)])
    features, blank = recognizer._backbone(images)
    keras_features, keras_blank = keras_backbone(images)
    np.testing.assert_allclose(features, keras_features, atol=5e-3)
    np.testing.assert_allclose(blank, keras_blank, atol=5e-3)
    classifier = recognizer._classifier
    one, other = (decode(*outputs, classifier) for outputs in ((features, blank), (keras_features, keras_blank)))
    assert [[mark.label for mark in r.marks] for r in one] == [[mark.label for mark in r.marks] for r in other]
    assert any(r.marks for r in one)


def test_batches_make_no_difference(tiny_model):
    recognizer = load(tiny_model, "cpu")
    one, three = (list(recognizer.read(chunks(7), size)) for size in (1, 3))
    assert [[mark.label for mark in r.marks] for r in one] == [[mark.label for mark in r.marks] for r in three]
    assert len(one) == 7


def test_chunks_are_taken_only_as_batches_need_them(tiny_model):
    source = iter(chunks(6))
    next(load(tiny_model, "cpu").read(source, 2))
    assert len(list(source)) == 4


def test_a_charset_limits_what_may_appear(tiny_model):
    def characters_read(recognizer):
        return {recognizer.charset.characters[mark.label] for r in recognizer.read(chunks(8), 8) for mark in r.marks}

    every = load(tiny_model, "cpu")
    unwanted = min(characters_read(every))
    others = Charset(tuple(sorted(set(every.charset.characters) - {unwanted}, reverse=True)))
    read = characters_read(load(tiny_model, "cpu", others))
    assert read
    assert unwanted not in read


def test_characters_the_model_lacks_are_listed(tiny_model):
    with pytest.raises(CharsetError, match="these 2: 龘 龙"):
        load(tiny_model, "cpu", Charset(("一", "龙", "龘")))


def test_reading_on_a_cpu_does_not_import_tensorflow_or_keras():
    code = "import sys, docrec; docrec.load(device='cpu'); print([m for m in ('tensorflow', 'keras', 'torch') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_reading_works_where_tensorflow_is_not_installed(tiny_model, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] in ("tensorflow", "keras"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert load(tiny_model).device == "cpu"
    with pytest.raises(MissingDependencyError, match=r"docrec\[gpu\]"):
        load(tiny_model, "gpu")


def test_a_gpu_that_is_not_there_is_an_error_and_auto_falls_back(tiny_model, monkeypatch):
    tensorflow = pytest.importorskip("tensorflow")
    monkeypatch.setattr(tensorflow.config, "list_physical_devices", lambda *kind: [])
    monkeypatch.setattr(module, "GPU_NODES", ("/",))
    with pytest.raises(OptionError, match="needs a GPU"):
        load(tiny_model, "gpu")
    assert load(tiny_model, "auto").device == "cpu"


def test_a_gpu_that_is_there_is_used(tiny_model, monkeypatch):
    tensorflow = pytest.importorskip("tensorflow")
    processor = tensorflow.config.list_physical_devices("CPU")  # stands for the GPU that no test machine need have
    monkeypatch.setattr(tensorflow.config, "list_physical_devices", lambda *kind: processor)
    monkeypatch.setattr(module, "GPU_NODES", ("/",))
    recognizer = load(tiny_model)
    assert recognizer.device == "gpu"
    assert len(list(recognizer.read(chunks(2), 2))) == 2


def test_device_is_checked(tiny_model):
    with pytest.raises(OptionError, match="one of auto, cpu, gpu"):
        load(tiny_model, "tpu")


def test_damaged_models_are_refused(tiny_model_copy):
    backbone = tiny_model_copy / "backbone.onnx"
    backbone.write_bytes(backbone.read_bytes()[:1000])
    with pytest.raises(BundleError, match=r"backbone\.onnx is damaged"):
        docrec.load(tiny_model_copy, "cpu")
    weights = tiny_model_copy / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(BundleError, match=r"weights\.npz is damaged"):
        docrec.load(tiny_model_copy, "cpu")


def test_weights_of_another_network_are_refused(tiny_model_copy):
    config = json.loads((tiny_model_copy / "config.json").read_text())
    config["network"]["lstm_units"] += 1
    (tiny_model_copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(BundleError, match="do not fit"):
        load_keras_backbone(load_bundle(tiny_model_copy))

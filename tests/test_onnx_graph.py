import shutil

import pytest

import docrec
from docrec.bundle import keras_backbone, load_bundle
from docrec.onnx_graph import backbone_to_onnx


@pytest.mark.slow
def test_the_graph_made_anew_of_the_bundled_model_reads_the_same(root, tmp_path):
    bundle = load_bundle()
    shutil.copytree(bundle.folder, tmp_path / "model")
    (tmp_path / "model" / "backbone.onnx").write_bytes(backbone_to_onnx(keras_backbone(bundle)))
    recognizers = docrec.load(device="cpu"), docrec.load(tmp_path / "model", device="cpu")
    options = docrec.ReadOptions(pages="1", mode="force")
    one, other = (next(docrec.recognize(root / "examples" / "sample.pdf", recognizer, options)) for recognizer in recognizers)
    assert one.text == other.text
    assert len(one.text) > 100

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from docrec.network import NetworkConfig, build_backbone, build_classifier

TINY = NetworkConfig(classes=11, channels=(4, 4, 8, 8, 8), lstm_units=4)


@pytest.fixture(scope="module")
def backbone():
    keras.utils.set_random_seed(3)
    return build_backbone(TINY)


def test_takes_lines_and_yields_70_frames(backbone):
    outputs = backbone.predict_on_batch(np.zeros((3, 32, 280, 1), np.float32))
    assert outputs["features"].shape == (3, 70, 16)
    assert outputs["blank"].shape == (3, 70, 1)
    assert build_classifier(TINY)(outputs["features"]).shape == (3, 70, 11)


def test_a_frame_stands_for_four_columns(backbone):
    paper = np.zeros((1, 32, 280, 1), np.float32)
    inked = paper.copy()
    inked[0, :, 160:164] = 1
    visual = keras.Model(backbone.input, backbone.get_layer("frames").output)
    change = np.abs(visual.predict_on_batch(inked) - visual.predict_on_batch(paper)).max(axis=-1)[0]
    changed = np.flatnonzero(change > 1e-6)
    assert 40 in changed
    assert changed.min() >= 40 - 12
    assert changed.max() <= 40 + 12


def test_config_round_trips():
    assert NetworkConfig.from_dict(TINY.to_dict()) == TINY


FUSED = """
import keras, numpy as np
from docrec.network import _BatchNormalization, _BiLSTM
keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(3, 9, 5)).astype("float32")
lstm = _BiLSTM(keras.layers.LSTM(4, return_sequences=True))
generic = keras.ops.convert_to_numpy(lstm(x, training=False))
np.testing.assert_allclose(keras.ops.convert_to_numpy(lstm(x, training=True)), generic, atol=1e-5)
norm = _BatchNormalization(momentum=0.9, epsilon=1e-3)
y = x[..., None]
got = keras.ops.convert_to_numpy(norm(y, training=True))
np.testing.assert_allclose(got, (y - y.mean()) / np.sqrt(y.var() + 1e-3), atol=1e-5)
np.testing.assert_allclose(keras.ops.convert_to_numpy(norm.moving_mean), [0.1 * y.mean()], atol=1e-6)
"""


@pytest.mark.slow
def test_fused_kernels_of_pytorch_compute_what_keras_does():
    pytest.importorskip("torch")
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    subprocess.run([sys.executable, "-c", FUSED], env=environment, check=True)

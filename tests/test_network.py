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

import json

import numpy as np
import pytest

from docrec.bundle import load_bundle
from docrec.errors import BundleError


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_saved_model_answers_for_itself(tiny_model):
    bundle = load_bundle(tiny_model)
    assert bundle.network["classes"] == len(bundle.charset)
    assert bundle.weights("classifier/")["classifier/kernel"].shape == (16, len(bundle.charset))
    assert all(np.isfinite(weight).all() for weight in bundle.weights().values())


def test_the_bundled_model_is_found_and_small():
    bundle = load_bundle()
    assert len(bundle.charset) > 8700
    assert sum(path.stat().st_size for path in bundle.folder.iterdir()) <= 20_000_000


def test_bundled_models_have_names_which_folders_take_from_them(tiny_model_copy, monkeypatch):
    assert load_bundle("crnn-zh").folder == load_bundle().folder
    assert load_bundle("crnn-zh-hant").folder == load_bundle().folder.with_name("crnn-zh-hant")
    here = tiny_model_copy.rename(tiny_model_copy.with_name("crnn-zh"))
    monkeypatch.chdir(here.parent)
    assert len(load_bundle("crnn-zh").charset) < len(load_bundle().charset)


def test_an_absent_folder(tmp_path):
    with pytest.raises(BundleError, match="is not there"):
        load_bundle(tmp_path / "none")


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "model").write_text("")
    with pytest.raises(BundleError, match="is a file"):
        load_bundle(tmp_path / "model")


def test_missing_files_are_named(tiny_model_copy):
    (tiny_model_copy / "weights.npz").unlink()
    with pytest.raises(BundleError, match=r"lacks weights\.npz"):
        load_bundle(tiny_model_copy)


def test_another_format_version(tiny_model_copy):
    change_config(tiny_model_copy, format=99)
    with pytest.raises(BundleError, match="format 99"):
        load_bundle(tiny_model_copy)


def test_another_input_size(tiny_model_copy):
    change_config(tiny_model_copy, input={"height": 48})
    with pytest.raises(BundleError, match="input must be"):
        load_bundle(tiny_model_copy)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": 1, "network": 3}'])
def test_a_config_that_is_none(tiny_model_copy, content):
    (tiny_model_copy / "config.json").write_text(content)
    with pytest.raises(BundleError, match="no model configuration"):
        load_bundle(tiny_model_copy)


def test_a_damaged_dictionary(tiny_model_copy):
    (tiny_model_copy / "ord_map_cn.json").write_text("{")
    with pytest.raises(BundleError, match=r"damaged: .*ord_map_cn\.json"):
        load_bundle(tiny_model_copy)


def test_a_dictionary_of_another_size(tiny_model_copy):
    config = json.loads((tiny_model_copy / "config.json").read_text())
    change_config(tiny_model_copy, network={**config["network"], "classes": 5})
    with pytest.raises(BundleError, match="5 classes"):
        load_bundle(tiny_model_copy)

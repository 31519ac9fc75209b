"""Training: its settings, its batches, the trainer, and the command, on tiny networks."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from docrec.charset import Charset, save_charset
from docrec.ctc import Mark, Reading
from docrec.errors import BundleError, ExitCode, FileAccessError, OptionError, TrainingDataError
from docrec.options import TrainOptions

pytest.importorskip("freetype", reason="training needs docrec[train]")

from docrec.training.batches import Batches
from docrec.training.lines import LabelledLine
from docrec.training.settings import read_settings, settings_to_toml

TINY: dict[str, Any] = {"channels": (4, 4, 8, 8, 16), "lstm_units": 8, "batch_size": 8, "validation_lines": 16, "validate_every": 10**6}


@pytest.fixture
def alphabet(text_file):
    return Charset(tuple(sorted({*text_file.read_text(encoding="utf-8")} - {"\n"})))


@pytest.fixture
def options(text_file, font_folder, tmp_path):
    return TrainOptions(text=(str(text_file),), fonts=(str(font_folder),), steps=4, run=str(tmp_path / "run"), model="model", **TINY)


@pytest.fixture
def labelled(tmp_path):
    """A folder of 30 labelled pictures, all of the same two characters."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    for number in range(30):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((32, 60), 255 - number, np.uint8))
    rows = "".join(f"{number}.png\t{'山月' if number % 2 else '水石'}\n" for number in range(30))
    (folder / "labels.tsv").write_text(rows, encoding="utf-8")
    return folder


def state(options):
    with np.load(Path(options.run) / "state.npz") as stored:
        return dict(stored)


def progress(options):
    return json.loads(str(state(options)["progress"]))


# === settings ===


def test_settings_come_back_from_their_file(options, tmp_path):
    options = dataclasses.replace(options, patience=3, precision="mixed_bfloat16", frames_rate=1e-3)
    (tmp_path / "a.toml").write_text(settings_to_toml(options), encoding="utf-8")
    assert TrainOptions(**read_settings(tmp_path / "a.toml")) == options


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("stepz = 3", "no such setting: stepz"),
        ("steps = 'many'", "steps must be a number, got 'many'"),
        ("steps = true", "steps must be a number, got True"),
        ("text = 'a.txt'", "text must be a list"),
        ("text = [1]", "text must be a text, got 1"),
        ("steps = ", "must be TOML"),
    ],
)
def test_settings_that_are_none_are_refused(tmp_path, content, message):
    (tmp_path / "a.toml").write_text(content)
    with pytest.raises(OptionError, match=message):
        read_settings(tmp_path / "a.toml")


def test_settings_that_are_not_there(tmp_path):
    with pytest.raises(FileAccessError, match=r"none\.toml cannot be read"):
        read_settings(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minutes": 1.0}, "give one of them"),
        ({"steps": 0}, "give one of them"),
        ({"fonts": ()}, "give both"),
        ({"text": (), "fonts": ()}, "training needs lines"),
        ({"ctc_share": 1.5}, "--ctc-share is a share from 0 to 1"),
        ({"batch_size": 0}, "--batch-size must be at least 1"),
        ({"frames_rate": float("nan")}, "--frames-rate must be at least 0"),
        ({"channels": (4, 4)}, "five numbers"),
        ({"precision": "int8"}, "--precision must be one of"),
        ({"char_dict": "a.json"}, "two halves"),
        ({"run": ""}, "needs --run"),
    ],
)
def test_options_are_checked(options, changes, message):
    with pytest.raises(OptionError, match=message):
        dataclasses.replace(options, **changes)


# === batches ===


def first_batches(options, alphabet, count, first=0):
    with Batches(options, alphabet, first) as batches:
        return [batch for batch, _ in zip(batches, range(count), strict=False)]


def test_a_batch_depends_on_its_number_only(options, alphabet):
    one = first_batches(options, alphabet, 5)
    two = first_batches(dataclasses.replace(options, workers=2), alphabet, 2, first=3)
    assert not np.array_equal(one[0].images, one[1].images)
    for batch, again in zip(one[3:], two, strict=True):
        for field in dataclasses.fields(batch):
            assert np.array_equal(getattr(batch, field.name), getattr(again, field.name))


def test_lines_to_judge_by_are_not_trained_on(options, alphabet, labelled):
    recorded = dataclasses.replace(options, text=(), fonts=(), data=(str(labelled),))
    with Batches(recorded, alphabet, 0) as batches:
        held_out = {line.pixels.max() for line in batches.validation}
        trained = {int(image.max()) for batch, _ in zip(batches, range(9), strict=False) for image in batch.images}
    assert len(held_out) == 2
    assert len(trained) == 28
    assert held_out.isdisjoint(trained)


def test_batches_may_be_part_rendered_part_recorded(options, alphabet, labelled):
    (batch,) = first_batches(dataclasses.replace(options, data=(str(labelled),), data_share=0.25), alphabet, 1)
    from docrec.training.targets import UNKNOWN

    assert (batch.kinds == UNKNOWN).all(axis=1).tolist() == [True] * 2 + [False] * 6
    assert alphabet.decode(batch.candidates[batch.labels[0, :2]]) in ("山月", "水石")


def test_what_goes_wrong_in_a_worker_is_raised_here(options, alphabet, tmp_path):
    (tmp_path / "short.txt").write_text("太短", encoding="utf-8")
    with pytest.raises(TrainingDataError, match="at least 1,000 characters"):
        first_batches(dataclasses.replace(options, text=(str(tmp_path / "short.txt"),)), alphabet, 1)


def test_pictures_that_cannot_be_used_are_named(options, alphabet, labelled, caplog):
    (labelled / "3.png").write_bytes(b"no picture")
    first_batches(dataclasses.replace(options, text=(), fonts=(), data=(str(labelled),)), alphabet, 4)
    assert "3.png" in caplog.text


def test_a_worker_that_is_killed_is_noticed(options, alphabet):
    with Batches(options, alphabet, 0) as batches:
        batches._processes[0].kill()
        with pytest.raises(TrainingDataError, match="has ended"):
            list(zip(batches, range(100), strict=False))


# === the trainer ===


@pytest.fixture
def train():
    from docrec.training.fit import train

    return train


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_as_one_that_was_not(options, alphabet, train, tmp_path):
    whole = dataclasses.replace(options, steps=6, validate_every=2, run=str(tmp_path / "whole"))
    train(whole, alphabet)
    parts = dataclasses.replace(whole, run=str(tmp_path / "parts"))
    train(parts, alphabet, stop_after=3)
    assert progress(parts)["step"] == 3
    train(dataclasses.replace(parts, workers=2), alphabet)
    one, two = state(whole), state(parts)
    for name in one.keys() - {"progress"}:
        np.testing.assert_array_equal(one[name], two[name])
    assert {**progress(whole), "seconds": 0} == {**progress(parts), "seconds": 0}
    assert [step for step, *_ in progress(whole)["validations"]] == [2, 4, 6]


@pytest.mark.slow
def test_kill_9_costs_nothing_but_time(options, alphabet, tmp_path):
    """In processes of their own: one run undisturbed, one killed after its first saving and started again."""
    save_charset(alphabet, tmp_path / "c.json", tmp_path / "o.json")
    common = dataclasses.replace(
        options, steps=60, save_every=20, char_dict=str(tmp_path / "c.json"), ord_map=str(tmp_path / "o.json"), patience=0
    )
    runs = [dataclasses.replace(common, run=str(tmp_path / name), model=str(tmp_path / f"{name}-model")) for name in ("whole", "killed")]
    commands = []
    for run in runs:
        file = tmp_path / f"{Path(run.run).name}.toml"
        file.write_text(settings_to_toml(run), encoding="utf-8")
        commands.append([sys.executable, "-m", "docrec", "train", "--config", str(file)])
    subprocess.run(commands[0], check=True, stderr=subprocess.DEVNULL)
    with subprocess.Popen(commands[1], stderr=subprocess.DEVNULL, start_new_session=True) as process:
        while not (Path(runs[1].run) / "state.npz").exists():
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    assert 20 <= progress(runs[1])["step"] < 60
    again = subprocess.run(commands[1], check=True, capture_output=True, text=True)
    assert "resumed at step" in again.stderr
    one, two = map(state, runs)
    for name in one.keys() - {"progress"}:
        np.testing.assert_array_equal(one[name], two[name])
    assert progress(runs[0])["losses"] == progress(runs[1])["losses"]
    for name in ("weights.npz", "backbone.onnx"):
        assert (Path(runs[0].model) / name).read_bytes() == (Path(runs[1].model) / name).read_bytes()


@pytest.mark.slow
def test_a_run_is_not_resumed_with_other_settings(options, alphabet, train):
    train(options, alphabet)
    with pytest.raises(OptionError, match="batch_size = 8"):
        train(dataclasses.replace(options, batch_size=4), alphabet)
    with pytest.raises(OptionError, match="lstm_units = 8"):
        train(dataclasses.replace(options, lstm_units=4), alphabet)
    with pytest.raises(BundleError, match="another network"):
        train(options, Charset(tuple("山月")))
    file = Path(options.run) / "state.npz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(BundleError, match="is damaged"):
        train(options, alphabet)


@pytest.mark.slow
def test_fine_tuning_keeps_what_both_alphabets_have(options, alphabet, train, tmp_path):
    from docrec.bundle import load_bundle, save_bundle
    from docrec.training.fit import fit_to_running_text

    old = Charset(tuple(char for char in alphabet.characters if char not in "高小"))
    new = Charset(("龙", *(char for char in reversed(alphabet.characters) if char not in "日水")))
    network, _ = train(options, old)
    shift, ngrams = fit_to_running_text(network, options, old)
    assert ngrams is not None
    assert len(ngrams.hanzi.pairs)
    start = save_bundle(tmp_path / "old", old, network.config, network.backbone, network.classifier, shift)
    tuned, _ = train(dataclasses.replace(options, run=str(tmp_path / "tuned")), new, start, stop_after=0)
    kernels = [np.asarray(layer.kernel) for layer in (network.classifier, tuned.classifier)]
    biases = np.asarray(network.classifier.bias) - shift, np.asarray(tuned.classifier.bias)
    for char in "山月，":
        here, there = new.classes[char], old.classes[char]
        np.testing.assert_allclose(kernels[1][:, here], kernels[0][:, there], atol=1e-3)
        np.testing.assert_allclose(biases[1][here], biases[0][there], atol=1e-2)
    for before, after in zip(network.backbone.weights, tuned.backbone.weights, strict=True):
        np.testing.assert_allclose(np.asarray(before), np.asarray(after), atol=2e-3)
    other = dataclasses.replace(options, lstm_units=4, run=str(tmp_path / "other"))
    with pytest.raises(BundleError, match="of the sizes to be trained"):
        train(other, new, load_bundle(tmp_path / "old"))


@pytest.mark.slow
def test_bfloat16_trains_on_any_processor(options, alphabet, train):
    _, done = train(dataclasses.replace(options, precision="mixed_bfloat16"), alphabet)
    assert done.step == options.steps


@pytest.mark.parametrize(("true", "count"), [(1.3, 4000), (0.8, 4000), (1.3, 0)], ids=["too modest", "too bold", "nothing known"])
def test_confidences_are_scaled_to_how_many_are_right(true, count):
    from docrec.training.fit import _scale_of_logits

    random = np.random.default_rng(5)
    told = random.uniform(0.5, 0.98, count)
    right = random.random(count) < 1 / (1 + ((1 - told) / told) ** true)
    assert _scale_of_logits(told, right.astype(float)) == pytest.approx(true if count else 1.0, abs=0.06)


def test_characters_are_right_whatever_their_width(alphabet):
    from docrec.training.fit import _told_and_right

    labels = alphabet.encode("山,，水")
    reading = Reading(tuple(Mark(label, 4 * at, 4 * at + 2, 0.6 + 0.1 * at) for at, label in enumerate(labels)))
    line = LabelledLine(np.zeros((32, 280), np.uint8), "山，,月", ())
    told, right = _told_and_right([line], [reading], alphabet)
    np.testing.assert_allclose(told, [0.6, 0.7, 0.8, 0.9])
    assert right.tolist() == [1, 1, 1, 0]


@pytest.mark.slow
def test_a_share_of_the_weights_at_the_start_may_be_kept(options, alphabet, train, tmp_path):
    from docrec.bundle import save_bundle
    from docrec.training.fit import blend

    network, _ = train(options, alphabet)
    start = save_bundle(tmp_path / "start", alphabet, network.config, network.backbone, network.classifier)
    tuned, _ = train(dataclasses.replace(options, run=str(tmp_path / "tuned"), seed=2), alphabet, start)
    before, after = ([np.asarray(weight) for weight in one.weights] for one in (network, tuned))
    blend(tuned, start, alphabet, 0.25)
    for mixed, then, now in zip(tuned.weights, before, after, strict=True):
        np.testing.assert_allclose(np.asarray(mixed), 0.25 * then + 0.75 * now, atol=2e-3)


@pytest.mark.slow
def test_training_stops_when_it_gets_no_better_and_keeps_the_best(options, alphabet, train):
    impatient = dataclasses.replace(options, steps=400, validate_every=1, patience=2, frames_rate=0.0, ctc_share=0.0)
    network, done = train(impatient, alphabet)
    assert done.step == done.validations[-1][0] < 400
    rates = [rate for _, rate, _ in done.validations]
    assert min(rates) == rates[-3]
    with np.load(Path(impatient.run) / "best.npz") as best:
        np.testing.assert_array_equal(best["v0"], np.asarray(network.variables[0]))


@pytest.mark.slow
def test_recorded_lines_are_learned_by_ctc(options, alphabet, labelled, train, caplog):
    caplog.set_level("INFO", logger="docrec")
    recorded = dataclasses.replace(options, text=(), fonts=(), data=(str(labelled),), steps=20)
    network, done = train(recorded, alphabet)
    assert network.ctc
    assert done.ctc_step == 20
    assert "all of training is CTC" in caplog.text


TWO_DEVICES = """
import os, sys, dataclasses, tensorflow
cpu = tensorflow.config.list_physical_devices("CPU")[0]
tensorflow.config.set_logical_device_configuration(cpu, [tensorflow.config.LogicalDeviceConfiguration()] * 2)
from docrec.charset import Charset
from docrec.options import TrainOptions
from docrec.training import fit
from docrec.training.settings import read_settings
if __name__ == "__main__":
    devices = tensorflow.config.list_logical_devices("CPU")
    fit._gpus = lambda: devices
    options, alphabet = TrainOptions(**read_settings(sys.argv[1])), Charset(tuple(sys.argv[2]))
    one = fit.train(dataclasses.replace(options, devices=1, run=options.run + "1"), alphabet)[1]
    two = fit.train(dataclasses.replace(options, devices=2, run=options.run + "2"), alphabet)[1]
    print(one.losses[0][1], two.losses[0][1])
"""


@pytest.mark.slow
def test_two_devices_share_a_batch(options, alphabet, tmp_path):
    """Two processors that TensorFlow takes for devices stand for GPUs; each normalises its own half, so losses agree roughly."""
    (tmp_path / "two.py").write_text(TWO_DEVICES)
    toml = tmp_path / "a.toml"
    toml.write_text(settings_to_toml(dataclasses.replace(options, steps=20, ctc_share=0.0)), encoding="utf-8")
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, str(tmp_path / "two.py"), str(toml), "".join(alphabet.characters)]
    one, two = map(float, subprocess.check_output(command, env=environment, text=True).split()[-2:])
    assert one == pytest.approx(two, rel=0.05)


@pytest.mark.slow
def test_devices_that_are_not_there(options, alphabet, train):
    with pytest.raises(OptionError, match="asks for 64 GPUs"):
        train(dataclasses.replace(options, devices=64), alphabet)


# === what is shown of it ===


def validation_of(*pairs):
    from docrec.training.fit import Validation
    from docrec.training.lines import LabelledLine

    samples = tuple((LabelledLine(np.zeros((32, 280), np.uint8), says), read) for says, read in pairs)
    return Validation(40, 0.25, 0.5, samples)


def test_tensorboard_is_told(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from docrec.training.board import Board
    from docrec.training.fit import Report

    board = Board(tmp_path)
    board.report(Report(20, 1.0, 0.5, 1e-3, 100.0, 0.1, 0.2, ctc=True))
    board.validated(validation_of(("山月", "山月"), ("水石", "水右")))
    events = EventAccumulator(str(tmp_path), size_guidance={"tensors": 0})
    events.Reload()
    tags = events.Tags()["tensors"]
    assert {"loss/ctc", "learning rate", "validation/CER", "samples"} <= set(tags)
    (table,) = events.Tensors("samples read")
    assert "水右" in table.tensor_proto.string_val[0].decode()


def test_the_terminal_shows_how_it_goes(options):
    from rich.console import Console

    from docrec.cli.train_view import TrainView, curve
    from docrec.training.fit import Report

    view = TrainView(options, quiet=False)
    for step, loss in enumerate((4.0, 2.0, 1.0, 0.0), 1):
        view.report(Report(20 * step, 60.0 * step, loss, 1e-3, 123.0, 0.1, step / 8, ctc=False))
    view.validated(validation_of(("山月", "山月"), ("水石", "水右")))
    console = Console(width=140)
    with console.capture() as capture:
        console.print(view._show())
    shown = capture.get()
    assert "CER 25.00%" in shown
    assert "about 4 min left" in shown
    assert "✗" in shown
    assert "水右" in shown
    assert curve(view._losses) == "█▅▃▁"


# === the command ===


@pytest.mark.slow
def test_the_command_makes_a_model_that_reads(text_file, font_folder, alphabet, tmp_path):
    from docrec.bundle import load_bundle
    from docrec.cli.app import run
    from docrec.recognizer import load

    dictionaries = [str(tmp_path / "char_dict.json"), str(tmp_path / "ord_map.json")]
    save_charset(alphabet, *dictionaries)
    command = ["train", "--text", str(text_file), "--fonts", str(font_folder), "--minutes", "0.02", "--batch-size", "4", "-q"]
    command += ["-c", dictionaries[0], "-o", dictionaries[1], "--run", str(tmp_path / "run"), "--model", str(tmp_path / "model")]
    command += ["--channels", "4,4,8,8,16", "--lstm-units", "8", "--tensorboard", str(tmp_path / "board")]
    assert run(command) == 0
    model = tmp_path / "model"
    assert load(model, "cpu").charset == alphabet
    assert len(load_bundle(model).ngrams().hanzi.pairs)
    assert read_settings(model / "training.toml")["channels"] == (4, 4, 8, 8, 16)
    assert json.loads((model / "metrics.json").read_text())["training"]["steps"] >= 1
    assert list((tmp_path / "board").iterdir())
    assert run(["train", "--config", str(model / "training.toml"), "-q", "--batch-size", "8"]) == ExitCode.BAD_ARGUMENTS


def test_the_command_refuses_what_does_not_fit(text_file, font_folder, tmp_path, capsys):
    from docrec.cli.app import run

    rest = ["--fonts", str(font_folder), "--minutes", "1", "--run", str(tmp_path / "run"), "--model", str(tmp_path / "model")]
    assert run(["train", "--text", str(text_file), "-c", "dict.json", *rest]) == ExitCode.BAD_ARGUMENTS
    assert "two halves" in capsys.readouterr().err
    assert run(["train", "--text", str(text_file), "--batch-size", "0", *rest]) == ExitCode.BAD_ARGUMENTS
    assert run(["train", "--text", str(text_file), "--channels", "a,b", *rest]) == ExitCode.BAD_ARGUMENTS
    assert run(["train", "--config", str(tmp_path / "none.toml"), *rest]) == ExitCode.FILE_ACCESS
    assert not (tmp_path / "model").exists()
    assert not (tmp_path / "run").exists()

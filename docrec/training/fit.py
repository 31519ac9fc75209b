"""The trainer: lines rendered on the fly in, weights out; saves as it goes, resumes, and keeps to a time budget."""

import dataclasses
import json
import logging
import math
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Full
from typing import Any

import keras
import numpy as np
from keras import ops

from docrec.charset import Charset
from docrec.chunk import FRAMES
from docrec.errors import BundleError
from docrec.network import NetworkConfig, build_backbone, build_classifier
from docrec.options import TrainOptions
from docrec.training.fonts import load_fonts
from docrec.training.lines import LabelledLine
from docrec.training.synth import Renderer
from docrec.training.targets import BLANK, CHARACTER, LONGEST, Batch, make_batch
from docrec.training.text import TextSource

log = logging.getLogger(__name__)

WARM_UP = 300  # steps
QUEUED_BATCHES = 12
SAVE_EVERY = 180  # seconds
LOG_EVERY = 30  # seconds
PRIOR_SHIFT = 0.5  # 1 would fit running text alone, 0 keeps rare Hanzi as likely as in training


@dataclasses.dataclass
class Progress:
    """How far training has come: steps, those of the CTC part among them, seconds used, and runs begun."""

    step: int = 0
    ctc_step: int = 0
    seconds: float = 0.0
    runs: int = 0


class TrainedNetwork(keras.Model):
    """Backbone and classifier with the losses of both parts of training; `ctc` chooses between them."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(name="trained")
        self.config = config
        self.backbone = build_backbone(config)
        self.classifier = build_classifier(config)
        self.ctc = False

    def call(self, inputs: dict[str, Any], training: bool = False) -> tuple[Any, Any]:
        """Log-probabilities: of the candidates (B, frames, K), and the blank's logit (B, frames, 1)."""
        outputs = self.backbone(ops.cast(inputs["images"], "float32")[..., None] / 255.0, training=training)
        features, blank = outputs["features"], outputs["blank"]
        if not self.ctc:
            frames = ops.expand_dims(inputs["frames"], -1)
            features, blank = ops.take_along_axis(features, frames, axis=1), ops.take_along_axis(blank, frames, axis=1)
        candidates = inputs["candidates"][0]
        logits = ops.matmul(features, ops.take(self.classifier.kernel, candidates, axis=1))
        logits = logits + ops.take(self.classifier.bias, candidates) + inputs["correction"][0]
        characters = ops.log_softmax(logits) + ops.log_sigmoid(-blank)
        return characters, blank

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True) -> Any:
        """Mean loss of the scored frames, or of the lines' CTC per character."""
        characters, blank = y_pred
        if self.ctc:
            outputs = ops.concatenate([ops.log_sigmoid(blank), characters], axis=-1)
            lengths = x["lengths"]
            losses = ops.ctc_loss(x["labels"] + 1, outputs, lengths, ops.full_like(lengths, FRAMES), mask_index=0)
            return ops.sum(losses) / ops.cast(ops.sum(lengths), "float32")

        def probability(labels: Any) -> Any:
            """Log-probability of the candidate at each frame; nothing where there is none."""
            chosen = ops.take_along_axis(characters, ops.maximum(labels, 0)[..., None], axis=-1)[..., 0]
            return ops.where(labels < 0, -1e9, chosen)

        left, right = probability(x["left"]), probability(x["right"])
        blank = ops.log_sigmoid(blank)[..., 0]
        right = ops.where(x["left"] == x["right"], -1e9, right)
        either = ops.logsumexp(ops.stack([blank, left, right]), axis=0)
        kinds = x["kinds"]
        return -ops.mean(ops.where(kinds == CHARACTER, left, ops.where(kinds == BLANK, blank, either)))


def train(options: TrainOptions, config: NetworkConfig, charset: Charset, folder: Path, stop_after: int | None = None) -> TrainedNetwork:
    """Train until the time budget is used, from where the last run in the folder ended.

    Args:
        options: see TrainOptions.
        config: sizes of the network.
        charset: alphabet; class i of the network is its character i.
        folder: receives state.npz, the weights, optimiser and progress.
        stop_after: end after this many steps of this call, the state saved, as if interrupted.
    """
    keras.mixed_precision.set_global_policy(options.precision)
    keras.utils.set_random_seed(options.seed)
    network = TrainedNetwork(config)
    optimizer = keras.optimizers.AdamW(options.frames_rate, weight_decay=1e-2, global_clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    network.compile(optimizer)
    optimizer.build(network.trainable_variables)
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state.npz"
    progress = _load_state(network, state) if state.exists() else Progress()
    if progress.runs:
        log.info("resumed at step %d, %.1f min", progress.step, progress.seconds / 60)
    progress.runs += 1
    first, before = progress.step, progress.seconds
    recent: list[float] = []
    with RenderedBatches(options, charset, progress.runs) as batches, _saving_at_the_end(network, progress, state):
        start = logged = saved = time.monotonic()
        while (done := progress.seconds / (60 * options.minutes) if options.minutes else 1) < 1 and progress.step - first != stop_after:
            if done >= 1 - options.ctc_share and not network.ctc:
                network.ctc = True
                network.compile(optimizer)
                log.info("from here on CTC")
            optimizer.learning_rate = _learning_rate(options, done, progress.ctc_step if network.ctc else progress.step)
            recent.append(float(network.train_on_batch(_inputs(next(batches)))))
            if not math.isfinite(recent[-1]):
                raise FloatingPointError(f"the loss became {recent[-1]} at step {progress.step}")
            now = time.monotonic()
            progress.step += 1
            progress.ctc_step += network.ctc
            progress.seconds = before + now - start
            if now - logged >= LOG_EVERY:
                rate = len(recent) * options.batch_size / (now - logged)
                log.info("%5.1f min  step %6d  loss %.4f  %4.0f lines/s", progress.seconds / 60, progress.step, np.mean(recent), rate)
                logged, recent = now, []
            if now - saved >= SAVE_EVERY:
                _save_state(network, progress, state)
                saved = now
    return network


def fit_to_running_text(network: TrainedNetwork, options: TrainOptions, charset: Charset) -> None:
    """Lower the network's expectation of rare Hanzi, of which training shows more than text does, by PRIOR_SHIFT of the difference."""
    ratio = TextSource(options.text, charset).log_prior_ratio(charset)
    network.classifier.bias.assign(ops.convert_to_numpy(network.classifier.bias) + PRIOR_SHIFT * ratio)


@contextmanager
def _saving_at_the_end(network: TrainedNetwork, progress: Progress, state: Path) -> Iterator[None]:
    """Save when training ends, also when it is interrupted, but not when it has failed."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        _save_state(network, progress, state)
        raise
    _save_state(network, progress, state)


class RenderedBatches:
    """Batches without end from processes that render, as a context manager; their input is of the tuple form of `_inputs`."""

    def __init__(self, options: TrainOptions, charset: Charset, run: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._queue = context.Queue(QUEUED_BATCHES)
        self._processes = [
            context.Process(target=_render, args=(options, charset, [options.seed, run, worker], self._queue), daemon=True)
            for worker in range(options.workers)
        ]

    def __enter__(self) -> Iterator[Batch]:
        for process in self._processes:
            process.start()
        return iter(self._next, None)

    def _next(self) -> Batch:
        batch = self._queue.get()
        if isinstance(batch, Exception):
            raise batch
        return batch

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
            process.join()


def _render(options: TrainOptions, charset: Charset, seed: list[int], queue: Any) -> None:
    """Body of a rendering process."""
    import cv2

    cv2.setNumThreads(1)
    try:
        renderer = Renderer(TextSource(options.text, charset), load_fonts(options.fonts, charset), sum(seed[1:]) * 1009 + seed[0])
        random = np.random.default_rng([*seed, 1])
        while True:
            lines: list[LabelledLine] = []
            while len(lines) < options.batch_size:
                line = renderer.draw()
                repeats = sum(a == b for a, b in zip(line.text, line.text[1:], strict=False))
                if 0 < len(line.spans) <= LONGEST and len(line.spans) + repeats < FRAMES - 4:
                    lines.append(line)
            _put(queue, make_batch(lines, charset, options.candidates, random))
    except KeyboardInterrupt:
        pass
    except Exception as error:  # raised again by whoever reads the queue
        queue.put(error)


def _put(queue: Any, batch: Batch) -> None:
    """Put a batch into the queue when there is room; end this process if the trainer is gone."""
    trainer = multiprocessing.parent_process()
    while trainer is None or trainer.is_alive():
        try:
            return queue.put(batch, timeout=5)
        except Full:
            continue
    raise SystemExit


def _inputs(batch: Batch) -> dict[str, np.ndarray]:
    values = {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
    return {name: value[None] if name in ("candidates", "correction") else value for name, value in values.items()}


def _learning_rate(options: TrainOptions, done: float, step: int) -> float:
    """Linear warm-up, then half a cosine to zero, for either part; `done` is the share of all time used."""
    share = options.ctc_share
    if done < 1 - share:
        peak, part, floor = options.frames_rate, done / (1 - share), 0.1
    else:
        peak, part, floor = options.ctc_rate, (done - (1 - share)) / share, 0.0
    return peak * min(1.0, (step + 1) / WARM_UP) * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * part)))


def _save_state(network: TrainedNetwork, progress: Progress, path: Path) -> None:
    arrays = {f"v{i}": ops.convert_to_numpy(v) for i, v in enumerate([*network.variables, *network.optimizer.variables])}
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, progress=json.dumps(dataclasses.asdict(progress)), **arrays)
    os.replace(temporary, path)


def _load_state(network: TrainedNetwork, path: Path) -> Progress:
    with np.load(path) as stored:
        variables = [*network.variables, *network.optimizer.variables]
        if len(stored.files) != len(variables) + 1:
            raise BundleError(f"{path} holds another network's training state; give another folder or remove it")
        for index, variable in enumerate(variables):
            variable.assign(stored[f"v{index}"])
        return Progress(**json.loads(str(stored["progress"])))

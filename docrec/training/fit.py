"""The trainer: batches in, weights out; it saves as it goes, and a run that was stopped goes on as if it had not been."""

import dataclasses
import json
import logging
import math
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Protocol
from unicodedata import normalize

import keras
import numpy as np
from keras import ops
from rapidfuzz.distance import Levenshtein

from docrec.bundle import Bundle
from docrec.charset import ALIKE, Charset
from docrec.chunk import FRAMES
from docrec.ctc import Classifier, Reading, decode
from docrec.errors import BundleError, OptionError, TrainingFailedError
from docrec.network import NetworkConfig, build_backbone, build_classifier
from docrec.ngrams import Ngrams
from docrec.options import TrainOptions
from docrec.training.batches import Batches
from docrec.training.fonts import load_fonts
from docrec.training.lines import LabelledLine
from docrec.training.synth import Renderer
from docrec.training.targets import BLANK, CHARACTER, UNKNOWN, Batch
from docrec.training.text import TextSource
from docrec.writers.replace import replacing, writing_to

log = logging.getLogger(__name__)

REPORT_EVERY = 20  # steps whose mean loss is reported and kept
LOG_EVERY = 30  # seconds
PRIOR_SHIFT = 0.5  # 1 would fit running text alone, 0 keeps rare Hanzi as likely as in training
CALIBRATION = 8  # lines to fit confidences to, for each to judge by
UNSURE = (0.5, 0.98)  # confidences that calibration looks at: above, a few freak lines would count for more than all others
PRIOR_STRENGTH = 10.0  # as of so many characters of log-odds around 2.4, whose outcome says that confidences are right
VALIDATION_BATCH = 64  # lines
SAMPLES = 8  # lines shown with a validation
# Settings that a run may be resumed with others of: they change how long it takes, not what it learns from.
FREE = {"run", "model", "steps", "minutes", "workers", "devices", "save_every", "patience", "blend"}


@dataclasses.dataclass
class Progress:
    """How far training has come.

    Attributes:
        step: steps done, `ctc_step` those of the last part among them.
        seconds: time used, over all runs.
        recent: losses of the steps since the last of `losses`.
        losses: pairs of a step and the mean loss of the REPORT_EVERY steps up to it.
        validations: step, CER and share of right lines of each validation.
        settings: those that must not change (see FREE).
    """

    step: int = 0
    ctc_step: int = 0
    seconds: float = 0.0
    recent: list[float] = dataclasses.field(default_factory=list)
    losses: list[tuple[int, float]] = dataclasses.field(default_factory=list)
    validations: list[tuple[int, float, float]] = dataclasses.field(default_factory=list)
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def since_best(self) -> int:
        """Validations since the one of lowest CER."""
        rates = [rate for _, rate, _ in self.validations]
        return len(rates) - 1 - rates.index(min(rates)) if rates else 0


@dataclasses.dataclass(frozen=True)
class Report:
    """What is told every REPORT_EVERY steps: mean loss, lines a second, shares of the time spent waiting for lines and of training done."""

    step: int
    seconds: float
    loss: float
    learning_rate: float
    rate: float
    waiting: float
    done: float
    ctc: bool


@dataclasses.dataclass(frozen=True)
class Validation:
    """How lines that training does not see are read: CER, share of lines without error, and a few of them with their reading."""

    step: int
    cer: float
    line_accuracy: float
    samples: tuple[tuple[LabelledLine, str], ...]


class Watcher(Protocol):
    """Is told how training goes."""

    def report(self, report: Report) -> None:
        """Take note of some more steps."""

    def validated(self, validation: Validation) -> None:
        """Take note of a validation."""


class TrainedNetwork(keras.Model):
    """Backbone and classifier with the losses of both parts of training; `ctc` chooses between them."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(name="trained")
        self.config = config
        self.backbone = build_backbone(config)
        self.classifier = build_classifier(config)
        self.ctc = False
        self.loss_share = 1.0

    def call(self, inputs: dict[str, Any], training: bool = False) -> tuple[Any, Any]:
        """Log-probabilities: of the candidates (B, frames, K), and the blank's logit (B, frames, 1)."""
        outputs = self.backbone(ops.cast(inputs["images"], "float32")[..., None] / 255.0, training=training)
        features, blank = outputs["features"], outputs["blank"]
        if not self.ctc:
            frames = ops.expand_dims(inputs["frames"], -1)
            features, blank = ops.take_along_axis(features, frames, axis=1), ops.take_along_axis(blank, frames, axis=1)
        candidates = inputs["candidates"][0]
        logits = ops.matmul(features, ops.take(self.classifier.kernel, candidates, axis=1))
        for shift in (ops.take(self.classifier.bias, candidates), inputs["correction"][0]):
            logits = logits + ops.cast(shift, logits.dtype)  # in mixed precision they are bfloat16
        characters = ops.log_softmax(logits) + ops.log_sigmoid(-blank)
        return characters, blank

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True) -> Any:
        """Mean loss of the scored frames, or of the lines' CTC per character, times `loss_share`."""
        return self.loss_share * (self._ctc_loss if self.ctc else self._frames_loss)(x, *y_pred)

    def _ctc_loss(self, x: Any, characters: Any, blank: Any) -> Any:
        outputs = ops.concatenate([ops.log_sigmoid(blank), characters], axis=-1)
        lengths = x["lengths"]
        losses = ops.ctc_loss(x["labels"] + 1, outputs, lengths, ops.full_like(lengths, FRAMES), mask_index=0)
        return ops.sum(losses) / ops.cast(ops.sum(lengths), "float32")

    def _frames_loss(self, x: Any, characters: Any, blank: Any) -> Any:
        def probability(labels: Any) -> Any:
            """Log-probability of the candidate at each frame; nothing where there is none."""
            chosen = ops.take_along_axis(characters, ops.maximum(labels, 0)[..., None], axis=-1)[..., 0]
            return ops.where(labels < 0, -1e9, chosen)

        left, right = probability(x["left"]), probability(x["right"])
        blank = ops.log_sigmoid(blank)[..., 0]
        right = ops.where(x["left"] == x["right"], -1e9, right)
        either = ops.logsumexp(ops.stack([blank, left, right]), axis=0)
        kinds = x["kinds"]
        known = ops.cast(kinds != UNKNOWN, "float32")
        losses = known * ops.where(kinds == CHARACTER, left, ops.where(kinds == BLANK, blank, either))
        return -ops.sum(losses) / ops.maximum(ops.sum(known), 1.0)


def train(
    options: TrainOptions,
    charset: Charset,
    start: Bundle | None = None,
    watchers: tuple[Watcher, ...] = (),
    stop_after: int | None = None,
) -> tuple[TrainedNetwork, Progress]:
    """Train until the steps or the minutes are used up, from where the last run in `options.run` ended.

    A run by steps that was stopped, however it was, ends with the weights that it would have had: batch n depends on its number
    only, and the state that is saved is whole.

    Args:
        options: see TrainOptions.
        charset: alphabet; class i of the network is its character i.
        start: model to begin with; of a network of the same sizes but for the classes.
        watchers: are told how it goes.
        stop_after: end after this many steps of this call, the state saved, as if interrupted.

    Returns:
        The network, the best validated one if there was `patience`, and how training went.

    Raises:
        OptionError: the folder holds a run of other settings, or the devices cannot be had.
        BundleError: the state is damaged, or `start` is of another size.
        TrainingDataError: there are no lines to learn from.
    """
    keras.mixed_precision.set_global_policy(_precision(options))
    keras.utils.set_random_seed(options.seed)
    if keras.backend.backend() == "torch":
        import torch

        torch.set_flush_denormal(True)  # a trained network's gradients are full of them, and they take a processor many times as long
    folder = Path(options.run)
    with writing_to(options.run):
        folder.mkdir(parents=True, exist_ok=True)
    state, best = folder / "state.npz", folder / "best.npz"
    parallel = _Parallel(options)
    with parallel.scope():
        sizes = {"classes": len(charset), "channels": options.channels, "lstm_units": options.lstm_units}
        network = TrainedNetwork(NetworkConfig.from_dict(sizes))
        network.loss_share = parallel.loss_share
        optimizer = keras.optimizers.AdamW(options.frames_rate, weight_decay=1e-2, global_clipnorm=5.0)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        network.compile(optimizer)
        optimizer.build(network.trainable_variables)
    progress = Progress(settings=_binding(options))
    if state.exists():
        progress = _load_state(network, state, options)
        log.info("resumed at step %d, %.1f min", progress.step, progress.seconds / 60)
    elif start:
        _take_over(network, start, charset)
    if not options.text and options.ctc_share < 1:
        log.info("where characters stand is known of rendered lines only, so all of training is CTC")
        options = dataclasses.replace(options, ctc_share=1.0)
    known = start.charset if start else None
    with Batches(options, charset, progress.step, known) as batches, _saving_at_the_end(network, progress, state):
        clock = _Clock(progress.seconds)
        numbered, first = iter(batches), progress.step
        while (done := _done(options, progress)) < 1 and progress.step - first != stop_after:
            if done >= 1 - options.ctc_share and not network.ctc:
                network.ctc = True
                network.compile(optimizer)
                log.info("from step %d on CTC", progress.step)
            rate = _learning_rate(options, done, progress.ctc_step if network.ctc else progress.step)
            optimizer.learning_rate = rate
            with clock.waiting():
                batch = next(numbered)
            loss = parallel.step(network, batch)
            if not math.isfinite(loss):
                raise TrainingFailedError(f"the loss became {loss} at step {progress.step}; lower the learning rates, or use float32")
            progress.step += 1
            progress.ctc_step += network.ctc
            progress.recent.append(loss)
            progress.seconds = clock.seconds()
            if progress.step % REPORT_EVERY == 0:
                mean, progress.recent = sum(progress.recent) / len(progress.recent), []
                progress.losses.append((progress.step, mean))
                report = Report(progress.step, progress.seconds, mean, rate, *clock.lap(options.batch_size), done, network.ctc)
                clock.log(report)
                for watcher in watchers:
                    watcher.report(report)
            if progress.step % options.validate_every == 0:
                validation = _validate(network, batches.validation, charset, progress.step)
                figures = progress.step, validation.cer, validation.line_accuracy
                progress.validations.append(figures)
                log.info("step %6d  CER %.4f, share of lines right %.3f", *figures)
                for watcher in watchers:
                    watcher.validated(validation)
                if options.patience and not progress.since_best:
                    _save(best, network.variables)
            if progress.step % options.save_every == 0:
                _save_state(network, progress, state)
    if options.patience and best.exists():
        _assign(network.variables, _load(best), best)
    return network, progress


def _precision(options: TrainOptions) -> str:
    """The arithmetic asked for, or float32 where PyTorch has only a processor without bfloat16, on which its LSTM fails."""
    if options.precision == "mixed_bfloat16" and keras.backend.backend() == "torch" and not _gpus():
        import torch

        if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
            log.warning("this processor has no bfloat16: training in float32")
            return "float32"
    return options.precision


def blend(network: TrainedNetwork, start: Bundle, charset: Charset, share: float) -> None:
    """Average a network's weights with those that it began with, of which `share` counts, 0 to 1.

    Weights along one course of training lie in one valley, in whose middle error is lower than at its sides: Wortsman et al., "Robust
    Fine-Tuning of Zero-Shot Models", 2022. Not where the alphabet grew: those weights never told known characters from the new ones.
    """
    before = TrainedNetwork(network.config)
    _take_over(before, start, charset)
    for now, then in zip(network.weights, before.weights, strict=True):
        now.assign((1 - share) * _array(now) + share * _array(then))


def fit_to_running_text(
    network: TrainedNetwork, options: TrainOptions, charset: Charset, start: Bundle | None = None
) -> tuple[np.ndarray, Ngrams | None]:
    """Fit a trained network to running text: what it expects, and how sure it says it is.

    Its expectation of rare Hanzi, of which training shows more than text does, is lowered by PRIOR_SHIFT of the difference. Then all logits
    are scaled (Guo et al., "On Calibration of Modern Neural Networks", 2017), so that of the characters of rendered Chinese text that are
    read with a confidence, and chosen by their neighbours, as many are right as it says, where width and look-alikes do not count.

    Returns:
        float32 (classes,), what of the classifier's biases is not the network's own, and the text's pairs of Hanzi; zeros and nothing where
        no text was rendered.
    """
    if not options.text:
        return np.zeros(len(charset), np.float32), None
    source = TextSource(options.text, charset, start.charset if start else None)
    shift = PRIOR_SHIFT * source.log_prior_ratio(charset)
    classifier, blank = network.classifier, network.backbone.get_layer("blank")
    classifier.bias.assign(ops.convert_to_numpy(classifier.bias) + shift)
    renderer = Renderer(source.running_text(), load_fonts(options.fonts, charset), options.seed + 2)
    lines = [line for line in renderer.lines(0, CALIBRATION * options.validation_lines) if line.text]
    ngrams = source.ngrams()
    told, right = _told_and_right(lines, [ngrams.choose(reading, charset) for reading in _read(network, lines, charset)], charset)
    unsure = (told >= UNSURE[0]) & (told < UNSURE[1])
    scale = _scale_of_logits(told[unsure], right[unsure])
    log.info("logits are scaled by %.2f", scale)
    for variable in (*classifier.weights, *blank.weights):
        variable.assign(ops.convert_to_numpy(variable) * scale)
    return scale * shift, ngrams


def _told_and_right(lines: Sequence[LabelledLine], readings: Sequence[Reading], charset: Charset) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of each character read but spaces, and whether it is right but for its width and look-alikes, 0 or 1."""
    told, right = [], []
    for line, reading in zip(lines, readings, strict=True):
        texts = charset.decode([mark.label for mark in reading.marks]), line.text
        have, want = ([normalize("NFKC", char).translate(ALIKE) for char in text] for text in texts)
        equal = np.zeros(len(have))
        for block in Levenshtein.opcodes(have, want):
            if block.tag == "equal":
                equal[block.src_start : block.src_end] = 1
        shown = [index for index, char in enumerate(have) if not char.isspace()]
        told += [reading.marks[index].confidence for index in shown]
        right += [equal[index] for index in shown]
    return np.array(told), np.array(right)


def _scale_of_logits(told: np.ndarray, right: np.ndarray) -> float:
    """By what to multiply the log-odds of confidences (N,) for `right` (N,), 0 or 1, to be likeliest; near 1 where little is known.

    Logistic regression without an intercept, by Newton's method; PRIOR_STRENGTH holds it to 1.
    """
    odds = np.log(np.clip(told, 1e-6, 1 - 1e-6) / np.clip(1 - told, 1e-6, 1))
    scale = 1.0
    for _ in range(20):
        expected = 1 / (1 + np.exp(-scale * odds))
        slope = odds @ (right - expected) - PRIOR_STRENGTH * (scale - 1)
        scale += slope / (odds**2 @ (expected * (1 - expected)) + PRIOR_STRENGTH)
        scale = min(max(scale, 0.5), 2.0)
    return float(scale)


def _done(options: TrainOptions, progress: Progress) -> float:
    """Share of training that is done, 0 to 1."""
    if options.patience and progress.since_best >= options.patience:
        return 1.0
    return progress.step / options.steps if options.steps else progress.seconds / (60 * options.minutes)


def _learning_rate(options: TrainOptions, done: float, step: int) -> float:
    """Linear warm-up, then half a cosine to zero, for either part; `done` is the share of all training that is done."""
    share = options.ctc_share
    if done < 1 - share:
        peak, part, floor = options.frames_rate, done / (1 - share), 0.1
    else:
        peak, part, floor = options.ctc_rate, (done - (1 - share)) / share, 0.0
    return peak * min(1.0, (step + 1) / (options.warm_up + 1)) * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * part)))


def _read(network: TrainedNetwork, lines: Sequence[LabelledLine], charset: Charset) -> list[Reading]:
    """Read lines with the network as it is."""
    classifier = Classifier(_array(network.classifier.kernel), _array(network.classifier.bias), np.arange(len(charset)))
    readings: list[Reading] = []
    for start in range(0, len(lines), VALIDATION_BATCH):
        batch = lines[start : start + VALIDATION_BATCH]
        images = np.zeros((VALIDATION_BATCH, *batch[0].pixels.shape, 1), np.float32)  # of one size, so that it is compiled once
        images[: len(batch), ..., 0] = np.stack([line.pixels for line in batch]) / np.float32(255)
        outputs = {name: np.asarray(values, np.float32) for name, values in network.backbone.predict_on_batch(images).items()}
        readings += decode(outputs["features"], outputs["blank"][..., 0], classifier)[: len(batch)]
    return readings


def _validate(network: TrainedNetwork, lines: list[LabelledLine], charset: Charset, step: int) -> Validation:
    """How lines are read by the network as it is."""
    read = [charset.decode([mark.label for mark in reading.marks]) for reading in _read(network, lines, charset)]
    edits = sum(Levenshtein.distance(line.text, text) for line, text in zip(lines, read, strict=True))
    right = sum(line.text == text for line, text in zip(lines, read, strict=True))
    samples = tuple(zip(lines[:SAMPLES], read, strict=False))
    return Validation(step, edits / sum(len(line.text) for line in lines), right / len(lines), samples)


class _Clock:
    """Seconds of training, those of earlier runs included, and what they went for."""

    def __init__(self, before: float) -> None:
        self._before = before
        self._start = self._lap = self._logged = time.monotonic()
        self._waited = self._waited_in_all = 0.0

    def seconds(self) -> float:
        """Seconds since training began, over all runs."""
        return self._before + time.monotonic() - self._start

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time of the `with` block as spent waiting for lines."""
        start = time.monotonic()
        yield
        self._waited += time.monotonic() - start

    def lap(self, batch_size: int) -> tuple[float, float]:
        """Lines a second since the last lap, and the share of the time that was spent waiting for them."""
        now = time.monotonic()
        seconds, self._lap = now - self._lap, now
        waited, self._waited = self._waited, 0.0
        return REPORT_EVERY * batch_size / seconds, waited / seconds

    def log(self, report: Report) -> None:
        """Log the report if the last one was logged some time ago."""
        if time.monotonic() - self._logged >= LOG_EVERY:
            self._logged = time.monotonic()
            values = (report.seconds / 60, report.step, report.loss, report.rate, 100 * report.waiting)
            log.info("%5.1f min  step %6d  loss %.4f  %4.0f lines/s  waiting for lines %.1f %% of the time", *values)


class _Parallel:
    """Training on several GPUs at once, each on its part of every batch, with TensorFlow's or JAX's means."""

    def __init__(self, options: TrainOptions) -> None:
        self._strategy: Any = None
        found = _gpus()
        self.replicas = max(1, len(found))
        if options.devices:
            if options.devices > max(1, len(found)):
                raise OptionError(f"--devices asks for {options.devices} GPUs, and {keras.backend.backend()} finds {len(found)}")
            self.replicas = options.devices
        if self.replicas > 1 and keras.backend.backend() == "torch":
            raise OptionError("training on several GPUs needs TensorFlow or JAX (KERAS_BACKEND); with torch give --devices 1")
        if options.batch_size % self.replicas:
            raise OptionError(f"--batch-size must be a multiple of the number of GPUs, {self.replicas}, got {options.batch_size}")
        if self.replicas > 1 and keras.backend.backend() == "tensorflow":
            import tensorflow

            self._strategy = tensorflow.distribute.MirroredStrategy([device.name for device in found[: self.replicas]])
        elif self.replicas > 1:
            keras.distribution.set_distribution(keras.distribution.DataParallel(devices=found[: self.replicas], auto_shard_dataset=False))

    def scope(self) -> Any:
        """In this context the network and its optimiser are to be made."""
        return self._strategy.scope() if self._strategy else nullcontext()

    @property
    def loss_share(self) -> float:
        """What each device's loss counts: TensorFlow sums the gradients of the devices."""
        return 1 / self.replicas if self._strategy else 1.0

    def step(self, network: TrainedNetwork, batch: Batch) -> float:
        """Train on a batch, a part of it on each device; returns the loss."""
        values = {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
        for name in ("candidates", "correction"):  # the same for all lines
            values[name] = np.repeat(values[name][None], self.replicas, axis=0)
        if not self._strategy:
            return float(network.train_on_batch(values))

        def part(context: Any) -> Any:
            here = context.replica_id_in_sync_group
            return {name: np.split(value, self.replicas)[here] for name, value in values.items()}

        network.make_train_function()  # Keras's train_on_batch gives every device the whole batch
        network.reset_metrics()
        return float(network.train_function(iter([(self._strategy.experimental_distribute_values_from_function(part),)]))["loss"])


def _gpus() -> list[Any]:
    """GPUs as the Keras backend knows them."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow

        return list(tensorflow.config.list_logical_devices("GPU"))
    if backend == "jax":
        with suppress(RuntimeError):  # there is none
            return list(keras.distribution.list_devices("gpu"))
        return []
    import torch

    return list(range(torch.cuda.device_count()))


def _take_over(network: TrainedNetwork, start: Bundle, charset: Charset) -> None:
    """Begin with the weights of a model, and with those of its classifier for the characters that both alphabets have."""
    stored = start.weights()
    try:
        for variable in network.backbone.weights:
            variable.assign(stored[variable.path])
        kernel, bias = stored["classifier/kernel"], stored["classifier/bias"] - stored.get("prior_shift", np.float32(0))
        known = [char for char in charset.characters if char in start.charset.classes]
        here, there = charset.encode("".join(known)), start.charset.encode("".join(known))
        new_kernel, new_bias = _array(network.classifier.kernel), _array(network.classifier.bias)
        new_kernel[:, here], new_bias[:] = kernel[:, there], bias.min()
        new_bias[here] = bias[there]
        network.classifier.kernel.assign(new_kernel)
        network.classifier.bias.assign(new_bias)
    except (KeyError, ValueError) as error:
        raise BundleError(f"the model {start.folder} must have a network of the sizes to be trained, and has not: {error}") from error
    log.info("begins with %s: %d of %d characters are known", start.folder, len(known), len(charset))


def _binding(options: TrainOptions) -> dict[str, Any]:
    """The settings that a run must be resumed with, as JSON gives them back."""
    settings = {name: value for name, value in dataclasses.asdict(options).items() if name not in FREE}
    return dict(json.loads(json.dumps(settings)))


@contextmanager
def _saving_at_the_end(network: TrainedNetwork, progress: Progress, state: Path) -> Iterator[None]:
    """Save when training ends, also when it is interrupted, but not when it has failed."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        _save_state(network, progress, state)
        raise
    _save_state(network, progress, state)


def _save_state(network: TrainedNetwork, progress: Progress, path: Path) -> None:
    _save(path, [*network.variables, *network.optimizer.variables], progress=json.dumps(dataclasses.asdict(progress)))


def _load_state(network: TrainedNetwork, path: Path, options: TrainOptions) -> Progress:
    stored = _load(path)
    progress = Progress(**json.loads(str(stored.pop("progress", "{}"))))
    now = _binding(options)
    if differing := [f"{name} = {progress.settings.get(name)}" for name in now if now[name] != progress.settings.get(name)]:
        raise OptionError(f"the run in {path.parent} was begun with other settings ({', '.join(differing)}); give these, or another --run")
    _assign([*network.variables, *network.optimizer.variables], stored, path)
    return progress


def _save(path: Path, variables: list[Any], **more: str) -> None:
    """Write the variables' values in one step."""
    arrays = {f"v{index}": ops.convert_to_numpy(variable) for index, variable in enumerate(variables)}
    arrays |= {name: np.array(text) for name, text in more.items()}
    with replacing(path) as file, writing_to(str(path)):
        np.savez(file, **arrays)


def _load(path: Path) -> dict[str, np.ndarray]:
    """What was saved."""
    try:
        with open(path, "rb") as file, np.load(file) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path} is damaged ({error}); give another folder, or remove it and begin anew") from error


def _assign(variables: list[Any], stored: dict[str, np.ndarray], path: Path) -> None:
    """Give the variables the values they were saved with."""
    try:
        if len(variables) != len(stored):
            raise ValueError(f"{len(stored)} variables instead of {len(variables)}")
        for index, variable in enumerate(variables):
            variable.assign(stored[f"v{index}"])
    except (KeyError, ValueError) as error:
        raise BundleError(f"{path} is of another network ({error}); give another folder, or remove it and begin anew") from error


def _array(variable: Any) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable), np.float32)
